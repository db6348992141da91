//! The rows of the log on which depends what earning rules make of an event.

use rusqlite::Connection;

use super::read::{self, OF_EVENTS};
use super::with_texts;
use crate::domain::{Activity, Event, EventKind, MemberNumber, StateKind};
use crate::store::Error;
use crate::store::tables::query;

/// Whether any event is stored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn has_events(connection: &Connection) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM event)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Passes these rows to `take`, in order: events, what rules caused, and all changes of rules, of
/// their budgets, of the state of members and of whether they are active. Events and changes of
/// state have their texts.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row, and those of `take`.
pub fn read(
    connection: &Connection,
    mut take: impl FnMut(Activity) -> Result<(), Error>,
) -> Result<(), Error> {
    let kinds = read::kinds(|kind| {
        matches!(
            kind,
            EventKind::MemberRemoved
                | EventKind::EventStored
                | EventKind::MemberRestored
                | EventKind::MemberStatusChanged
                | EventKind::StateChanged
                | EventKind::RuleChanged
                | EventKind::BudgetReset
        )
    });
    let sql = format!(
        "SELECT {} FROM activity WHERE {kinds} OR rule_version IS NOT NULL ORDER BY seq",
        OF_EVENTS.names
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let activity = super::activity(row)?;
        take(match activity.event {
            Event::EventStored(_) | Event::StateChanged(_) => with_texts(connection, activity)?,
            _ => activity,
        })?;
    }
    Ok(())
}

/// The members whose personal data was erased.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erased(connection: &Connection) -> Result<Vec<MemberNumber>, Error> {
    let sql = format!(
        "SELECT member_id FROM activity WHERE kind = {}",
        EventKind::MemberErased.number()
    );
    query::all(connection, &sql, [], |row| Ok(MemberNumber(row.get(0)?)))
}

/// The attributes of a member that changed, each with its JSON before the first change.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn first_attributes(
    connection: &Connection,
    member: MemberNumber,
) -> Result<Vec<(String, Option<String>)>, Error> {
    let sql = format!(
        "SELECT k.text, o.text, min(a.seq) FROM activity a INDEXED BY activity_by_state
             JOIN log_text k ON k.seq = a.seq AND k.part = {}
             LEFT JOIN log_text o ON o.seq = a.seq AND o.part = {}
         WHERE a.member_id = ?1 AND a.kind = {} AND a.from_state = ?2 AND k.text IS NOT NULL
         GROUP BY k.text",
        super::texts::KEY,
        super::texts::OLD,
        EventKind::StateChanged.number()
    );
    let values = (member.0, StateKind::Attribute.as_str());
    query::all(connection, &sql, values, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}
