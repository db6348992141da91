//! Tags and counters of members.

use std::time::Duration;

use rusqlite::{Connection, Row};

use crate::domain::{CounterKey, CounterValue, MemberNumber, Tag, Timestamp};
use crate::store::tables::columns::{column, time};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// A counter, as it was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterRow {
    /// Its name.
    pub key: CounterKey,
    /// The value.
    pub value: CounterValue,
    /// After this time it is zero.
    pub reset_after: Option<Duration>,
    /// When it was created, set or last reset.
    pub last_reset_at: Timestamp,
}

/// The tags of a member, in the order of their bytes.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn tags(connection: &Connection, member: MemberNumber) -> Result<Vec<Tag>, Error> {
    let sql = "SELECT tag FROM member_tag WHERE member_id = ?1 ORDER BY tag";
    query::all(connection, sql, [member.0], |row| {
        Ok(Tag::stored(row.get(0)?))
    })
}

/// Whether a member has a tag.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn has_tag(connection: &Connection, member: MemberNumber, tag: &Tag) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM member_tag WHERE member_id = ?1 AND tag = ?2";
    let found = query::one(connection, sql, (member.0, tag.as_str()), |_| Ok(()))?;
    Ok(found.is_some())
}

/// How many tags a member has.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn count_tags(connection: &Connection, member: MemberNumber) -> Result<usize, Error> {
    count(
        connection,
        "SELECT count(*) FROM member_tag WHERE member_id = ?1",
        member,
    )
}

/// How many counters a member has.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn count_counters(connection: &Connection, member: MemberNumber) -> Result<usize, Error> {
    count(
        connection,
        "SELECT count(*) FROM counter WHERE member_id = ?1",
        member,
    )
}

fn count(connection: &Connection, sql: &str, member: MemberNumber) -> Result<usize, Error> {
    let found = query::one(connection, sql, [member.0], |row| Ok(row.get::<_, i64>(0)?))?;
    Ok(found
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or_default())
}

/// Adds a tag to a member who does not have it.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn add_tag(tx: &Transaction<'_>, member: MemberNumber, tag: &Tag) -> Result<(), Error> {
    let sql = "INSERT INTO member_tag (member_id, tag) VALUES (?1, ?2)";
    tx.run(sql, |statement| statement.execute((member.0, tag.as_str())))?;
    Ok(())
}

/// Removes a tag of a member.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn remove_tag(tx: &Transaction<'_>, member: MemberNumber, tag: &Tag) -> Result<(), Error> {
    let sql = "DELETE FROM member_tag WHERE member_id = ?1 AND tag = ?2";
    tx.run(sql, |statement| statement.execute((member.0, tag.as_str())))?;
    Ok(())
}

/// A query that selects the columns that [`counter`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT key, value, reset_after, last_reset_at FROM counter WHERE member_id = ?1",
            $rest
        )
    };
}

const SELECT: &str = select!("");

/// The counters of a member, in the order of the bytes of their keys.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn counters(connection: &Connection, member: MemberNumber) -> Result<Vec<CounterRow>, Error> {
    query::all(connection, select!(" ORDER BY key"), [member.0], counter)
}

/// A counter of a member.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_counter(
    connection: &Connection,
    member: MemberNumber,
    key: &CounterKey,
) -> Result<Option<CounterRow>, Error> {
    let values = (member.0, key.as_str());
    query::one(connection, select!(" AND key = ?2"), values, counter)
}

fn counter(row: &Row<'_>) -> Result<CounterRow, Error> {
    let value: String = row.get(column!(SELECT, "value"))?;
    let reset_after: Option<i64> = row.get(column!(SELECT, "reset_after"))?;
    Ok(CounterRow {
        key: CounterKey::stored(row.get(column!(SELECT, "key"))?),
        value: CounterValue::parse_stored("value", &value)
            .map_err(|_| Error::Impossible("value of a counter"))?,
        reset_after: reset_after.map(|millis| Duration::from_millis(millis.unsigned_abs())),
        last_reset_at: time(row, column!(SELECT, "last_reset_at"))?,
    })
}

/// Creates a counter of a member, or replaces it.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn save_counter(
    tx: &Transaction<'_>,
    member: MemberNumber,
    counter: &CounterRow,
) -> Result<(), Error> {
    let sql = "INSERT INTO counter (member_id, key, value, reset_after, last_reset_at)
               VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (member_id, key) DO UPDATE SET value = excluded.value,
                   reset_after = excluded.reset_after, last_reset_at = excluded.last_reset_at";
    let values = (
        member.0,
        counter.key.as_str(),
        counter.value.to_string(),
        counter.reset_after_millis(),
        counter.last_reset_at.as_millis(),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

impl CounterRow {
    /// The time after which it is reset, in milliseconds.
    pub fn reset_after_millis(&self) -> Option<i64> {
        let after = self.reset_after?;
        Some(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
    }
}
