//! Removals of members, noted so that a repeated removal gets the same response.
//!
//! The id of an erased member is gone. So a keyed hash of it stays for a limited time, from which
//! the id cannot be guessed without the key.

use rusqlite::Connection;

use crate::domain::{MemberNumber, Timestamp};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// A keyed hash of a program and an id.
pub type ErasedKey = [u8; 16];

/// Notes that a member was removed, and whether the balance was retained.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn note(tx: &Transaction<'_>, member: MemberNumber, retained: bool) -> Result<(), Error> {
    let sql = "INSERT INTO removal (member_id, retained) VALUES (?1, ?2)";
    tx.run(sql, |statement| statement.execute((member.0, retained)))?;
    Ok(())
}

/// Deletes the note of a removal, after the member was restored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn forget(tx: &Transaction<'_>, member: MemberNumber) -> Result<(), Error> {
    let sql = "DELETE FROM removal WHERE member_id = ?1";
    tx.run(sql, |statement| statement.execute([member.0]))?;
    Ok(())
}

/// Notes the hash of the id of an erased member, unless one is noted already.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn note_erased(
    tx: &Transaction<'_>,
    member: MemberNumber,
    key: &ErasedKey,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE removal SET erased_key = ?2, erased_at = ?3
               WHERE member_id = ?1 AND erased_key IS NULL";
    let values = (member.0, key, now.as_millis());
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Whether a removed member's balance was retained.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn retained(connection: &Connection, member: MemberNumber) -> Result<bool, Error> {
    let sql = "SELECT retained FROM removal WHERE member_id = ?1";
    let found = query::one(connection, sql, [member.0], |row| Ok(row.get(0)?))?;
    found.ok_or(Error::Impossible("removed member without a removal"))
}

/// Whether the balance was retained of the newest member with this hash who was erased after
/// `not_before`; `None` if there is none.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erased(
    connection: &Connection,
    key: &ErasedKey,
    not_before: Timestamp,
) -> Result<Option<bool>, Error> {
    let sql = "SELECT retained FROM removal WHERE erased_key = ?1 AND erased_at > ?2
               ORDER BY member_id DESC LIMIT 1";
    let values = (key, not_before.as_millis());
    query::one(connection, sql, values, |row| Ok(row.get(0)?))
}

/// Deletes the hashes of members who were erased up to a time.
///
/// # Errors
/// [`Error`] if the database fails.
pub(in crate::store) fn purge(connection: &Connection, up_to: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE removal SET erased_key = NULL, erased_at = NULL
               WHERE erased_key IS NOT NULL AND erased_at <= ?1";
    connection
        .prepare_cached(sql)?
        .execute([up_to.as_millis()])?;
    Ok(())
}
