//! The rules of each stored column, after the API's own types. Imports and `stampcard verify` check
//! values against them.
//!
//! The constraints of the schema are not repeated here: that a value must not be null, must be one
//! of a few words, sixteen bytes long, or in the range of points.

mod earning;
mod kinds;

pub(in crate::store) use self::kinds::Rule;
use self::kinds::{
    ACTOR, ALLOCATION, ANY, CENTS, CHANGE, CODE, COUNT, DATES, DAY, DISPLAY_PRICE, ENTRY, EVENTS,
    EXPIRY, GUESTS, IMAGES, INCLUSIONS, KIND, LOG_TEXT, LOTS, MONTH, NOTE, NOTICE, PER_MEMBER,
    PERSONS, PIECES, PREFIX, RATE_PER_POINT, ROW, SECRET, STAMP, TIERS, TIME, UNITS_PER_USD,
    WEBHOOK_URL, ZONE, expected, text,
};
use crate::domain::{
    AssetSymbol, Attributes, Comment, CurrencyName, CurrencySymbol, DisplayName, Email, ExternalId,
    ExternalUserId, FileName, Label, Location, LongText, MessageText, Name, Note, Phone, TermsHtml,
    Tier, Title,
};

impl Rule {
    /// The rule of a column; `None` if the column has none.
    pub(in crate::store) fn of(table: &str, column: &str) -> Option<Self> {
        let of = |columns: &[(&str, Self)]| {
            let found = columns.iter().find(|(name, _)| *name == column);
            found.map(|(_, rule)| *rule)
        };
        let mut tables = RULES.iter().chain(earning::RULES);
        let (_, columns) = tables.find(|(name, _)| *name == table)?;
        of(columns).or_else(|| of(COMMON))
    }
}

/// Whether a column holds the time at which something happened. No server writes a later time there
/// than its clock shows, or the clock of a program that is ahead.
pub(in crate::store) fn is_stamp(column: &str) -> bool {
    matches!(
        column,
        "at" | "created_at"
            | "updated_at"
            | "archived_at"
            | "suspended_at"
            | "allocated_at"
            | "revoked_at"
            | "last_used_at"
            | "disabled_at"
            | "active_at"
            | "last_message_at"
            | "rated_at"
            | "details_sent_at"
            | "last_reset_at"
    )
}

/// The rules of columns that are the same in all tables, except those with their own rule.
const COMMON: &[(&str, Rule)] = &[
    ("id", ROW),
    ("uuid", ANY),
    ("program_id", ROW),
    ("member_id", ROW),
    ("offer_id", ROW),
    ("redemption_id", ROW),
    ("organization_id", ROW),
    ("created_at", STAMP),
    ("archived_at", STAMP),
    ("version", COUNT),
    // A constraint lists the words.
    ("environment", ANY),
    ("status", ANY),
    ("role", ANY),
];

