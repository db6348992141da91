//! Tags, counters and attributes, according to the log.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, Rows};

use super::History;
use crate::domain::{Attributes, EventKind, StateKind, StateOperation};
use crate::store::Error;
use crate::store::log::texts::{KEY, NEW, OLD};
use crate::store::tables::columns::column;

/// The columns of a change; the places of the kind and of the texts are filled in.
const CHANGES: &str = "SELECT a.member_id, a.seq, a.at, a.from_state, a.to_state,
        a.amount AS reset_after, k.seq IS NOT NULL AS has_key, k.text AS key, o.text AS old,
        n.text AS new
    FROM activity a INDEXED BY activity_by_state
    LEFT JOIN log_text k ON k.seq = a.seq AND k.part = {key}
    LEFT JOIN log_text o ON o.seq = a.seq AND o.part = {old}
    LEFT JOIN log_text n ON n.seq = a.seq AND n.part = {new}
    WHERE a.kind = {kind} ORDER BY a.member_id, a.seq";

const MEMBERS: &str = "SELECT id, attributes FROM member ORDER BY id";

/// A counter: its value, after how many milliseconds it is reset, and when it was last.
type Counter = (String, Option<i64>, i64);

/// The state of a member.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    tags: BTreeSet<String>,
    counters: BTreeMap<String, Counter>,
    /// The JSON of each attribute that changed, if it was not deleted.
    attributes: BTreeMap<String, Option<String>>,
}

/// A change as its row has it.
struct Change {
    member: i64,
    seq: i64,
    at: i64,
    kind: Option<StateKind>,
    operation: Option<StateOperation>,
    reset_after: Option<i64>,
    /// Whether it has a key, perhaps one that was erased.
    has_key: bool,
    key: Option<String>,
    old: Option<String>,
    new: Option<String>,
}

impl Change {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let kind: Option<String> = row.get(column!(CHANGES, "from_state"))?;
        let operation: Option<String> = row.get(column!(CHANGES, "to_state"))?;
        Ok(Self {
            member: row.get(column!(CHANGES, "member_id"))?,
            seq: row.get(column!(CHANGES, "a.seq"))?,
            at: row.get(column!(CHANGES, "a.at"))?,
            kind: kind.as_deref().and_then(StateKind::parse),
            operation: operation.as_deref().and_then(StateOperation::parse),
            reset_after: row.get(column!(CHANGES, "reset_after"))?,
            has_key: row.get(column!(CHANGES, "has_key"))?,
            key: row.get(column!(CHANGES, "key"))?,
            old: row.get(column!(CHANGES, "old"))?,
            new: row.get(column!(CHANGES, "new"))?,
        })
    }
}

impl State {
    /// Takes in the next change. Returns whether it fits those before.
    fn apply(&mut self, change: Change, has_given: bool) -> bool {
        let Some(key) = change.key else {
            // The texts of an erased member.
            return change.has_key;
        };
        match (change.kind, change.operation) {
            (Some(StateKind::Tag), Some(StateOperation::Add)) => self.tags.insert(key),
            (Some(StateKind::Tag), Some(StateOperation::Remove)) => self.tags.remove(&key),
            (Some(StateKind::Counter), Some(operation)) => {
                let Some(new) = change.new else {
                    return false;
                };
                let before = self.counters.get(&key);
                let fits = before.map(|before| &before.0) == change.old.as_ref();
                let since = match (operation, before) {
                    (StateOperation::Add, Some(before)) => before.2,
                    _ => change.at,
                };
                let is_due = |before: &Counter| {
                    let after = before.1.filter(|after| change.reset_after == Some(*after));
                    after.is_some_and(|after| change.at - before.2 >= after)
                };
                let is_reset = operation != StateOperation::AutoReset
                    || new == "0" && before.is_some_and(is_due);
                self.counters.insert(key, (new, change.reset_after, since));
                fits && is_reset
            }
            (Some(StateKind::Attribute), Some(_)) => {
                let before = self.attributes.insert(key, change.new);
                let is_first = before.is_none();
                before.flatten() == change.old || (is_first && has_given)
            }
            // The check of the row itself names it.
            _ => true,
        }
    }
}

