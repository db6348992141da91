//! The versions of the schema: the text of each, and which one a database file has.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::open_error::OpenError;
use crate::store::Error;

/// The whole schema, as a new database gets it.
pub const SCHEMA: &str = include_str!("../../../schema.sql");

/// The schema of version 1, which stampcard 0.1.0 wrote. It never changes again.
pub(super) const SCHEMA_1: &str = include_str!("migrations/v1.sql");

/// Marks a file as ours ("Stmp"), in SQLite's `application_id`.
pub(super) const APPLICATION_ID: i64 = 0x5374_6d70;

/// The version that this program writes.
pub(super) const VERSION: i64 = 2;

/// The name of the setting that records the progress of an unfinished step.
pub(super) const NOTE: &str = "migration";

/// Receives how many rows a migration has moved, and of how many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// The version that this program writes.
pub fn known_version() -> i64 {
    VERSION
}

/// The schema of a version, as a new database got it; `None` if no program ever wrote it.
pub fn schema_of(version: i64) -> Option<&'static str> {
    match version {
        1 => Some(SCHEMA_1),
        VERSION => Some(SCHEMA),
        _ => None,
    }
}

/// Whether a migration of the schema was begun and not finished.
pub(super) fn is_unfinished(connection: &Connection) -> Result<bool, Error> {
    Ok(note(connection)?.is_some())
}

/// The record of an unfinished step, if there is one.
pub(super) fn note(connection: &Connection) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let found = connection.query_row(sql, [NOTE], |row| row.get(0));
    Ok(found.optional()?)
}

/// Refuses a file that is not a database of exactly this version.
pub(super) fn check_current(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let path_owned = || path.to_owned();
    match check(connection, path)? {
        0 => Err(OpenError::NotOurs { path: path_owned() }),
        VERSION => match is_unfinished(connection) {
            Ok(false) => Ok(()),
            Ok(true) => Err(OpenError::OldSchema { path: path_owned() }),
            Err(Error::Sqlite(source)) => Err(OpenError::from_sqlite(path, source)),
            Err(_) => Err(OpenError::NotOurs { path: path_owned() }),
        },
        _ => Err(OpenError::OldSchema { path: path_owned() }),
    }
}

/// The version of a file. Refuses a file that is newer than this program or not ours.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let read = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|source| OpenError::from_sqlite(path, source))
    };
    let found = read("user_version")?;
    let is_ours = read("application_id")? == APPLICATION_ID;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    // If version 0.1.0 was killed between creating its tables and the mark, the mark is missing.
    let is_new = found == 0 && tables == 0;
    let is_unmarked = found == 1 && connection.table_exists(None, "activity").unwrap_or(false);
    // Every version creates its tables and its number in one transaction.
    let is_odd = found < 0 || (found == 0 && tables > 0);
    if is_odd || (!is_ours && !is_new && !is_unmarked) {
        return Err(OpenError::NotOurs {
            path: path.to_owned(),
        });
    }
    if found > VERSION {
        return Err(OpenError::TooNew {
            path: path.to_owned(),
            found,
            known: VERSION,
        });
    }
    Ok(found)
}
