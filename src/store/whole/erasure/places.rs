//! The columns that can hold a member's personal data, and how an erasure empties them.
//!
//! This list is complete: a test compares it with the schema, so that a new column must be listed
//! as holding personal data or not.

use rusqlite::Connection;

use crate::domain::{MemberNumber, Seq};
use crate::store::tables::attachments;
use crate::store::{Error, log};

/// A way to empty the columns of a table.
enum How {
    /// By the service, which writes the member's own row and its search terms.
    WithMember,
    /// By a statement; `?1` is the row of the member.
    Sql(&'static str),
    /// Event by event, so that the chain of hashes stays valid.
    LogTexts,
    /// Like the names of files, by which their bytes are found.
    Files,
    /// In steps after the transaction, because it may be much.
    InSteps,
}

/// A table with columns that can hold personal data.
struct Place {
    /// Its name.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test compares the list with the schema")
    )]
    table: &'static str,
    /// The columns.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test compares the list with the schema")
    )]
    columns: &'static [&'static str],
    /// The way they are emptied.
    how: How,
}

const PLACES: &[Place] = &[
    Place {
        table: "member",
        columns: &[
            "external_user_id",
            "display_name",
            "email",
            "phone",
            "attributes",
        ],
        how: How::WithMember,
    },
    Place {
        table: "search_term",
        columns: &["term"],
        how: How::WithMember,
    },
    Place {
        table: "member_tag",
        columns: &["tag"],
        how: How::Sql("DELETE FROM member_tag WHERE member_id = ?1"),
    },
    Place {
        table: "counter",
        columns: &["key", "value"],
        how: How::Sql("DELETE FROM counter WHERE member_id = ?1"),
    },
    Place {
        table: "event",
        columns: &["error"],
        how: How::Sql("UPDATE event SET error = NULL WHERE member_id = ?1"),
    },
    Place {
        table: "evaluation",
        columns: &["error"],
        how: How::Sql(
            "UPDATE evaluation SET error = NULL WHERE event_seq IN
                 (SELECT seq FROM event WHERE member_id = ?1)",
        ),
    },
    Place {
        table: "redemption",
        columns: &["canceled_note", "rating_comment"],
        how: How::Sql(
            "UPDATE redemption SET canceled_note = NULL, rating_comment = NULL
             WHERE member_id = ?1",
        ),
    },
    // Before the messages: a file is that of a message with an empty text.
    Place {
        table: "attachment",
        columns: &["name", "sha256"],
        how: How::Files,
    },
    Place {
        table: "attachment_piece",
        columns: &["data"],
        how: How::InSteps,
    },
    Place {
        table: "message",
        columns: &["body"],
        how: How::Sql(
            "UPDATE message SET body = NULL WHERE conversation_id IN
                 (SELECT id FROM conversation WHERE member_id = ?1)",
        ),
    },
    Place {
        table: "interest",
        columns: &[
            "preferred_dates",
            "blackout_dates",
            "occasion",
            "contact_method",
            "contact_window",
            "phone",
        ],
        how: How::Sql(
            "UPDATE interest SET preferred_dates = NULL, blackout_dates = NULL, adults = NULL,
                 children = NULL, occasion = NULL, contact_method = NULL, contact_window = NULL,
                 phone = NULL
             WHERE member_id = ?1",
        ),
    },
    Place {
        table: "phone_code",
        columns: &["number_hash", "code_hash"],
        how: How::Sql("DELETE FROM phone_code WHERE member_id = ?1"),
    },
    // The title of a booking's conversation is that of the offer.
    Place {
        table: "conversation",
        columns: &["title"],
        how: How::Sql(
            "UPDATE conversation SET title = NULL WHERE member_id = ?1 AND redemption_id IS NULL",
        ),
    },
    Place {
        table: "event_payload",
        columns: &["data"],
        how: How::Sql(
            "UPDATE event_payload SET data = NULL
             WHERE program_id = (SELECT program_id FROM member WHERE id = ?1)
                 AND EXISTS (SELECT 1 FROM activity a
                     WHERE a.seq = event_payload.seq AND a.member_id = ?1)",
        ),
    },
    Place {
        table: "idempotency",
        columns: &["response", "body_hash"],
        how: How::Sql(
            "UPDATE idempotency SET response = x'', body_hash = zeroblob(16), status = 0
             WHERE id IN (SELECT answer FROM idempotency_words WHERE member_id = ?1)",
        ),
    },
    Place {
        table: "log_text",
        columns: &["text", "salt"],
        how: How::LogTexts,
    },
];

