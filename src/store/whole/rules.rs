//! What each stored column may hold: the rules of the API's own types, by which an import is held
//! and a database verified.
//!
//! What the schema's constraints say (that a value must be there, one of a few words, sixteen bytes
//! long, in the range of points) is not repeated here.

use crate::domain::{
    Allocation, Attributes, Cell, CurrencyName, CurrencySymbol, DisplayName, Email, Entry,
    EventKind, ExternalId, ExternalUserId, Invalid, Label, LongText, MessageText, Name, Note,
    OfferContent, Reason, Seq, Subscription, Tier, Timestamp, Title, WebhookUrl,
};
use crate::domain::{Environment, MessageId, OfferId};

/// What a column may hold; it is asked about values that are there.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Rule(fn(Cell<'_>) -> Result<(), String>);

impl Rule {
    /// The rule of a column; `None` of a column that is not known here.
    pub(in crate::store) fn of(table: &str, column: &str) -> Option<Self> {
        let of = |columns: &[(&str, Self)]| {
            let found = columns.iter().find(|(name, _)| *name == column);
            found.map(|(_, rule)| *rule)
        };
        let (_, columns) = RULES.iter().find(|(name, _)| *name == table)?;
        of(columns).or_else(|| of(COMMON))
    }

    /// Whether a value is as the rule says.
    ///
    /// # Errors
    /// What was expected instead.
    pub(in crate::store) fn check(self, cell: Cell<'_>) -> Result<(), String> {
        match cell {
            Cell::Null => Ok(()),
            cell => (self.0)(cell),
        }
    }
}

/// A text that a type of the domain reads.
macro_rules! text {
    ($type:ident) => {
        Rule(|cell| {
            let text = cell.text().ok_or("must be text")?;
            $type::parse_stored("", text).map(drop).map_err(expected)
        })
    };
}

const ANY: Rule = Rule(|_| Ok(()));
const ROW: Rule = Rule(|cell| {
    let number = cell.integer().and_then(Seq::parse_stored);
    let most = Seq::MAX;
    number
        .map(drop)
        .ok_or_else(|| format!("must be a whole number from 1 to {most}"))
});
const COUNT: Rule = Rule(|cell| {
    let most = Seq::MAX;
    let is_good = cell
        .integer()
        .is_some_and(|number| (0..=most).contains(&number));
    is_good
        .then_some(())
        .ok_or_else(|| format!("must be a whole number from 0 to {most}"))
});
/// A time that a server's clock stamped.
const STAMP: Rule = Rule(|cell| {
    let time = cell.integer().and_then(Timestamp::parse_stored);
    time.map(drop)
        .ok_or_else(|| "must be Unix milliseconds in the years 1970 to 9999".to_owned())
});
/// Whether a column says when its row, or what it tells, came about: no server writes a later time
/// there than its clock shows, or that of a program which is ahead.
pub(in crate::store) fn is_stamp(column: &str) -> bool {
    matches!(
        column,
        "at" | "created_at"
            | "updated_at"
            | "archived_at"
            | "allocated_at"
            | "revoked_at"
            | "last_used_at"
            | "disabled_at"
            | "active_at"
            | "last_message_at"
    )
}

/// A time that somebody gave.
const TIME: Rule = Rule(|cell| {
    let time = cell.integer().and_then(Timestamp::from_millis);
    time.map(drop)
        .ok_or_else(|| "must be Unix milliseconds in the years 0000 to 9999".to_owned())
});
const MONTH: Rule = Rule(|cell| {
    // Of the year 9999.
    let most = (9999 - 1970) * 12 + 11;
    let is_good = cell
        .integer()
        .is_some_and(|month| (0..=most).contains(&month));
    is_good
        .then_some(())
        .ok_or_else(|| format!("must be months since 1970, 0 to {most}"))
});
const ALLOCATION: Rule = Rule(|cell| {
    let most = Allocation::CREDITS_MAX;
    let is_good = cell
        .integer()
        .is_some_and(|credits| (0..=most).contains(&credits));
    is_good
        .then_some(())
        .ok_or_else(|| format!("must be a whole number from 0 to {most}"))
});
const PIECES: Rule = Rule(|cell| {
    let pieces = cell.integer().unwrap_or(-1);
    OfferContent::check_stored_pieces("", pieces).map_err(expected)
});
const IMAGES: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    OfferContent::parse_stored_images("", json)
        .map(drop)
        .map_err(expected)
});
const TIERS: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    OfferContent::parse_stored_tiers("", json)
        .map(drop)
        .map_err(expected)
});
const EVENTS: Rule = Rule(|cell| {
    let json = cell.text().unwrap_or_default();
    Subscription::parse_stored("", json)
        .map(drop)
        .map_err(expected)
});
const WEBHOOK_URL: Rule = Rule(|cell| {
    let url = cell.text().unwrap_or_default();
    // Which environment it is in, only other rows tell.
    let read = WebhookUrl::parse_stored(url, Environment::Sandbox);
    read.map(drop).map_err(|refusal| refusal.to_string())
});
const SECRET: Rule = Rule(|cell| {
    let is_visible = |rest: &str| {
        (1..=255).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let rest = cell.text().and_then(|secret| secret.strip_prefix("whsec_"));
    rest.filter(|rest| is_visible(rest))
        .map(drop)
        .ok_or_else(|| "must be whsec_ and 1 to 255 visible ASCII characters".to_owned())
});
const PREFIX: Rule =
    Rule(|cell| {
        let is_key = |prefix: &str| {
            let known = [
                "expys_sandbox_",
                "expys_live_",
                "partner_sandbox_",
                "partner_live_",
            ];
            prefix.len() <= 255
                && prefix.bytes().all(|byte| byte.is_ascii_graphic())
                && known.iter().any(|known| prefix.starts_with(known))
        };
        cell.text().filter(|prefix| is_key(prefix)).map(drop).ok_or_else(|| {
        "must begin with expys_ or partner_ and the environment, in visible ASCII characters"
            .to_owned()
    })
    });
const KIND: Rule = Rule(|cell| {
    let kind = cell.integer().and_then(EventKind::of_number);
    kind.map(drop)
        .ok_or_else(|| "must be the number of an event".to_owned())
});
const ENTRY: Rule = Rule(|cell| {
    let entry = cell.integer().and_then(Entry::of_number);
    let most = Entry::ALL.len();
    entry
        .map(drop)
        .ok_or_else(|| format!("must be a whole number from 1 to {most}"))
});
const ACTOR: Rule = Rule(|cell| {
    let is_known = cell.integer().is_some_and(|actor| (1..=6).contains(&actor));
    is_known
        .then_some(())
        .ok_or_else(|| "must be a whole number from 1 to 6".to_owned())
});
/// Of version 1: a reason, a public id or an environment.
const NOTE: Rule = Rule(|cell| {
    let text = cell.text().unwrap_or_default();
    if MessageId::parse(text).is_some() || OfferId::parse(text).is_some() {
        return Ok(());
    }
    Reason::parse_stored("", text).map(drop).map_err(expected)
});

fn expected(invalid: Invalid) -> String {
    invalid.expected
}

/// The columns that mean the same in every table, unless it says otherwise.
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
    // One of a few words, by a constraint.
    ("environment", ANY),
    ("status", ANY),
    ("role", ANY),
];

