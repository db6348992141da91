//! The activity log: events are written as rows and read back, and wallets list their entries.

mod account_log;
pub mod chain;
mod chain_head;
mod check;
mod history;
mod insert;
pub mod journal;
pub mod past;
mod read;
pub(in crate::store) mod replay;
pub mod spends;
pub mod state;
pub(super) mod sums;
mod texts;
mod wallet;

use rusqlite::{Connection, Row};

pub use self::account_log::{AccountLog, EntryRow, entry};
pub use self::check::{Checked, check};
pub(super) use self::insert::{NewRow, prepare};
pub(super) use self::read::COUNTED;
use self::read::Stored;
pub use self::sums::sums_of_asset;
pub use self::texts::erase_texts;
pub(super) use self::texts::{COMMENT, DATA, KEY, NewText, REASON, find as text};
pub use self::wallet::{LedgerPage, LedgerRow, jump_of, wallet_entries};
use super::Error;
use crate::domain::{
    Activity, Actor, Cells as _, Column, ProgramNumber, RedemptionNumber, Seq, Timestamp,
};

/// A row of the log, with what the books read besides the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRow {
    /// The activity, without its texts.
    pub activity: Activity,
    /// The earlier entry that a ledger entry jumps to.
    pub jump: Option<Seq>,
    /// Whether an entry of the journal stores the hash of the entry before it.
    pub starts_chain: bool,
    /// Whether the row has no actor, because version 0.1.0 wrote it.
    pub is_given: bool,
}

/// The number of the newest row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn last_seq(connection: &Connection) -> Result<Option<Seq>, Error> {
    let last: Option<i64> =
        connection.query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))?;
    Ok(last.map(Seq))
}

/// The time of a row, if it exists.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn time_of(connection: &Connection, seq: Seq) -> Result<Option<Timestamp>, Error> {
    let mut statement = connection.prepare_cached("SELECT at FROM activity WHERE seq = ?1")?;
    let mut rows = statement.query([seq.0])?;
    let at: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
    Ok(at.and_then(Timestamp::from_millis))
}

/// The number of the last row before a time, found by binary search: rows are in the order of time,
/// except those of programs whose clock was moved.
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

/// Passes the rows after `after` up to `up_to` to `take`, in order, without their texts.
pub(super) fn read(
    connection: &Connection,
    after: Seq,
    up_to: Seq,
    mut take: impl FnMut(LoggedRow),
) -> Result<(), Error> {
    let columns = &read::OF_EVENTS.names;
    let sql = format!(
        "SELECT {columns}, jump_seq, chain IS NOT NULL, actor IS NULL
         FROM activity WHERE seq > ?1 AND seq <= ?2 ORDER BY seq"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let event_columns = statement.column_count() - 3;
    let mut rows = statement.query([after.0, up_to.0])?;
    while let Some(row) = rows.next()? {
        take(logged(row, event_columns)?);
    }
    Ok(())
}

/// Reads a row whose columns of the event are followed by those that only the books read.
fn logged(row: &Row<'_>, event_columns: usize) -> Result<LoggedRow, Error> {
    let activity = activity(row)?;
    let mut logged = LoggedRow {
        activity,
        jump: None,
        starts_chain: false,
        is_given: row.get(event_columns + 2)?,
    };
    // Reading a column takes time, and only entries of the journal have these.
    if logged.activity.event.kind().is_journaled() {
        logged.jump = row.get::<_, Option<i64>>(event_columns)?.map(Seq);
        logged.starts_chain = row.get(event_columns + 1)?;
    }
    Ok(logged)
}

/// The events of the catalogue among the rows after `after` up to `up_to`, in order, at most
/// `limit`, of one program or of all programs, with their texts.
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
    let (columns, in_catalogue) = (&read::OF_EVENTS.names, &*read::IN_CATALOGUE);
    let sql = format!(
        "SELECT {columns} FROM activity
         WHERE seq > ?1 AND seq <= ?2 AND {in_catalogue} AND (?3 IS NULL OR program_id = ?3)
         ORDER BY seq LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((
        after.0,
        up_to.0,
        program.map(|number| number.0),
        i64::try_from(limit).unwrap_or(i64::MAX),
    ))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(with_texts(connection, activity(row)?)?);
    }
    Ok(events)
}

/// The events of a redemption after a row of the log, in order, at most `limit`, without their
/// texts. Each is returned with its actor, which version 0.1.0 did not log.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn of_redemption(
    connection: &Connection,
    redemption: RedemptionNumber,
    after: Seq,
    limit: usize,
) -> Result<Vec<(Activity, Option<Actor>)>, Error> {
    let sql = format!(
        "SELECT {} FROM activity WHERE redemption_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        read::ALL.names
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((redemption.0, after.0, limit))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let stored = Stored::new(row, &read::ALL);
        let activity = stored.activity().ok_or(Error::Impossible("activity"))?;
        let kind = stored.cell(Column::Actor).integer();
        let number = stored.cell(Column::ActorNumber).integer();
        events.push((
            activity,
            kind.and_then(|kind| Actor::of_numbers(kind, number)),
        ));
    }
    Ok(events)
}

/// One row of the log, if it exists, with its texts.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn find(connection: &Connection, seq: Seq) -> Result<Option<Activity>, Error> {
    let columns = &read::OF_EVENTS.names;
    let sql = format!("SELECT {columns} FROM activity WHERE seq = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([seq.0])?;
    let found = rows.next()?.map(activity).transpose()?;
    found
        .map(|activity| with_texts(connection, activity))
        .transpose()
}

fn activity(row: &Row<'_>) -> Result<Activity, Error> {
    let stored = Stored::new(row, &read::OF_EVENTS);
    stored.activity().ok_or(Error::Impossible("activity"))
}

/// Adds the texts, which are stored in a separate table.
fn with_texts(connection: &Connection, mut activity: Activity) -> Result<Activity, Error> {
    texts::read(connection, &mut activity)?;
    Ok(activity)
}
