//! The head of a program's chain of hashes, computed from the entries that it follows from.

use rusqlite::Connection;

use super::chain::{self, Hash};
use super::read::{ALL, Stored};
use super::texts;
use crate::books::ProgramRecord;
use crate::domain::{Cells as _, Column, ProgramNumber, Seq};
use crate::store::Error;

/// The hash of a program's newest ledger entry. `record` names that entry, and the newest one that
/// stores the hash before it. Both are of one commit, so few rows are read.
///
/// # Errors
/// [`Error`] if the database fails or lacks one of the two.
pub(in crate::store) fn chain_head(
    connection: &Connection,
    program: ProgramNumber,
    record: ProgramRecord,
) -> Result<Hash, Error> {
    let missing = || Error::Impossible("chain of ledger entries");
    let Some(last) = record.last_entry else {
        return Ok(chain::START);
    };
    let start = record.chain_start.ok_or_else(missing)?;
    let sql = format!(
        "SELECT {} FROM activity
         WHERE seq BETWEEN ?1 AND ?2 AND program_id = ?3 AND entry IS NOT NULL ORDER BY seq",
        ALL.names
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((start.0, last.0, program.0))?;
    let mut head: Option<Hash> = None;
    let mut newest = None;
    while let Some(row) = rows.next()? {
        let row = Stored::new(row, &ALL);
        let stored = row.cell(Column::Chain).blob();
        let before = stored.and_then(|bytes| Hash::try_from(bytes).ok()).or(head);
        newest = row.cell(Column::Seq).integer().map(Seq);
        let seq = newest.ok_or_else(missing)?;
        let commitments = texts::commitments(connection, seq)?;
        head = Some(chain::next(
            &before.ok_or_else(missing)?,
            &row,
            &commitments,
        ));
    }
    head.filter(|_| newest == Some(last)).ok_or_else(missing)
}
