//! The activity log: typed events to rows and back, and the wallet's view of it.

mod cells;
mod columns;
mod kind;
mod wallet;

use rusqlite::{Connection, Row};

use self::cells::{COLUMNS, Cells};
pub(super) use self::columns::insert;
pub use self::wallet::{LedgerRow, wallet_entries};
use super::Error;
use crate::domain::{Activity, ProgramNumber, Seq, Timestamp};

/// The number of the newest row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn last_seq(connection: &Connection) -> Result<Option<Seq>, Error> {
    let last: Option<i64> =
        connection.query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))?;
    Ok(last.map(Seq))
}

/// The number of the last row before a time, by halves: rows are in the order of time, but for
/// programs whose clock was moved.
///
/// # Errors
/// [`Error`] if the database fails.
pub(super) fn last_before(connection: &Connection, before: Timestamp) -> Result<Seq, Error> {
    let sql = "SELECT at FROM activity WHERE seq >= ?1 ORDER BY seq LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let (mut low, mut high) = (0, last_seq(connection)?.map_or(0, |seq| seq.0));
    while low < high {
        let middle = low + (high - low + 1) / 2;
        let at: i64 = statement.query_row([middle], |row| row.get(0))?;
        if at < before.as_millis() {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(Seq(low))
}

/// Hands the rows after `after` up to `up_to` to `take`, in order, without the reasons of ledger
/// entries and the chain of a wallet's entries.
pub(super) fn read(
    connection: &Connection,
    after: Seq,
    up_to: Seq,
    mut take: impl FnMut(Activity),
) -> Result<(), Error> {
    let sql = format!("SELECT {COLUMNS} FROM activity WHERE seq > ?1 AND seq <= ?2 ORDER BY seq");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([after.0, up_to.0])?;
    while let Some(row) = rows.next()? {
        take(Cells(row).activity().ok_or(Error::Impossible("activity"))?);
    }
    Ok(())
}

/// The events of the catalogue among the rows after `after` up to `up_to`, in order, at most
/// `limit`, of one program or of all; with the reasons of ledger entries, but not the chain of a
/// wallet's entries.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn events(
    connection: &Connection,
    program: Option<ProgramNumber>,
    after: Seq,
    up_to: Seq,
    limit: usize,
) -> Result<Vec<Activity>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM activity
         WHERE seq > ?1 AND seq <= ?2 AND kind <= ?3 AND (?4 IS NULL OR program_id = ?4)
         ORDER BY seq LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((
        after.0,
        up_to.0,
        kind::MESSAGE_CREATED,
        program.map(|number| number.0),
        i64::try_from(limit).unwrap_or(i64::MAX),
    ))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(with_reason(row)?);
    }
    Ok(events)
}

/// One row of the log, if it is there.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn find(connection: &Connection, seq: Seq) -> Result<Option<Activity>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM activity WHERE seq = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([seq.0])?;
    rows.next()?.map(with_reason).transpose()
}

fn with_reason(row: &Row<'_>) -> Result<Activity, Error> {
    Cells(row)
        .activity_with_reason()
        .ok_or(Error::Impossible("activity"))
}

/// A stored time.
pub(super) fn timestamp(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millis(millis).ok_or(Error::Impossible("time"))
}
