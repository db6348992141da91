//! What only programs of the sandbox have: a clock that can be moved, and a fresh start.

use std::time::Duration;

use rusqlite::Connection;

use crate::domain::{ByNumber, CredentialNumber, ProgramNumber};
use crate::store::{AccessChange, Counted, Error, Transaction};

/// How far a program's time is ahead of the clock.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn ahead(connection: &Connection, program: ProgramNumber) -> Result<Duration, Error> {
    let sql = "SELECT clock_offset FROM program WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let millis: i64 = statement.query_row([program.0], |row| row.get(0))?;
    Ok(duration(millis))
}

/// Every program whose time is ahead of the clock, and how far.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_ahead(connection: &Connection) -> Result<ByNumber<ProgramNumber, Duration>, Error> {
    let sql = "SELECT id, clock_offset FROM program WHERE clock_offset > 0";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((ProgramNumber(row.get(0)?), duration(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Sets how far a program's time is ahead of the clock, for whatever is stamped from here on.
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

/// Lets every key of a program open another one.
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
    for (number, is_good) in moved {
        tx.access_changed(AccessChange::Credential(CredentialNumber(number)));
        tx.count_change(Counted::Keys(from), -i64::from(is_good));
        tx.count_change(Counted::Keys(to), i64::from(is_good));
    }
    Ok(())
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
