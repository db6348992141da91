//! The schema's versions. A new database gets `schema.sql`; an older one the steps it lacks.
//!
//! A step moves rows in transactions of bounded size and records its progress in `setting`. The
//! first of them raises the version in the file, so that older programs refuse it from then on; the
//! last one deletes the record. The next start resumes a step that was stopped or killed.

mod step2;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::connection::failure;
use super::definitions;
use crate::store::{Error, OpenError};

/// The whole schema, as a new database gets it.
pub const SCHEMA: &str = include_str!("../../../../schema.sql");

/// The schema of version 1, which stampcard 0.1.0 made. It never changes again.
const SCHEMA_1: &str = include_str!("v1.sql");

/// Marks a file as ours ("Stmp"), in SQLite's `application_id`.
const APPLICATION_ID: i64 = 0x5374_6d70;

/// The version that this program writes.
const VERSION: i64 = 2;

/// Under this name `setting` says that a step is not finished, and how far it is.
const NOTE: &str = "migration";

/// Told how many rows a migration has moved, of how many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// The version that this program writes.
pub fn known_version() -> i64 {
    VERSION
}

/// The schema of a version, as a new database got it; `None` if no program ever made it.
pub fn schema_of(version: i64) -> Option<&'static str> {
    match version {
        1 => Some(SCHEMA_1),
        VERSION => Some(SCHEMA),
        _ => None,
    }
}

/// Why a database cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The disk has too little room.
    #[error(
        "the migration needs up to {} MB of free disk space, and {} MB are free; nothing was \
         changed: free some space and start again",
        needed.div_ceil(1_000_000), free / 1_000_000
    )]
    NoRoom {
        /// Bytes that may be needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Somebody altered the schema.
    #[error("{0}; nothing was changed: undo the alteration, or restore a backup")]
    Altered(String),
    /// The database failed.
    #[error("the database failed; the rows moved so far are kept, and the next start resumes")]
    Storage(#[from] Error),
    /// The file system did not say how much room there is.
    #[error("the file system does not say how much room it has")]
    Room(#[source] std::io::Error),
}

impl From<rusqlite::Error> for MigrationError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Brings the schema up to date.
pub(in crate::store) fn migrate(
    connection: &mut Connection,
    path: &Path,
    progress: Progress<'_>,
) -> Result<(), OpenError> {
    let failed = |source: MigrationError| OpenError::Migration {
        path: path.to_owned(),
        source,
    };
    match check(connection, path)? {
        0 => create(connection, VERSION, SCHEMA).map_err(|source| failure(path, source)),
        1 => unaltered(connection, SCHEMA_1)
            .and_then(|()| step2::begin(connection, path))
            .and_then(|()| step2::go_on(connection, progress))
            .map_err(failed),
        _ if is_unfinished(connection).map_err(|error| failed(error.into()))? => {
            step2::go_on(connection, progress).map_err(failed)
        }
        _ => Ok(()),
    }
}

/// Refuses a schema that was tampered with: its triggers would act on the rows that are moved.
fn unaltered(connection: &Connection, schema: &str) -> Result<(), MigrationError> {
    let expected = definitions::in_memory(schema)?;
    let findings = definitions::differences(&expected, connection)?;
    if findings.is_empty() {
        return Ok(());
    }
    Err(MigrationError::Altered(findings.join("; ")))
}

/// Creates the tables of an empty file and marks it as ours, in one transaction.
pub(in crate::store) fn create(
    connection: &Connection,
    version: i64,
    schema: &str,
) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         {schema}
         PRAGMA user_version = {version};
         PRAGMA application_id = {APPLICATION_ID};
         COMMIT"
    ))
}

/// Whether a change of the schema was begun and not finished.
pub(in crate::store) fn is_unfinished(connection: &Connection) -> Result<bool, Error> {
    Ok(note(connection)?.is_some())
}

fn note(connection: &Connection) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let found = connection.query_row(sql, [NOTE], |row| row.get(0));
    Ok(found.optional()?)
}

/// Refuses a file that is not a database of exactly this version.
pub(in crate::store) fn check_current(
    connection: &Connection,
    path: &Path,
) -> Result<(), OpenError> {
    let path_owned = || path.to_owned();
    match check(connection, path)? {
        0 => Err(OpenError::NotOurs { path: path_owned() }),
        VERSION => match is_unfinished(connection) {
            Ok(false) => Ok(()),
            Ok(true) => Err(OpenError::OldSchema { path: path_owned() }),
            Err(Error::Sqlite(source)) => Err(failure(path, source)),
            Err(_) => Err(OpenError::NotOurs { path: path_owned() }),
        },
        _ => Err(OpenError::OldSchema { path: path_owned() }),
    }
}

/// The version a file has, unless it is newer than this program or not ours.
pub(in crate::store) fn check(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let read = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|source| failure(path, source))
    };
    let found = read("user_version")?;
    let is_ours = read("application_id")? == APPLICATION_ID;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|source| failure(path, source))?;
    // Version 0.1.0, if it was killed between its tables and the mark, left them without it.
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
