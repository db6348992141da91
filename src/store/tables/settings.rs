//! Settings and notes of the server as a whole.
//!
//! **Must not know** the open transaction: the writer and the parts that open a file use these.

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::clock::RefusedStep;
use crate::domain::Timestamp;
use crate::store::Error;

/// The operator's public id, once there is one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn partner_uuid(connection: &Connection) -> Result<Option<Uuid>, Error> {
    value(connection, "partner_uuid")?
        .map(|bytes| Uuid::from_slice(&bytes).map_err(|_| Error::Impossible("partner id")))
        .transpose()
}

/// The key of member tokens, once there is one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn token_key(connection: &Connection) -> Result<Option<[u8; 32]>, Error> {
    value(connection, "token_key")?
        .map(|bytes| bytes.try_into().map_err(|_| Error::Impossible("token key")))
        .transpose()
}

/// Stores both settings, on the first start.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn initialize(tx: &Connection, partner: Uuid, token_key: &[u8; 32]) -> Result<(), Error> {
    let sql = "INSERT INTO setting (name, value) VALUES ('partner_uuid', ?1), ('token_key', ?2)";
    tx.execute(sql, (partner.as_bytes(), token_key))?;
    Ok(())
}

/// Replaces the key of member tokens.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn replace_token_key(tx: &Connection, token_key: &[u8; 32]) -> Result<(), Error> {
    let sql = "UPDATE setting SET value = ?1 WHERE name = 'token_key'";
    tx.execute(sql, [token_key])?;
    Ok(())
}

/// Checks a setting, and returns what is wrong with it, if anything is.
pub(in crate::store) fn wrong_with(name: &str, value: &[u8]) -> Option<&'static str> {
    let (is_valid, expected) = match name {
        "partner_uuid" => (value.len() == 16, "must be 16 bytes"),
        "token_key" => (value.len() == 32, "must be 32 bytes"),
        "write_probe" => (matches!(value, [1 | 2]), "must be 01 or 02"),
        SCRUB => (value.is_empty(), "must be empty"),
        CLOCK => (
            step_of(value).is_some(),
            "must be a time and a step of the clock, 8 bytes each",
        ),
        // Notes that are checked when the file is opened.
        "import" | "migration" => (true, ""),
        _ => (false, "is not known"),
    };
    (!is_valid).then_some(expected)
}

/// The settings that every database has after the first start of a server.
pub(in crate::store) const NEEDED: [&str; 2] = ["partner_uuid", "token_key"];

/// Writes a value without meaning, to find out whether the disk accepts writes.
pub(in crate::store) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO setting (name, value) VALUES ('write_probe', x'01')
               ON CONFLICT (name) DO UPDATE SET value =
                   CASE value WHEN x'01' THEN x'02' ELSE x'01' END";
    connection.execute(sql, []).map(drop)
}

/// The name of the note that unused bytes of pages still have to be overwritten.
const SCRUB: &str = "scrub";

/// Whether unused bytes of pages still have to be overwritten after an erasure.
pub(in crate::store) fn is_scrub_wanted(connection: &Connection) -> Result<bool, Error> {
    Ok(value(connection, SCRUB)?.is_some())
}

/// Notes that unused bytes of pages have to be overwritten.
pub(in crate::store) fn want_scrub(connection: &Connection) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, x'')";
    connection.execute(sql, [SCRUB])?;
    Ok(())
}

/// Deletes the note, after all of them were overwritten.
pub(in crate::store) fn forget_scrub(connection: &Connection) -> Result<(), Error> {
    connection.execute("DELETE FROM setting WHERE name = ?1", [SCRUB])?;
    Ok(())
}

/// The name of the note of a step of the system clock that was refused, so that a restart does not
/// accept it: the time that the clock showed, and how far it had been set forward, in milliseconds.
const CLOCK: &str = "clock_refused";

/// The step of the system clock that was refused and has not been accepted since, if there is one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn refused_step(connection: &Connection) -> Result<Option<RefusedStep>, Error> {
    value(connection, CLOCK)?
        .map(|bytes| step_of(&bytes).ok_or(Error::Impossible("refused step of the clock")))
        .transpose()
}

fn step_of(bytes: &[u8]) -> Option<RefusedStep> {
    let (shown, step) = bytes.split_first_chunk::<8>()?;
    let shown = i64::from_be_bytes(*shown);
    let step = i64::from_be_bytes(<[u8; 8]>::try_from(step).ok()?);
    let is_possible = Timestamp::parse_stored(shown).is_some() && (1..=shown).contains(&step);
    is_possible.then_some(RefusedStep { shown, step })
}

/// Notes a step of the system clock that was refused.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn note_refused_step(connection: &Connection, refused: RefusedStep) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
    let RefusedStep { shown, step } = refused;
    let bytes = [shown.to_be_bytes(), step.to_be_bytes()].concat();
    connection.execute(sql, (CLOCK, bytes))?;
    Ok(())
}

/// Deletes the note of a refused step of the system clock.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn forget_refused_step(connection: &Connection) -> Result<(), Error> {
    connection.execute("DELETE FROM setting WHERE name = ?1", [CLOCK])?;
    Ok(())
}

fn value(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    Ok(connection
        .query_row(sql, [name], |row| row.get(0))
        .optional()?)
}