/// The tables of an import, and the rules of their other columns.
const RULES: &[(&str, &[(&str, Rule)])] = &[
    // The rules of a setting depend on its name; `settings` checks them.
    ("setting", &[("name", ANY), ("value", ANY)]),
    (
        "organization",
        &[
            ("name", text!(Name)),
            ("external_id", text!(ExternalId)),
            ("tier", ANY),
            ("metadata", text!(Attributes)),
            ("allocation", ALLOCATION),
            ("allocation_uuid", ANY),
            ("allocation_notes", text!(Note)),
            ("allocated_at", STAMP),
        ],
    ),
    (
        "program",
        &[
            ("name", text!(Name)),
            ("currency_name", text!(CurrencyName)),
            ("currency_symbol", text!(CurrencySymbol)),
            ("rate_per_point", RATE_PER_POINT),
            ("units_per_usd", UNITS_PER_USD),
            ("default_tier", text!(Tier)),
            ("expiry", EXPIRY),
            ("time_zone", ZONE),
            ("expiry_notice", NOTICE),
            ("description", text!(Note)),
            ("redemption_target", ANY),
            ("refund_grace", ANY),
            ("unknown_participants", ANY),
            ("amount_received", ANY),
            ("amount_spent", ANY),
            ("clock_offset", COUNT),
            ("updated_at", STAMP),
            ("configuration_version", COUNT),
        ],
    ),
    (
        "configuration",
        &[
            ("currency_name", text!(CurrencyName)),
            ("currency_symbol", text!(CurrencySymbol)),
            ("rate_per_point", RATE_PER_POINT),
            ("units_per_usd", UNITS_PER_USD),
            ("default_tier", text!(Tier)),
        ],
    ),
    (
        "asset",
        &[
            ("name", text!(Name)),
            ("symbol", text!(AssetSymbol)),
            ("scale", ANY),
            ("inventory_mode", ANY),
            ("issuance_policy", ANY),
            ("burn_order", ANY),
            ("max_amount", ANY),
            ("opening_after", COUNT),
            ("opening_expires_at", STAMP),
            ("updated_at", STAMP),
        ],
    ),
    (
        "credential",
        &[
            ("kind", ANY),
            ("name", text!(Name)),
            ("prefix", PREFIX),
            ("hash", ANY),
            ("revoked_at", STAMP),
            ("last_used_at", STAMP),
        ],
    ),
    (
        "member",
        &[
            ("external_user_id", text!(ExternalUserId)),
            ("display_name", text!(DisplayName)),
            ("email", text!(Email)),
            ("phone", text!(Phone)),
            ("tier", text!(Tier)),
            ("attributes", text!(Attributes)),
            ("balance", COUNT),
            ("amount_received", ANY),
            ("amount_spent", ANY),
            ("last_entry_seq", ROW),
            ("participated", ANY),
            ("token_epoch", COUNT),
            ("token_expires_at", STAMP),
            ("suspended_at", STAMP),
            ("redemptions_submitted", COUNT),
            ("redemptions_open", COUNT),
            ("redemptions_awaiting_vendor", COUNT),
            ("redemptions_awaiting_customer", COUNT),
            ("redemptions_purchased", COUNT),
            ("redemptions_completed", COUNT),
            ("redemptions_canceled", COUNT),
        ],
    ),
    (
        "removal",
        &[("retained", ANY), ("erased_key", ANY), ("erased_at", STAMP)],
    ),
    (
        "offer",
        &[
            ("title", text!(Title)),
            ("description", text!(LongText)),
            ("short_description", text!(LongText)),
            ("disclaimer", text!(LongText)),
            ("kind", text!(Label)),
            ("type", text!(Label)),
            ("points_price", ANY),
            ("value_usd", CENTS),
            ("display_price", DISPLAY_PRICE),
            ("images", IMAGES),
            ("inclusions", INCLUSIONS),
            ("location", text!(Location)),
            ("guests_max", GUESTS),
            ("tiers", TIERS),
            ("quantity_remaining", PIECES),
            ("available_from", TIME),
            ("expires_at", TIME),
            ("is_paused", ANY),
            ("limit_per_member", PER_MEMBER),
            ("limit_per", ANY),
            ("start_at", TIME),
            ("end_at", TIME),
        ],
    ),
    (
        "redemption",
        &[
            ("code", CODE),
            ("charged", ANY),
            ("took_stock", ANY),
            ("quantity", ANY),
            ("returned", ANY),
            ("start_at", TIME),
            ("end_at", TIME),
            ("canceled_reason", ANY),
            ("canceled_note", text!(Note)),
            ("rating", ANY),
            ("rating_comment", text!(Comment)),
            ("rated_at", STAMP),
        ],
    ),
    (
        "activity",
        &[
            ("seq", ROW),
            ("at", STAMP),
            ("kind", KIND),
            ("actor", ACTOR),
            ("actor_number", ROW),
            ("entry", ENTRY),
            ("amount", COUNT),
            ("flag", ANY),
            ("previous_seq", ROW),
            ("jump_seq", ROW),
            ("received_after", COUNT),
            ("spent_after", COUNT),
            ("chain", ANY),
            ("from_state", text!(Tier)),
            ("to_state", text!(Tier)),
            // Of a redemption: a time given by a caller.
            ("expires_at", TIME),
            ("object_uuid", ANY),
            ("name", text!(Name)),
            ("matures_at", TIME),
            ("due_at", STAMP),
            // Of a pool: its balance, which may be negative; of a redemption: its units.
            ("available", CHANGE),
            ("held", CHANGE),
            ("deferred", CHANGE),
            ("held_after", COUNT),
            ("deferred_after", COUNT),
            ("lots", LOTS),
            ("cause_seq", ROW),
            ("asset", ROW),
            ("rule_version", ROW),
            // Columns of version 1.
            ("first", COUNT),
            ("note", NOTE),
        ],
    ),
    (
        "log_text",
        &[
            ("seq", ROW),
            ("part", ROW),
            ("text", LOG_TEXT),
            ("salt", ANY),
            ("commitment", ANY),
        ],
    ),
    (
        "conversation",
        &[
            ("title", text!(Title)),
            ("last_message_at", STAMP),
            ("last_role", ANY),
            ("active_at", STAMP),
            ("waiting_since", STAMP),
        ],
    ),
    (
        "message",
        &[("conversation_id", ROW), ("body", text!(MessageText))],
    ),
    (
        "attachment",
        &[
            ("message_id", ROW),
            ("name", text!(FileName)),
            ("type", ANY),
            ("size", ANY),
            ("sha256", ANY),
            ("day", DAY),
        ],
    ),
    (
        "attachment_piece",
        &[("attachment_id", ROW), ("number", ANY), ("data", ANY)],
    ),
    (
        "webhook_endpoint",
        &[
            ("url", WEBHOOK_URL),
            ("events", EVENTS),
            ("secret", SECRET),
            ("disabled_at", STAMP),
        ],
    ),
    (
        "organization_pool",
        &[
            ("balance", ANY),
            ("lifetime_spent", COUNT),
            ("credit_limit", COUNT),
            ("settlement_mode", ANY),
            ("low_threshold", COUNT),
        ],
    ),
    ("pool_funding", &[("seq", ROW), ("note", text!(Note))]),
    (
        "terms_version",
        &[("seq", ROW), ("type", ANY), ("content", text!(TermsHtml))],
    ),
    ("terms_acceptance", &[("seq", ROW), ("version_seq", ROW)]),
    (
        "interest",
        &[
            ("seq", ROW),
            ("changed_seq", ROW),
            ("phone_verified", ANY),
            ("details_sent_at", STAMP),
            ("preferred_dates", DATES),
            ("blackout_dates", DATES),
            ("adults", PERSONS),
            ("children", PERSONS),
            ("occasion", ANY),
            ("contact_method", ANY),
            ("contact_window", ANY),
            ("phone", text!(Phone)),
        ],
    ),
    (
        "gateway",
        &[("kind", ANY), ("url", WEBHOOK_URL), ("secret", SECRET)],
    ),
    ("pool_usage", &[("month", MONTH), ("credits", COUNT)]),
    (
        "organization_usage",
        &[("month", MONTH), ("credits", COUNT)],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Cell;
    use crate::store::schema_version;
    use crate::store::whole::transfer;

    #[test]
    fn every_exported_column_has_a_rule_and_every_rule_a_column() {
        let mut seen = Vec::new();
        for version in 1..=schema_version() {
            for table in transfer::tables(version).unwrap() {
                for column in &table.columns {
                    let rule = Rule::of(table.name, &column.name);
                    assert!(rule.is_some(), "{}.{}", table.name, column.name);
                    seen.push((table.name, column.name.clone()));
                }
            }
        }
        for (table, columns) in RULES.iter().chain(earning::RULES) {
            for (column, _) in *columns {
                let is_there = seen.iter().any(|(t, c)| t == table && c == column);
                assert!(is_there, "{table}.{column}");
            }
        }
    }

    #[test]
    fn values_that_the_api_never_accepted_are_refused() {
        let (text, number) = (Cell::Text, Cell::Integer);
        let long = "x".repeat(256);
        for (table, column, good, bad) in [
            ("member", "external_user_id", text("ann"), text("ann\r")),
            ("member", "external_user_id", text("a"), text(&long)),
            ("member", "attributes", text("{\"a\": 1.50}"), text("[1]")),
            ("member", "token_expires_at", number(0), number(-1)),
            ("activity", "seq", number(1 << 53), number(i64::MAX)),
            ("activity", "kind", number(61), number(99)),
            ("offer", "start_at", number(-1), number(i64::MIN)),
            ("offer", "tiers", text("[\"gold\"]"), text("{}")),
            ("offer", "quantity_remaining", number(0), number(1 << 40)),
            ("offer", "value_usd", number(0), number(-1)),
            ("offer", "guests_max", number(0), number(100_001)),
            ("offer", "limit_per_member", number(1_000), number(1_001)),
            ("redemption", "code", text("K7X2M9QP"), text("k7x2m9qp")),
            (
                "offer",
                "inclusions",
                text("[{\"group\": \"Food\", \"name\": \"Soup\"}]"),
                text("[{\"group\": \"Food\", \"name\": \"\"}]"),
            ),
            (
                "offer",
                "location",
                text("{\"display\": \"Athens\", \"country_code\": \"GR\"}"),
                text("{\"display\": \"Athens\", \"country_code\": \"gr\"}"),
            ),
            (
                "webhook_endpoint",
                "events",
                text("[\"member.created\"]"),
                text("[\"a\"]"),
            ),
            (
                "webhook_endpoint",
                "url",
                text("http://127.0.0.1/"),
                text("ftp://a.example/"),
            ),
            ("webhook_endpoint", "secret", text("whsec_old"), text("old")),
            ("credential", "prefix", text("expys_live_"), text("key_")),
            ("pool_usage", "month", number(0), number(-1)),
        ] {
            let rule = Rule::of(table, column).unwrap();
            assert_eq!(rule.check(good), Ok(()), "{table}.{column}");
            assert!(rule.check(bad).is_err(), "{table}.{column}");
        }
    }
}
