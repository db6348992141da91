//! The tables of the index of idempotency keys: its segments, their lists, and the filters of eras.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::key_index::{Era, Filter, Hash, KeyIndex, List, Segment};
use crate::store::Error;
use crate::store::file::connection;

/// The numbers of the records that may be those of a key, according to a segment's list.
pub(super) fn listed(
    connection: &Connection,
    segment: Segment,
    key: &Hash,
) -> Result<Vec<i64>, Error> {
    let sql = "SELECT entries FROM idempotency_list WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([list_id(segment, List::part(key))], |row| {
        Ok(List::numbers(row.get_ref(0)?.as_blob()?, key, segment))
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// The id of the row that holds a part of a segment's list.
fn list_id(segment: Segment, part: u8) -> i64 {
    segment.number * List::PARTS + i64::from(part)
}

/// Reads the index of all records. A damaged index is rebuilt from the records.
///
/// They are read with a connection of their own, which is closed together with its page cache. The
/// writer's connection would keep the pages as long as it has room for them.
pub(in crate::store) fn read(connection: &Connection) -> Result<KeyIndex, Error> {
    let scan = connection::open_to_scan(Path::new(connection.path().unwrap_or_default()))?;
    let eras = eras(&scan)?;
    if eras.is_none() {
        tracing::error!("the index of idempotency keys is damaged; rebuilding it");
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

/// The eras, oldest first; `None` if the index cannot be read.
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
    // The filter of the newest segments is stored only once their era is full.
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

/// The segments, oldest first.
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

/// The filters of full eras, oldest first, each with the number of its last segment; `None` for a
/// filter that cannot be read.
fn filters(connection: &Connection) -> Result<Vec<(i64, Option<Filter>)>, Error> {
    let sql = "SELECT last_segment, filter FROM idempotency_filter ORDER BY last_segment";
    let mut statement = connection.prepare(sql)?;
    let filters = statement.query_map([], |row| {
        Ok((row.get(0)?, Filter::from_bytes(row.get_ref(1)?.as_blob()?)))
    })?;
    Ok(filters.collect::<Result<_, _>>()?)
}

/// Reports the segments and filters that do not lead to all of their records.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn segments_with_gaps(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut findings = Vec::new();
    let filters = filters(connection)?;
    for (last, filter) in &filters {
        if filter.is_none() {
            findings.push(format!(
                "the filter of idempotency records up to segment {last} cannot be read"
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
                "segment {number} of the idempotency records lacks {missing} of them"
            ));
        }
        after = segment.last;
    }
    Ok(findings)
}

/// Counts the records after a number, up to the segment's last one, that the segment does not lead
/// to.
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
    let records =
        statement.query_map((after, segment.last), |row| Ok((row.get(0)?, row.get(1)?)))?;
    // A key that was used again after its record expired leads to its last record.
    let records: HashMap<Hash, i64> = records.collect::<Result<_, _>>()?;
    let leads_to = |(key, number): &(&Hash, &i64)| {
        let list = lists.get(&list_id(segment, List::part(key)));
        let listed = list.map(|bytes| List::numbers(bytes, key, segment));
        filter.is_none_or(|filter| filter.may_hold(key))
            && listed.is_some_and(|numbers| numbers.contains(number))
    };
    Ok(records.iter().filter(|record| !leads_to(record)).count())
}

/// Writes a segment of all keys that are in no segment yet, and the filter of the last era if the
/// segment begins a new one.
pub(in crate::store) fn close_segment(
    connection: &Connection,
    index: &KeyIndex,
) -> Result<Segment, Error> {
    let (segment, lists) = index.close();
    // REPLACE: a commit that failed may have reached the disk all the same.
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
