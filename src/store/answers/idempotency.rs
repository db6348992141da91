//! Idempotency records: the stored responses, which are replayed to retries.
//!
//! Records are numbered in the order of their insertion, so that the rows of a commit share their
//! pages, although keys are random. An index in memory leads from a key to the number of its
//! record. It nearly always knows if there is none, so that a new key needs no look-up.

use rusqlite::{Connection, OptionalExtension as _};

pub use super::key_index::Hash;
use super::key_index::List;
use super::stored_index;
pub use super::stored_index::segments_with_gaps;
use crate::domain::{MemberNumber, Timestamp};
use crate::store::tables::columns::column;
use crate::store::{Error, Transaction};

const RECORD: &str = "SELECT body_hash, status, sealed, response FROM idempotency
    WHERE id = ?1 AND key_hash = ?2 AND created_at > ?3";

/// The first response to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The hash of the request's body.
    pub body_hash: Hash,
    /// The HTTP status.
    pub status: u16,
    /// Whether `response` is encrypted.
    pub sealed: bool,
    /// The body of the response.
    pub response: Vec<u8>,
}

impl IdempotencyRecord {
    /// Whether the response was erased together with the member whose words it had.
    pub fn is_erased(&self) -> bool {
        self.status == ERASED
    }
}

/// The status of an erased response.
const ERASED: u16 = 0;

/// The record of a key, if it was created after `not_before`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    tx: &mut Transaction<'_>,
    key: &Hash,
    not_before: Timestamp,
) -> Result<Option<IdempotencyRecord>, Error> {
    if let Some(number) = tx.keys().open(key)
        && let Some(found) = read(tx, number, key, not_before)?
    {
        return Ok(Some(found));
    }
    for segment in tx.keys().segments(key) {
        for number in stored_index::listed(tx, segment, key)? {
            if let Some(found) = read(tx, number, key, not_before)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// The record of a number, if it belongs to this key and is young enough.
fn read(
    connection: &Connection,
    number: i64,
    key: &Hash,
    not_before: Timestamp,
) -> Result<Option<IdempotencyRecord>, Error> {
    let mut statement = connection.prepare_cached(RECORD)?;
    let found = statement.query_row((number, key, not_before.as_millis()), |row| {
        Ok(IdempotencyRecord {
            body_hash: row.get(column!(RECORD, "body_hash"))?,
            status: row.get(column!(RECORD, "status"))?,
            sealed: row.get(column!(RECORD, "sealed"))?,
            response: row.get(column!(RECORD, "response"))?,
        })
    });
    Ok(found.optional()?)
}

/// Stores the first response to a key.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn store(
    tx: &mut Transaction<'_>,
    key: &Hash,
    now: Timestamp,
    record: &IdempotencyRecord,
    words_of: Option<MemberNumber>,
) -> Result<(), Error> {
    let sql = "INSERT INTO idempotency
                   (id, key_hash, body_hash, created_at, status, sealed, response)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    // A write that is undone uses up its number: no number is used twice.
    let number = tx.keys().last() + 1;
    let values = (
        number,
        key,
        record.body_hash,
        now.as_millis(),
        record.status,
        record.sealed,
        &record.response,
    );
    tx.append_row(sql, |statement| statement.execute(values))?;
    if let Some(member) = words_of {
        let sql = "INSERT INTO idempotency_words (answer, member_id) VALUES (?1, ?2)";
        tx.append_row(sql, |statement| statement.execute((number, member.0)))?;
    }
    tx.keys().add(*key, number);
    Ok(())
}

/// The result of [`purge`].
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Purged {
    /// The number up to which all records are deleted.
    pub(in crate::store) up_to: i64,
    /// Whether there may be more to delete.
    pub(in crate::store) has_more: bool,
}

/// Deletes up to `limit` of the oldest records that were created up to a time.
pub(in crate::store) fn purge(
    connection: &Connection,
    created_until: Timestamp,
    limit: usize,
) -> Result<Purged, Error> {
    let transaction = connection.unchecked_transaction()?;
    let sql = "SELECT id, created_at FROM idempotency ORDER BY id LIMIT ?1";
    let (mut up_to, mut count) = (0, 0);
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? > created_until.as_millis() {
            break;
        }
        up_to = row.get(0)?;
        count += 1;
    }
    drop(rows);
    drop(statement);
    transaction
        .prepare_cached("DELETE FROM idempotency WHERE id <= ?1")?
        .execute([up_to])?;
    transaction
        .prepare_cached("DELETE FROM idempotency_words WHERE answer <= ?1")?
        .execute([up_to])?;
    // Before the segments, by which the lists are found.
    let sql = "DELETE FROM idempotency_list WHERE id < ?2 *
                   (SELECT 1 + max(number) FROM idempotency_segment WHERE last <= ?1)";
    transaction
        .prepare_cached(sql)?
        .execute((up_to, List::PARTS))?;
    let sql = "DELETE FROM idempotency_filter WHERE last_segment <=
                   (SELECT max(number) FROM idempotency_segment WHERE last <= ?1)";
    transaction.prepare_cached(sql)?.execute([up_to])?;
    transaction
        .prepare_cached("DELETE FROM idempotency_segment WHERE last <= ?1")?
        .execute([up_to])?;
    transaction.commit()?;
    Ok(Purged {
        up_to,
        has_more: count == limit,
    })
}
