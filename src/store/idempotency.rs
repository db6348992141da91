//! Answers kept for a retry.
//!
//! Rows cluster by the hour they were made in, so that random keys touch only the newest part of
//! the index. A filter in memory (about two bytes a key) tells which hours may hold a key, so that
//! a new key, the usual case, costs no look-up at all.

use rusqlite::{Connection, OptionalExtension as _};

use super::{Error, Transaction};
use crate::domain::Timestamp;

/// A hash of a key with its scope, or of a body.
pub type Hash = [u8; 16];

/// The first answer to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The hash of the body it answered.
    pub body_hash: Hash,
    /// The HTTP status.
    pub status: u16,
    /// Whether `response` is encrypted.
    pub sealed: bool,
    /// The body of the answer.
    pub response: Vec<u8>,
}

/// The answer kept for a key since `not_before`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    tx: &mut Transaction<'_>,
    key: &Hash,
    not_before: Timestamp,
) -> Result<Option<StoredAnswer>, Error> {
    for hour in tx.keys().hours_that_may_hold(key) {
        let sql = "SELECT body_hash, status, sealed, response FROM idempotency
                   WHERE hour = ?1 AND key_hash = ?2 AND created_at > ?3";
        let found = tx
            .prepare_cached(sql)?
            .query_row((hour, key, not_before.as_millis()), |row| {
                Ok(StoredAnswer {
                    body_hash: row.get(0)?,
                    status: row.get(1)?,
                    sealed: row.get(2)?,
                    response: row.get(3)?,
                })
            })
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Keeps the first answer to a key.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn store(
    tx: &mut Transaction<'_>,
    key: &Hash,
    now: Timestamp,
    answer: &StoredAnswer,
) -> Result<(), Error> {
    // REPLACE: an expired answer to the same key may still be there.
    let sql = "INSERT OR REPLACE INTO idempotency
                   (hour, key_hash, body_hash, created_at, status, sealed, response)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = (
        now.hour(),
        key,
        answer.body_hash,
        now.as_millis(),
        answer.status,
        answer.sealed,
        &answer.response,
    );
    tx.run(sql, |statement| statement.execute(values))?;
    tx.keys().add(now.hour(), key);
    Ok(())
}

/// Deletes up to `limit` answers made before an hour; tells how many.
pub(super) fn purge(connection: &Connection, hour: i64, limit: usize) -> Result<usize, Error> {
    let sql = "DELETE FROM idempotency WHERE (hour, key_hash) IN
                   (SELECT hour, key_hash FROM idempotency WHERE hour < ?1 LIMIT ?2)";
    Ok(connection
        .prepare_cached(sql)?
        .execute((hour, i64::try_from(limit).unwrap_or(i64::MAX)))?)
}

/// The hours of which answers are kept, the newest first.
pub(super) fn hours(connection: &Connection) -> Result<Vec<i64>, Error> {
    // From each hour to the one before it: as many look-ups as hours, however many keys they have.
    let sql = "SELECT max(hour) FROM idempotency WHERE hour < ?1";
    let mut statement = connection.prepare(sql)?;
    let mut hours = Vec::new();
    let mut before = i64::MAX;
    while let Some(hour) = statement.query_row([before], |row| row.get::<_, Option<i64>>(0))? {
        hours.push(hour);
        before = hour;
    }
    Ok(hours)
}

/// How many keys an hour has.
pub(super) fn count(connection: &Connection, hour: i64) -> Result<usize, Error> {
    let sql = "SELECT count(*) FROM idempotency WHERE hour = ?1";
    let count: i64 = connection.query_row(sql, [hour], |row| row.get(0))?;
    usize::try_from(count).map_err(|_| Error::Impossible("number of keys"))
}

/// Hands every key of an hour to `take`, until it says false.
pub(super) fn keys(
    connection: &Connection,
    hour: i64,
    mut take: impl FnMut(&Hash) -> bool,
) -> Result<(), Error> {
    let mut statement = connection.prepare("SELECT key_hash FROM idempotency WHERE hour = ?1")?;
    let mut rows = statement.query([hour])?;
    while let Some(row) = rows.next()? {
        if !take(&row.get(0)?) {
            break;
        }
    }
    Ok(())
}
