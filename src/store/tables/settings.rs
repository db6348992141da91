//! Facts about the server as a whole.

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::clock::RefusedStep;
use crate::domain::Timestamp;
use crate::store::{Error, Transaction};

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

/// Stores both, on first start.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn initialize(tx: &Transaction<'_>, partner: Uuid, token_key: &[u8; 32]) -> Result<(), Error> {
    let sql = "INSERT INTO setting (name, value) VALUES ('partner_uuid', ?1), ('token_key', ?2)";
    tx.execute(sql, (partner.as_bytes(), token_key))?;
    Ok(())
}

/// Puts another key of member tokens in the place of the one there is.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn replace_token_key(tx: &Transaction<'_>, token_key: &[u8; 32]) -> Result<(), Error> {
    let sql = "UPDATE setting SET value = ?1 WHERE name = 'token_key'";
    tx.execute(sql, [token_key])?;
    Ok(())
}

/// What is wrong with a setting of this name and value, if anything is.
pub(in crate::store) fn wrong_with(name: &str, value: &[u8]) -> Option<&'static str> {
    let (is_good, expected) = match name {
        "partner_uuid" => (value.len() == 16, "must be 16 bytes"),
        "token_key" => (value.len() == 32, "must be 32 bytes"),
        "write_probe" => (matches!(value, [1 | 2]), "must be 01 or 02"),
        SCRUB => (value.is_empty(), "must be empty"),
        CLOCK => (
            step_of(value).is_some(),
            "must be a time and a step of the clock, 8 bytes each",
        ),
        // Whoever opens the file reads these notes, and refuses it or goes on.
        "import" | "migration" => (true, ""),
        _ => (false, "is not known"),
    };
    (!is_good).then_some(expected)
}

/// The settings that every database has once a server was started on it.
pub(in crate::store) const NEEDED: [&str; 2] = ["partner_uuid", "token_key"];

/// Writes something that means nothing, to learn whether the disk takes it.
pub(in crate::store) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO setting (name, value) VALUES ('write_probe', x'01')
               ON CONFLICT (name) DO UPDATE SET value = CASE value WHEN x'01' THEN x'02' ELSE x'01' END";
    connection.execute(sql, []).map(drop)
}

/// Under this name it is noted that unused bytes of pages are still to be overwritten.
const SCRUB: &str = "scrub";

/// Whether unused bytes of pages are still to be overwritten after an erasure.
pub(in crate::store) fn is_scrub_wanted(connection: &Connection) -> Result<bool, Error> {
    Ok(value(connection, SCRUB)?.is_some())
}

/// Notes that unused bytes of pages are to be overwritten.
pub(in crate::store) fn want_scrub(connection: &Connection) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, x'')";
    connection.execute(sql, [SCRUB])?;
    Ok(())
}

/// Notes that all of them are overwritten.
pub(in crate::store) fn forget_scrub(connection: &Connection) -> Result<(), Error> {
    connection.execute("DELETE FROM setting WHERE name = ?1", [SCRUB])?;
    Ok(())
}

/// Under this name a step of the system clock is noted that was refused, so that a restart does not
/// accept it: what time the clock showed, and how far it had been set forward, in milliseconds.
const CLOCK: &str = "clock_refused";

/// The step of the system clock that was refused and not accepted since, if there is one.
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

/// Notes that no step of the system clock is refused.
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
