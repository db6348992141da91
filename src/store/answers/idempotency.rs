//! Answers kept for a retry.
//!
//! Rows are numbered in the order they come, so that the rows of a commit share their pages however
//! random the keys are. An index in memory knows where the answer to a key may be, and nearly
//! always that there is none, so that a new key costs no look-up.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::key_index::{Era, Filter, KeyIndex, List, Segment};
use crate::domain::{MemberNumber, Timestamp};
use crate::store::file::connection;
use crate::store::{Error, Transaction};

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

impl StoredAnswer {
    /// Whether it was erased with the member whose words it had.
    pub fn is_erased(&self) -> bool {
        self.status == ERASED
    }
}

/// The status of an answer that was erased.
const ERASED: u16 = 0;

/// The answer kept for a key since `not_before`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    tx: &mut Transaction<'_>,
    key: &Hash,
    not_before: Timestamp,
) -> Result<Option<StoredAnswer>, Error> {
    if let Some(number) = tx.keys().open(key)
        && let Some(found) = read(tx, number, key, not_before)?
    {
        return Ok(Some(found));
    }
    for segment in tx.keys().segments(key) {
        for number in listed(tx, segment, key)? {
            if let Some(found) = read(tx, number, key, not_before)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// The answer of a number, if it is to this key and young enough.
fn read(
    connection: &Connection,
    number: i64,
    key: &Hash,
    not_before: Timestamp,
) -> Result<Option<StoredAnswer>, Error> {
    let sql = "SELECT body_hash, status, sealed, response FROM idempotency
               WHERE id = ?1 AND key_hash = ?2 AND created_at > ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row((number, key, not_before.as_millis()), |row| {
        Ok(StoredAnswer {
            body_hash: row.get(0)?,
            status: row.get(1)?,
            sealed: row.get(2)?,
            response: row.get(3)?,
        })
    });
    Ok(found.optional()?)
}

/// The numbers in a segment's list of the answers that may be those to a key.
fn listed(connection: &Connection, segment: Segment, key: &Hash) -> Result<Vec<i64>, Error> {
    let sql = "SELECT entries FROM idempotency_list WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([list_id(segment, List::part(key))], |row| {
        Ok(List::numbers(row.get_ref(0)?.as_blob()?, key, segment))
    });
    Ok(found.optional()?.unwrap_or_default())
}

fn list_id(segment: Segment, part: u8) -> i64 {
    segment.number * List::PARTS + i64::from(part)
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
    words_of: Option<MemberNumber>,
) -> Result<(), Error> {
    let sql = "INSERT INTO idempotency
                   (id, key_hash, body_hash, created_at, status, sealed, response)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    // The next number also after a write that was undone: no number is used twice.
    let number = tx.keys().last() + 1;
    let values = (
        number,
        key,
        answer.body_hash,
        now.as_millis(),
        answer.status,
        answer.sealed,
        &answer.response,
    );
    tx.run(sql, |statement| statement.execute(values))?;
    if let Some(member) = words_of {
        let sql = "INSERT INTO idempotency_words (answer, member_id) VALUES (?1, ?2)";
        tx.run(sql, |statement| statement.execute((number, member.0)))?;
    }
    tx.keys().add(*key, number);
    Ok(())
}

/// Reads where all answers are. An index that cannot be read is made anew from the answers.
///
/// Another connection reads them, which goes with the pages that it saw: the writer's would keep
/// them as long as it has room.
pub(in crate::store) fn index(connection: &Connection) -> Result<KeyIndex, Error> {
    let scan = connection::open_to_scan(Path::new(connection.path().unwrap_or_default()))?;
    let eras = eras(&scan)?;
    if eras.is_none() {
        tracing::error!("the index of kept answers is damaged and made anew");
        connection.execute_batch(DELETE_INDEX)?;
    }
    let mut index = KeyIndex::new(eras.unwrap_or_default());
    let sql = "SELECT id, key_hash FROM idempotency WHERE id > ?1 ORDER BY id";
    let mut statement = scan.prepare(sql)?;
    let mut rows = statement.query([index.last()])?;
    while let Some(row) = rows.next()? {
        index.add(row.get(1)?, row.get(0)?);
    }
    Ok(index)
}

const DELETE_INDEX: &str = "BEGIN IMMEDIATE; DELETE FROM idempotency_list;
    DELETE FROM idempotency_segment; DELETE FROM idempotency_filter; COMMIT";

/// The eras, the oldest first; `None` if the index cannot be read.
fn eras(connection: &Connection) -> Result<Option<VecDeque<Era>>, Error> {
    let mut eras = VecDeque::new();
    let mut segments = segments(connection)?.into_iter().peekable();
    for (last, filter) in filters(connection)? {
        let Some(filter) = filter else {
            return Ok(None);
        };
        let next = || segments.next_if(|segment| segment.number <= last);
        eras.extend(Era::new(std::iter::from_fn(next).collect(), filter));
    }
    // The filter of the newest segments is stored when their era is full.
    let newest: Vec<_> = segments.collect();
    let Some(first) = newest.first().copied() else {
        return Ok(Some(eras));
    };
    let from = list_id(first, u8::MIN);
    let sql = "SELECT count(*), coalesce(sum(length(entries)), 0) FROM idempotency_list
               WHERE id >= ?1";
    let (parts, bytes): (i64, i64) =
        connection.query_row(sql, [from], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if usize::try_from(parts) != Ok(newest.len() << u8::BITS) {
        return Ok(None);
    }
    let mut era = Era::with_room(newest, List::keys_in(bytes));
    let sql = "SELECT id % 256, entries FROM idempotency_list WHERE id >= ?1 ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([from])?;
    while let (Some(row), Some(era)) = (rows.next()?, &mut era) {
        let list = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        era.add_listed(row.get(0)?, list);
    }
    eras.extend(era);
    Ok(Some(eras))
}

/// The segments, the oldest first.
fn segments(connection: &Connection) -> Result<Vec<Segment>, Error> {
    let sql = "SELECT number, last FROM idempotency_segment ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    let segments = statement.query_map([], |row| {
        Ok(Segment {
            number: row.get(0)?,
            last: row.get(1)?,
        })
    })?;
    Ok(segments.collect::<Result<_, _>>()?)
}

