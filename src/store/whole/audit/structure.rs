//! Checks of the file, the schema and the references between rows.

use rusqlite::Connection;

use super::findings::lines;
use crate::store::file::definitions;
use crate::store::{Error, SCHEMA};

/// Runs the integrity check of SQLite.
///
/// # Errors
/// [`Error`] if the database cannot be read at all.
pub fn integrity(connection: &Connection) -> Result<Vec<String>, Error> {
    let findings = lines(connection, "PRAGMA integrity_check(100)")?;
    Ok(findings.into_iter().filter(|line| line != "ok").collect())
}

/// Finds references to missing rows, and rows of the log of another program than their member.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn foreign_keys(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT format('%s row %d refers to a missing row of %s', \"table\", rowid, parent)
               FROM pragma_foreign_key_check LIMIT 100";
    let members =
        "SELECT format('activity %d is of program row %s, but its member is of program row %d',
            a.seq, coalesce(a.program_id, 'none'), m.program_id)
        FROM activity a JOIN member m ON m.id = a.member_id
        WHERE a.program_id IS NOT m.program_id LIMIT 100";
    let programs =
        "SELECT format('activity %d is of program row %d, which does not exist', seq, program_id)
        FROM activity
        WHERE program_id IS NOT NULL AND program_id NOT IN (SELECT id FROM program) LIMIT 100";
    let mut findings = lines(connection, sql)?;
    findings.extend(lines(connection, members)?);
    findings.extend(lines(connection, programs)?);
    Ok(findings)
}

/// Finds parts of the schema, including its append-only triggers, that differ from this program's.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn schema(connection: &Connection) -> Result<Vec<String>, Error> {
    definitions::differences(&definitions::in_memory(SCHEMA)?, connection)
}

/// Finds webhook endpoints whose cursor is not in the log.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn cursors(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT format('webhook_endpoint row %d: its cursor_seq %d is not in the log', id,
                   cursor_seq)
               FROM webhook_endpoint
               WHERE cursor_seq NOT BETWEEN 0 AND (SELECT coalesce(max(seq), 0) FROM activity)";
    lines(connection, sql)
}
