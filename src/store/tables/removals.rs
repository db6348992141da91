//! How removed members were removed, so that a removal that is repeated gets the same answer.
//!
//! Of a member who was erased nobody can look the id up any more. So a keyed hash of it stays for a
//! while, from which the id cannot be guessed without the key.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::{MemberNumber, Timestamp};
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

/// Forgets a removal: the member was restored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn forget(tx: &Transaction<'_>, member: MemberNumber) -> Result<(), Error> {
    let sql = "DELETE FROM removal WHERE member_id = ?1";
    tx.run(sql, |statement| statement.execute([member.0]))?;
    Ok(())
}

/// Notes by which hash an erased member is still known, unless one is noted already.
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
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([member.0], |row| row.get(0));
    found
        .optional()?
        .ok_or(Error::Impossible("removed member without a removal"))
}

/// The same of the newest member who was erased with this hash, since `not_before`; `None` if there
/// is none.
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
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row((key, not_before.as_millis()), |row| row.get(0));
    Ok(found.optional()?)
}

/// Forgets the hashes of those who were erased up to a time.
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
