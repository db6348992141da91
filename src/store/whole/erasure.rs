//! Where a person's words can stand, and how an erasure empties each place.
//!
//! This is the one list: a test holds it against the schema, so that no column is added without
//! saying whether it can hold what a person said or was called.

use rusqlite::Connection;

use crate::domain::{Member, MemberNumber, Seq};
use crate::store::tables::settings;
use crate::store::{Error, Transaction, log};

/// How a place is emptied.
enum How {
    /// With the member's own row and its terms, which the erasure writes.
    WithMember,
    /// By a statement; `?1` is the member.
    Sql(&'static str),
    /// Entry by entry, so that the chain of hashes still holds.
    LogTexts,
}

/// A table with columns that can hold a person's words.
struct Place {
    /// Its name.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test holds the list against the schema")
    )]
    table: &'static str,
    /// The columns.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test holds the list against the schema")
    )]
    columns: &'static [&'static str],
    /// How they are emptied.
    how: How,
}

const PLACES: &[Place] = &[
    Place {
        table: "member",
        columns: &["external_user_id", "display_name", "email", "attributes"],
        how: How::WithMember,
    },
    Place {
        table: "search_term",
        columns: &["term"],
        how: How::WithMember,
    },
    Place {
        table: "redemption",
        columns: &["canceled_note"],
        how: How::Sql("UPDATE redemption SET canceled_note = NULL WHERE member_id = ?1"),
    },
    Place {
        table: "message",
        columns: &["body"],
        how: How::Sql(
            "UPDATE message SET body = NULL WHERE conversation_id IN
                 (SELECT id FROM conversation WHERE member_id = ?1)",
        ),
    },
    // That of a booking is the offer's.
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

/// Forgets the words of a member everywhere but in the member's own row, and has what SQLite copied
/// of them overwritten after the commit.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erase(tx: &mut Transaction<'_>, member: &Member) -> Result<(), Error> {
    empty(tx, member.number, member.account.last)?;
    settings::want_scrub(tx)?;
    tx.words_erased();
    Ok(())
}

/// Empties every place but the member's own row. `last` is the member's newest ledger entry.
pub(in crate::store) fn empty(
    connection: &Connection,
    member: MemberNumber,
    last: Option<Seq>,
) -> Result<(), Error> {
    for place in PLACES {
        match place.how {
            How::WithMember => {}
            How::Sql(sql) => {
                connection.execute(sql, [member.0])?;
            }
            How::LogTexts => log::erase_texts(connection, member, last)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::SCHEMA;

    /// Columns of text or bytes that hold no person's words, and why.
    const WITHOUT_WORDS: &[(&str, &[&str])] = &[
        (
            "secrets and notes of this server's own",
            &[
                "setting.name",
                "setting.value",
                "webhook_endpoint.secret",
                "webhook_delivery.error",
                "log_text.commitment",
            ],
        ),
        (
            "words of the operator or the partner about themselves",
            &[
                "organization.name",
                "organization.external_id",
                "organization.metadata",
                "organization.allocation_notes",
                "program.name",
                "program.currency_name",
                "program.currency_symbol",
                "program.default_tier",
                "credential.name",
                "offer.title",
                "offer.description",
                "offer.short_description",
                "offer.kind",
                "offer.type",
                "offer.images",
                "offer.tiers",
                "webhook_endpoint.url",
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
                "program.status",
                "credential.kind",
                "credential.environment",
                "redemption.status",
                "redemption.canceled_reason",
                "conversation.last_role",
                "message.role",
                "webhook_delivery.status",
                "pool_usage.environment",
            ],
        ),
        (
            "random ids, hashes of random keys or of what holds no words, and keyed hashes",
            &[
                "organization.uuid",
                "organization.allocation_uuid",
                "program.uuid",
                "program.chain",
                "credential.uuid",
                "credential.prefix",
                "credential.hash",
                "offer.uuid",
                "redemption.uuid",
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
            "figures, which count and name nobody",
            &["snapshot_state.data", "snapshot_segment.data"],
        ),
    ];

    #[test]
    fn every_column_says_whether_it_can_hold_a_persons_words() {
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
        for (_, columns) in WITHOUT_WORDS {
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
