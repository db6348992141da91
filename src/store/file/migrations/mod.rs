//! Migrations of the schema. A new database gets `schema.sql`; an older one goes through the steps
//! that it lacks.
//!
//! A step moves rows in transactions of bounded size and records its progress in `setting`. The
//! first transaction raises the version of the file, so that older programs refuse it from then on;
//! the last one deletes the record. The next start resumes a step that was stopped or killed.

mod step2;

use std::path::Path;

use rusqlite::Connection;

use super::definitions;
use super::open_error::{MigrationError, OpenError};
use super::schema::{APPLICATION_ID, Progress, SCHEMA, SCHEMA_1, VERSION, check, is_unfinished};

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
        0 => create(connection, VERSION, SCHEMA)
            .map_err(|source| OpenError::from_sqlite(path, source)),
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

/// Refuses a schema that was altered: its triggers would act on the rows that are moved.
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