/// Empties every place except the member's own row. `lasts` are the newest
/// ledger entries of the member's accounts.
pub(in crate::store) fn empty(
    connection: &Connection,
    member: MemberNumber,
    lasts: &[Option<Seq>],
) -> Result<(), Error> {
    for place in PLACES {
        match place.how {
            How::WithMember | How::InSteps => {}
            How::Files => attachments::erase(connection, member)?,
            How::Sql(sql) => {
                connection.execute(sql, [member.0])?;
            }
            How::LogTexts => log::erase_texts(connection, member, lasts)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::SCHEMA;

    /// Columns of text or bytes that hold no personal data, and the reasons.
    const WITHOUT_PERSONAL_DATA: &[(&str, &[&str])] = &[
        (
            "secrets and notes of this server",
            &[
                "setting.name",
                "setting.value",
                "webhook_endpoint.secret",
                "gateway.secret",
                "webhook_delivery.error",
                "log_text.commitment",
            ],
        ),
        (
            "texts of the operator or the partner about themselves",
            &[
                "organization.name",
                "organization.external_id",
                "organization.metadata",
                "organization.allocation_notes",
                "program.name",
                "program.description",
                "program.currency_name",
                "program.currency_symbol",
                "program.default_tier",
                "asset.name",
                "asset.symbol",
                "rule.name",
                "rule_version.document",
                "configuration.currency_name",
                "configuration.currency_symbol",
                "configuration.default_tier",
                "credential.name",
                "pool_funding.note",
                "terms_version.content",
                "offer.title",
                "offer.description",
                "offer.short_description",
                "offer.disclaimer",
                "offer.kind",
                "offer.type",
                "offer.images",
                "offer.inclusions",
                "offer.location",
                "offer.tiers",
                "webhook_endpoint.url",
                "gateway.url",
                "webhook_endpoint.events",
                "member.tier",
                "activity.from_state",
                "activity.to_state",
                "activity.name",
            ],
        ),
        (
            "one of a few words",
            &[
                "organization.environment",
                "organization.status",
                "organization.tier",
                "organization_pool.settlement_mode",
                "terms_version.type",
                "program.status",
                "program.expiry",
                "program.time_zone",
                "program.redemption_target",
                "asset.inventory_mode",
                "asset.burn_order",
                "asset.issuance_policy",
                "rule.status",
                "rule_version.change_type",
                "program.unknown_participants",
                "event.type",
                "event.status",
                "evaluation.status",
                "evaluation.reason",
                "offer.limit_per",
                "credential.kind",
                "credential.environment",
                "redemption.status",
                "redemption.canceled_reason",
                "interest.status",
                "gateway.kind",
                "conversation.last_role",
                "message.role",
                "attachment.type",
                "webhook_delivery.status",
                "pool_usage.environment",
            ],
        ),
        (
            "random ids and codes, hashes of random keys or of data that is not personal, and keyed hashes",
            &[
                "organization.uuid",
                "organization.allocation_uuid",
                "program.uuid",
                "rule.uuid",
                "credential.uuid",
                "credential.prefix",
                "credential.hash",
                "offer.uuid",
                "redemption.uuid",
                "redemption.code",
                "interest.uuid",
                "event.uuid",
                "terms_version.uuid",
                "conversation.uuid",
                "message.uuid",
                "webhook_endpoint.uuid",
                "activity.object_uuid",
                "activity.chain",
                "activity.lots",
                "idempotency.key_hash",
                "removal.erased_key",
                "idempotency_filter.filter",
                "idempotency_list.entries",
            ],
        ),
        (
            "figures, which are counts without names",
            &["snapshot_state.data", "snapshot_segment.data"],
        ),
        (
            "books, which know members by the numbers of their rows",
            &["book_part.data"],
        ),
    ];

    #[test]
    fn every_column_is_listed_as_holding_personal_data_or_not() {
        let schema = Connection::open_in_memory().unwrap();
        schema.execute_batch(SCHEMA).unwrap();
        let sql = "SELECT s.name || '.' || c.name FROM sqlite_schema s, pragma_table_info(s.name) c
                   WHERE s.type = 'table' AND c.type <> 'INTEGER'";
        let mut statement = schema.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        let found: BTreeSet<String> = rows.collect::<Result<_, _>>().unwrap();
        let mut known = Vec::new();
        for place in PLACES {
            let name = |column: &&str| format!("{}.{column}", place.table);
            known.extend(place.columns.iter().map(name));
        }
        for (_, columns) in WITHOUT_PERSONAL_DATA {
            known.extend(columns.iter().map(|column| (*column).to_owned()));
        }
        let listed: BTreeSet<String> = known.iter().cloned().collect();
        assert_eq!(listed.len(), known.len(), "a column is listed twice");
        assert_eq!(found, listed);
    }

    #[test]
    fn every_statement_is_valid() {
        let schema = Connection::open_in_memory().unwrap();
        schema.execute_batch(SCHEMA).unwrap();
        for place in PLACES {
            if let How::Sql(sql) = place.how {
                assert_eq!(schema.execute(sql, [1]).unwrap(), 0, "{}", place.table);
            }
        }
    }
}