/// The filters of full eras, the oldest first, as far as they can be read, each with the number of
/// its last segment.
fn filters(connection: &Connection) -> Result<Vec<(i64, Option<Filter>)>, Error> {
    let sql = "SELECT last_segment, filter FROM idempotency_filter ORDER BY last_segment";
    let mut statement = connection.prepare(sql)?;
    let filters = statement.query_map([], |row| {
        Ok((row.get(0)?, Filter::from_bytes(row.get_ref(1)?.as_blob()?)))
    })?;
    Ok(filters.collect::<Result<_, _>>()?)
}

/// The segments by which an answer would not be found that has its number among theirs.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn segments_with_gaps(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = Vec::new();
    let filters = filters(connection)?;
    for (last, filter) in &filters {
        if filter.is_none() {
            findings.push(format!(
                "the filter of kept answers up to segment {last} cannot be read"
            ));
        }
    }
    let mut after = 0;
    for segment in segments(connection)? {
        let number = segment.number;
        let filter = filters.iter().find(|(last, _)| number <= *last);
        let filter = filter.and_then(|(_, filter)| filter.as_ref());
        let missing = missing(connection, after, segment, filter)?;
        if missing > 0 {
            findings.push(format!(
                "segment {number} of kept answers lacks {missing} of them"
            ));
        }
        after = segment.last;
    }
    Ok(findings)
}

/// How many of the answers behind a number and up to the segment's last it does not lead to.
fn missing(
    connection: &Connection,
    after: i64,
    segment: Segment,
    filter: Option<&Filter>,
) -> Result<usize, Error> {
    let sql = "SELECT id, entries FROM idempotency_list WHERE id BETWEEN ?1 AND ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let ends = (list_id(segment, u8::MIN), list_id(segment, u8::MAX));
    let lists = statement.query_map(ends, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let lists: HashMap<i64, Vec<u8>> = lists.collect::<Result<_, _>>()?;
    let sql = "SELECT key_hash, id FROM idempotency WHERE id > ?1 AND id <= ?2 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let answers =
        statement.query_map((after, segment.last), |row| Ok((row.get(0)?, row.get(1)?)))?;
    // A key that was used again after its answer expired leads to the last one.
    let answers: HashMap<Hash, i64> = answers.collect::<Result<_, _>>()?;
    let leads_to = |(key, number): &(&Hash, &i64)| {
        let list = lists.get(&list_id(segment, List::part(key)));
        let listed = list.map(|bytes| List::numbers(bytes, key, segment));
        filter.is_none_or(|filter| filter.may_hold(key))
            && listed.is_some_and(|numbers| numbers.contains(number))
    };
    Ok(answers.iter().filter(|answer| !leads_to(answer)).count())
}

/// Writes a segment of all keys that are in none, and the filter of the era before it if it begins
/// another.
pub(in crate::store) fn close_segment(
    connection: &Connection,
    index: &KeyIndex,
) -> Result<Segment, Error> {
    let (segment, lists) = index.close();
    // REPLACE: a commit that failed may have come to the disk all the same.
    if let Some(era) = index.full_era() {
        let sql = "INSERT OR REPLACE INTO idempotency_filter (last_segment, filter)
                   VALUES (?1, ?2)";
        let values = (era.last().number, era.filter().to_bytes());
        connection.prepare_cached(sql)?.execute(values)?;
    }
    let sql = "INSERT OR REPLACE INTO idempotency_segment (number, last) VALUES (?1, ?2)";
    let values = (segment.number, segment.last);
    connection.prepare_cached(sql)?.execute(values)?;
    let sql = "INSERT OR REPLACE INTO idempotency_list (id, entries) VALUES (?1, ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    for (part, list) in (0..=u8::MAX).zip(&lists) {
        statement.execute((list_id(segment, part), list.bytes()))?;
    }
    Ok(segment)
}

/// What [`purge`] did.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Purged {
    /// The number up to which all answers are deleted.
    pub(in crate::store) up_to: i64,
    /// Whether there may be more to delete.
    pub(in crate::store) has_more: bool,
}

/// Deletes up to `limit` of the oldest answers, as far as they were made up to a time.
pub(in crate::store) fn purge(
    connection: &Connection,
    made_up_to: Timestamp,
    limit: usize,
) -> Result<Purged, Error> {
    let transaction = connection.unchecked_transaction()?;
    let sql = "SELECT id, created_at FROM idempotency ORDER BY id LIMIT ?1";
    let (mut up_to, mut count) = (0, 0);
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? > made_up_to.as_millis() {
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
    // Before the segments, which say which they are.
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
