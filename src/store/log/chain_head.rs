//! The head of a program's chain of hashes, computed from the entries that it follows from.

use rusqlite::Connection;

use super::chain::{self, Hash};
use super::read::{ALL, IN_JOURNAL, Stored};
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
    let mut head = None;
    hashes(connection, program, (start, last), |seq, hash| {
        head = Some((seq, hash));
    })?;
    head.filter(|(newest, _)| *newest == last)
        .map(|(_, hash)| hash)
        .ok_or_else(missing)
}

/// Passes the hashes of a program's ledger entries from `start`, which stores the hash before it,
/// up to `last` to `put`, in order.
///
/// # Errors
/// [`Error`] if the database fails, or if `start` does not store the hash before it.
pub(super) fn hashes(
    connection: &Connection,
    program: ProgramNumber,
    (start, last): (Seq, Seq),
    mut put: impl FnMut(Seq, Hash),
) -> Result<(), Error> {
    let missing = || Error::Impossible("chain of ledger entries");
    let sql = format!(
        "SELECT {} FROM activity
         WHERE seq BETWEEN ?1 AND ?2 AND program_id = ?3 AND {} ORDER BY seq",
        ALL.names, *IN_JOURNAL
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((start.0, last.0, program.0))?;
    let mut head: Option<Hash> = None;
    while let Some(row) = rows.next()? {
        let row = Stored::new(row, &ALL);
        let stored = row.cell(Column::Chain).blob();
        let before = stored.and_then(|bytes| Hash::try_from(bytes).ok()).or(head);
        let seq = row.cell(Column::Seq).integer().map(Seq);
        let seq = seq.ok_or_else(missing)?;
        let commitments = texts::commitments(connection, seq)?;
        let hash = chain::next(&before.ok_or_else(missing)?, &row, &commitments);
        put(seq, hash);
        head = Some(hash);
    }
    Ok(())
}
