//! The changes of a participant's tags, counters and attributes.

use rusqlite::Connection;

use super::journal::{Found, READ_MAX};
use super::read::{ALL, Stored};
use super::texts::{self, KEY};
use crate::domain::{
    Actor, Cells as _, Column, Event, EventKind, MemberNumber, Seq, StateChange, Timestamp,
};
use crate::store::Error;

/// A change, with what its row says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// Its number in the log.
    pub seq: Seq,
    /// When it was made.
    pub at: Timestamp,
    /// The cause.
    pub actor: Option<Actor>,
    /// The change.
    pub change: StateChange,
}

/// The changes of a member before a row of the log that `keeps` keeps, newest first, at most
/// `limit`. It gets them without their texts. At most [`READ_MAX`] are read.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row, or that of `keeps`.
pub fn of_member(
    connection: &Connection,
    member: MemberNumber,
    before: Option<Seq>,
    limit: usize,
    keeps: impl Fn(&StateRow) -> Result<bool, Error>,
) -> Result<Found<StateRow>, Error> {
    let sql = format!(
        "SELECT {} FROM activity INDEXED BY activity_by_state
         WHERE member_id = ?1 AND kind = {} AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
        ALL.names,
        EventKind::StateChanged.number()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = before.unwrap_or(Seq(i64::MAX));
    let mut rows = statement.query((member.0, before.0, READ_MAX + 1))?;
    let mut found = Found::default();
    let (mut read, mut last) = (0, before);
    while let Some(row) = rows.next()? {
        if found.rows.len() >= limit || read >= READ_MAX {
            found.next = Some(last);
            break;
        }
        let row = state_row(&Stored::new(row, &ALL))?;
        (read, last) = (read + 1, row.seq);
        if keeps(&row)? {
            found.rows.push(with_words(connection, row)?);
        }
    }
    Ok(found)
}

fn state_row(row: &Stored<'_>) -> Result<StateRow, Error> {
    let activity = row.activity().ok_or(Error::Impossible("activity"))?;
    let number = |column| row.cell(column).integer();
    let actor = number(Column::Actor);
    let Event::StateChanged(change) = activity.event else {
        return Err(Error::Impossible("change of a participant's state"));
    };
    Ok(StateRow {
        seq: activity.seq,
        at: activity.at,
        actor: actor.and_then(|kind| Actor::of_numbers(kind, number(Column::ActorNumber))),
        change,
    })
}

/// Adds the texts of a change.
fn with_words(connection: &Connection, mut row: StateRow) -> Result<StateRow, Error> {
    let [key, old, new] = texts::of_state(connection, row.seq)?;
    (row.change.key, row.change.old, row.change.new) = (key, old, new);
    Ok(row)
}

/// The tag or the key of a change, unless it was erased.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn key_of(connection: &Connection, seq: Seq) -> Result<Option<String>, Error> {
    texts::find(connection, seq, KEY)
}
