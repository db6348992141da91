//! Programs of the sandbox: their clocks can be advanced, and their keys moved to a new program.

use std::time::Duration;

pub use super::clocks::{ahead, all_ahead};
use crate::domain::{CredentialNumber, ProgramNumber};
use crate::store::{AccessChange, Counted, Error, Transaction};

/// Sets how far a program's time is ahead of the clock, for all that is stamped from now on.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn set_ahead(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    ahead: Duration,
) -> Result<(), Error> {
    let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
    let sql = "UPDATE program SET clock_offset = ?2 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((program.0, millis))?;
    tx.clocks_changed()
}

/// Moves every key of a program to another program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn move_keys(
    tx: &mut Transaction<'_>,
    from: ProgramNumber,
    to: ProgramNumber,
) -> Result<(), Error> {
    let sql = "UPDATE credential SET program_id = ?2 WHERE program_id = ?1
               RETURNING id, revoked_at IS NULL";
    let moved = tx
        .prepare(sql)?
        .query_map((from.0, to.0), |row| row.try_into())?
        .collect::<Result<Vec<(i64, bool)>, _>>()?;
    for (number, is_active) in moved {
        tx.access_changed(AccessChange::Credential(CredentialNumber(number)));
        tx.count_change(Counted::Keys(from), -i64::from(is_active));
        tx.count_change(Counted::Keys(to), i64::from(is_active));
    }
    Ok(())
}
