//! Answers kept for a retry.
//!
//! Rows cluster by the hour they were made in, so that random keys touch only the newest part of
//! the index. A filter in memory (about two bytes a key) tells which hours may hold a key, so that
//! a new key, the usual case, costs no look-up at all.

use std::collections::BTreeMap;

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
    tx.prepare_cached(sql)?.execute((
        now.hour(),
        key,
        answer.body_hash,
        now.as_millis(),
        answer.status,
        answer.sealed,
        &answer.response,
    ))?;
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

/// Which hours may hold a key: a Bloom filter for each hour. It may say yes wrongly, about once in
/// a hundred, but never no.
#[derive(Debug, Default)]
pub(super) struct KeyFilter {
    hours: BTreeMap<i64, HourFilter>,
}

impl KeyFilter {
    pub(super) fn load(connection: &Connection) -> Result<Self, Error> {
        let mut filter = Self::default();
        let mut statement = connection.prepare("SELECT hour, key_hash FROM idempotency")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            filter.add(row.get(0)?, &row.get(1)?);
        }
        Ok(filter)
    }

    /// The newest first: a retry mostly comes soon.
    fn hours_that_may_hold(&self, key: &Hash) -> Vec<i64> {
        let may_hold = |(_, filter): &(&i64, &HourFilter)| filter.may_hold(key);
        self.hours
            .iter()
            .rev()
            .filter(may_hold)
            .map(|(hour, _)| *hour)
            .collect()
    }

    fn add(&mut self, hour: i64, key: &Hash) {
        self.hours.entry(hour).or_default().add(key);
    }

    pub(super) fn forget_before(&mut self, hour: i64) {
        self.hours = self.hours.split_off(&hour);
    }
}

/// The keys of one hour, in layers of which each has room for twice as many as the one before, so
/// that the filter grows with the hour without ever being rebuilt.
#[derive(Debug, Default)]
struct HourFilter {
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// Sixteen bits a key; each key sets four bits of one word, so that a look-up touches one
    /// cache line.
    words: Vec<u64>,
    room: usize,
}

impl HourFilter {
    const FIRST_LAYER_KEYS: usize = 1024;

    fn may_hold(&self, key: &Hash) -> bool {
        self.layers.iter().rev().any(|layer| {
            let (index, bits) = layer.place(key);
            layer.words[index] & bits == bits
        })
    }

    fn add(&mut self, key: &Hash) {
        if self.layers.last().is_none_or(|layer| layer.room == 0) {
            let keys = Self::FIRST_LAYER_KEYS << self.layers.len();
            self.layers.push(Layer {
                words: vec![0; keys / 4],
                room: keys,
            });
        }
        if let Some(layer) = self.layers.last_mut() {
            let (index, bits) = layer.place(key);
            layer.words[index] |= bits;
            layer.room -= 1;
        }
    }
}

impl Layer {
    /// The word of a key and its bits there. The key is a hash, so its bytes are random already.
    fn place(&self, key: &Hash) -> (usize, u64) {
        let [w0, w1, w2, w3, b0, b1, b2, b3, ..] = *key;
        let word = u32::from_le_bytes([w0, w1, w2, w3]) as usize % self.words.len();
        let bits = [b0, b1, b2, b3]
            .iter()
            .fold(0, |bits, byte| bits | 1 << (byte % 64));
        (word, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Hash {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(number.to_le_bytes());
        std::array::from_fn(|index| digest[index])
    }

    #[test]
    fn the_filter_never_denies_a_key_it_was_given_and_rarely_affirms_another() {
        let mut filter = KeyFilter::default();
        for number in 0..50_000 {
            filter.add(7, &key(number));
        }
        assert!((0..50_000).all(|number| filter.hours_that_may_hold(&key(number)) == [7]));
        let wrong = (50_000..100_000)
            .filter(|n| !filter.hours_that_may_hold(&key(*n)).is_empty())
            .count();
        assert!(
            wrong < 4_000,
            "{wrong} of 50,000 unknown keys were affirmed"
        );
        filter.forget_before(8);
        assert!(filter.hours_that_may_hold(&key(1)).is_empty());
    }
}
