//! The schema's versions. A new database gets `schema.sql`; an older one the steps it lacks.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::OpenError;
use super::connection::failure;

/// The whole schema, as a new database gets it.
pub const SCHEMA: &str = include_str!("../../schema.sql");

/// Marks a file as ours ("Stmp"), in SQLite's `application_id`.
const APPLICATION_ID: i64 = 0x5374_6d70;

/// Version n of the schema is what the first n steps make.
const STEPS: &[M<'_>] = &[M::up(SCHEMA)];

/// The version that this program writes.
pub fn known_version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Brings the schema up to date.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let found = check(connection, path)?;
    Migrations::from_slice(STEPS)
        .to_latest(connection)
        .map_err(|source| OpenError::Migration {
            path: path.to_owned(),
            source,
        })?;
    if found == 0 {
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(sqlite)?;
    }
    Ok(())
}

/// Refuses a file that is not a database of exactly this version.
pub(super) fn check_current(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    match check(connection, path)? {
        found if found == known_version() => Ok(()),
        _ => Err(OpenError::NotOurs {
            path: path.to_owned(),
        }),
    }
}

/// The version a file has, unless it is newer than this program or not ours.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
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
    // A crash between the first migration and the mark leaves our tables without it.
    let is_new = found == 0 && tables == 0;
    let is_unmarked = found == 1 && connection.table_exists(None, "activity").unwrap_or(false);
    if !is_ours && !is_new && !is_unmarked {
        return Err(OpenError::NotOurs {
            path: path.to_owned(),
        });
    }
    if found > known_version() {
        let known = known_version();
        return Err(OpenError::TooNew {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_valid_sql() {
        Migrations::from_slice(STEPS).validate().unwrap();
    }
}
