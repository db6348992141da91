//! The batches of an import, and the note of its progress.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::Seq;
use crate::store::Error;

/// The name of the note in `setting` that holds the progress of an unfinished import.
const IMPORT: &str = "import";

/// The note of an unfinished import; `None` if there is none.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn unfinished_import(connection: &Connection) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    Ok(connection
        .query_row(sql, [IMPORT], |row| row.get(0))
        .optional()?)
}

/// Begins a batch of rows, which [`end_batch`] commits.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn begin_batch(connection: &Connection) -> Result<(), Error> {
    Ok(connection.execute_batch("BEGIN IMMEDIATE")?)
}

/// Commits a batch of rows together with the note of the progress.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn end_batch(connection: &Connection, note: &[u8]) -> Result<(), Error> {
    let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute((IMPORT, note))?;
    Ok(connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(PASSIVE)")?)
}

/// Rolls back the open batch.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn drop_batch(connection: &Connection) -> Result<(), Error> {
    Ok(connection.execute_batch("ROLLBACK")?)
}

/// Settings to create if the import did not contain them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The partner's public id.
    pub partner_uuid: [u8; 16],
    /// The key of member tokens.
    pub token_key: [u8; 32],
}

/// Ends an import in one commit: creates missing settings, sets the cursor of every endpoint to the
/// last activity, and deletes the snapshot of the figures, the saved books and the note.
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
        "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment;
         DELETE FROM book_generation; DELETE FROM book_part",
    )?;
    connection.execute("DELETE FROM setting WHERE name = ?1", [IMPORT])?;
    Ok(connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?)
}
