//! Events for the earning rules. A row has the number of the activity that stored it.

use rusqlite::{Connection, Row};

use crate::domain::{
    EventSort, EventSource, EventStatus, MemberNumber, ProgramNumber, RuleNumber, Seq,
    StoredEventId, Timestamp,
};
use crate::store::log;
use crate::store::tables::columns::{column, time, uuid, word};
use crate::store::tables::query::{self, Query};
use crate::store::{Error, Transaction};

/// The rows that a page reads at most.
const READ_MAX: usize = 10_000;

const SELECT: &str = "SELECT e.seq, e.uuid, e.program_id, e.member_id, e.recipient_id, e.type,
        e.status, e.happened_at, e.depth, e.error, a.at AS stored_at
    FROM event e JOIN activity a ON a.seq = e.seq";

/// The column that says whether the rule of a filter matched.
const MATCHED: &str = "has_matched";

/// An event, without its key and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The number of the activity that stored it.
    pub seq: Seq,
    /// Its id.
    pub id: StoredEventId,
    /// The program.
    pub program: ProgramNumber,
    /// The participant; `None`: it is one of the program.
    pub member: Option<MemberNumber>,
    /// The participant whom actions are for, if it is another one.
    pub recipient: Option<MemberNumber>,
    /// Where it comes from.
    pub source: EventSource,
    /// Its status.
    pub status: EventStatus,
    /// When it happened, as its sender says.
    pub happened_at: Timestamp,
    /// How many events caused each other until it.
    pub depth: u8,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// When it was stored and processed.
    pub stored_at: Timestamp,
}

/// The key and the data of an event; `None`: they were erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventTexts {
    /// The key.
    pub key: Option<String>,
    /// The data, a JSON object.
    pub data: Option<String>,
}

/// The filter of a list of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those of this participant.
    pub member: Option<MemberNumber>,
    /// Only those in which this rule matched.
    pub rule: Option<RuleNumber>,
    /// Only those with this status.
    pub status: Option<EventStatus>,
    /// Only those that come from there.
    pub source: Option<EventSource>,
    /// Only those that were stored in this time, both ends included.
    pub stored: (Option<Timestamp>, Option<Timestamp>),
    /// Only those that happened in this time, both ends included.
    pub happened: (Option<Timestamp>, Option<Timestamp>),
    /// The field by which they are ordered.
    pub sort: EventSort,
    /// Whether the last ones come first.
    pub is_descending: bool,
    /// Only those after this one, in the order of the list.
    pub after: Option<Seq>,
}

impl EventFilter {
    fn admits(&self, row: &EventRow) -> bool {
        let within = |(from, to): (Option<Timestamp>, Option<Timestamp>), at| {
            from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
        };
        self.member.is_none_or(|member| row.member == Some(member))
            && self.status.is_none_or(|status| row.status == status)
            && self.source.is_none_or(|source| row.source == source)
            && within(self.stored, row.stored_at)
            && within(self.happened, row.happened_at)
    }
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events.
    pub rows: Vec<EventRow>,
    /// The event after which the next page begins, if there may be one.
    pub next: Option<Seq>,
}

/// The event of a program with an id.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: StoredEventId,
) -> Result<Option<EventRow>, Error> {
    let sql = format!("{SELECT} WHERE e.uuid = ?1 AND e.program_id = ?2");
    let values = (id.as_uuid().as_bytes(), program.0);
    query::one(connection, &sql, values, read)
}

/// The event that the activity with a number stored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn of_seq(connection: &Connection, seq: Seq) -> Result<Option<EventRow>, Error> {
    let sql = format!("{SELECT} WHERE e.seq = ?1");
    query::one(connection, &sql, [seq.0], read)
}

/// The key and the data of an event.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn texts(connection: &Connection, seq: Seq) -> Result<EventTexts, Error> {
    Ok(EventTexts {
        key: log::text(connection, seq, log::KEY)?,
        data: log::text(connection, seq, log::DATA)?,
    })
}

/// Adds an event.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(tx: &Transaction<'_>, event: &EventRow) -> Result<(), Error> {
    let sql = "INSERT INTO event (seq, uuid, program_id, member_id, recipient_id, type, status,
                   happened_at, depth, error)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = (
        event.seq.0,
        event.id.as_uuid().as_bytes(),
        event.program.0,
        event.member.map(|member| member.0),
        event.recipient.map(|member| member.0),
        event.source.as_str(),
        event.status.as_str(),
        event.happened_at.as_millis(),
        event.depth,
        event.error.as_deref(),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// A page of the events of a program. It reads at most 10,000 rows, so that it may have fewer
/// rows than `limit` although others follow.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &EventFilter,
    limit: usize,
) -> Result<EventPage, Error> {
    let after = filter
        .after
        .map(|seq| of_seq(connection, seq))
        .transpose()?;
    let after = after.flatten();
    let mut page = EventPage {
        rows: Vec::new(),
        next: None,
    };
    let (mut read_rows, mut last) = (0, None);
    let has_mark = filter.rule.is_some() && filter.sort != EventSort::CreatedAt;
    for query in queries(program, filter, after.as_ref()) {
        let mut statement = connection.prepare_cached(&query.sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(query.values))?;
        while let Some(row) = rows.next()? {
            if page.rows.len() == limit || read_rows == READ_MAX {
                page.next = last;
                return Ok(page);
            }
            let is_of_rule = !has_mark || row.get(MATCHED)?;
            let row = read(row)?;
            read_rows += 1;
            last = Some(row.seq);
            if is_of_rule && filter.admits(&row) {
                page.rows.push(row);
            }
        }
    }
    Ok(page)
}

