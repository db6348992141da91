//! Clocks of programs of the sandbox, which can be ahead of the server's.
//!
//! **Must not know** the open transaction, which stamps times by them.

use std::time::Duration;

use rusqlite::Connection;

use crate::domain::{ByNumber, ProgramNumber};
use crate::store::Error;

/// The time by which a program is ahead of the server's clock.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn ahead(connection: &Connection, program: ProgramNumber) -> Result<Duration, Error> {
    let sql = "SELECT clock_offset FROM program WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let millis: i64 = statement.query_row([program.0], |row| row.get(0))?;
    Ok(duration(millis))
}

/// Every program whose time is ahead of the clock, with the difference.
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

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
