//! An import in batches of rows, and how far it has come.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::Seq;
use crate::store::Error;

/// Under this name `setting` says that an import is not finished, and how far it came.
const IMPORT: &str = "import";

/// What was noted of an import that is not finished; `None` if there is none.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn unfinished_import(connection: &Connection) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    Ok(connection
        .query_row(sql, [IMPORT], |row| row.get(0))
        .optional()?)
}

/// Begins a batch of rows: until [`end_batch`] nothing of it is there.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn begin_batch(connection: &Connection) -> Result<(), Error> {
    Ok(connection.execute_batch("BEGIN IMMEDIATE")?)
}

/// Ends a batch of rows and notes how far the import has come, in one commit.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn end_batch(connection: &Connection, note: &[u8]) -> Result<(), Error> {
    let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute((IMPORT, note))?;
    Ok(connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(PASSIVE)")?)
}

/// Forgets the open batch.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn drop_batch(connection: &Connection) -> Result<(), Error> {
    Ok(connection.execute_batch("ROLLBACK")?)
}

/// What has to be created because the import did not bring it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The partner's public id, should it be missing.
    pub partner_uuid: [u8; 16],
    /// The key of member tokens, should it be missing.
    pub token_key: [u8; 32],
}

/// Ends an import: makes what is missing, lets every endpoint begin after the last activity, drops
/// the snapshot of the figures and takes away the note. In one commit.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn finish_import(connection: &Connection, missing: &Missing) -> Result<(), Error> {
    begin_batch(connection)?;
    let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    let mut keep = connection.prepare(sql)?;
    keep.execute(("partner_uuid", missing.partner_uuid))?;
    keep.execute(("token_key", missing.token_key))?;
    let last = crate::store::log::last_seq(connection)?.unwrap_or(Seq(0));
    let sql = "UPDATE webhook_endpoint SET cursor_seq = ?1";
    connection.execute(sql, [last.0])?;
    connection.execute_batch(
        "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment",
    )?;
    connection.execute("DELETE FROM setting WHERE name = ?1", [IMPORT])?;
    Ok(connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?)
}