/// The queries whose rows, one after the other, are the list.
fn queries(program: ProgramNumber, filter: &EventFilter, after: Option<&EventRow>) -> Vec<Query> {
    let (direction, beyond) = if filter.is_descending {
        ("DESC", "<")
    } else {
        ("ASC", ">")
    };
    let base = || all_of(program, filter);
    match filter.sort {
        EventSort::CreatedAt => {
            let mut query = base();
            // The events of a rule are read in the order of its evaluations.
            if let Some(member) = filter.member.filter(|_| filter.rule.is_none()) {
                query.and("e.member_id = ?", [member.0]);
            }
            if let Some(after) = after {
                query.and(&format!("e.seq {beyond} ?"), [after.seq.0]);
            }
            let key = if filter.rule.is_some() {
                "v.event_seq"
            } else {
                "e.seq"
            };
            query.push(&format!(" ORDER BY {key} {direction}"));
            vec![query]
        }
        EventSort::HappenedAt => {
            let mut query = base();
            if let Some(after) = after {
                let place = [after.happened_at.as_millis(), after.seq.0];
                query.and(&format!("(e.happened_at, e.seq) {beyond} (?, ?)"), place);
            }
            query.push(&format!(
                " ORDER BY e.happened_at {direction}, e.seq {direction}"
            ));
            vec![query]
        }
        EventSort::Status => {
            let mut statuses = vec![EventStatus::Completed, EventStatus::Failed];
            if filter.is_descending {
                statuses.reverse();
            }
            let first = statuses
                .iter()
                .position(|status| after.is_some_and(|after| after.status == *status));
            let statuses = statuses.split_off(first.unwrap_or(0));
            let of_status = |status: EventStatus| {
                let mut query = base();
                query.push(&format!(" AND e.status = '{}'", status.as_str()));
                if let Some(after) = after.filter(|after| after.status == status) {
                    query.and(&format!("e.seq {beyond} ?"), [after.seq.0]);
                }
                query.push(&format!(" ORDER BY e.seq {direction}"));
                query
            };
            statuses.into_iter().map(of_status).collect()
        }
    }
}

/// The events of a program. If a filter names a rule, those in which it matched; in another order
/// than that of the evaluations, all of them with a column that says whether it did.
fn all_of(program: ProgramNumber, filter: &EventFilter) -> Query {
    match (filter.rule, filter.sort) {
        (None, _) => Query::new(format!("{SELECT} WHERE e.program_id = ?"), [program.0]),
        (Some(rule), EventSort::CreatedAt) => {
            let sql = format!(
                "{SELECT} JOIN evaluation v ON v.event_seq = e.seq
                WHERE v.rule_id = ? AND v.status IN ('SUCCESS', 'FAILED') AND e.program_id = ?"
            );
            Query::new(sql, [rule.0, program.0])
        }
        (Some(rule), _) => {
            let (columns, tables) = SELECT.split_once("FROM").unwrap_or_default();
            let sql = format!(
                "{columns}, EXISTS (SELECT 1 FROM evaluation v WHERE v.event_seq = e.seq
                    AND v.rule_id = ? AND v.status IN ('SUCCESS', 'FAILED')) AS {MATCHED}
                FROM {tables} WHERE e.program_id = ?"
            );
            Query::new(sql, [rule.0, program.0])
        }
    }
}

fn read(row: &Row<'_>) -> Result<EventRow, Error> {
    let member = |column| -> Result<Option<MemberNumber>, Error> {
        Ok(row.get::<_, Option<i64>>(column)?.map(MemberNumber))
    };
    let depth: i64 = row.get(column!(SELECT, "e.depth"))?;
    Ok(EventRow {
        seq: Seq(row.get(column!(SELECT, "e.seq"))?),
        id: StoredEventId::from_uuid(uuid(row, column!(SELECT, "e.uuid"))?),
        program: ProgramNumber(row.get(column!(SELECT, "e.program_id"))?),
        member: member(column!(SELECT, "e.member_id"))?,
        recipient: member(column!(SELECT, "e.recipient_id"))?,
        source: word(row, column!(SELECT, "e.type"), EventSource::parse, "type")?,
        status: word(
            row,
            column!(SELECT, "e.status"),
            EventStatus::parse,
            "status",
        )?,
        happened_at: time(row, column!(SELECT, "e.happened_at"))?,
        depth: u8::try_from(depth).map_err(|_| Error::Impossible("depth of an event"))?,
        error: row.get(column!(SELECT, "e.error"))?,
        stored_at: time(row, column!(SELECT, "stored_at"))?,
    })
}