/// The tables that an import brings, and their other columns.
const RULES: &[(&str, &[(&str, Rule)])] = &[
    // By its name: `audit` holds it to what each setting is.
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
            ("default_tier", text!(Tier)),
            ("amount_received", ANY),
            ("amount_spent", ANY),
            ("clock_offset", COUNT),
            ("updated_at", STAMP),
            ("configuration_version", COUNT),
            ("chain", ANY),
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
            ("tier", text!(Tier)),
            ("attributes", text!(Attributes)),
            ("balance", COUNT),
            ("amount_received", ANY),
            ("amount_spent", ANY),
            ("last_entry_seq", ROW),
            ("last_jump_seq", ROW),
            ("last_far_seq", ROW),
            ("entries", COUNT),
            ("participated", ANY),
            ("token_epoch", COUNT),
            ("token_expires_at", STAMP),
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
            ("kind", text!(Label)),
            ("type", text!(Label)),
            ("points_price", ANY),
            ("images", IMAGES),
            ("tiers", TIERS),
            ("quantity_remaining", PIECES),
            ("expires_at", TIME),
            ("start_at", TIME),
            ("end_at", TIME),
        ],
    ),
    (
        "redemption",
        &[
            ("charged", ANY),
            ("took_stock", ANY),
            ("start_at", TIME),
            ("end_at", TIME),
            ("canceled_reason", ANY),
            ("canceled_note", text!(Note)),
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
            // Of a redemption a time that somebody gave.
            ("expires_at", TIME),
            ("object_uuid", ANY),
            ("name", text!(Name)),
            ("matures_at", TIME),
            // No event of this version uses these: `log::check` finds them.
            ("cause_seq", ROW),
            ("due_at", ANY),
            ("asset", ANY),
            ("available", ANY),
            ("held", ANY),
            ("deferred", ANY),
            ("held_after", ANY),
            ("deferred_after", ANY),
            ("lots", ANY),
            ("rule_version", ANY),
            // Of version 1.
            ("first", COUNT),
            ("note", NOTE),
        ],
    ),
    (
        "log_text",
        &[
            ("seq", ROW),
            ("part", ROW),
            ("text", text!(Reason)),
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
        "webhook_endpoint",
        &[
            ("url", WEBHOOK_URL),
            ("events", EVENTS),
            ("secret", SECRET),
            ("disabled_at", STAMP),
        ],
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
    use crate::store::schema_version;
    use crate::store::whole::transfer;

    #[test]
    fn every_column_that_is_carried_has_a_rule_and_every_rule_a_column() {
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
        for (table, columns) in RULES {
            for (column, _) in *columns {
                let is_there = seen.iter().any(|(t, c)| t == table && c == column);
                assert!(is_there, "{table}.{column}");
            }
        }
    }

    #[test]
    fn what_the_api_never_accepted_is_refused() {
        let (text, number) = (Cell::Text, Cell::Integer);
        let long = "x".repeat(256);
        for (table, column, good, bad) in [
            ("member", "external_user_id", text("ann"), text("ann\r")),
            ("member", "external_user_id", text("a"), text(&long)),
            ("member", "attributes", text("{\"a\": 1.50}"), text("[1]")),
            ("member", "token_expires_at", number(0), number(-1)),
            ("activity", "seq", number(1 << 53), number(i64::MAX)),
            ("activity", "kind", number(61), number(62)),
            ("offer", "start_at", number(-1), number(i64::MIN)),
            ("offer", "tiers", text("[\"gold\"]"), text("{}")),
            ("offer", "quantity_remaining", number(0), number(1 << 40)),
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