impl History<'_> {
    /// Compares the tags, the counters and the attributes of every member, until there are `limit`
    /// findings.
    pub(super) fn compare_state(&mut self, limit: usize) -> Result<(), Error> {
        let kind = EventKind::StateChanged.number();
        let sql = [
            ("{kind}", kind),
            ("{key}", KEY),
            ("{old}", OLD),
            ("{new}", NEW),
        ];
        let sql = sql.iter().fold(CHANGES.to_owned(), |sql, (place, number)| {
            sql.replace(place, &number.to_string())
        });
        let connection = self.connection;
        let mut changes = connection.prepare(&sql)?;
        let mut changes = changes.query([])?;
        let mut next = next_change(&mut changes)?;
        let mut members = connection.prepare(MEMBERS)?;
        let mut members = members.query([])?;
        while let Some(row) = members.next()?
            && self.findings.len() < limit
        {
            let member: i64 = row.get(column!(MEMBERS, "id"))?;
            let attributes: Option<String> = row.get(column!(MEMBERS, "attributes"))?;
            let logged = self.members.get(&member);
            let has_given = logged.is_none_or(|logged| logged.has_given_attributes);
            let (mut state, mut has_changes) = (State::default(), false);
            while let Some(change) = next.take_if(|change| change.member <= member) {
                let (seq, is_own) = (change.seq, change.member == member);
                if is_own && !state.apply(change, has_given) {
                    self.report(format!(
                        "activity {seq}: it does not fit the earlier changes of the state of \
                         member row {member}"
                    ));
                }
                has_changes |= is_own;
                next = next_change(&mut changes)?;
            }
            let stored = if has_changes {
                stored(connection, member)?
            } else {
                State::default()
            };
            let given = attributes.map(Attributes::stored);
            let given = given.as_ref().map(Attributes::values).unwrap_or_default();
            let fits = [
                ("member_tag", state.tags == stored.tags),
                ("counter", state.counters == stored.counters),
                ("attributes", are_equal(&state, &given, has_given)),
            ];
            for (what, _) in fits.into_iter().filter(|(_, fits)| !fits) {
                self.report(format!(
                    "member row {member}: its {what} does not match the log"
                ));
            }
        }
        self.find_unlogged()
    }

    /// Finds tags and counters of members without any change.
    fn find_unlogged(&mut self) -> Result<(), Error> {
        let kind = EventKind::StateChanged.number();
        for table in ["member_tag", "counter"] {
            let sql = format!(
                "SELECT DISTINCT member_id FROM {table} WHERE NOT EXISTS (SELECT 1 FROM activity a
                     INDEXED BY activity_by_state
                     WHERE a.kind = {kind} AND a.member_id = {table}.member_id)"
            );
            let mut statement = self.connection.prepare(&sql)?;
            let members = statement.query_map([], |row| row.get(0))?;
            for member in members.collect::<Result<Vec<i64>, _>>()? {
                self.report(format!(
                    "member row {member}: its {table} does not match the log"
                ));
            }
        }
        Ok(())
    }
}

fn next_change(rows: &mut Rows<'_>) -> Result<Option<Change>, Error> {
    rows.next()?.map(Change::read).transpose()
}

/// The tags and counters of a member, as the tables have them.
fn stored(connection: &Connection, member: i64) -> Result<State, Error> {
    let mut state = State::default();
    let sql = "SELECT tag FROM member_tag WHERE member_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    for tag in statement.query_map([member], |row| row.get(0))? {
        state.tags.insert(tag?);
    }
    let sql = "SELECT key, value, reset_after, last_reset_at FROM counter WHERE member_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let counters = statement.query_map([member], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
    })?;
    for counter in counters {
        let (key, counter) = counter?;
        state.counters.insert(key, counter);
    }
    Ok(state)
}

/// Whether the attributes of a row are those of the log. Version 0.1.0 did not log any.
fn are_equal(state: &State, stored: &BTreeMap<String, String>, has_given: bool) -> bool {
    let are_logged = state
        .attributes
        .iter()
        .all(|(key, logged)| stored.get(key) == logged.as_ref());
    let logs = |key: &String| state.attributes.contains_key(key);
    are_logged && (has_given || stored.keys().all(logs))
}
