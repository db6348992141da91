//! The inbox: the conversations of a program, those in which the member waits for an answer first.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::conversations::{self, conversation, of_whom, with_column};
use super::search;
use crate::domain::{
    Conversation, ConversationNumber, InboxPlace, InboxRank, MemberNumber, ProgramNumber, Search,
    Timestamp,
};
use crate::store::Error;
use crate::store::log::timestamp;
use crate::store::tables::members::MemberFilter;

/// Which conversations of the inbox are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxFilter {
    /// Only these members'.
    pub members: Option<Vec<MemberNumber>>,
    /// Only those in which the member waits.
    pub waiting: bool,
    /// Those in which nothing was said, too.
    pub silent: bool,
    /// Only those that come after this place.
    pub after: Option<InboxPlace>,
}

/// A conversation and where it stood when the first page was read.
type Ranked = (Conversation, InboxRank);

/// A page of the inbox. The pages show it in the order that it had at the first one, whatever was
/// said since.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &InboxFilter,
    limit: usize,
) -> Result<Vec<(Conversation, InboxPlace)>, Error> {
    // Read in one moment: what is said meanwhile is not in it.
    let moment = connection.unchecked_transaction()?;
    let (mut found, then) = if let Some(after) = filter.after {
        let mut found = moved(&moment, program, (filter, after), limit)?;
        if after.rank.waiting_since.is_some() {
            found.extend(waiting(&moment, program, filter, limit)?);
        }
        (found, (after.newest, after.message, after.opened))
    } else {
        let sql = "SELECT active_at FROM conversation WHERE program_id = ?1
                   ORDER BY active_at DESC LIMIT 1";
        let newest = moment.query_row(sql, [program.0], |row| row.get(0));
        let newest = newest.optional()?.map(timestamp).transpose()?;
        let newest = newest.unwrap_or(Timestamp::EPOCH);
        let message = conversations::newest_message(&moment)?;
        let sql = "SELECT coalesce(max(id), 0) FROM conversation";
        let opened = ConversationNumber(moment.query_row(sql, [], |row| row.get(0))?);
        let found = waiting(&moment, program, filter, limit)?;
        (found, (newest, message, opened))
    };
    let (newest, message, opened) = then;
    let wait = found
        .iter()
        .filter(|(_, rank)| rank.waiting_since.is_some());
    if !filter.waiting && wait.count() < limit {
        found.extend(others(&moment, program, filter, limit)?);
    }
    found.sort_by_key(|(_, rank)| rank.key());
    found.truncate(limit);
    let with_place = |(conversation, rank): Ranked| {
        let place = InboxPlace {
            rank,
            newest,
            message,
            opened,
        };
        (conversation, place)
    };
    Ok(found.into_iter().map(with_place).collect())
}

/// How many conversations of a program wait, up to [`Conversation::WAITING_COUNTED`].
///
/// # Errors
/// [`Error`] if the database fails.
pub fn count_waiting(connection: &Connection, program: ProgramNumber) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM conversation
                   WHERE program_id = ?1 AND waiting_since IS NOT NULL LIMIT ?2)";
    let most = i64::try_from(Conversation::WAITING_COUNTED).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((program.0, most), |row| row.get(0))?)
}

/// The members whose conversations a search lists: the newest that it finds, removed ones too.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn members_found(
    connection: &Connection,
    program: ProgramNumber,
    wanted: &Search,
) -> Result<Vec<MemberNumber>, Error> {
    let all = MemberFilter {
        include_archived: true,
        ..MemberFilter::default()
    };
    let most = Conversation::MEMBERS_SEARCHED;
    let found = search::list(connection, program, (wanted, &all), most)?;
    let numbers = found.members.into_iter().map(|(member, _)| member.number);
    Ok(numbers.collect())
}

/// Those who wait, and whose conversation was not active since the first page.
fn waiting(
    connection: &Connection,
    program: ProgramNumber,
    filter: &InboxFilter,
    limit: usize,
) -> Result<Vec<Ranked>, Error> {
    let (whose, value) = of_whom(program, filter.members.as_deref());
    let mut values = vec![value];
    let mut sql = format!(
        "{} WHERE {whose} AND c.waiting_since IS NOT NULL",
        conversations::SELECT
    );
    if let Some(after) = &filter.after {
        sql.push_str(" AND c.active_at < ? AND (c.waiting_since, c.id) > (?, ?)");
        values.push(Value::Integer(after.newest.as_millis()));
        let since = after.rank.waiting_since.map_or(0, Timestamp::as_millis);
        values.push(Value::Integer(since));
        values.push(Value::Integer(after.rank.number.0));
    }
    sql.push_str(" ORDER BY c.waiting_since, c.id LIMIT ?");
    values.push(number(limit));
    ranked(connection, &sql, values)
}

/// The others that were not active since.
fn others(
    connection: &Connection,
    program: ProgramNumber,
    filter: &InboxFilter,
    limit: usize,
) -> Result<Vec<Ranked>, Error> {
    let (whose, value) = of_whom(program, filter.members.as_deref());
    let mut values = vec![value];
    let mut sql = format!(
        "{} WHERE {whose} AND c.waiting_since IS NULL",
        conversations::SELECT
    );
    if !filter.silent {
        sql.push_str(" AND c.last_message_at IS NOT NULL");
    }
    if let Some(after) = &filter.after {
        sql.push_str(" AND c.active_at < ?");
        values.push(Value::Integer(after.newest.as_millis()));
        if after.rank.waiting_since.is_none() {
            sql.push_str(" AND (c.active_at, c.id) < (?, ?)");
            values.push(Value::Integer(after.rank.active_at.as_millis()));
            values.push(Value::Integer(after.rank.number.0));
        }
    }
    sql.push_str(" ORDER BY c.active_at DESC, c.id DESC LIMIT ?");
    values.push(number(limit));
    ranked(connection, &sql, values)
}

fn ranked(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<Ranked>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let conversation = conversation(row)?;
        let rank = InboxRank {
            waiting_since: conversation.waiting_since,
            active_at: conversation.active_at,
            number: conversation.number.unwrap_or(ConversationNumber(0)),
        };
        found.push((conversation, rank));
    }
    Ok(found)
}

/// When something was said last, and since when the member waited, as far as the messages up to
/// number ?1 tell.
const THEN: &str = "(SELECT s.created_at FROM message s
        WHERE s.conversation_id = c.id AND s.id <= ?1 ORDER BY s.id DESC LIMIT 1) AS said,
    r.created_at AS opened,
    iif(m.archived_at IS NULL, (SELECT min(s.created_at) FROM message s
        WHERE s.conversation_id = c.id AND s.id <= ?1 AND s.id > coalesce((SELECT max(a.id)
            FROM message a WHERE a.conversation_id = c.id AND a.id <= ?1 AND a.role = 'agent'), 0)),
        NULL) AS since";

/// Those that may have been active since the first page, each with where it stood then.
fn moved(
    connection: &Connection,
    program: ProgramNumber,
    (filter, after): (&InboxFilter, InboxPlace),
    limit: usize,
) -> Result<Vec<Ranked>, Error> {
    let (whose, value) = of_whom(program, filter.members.as_deref());
    let mut values = vec![Value::Integer(after.message.0), value];
    let mut sql = format!(
        "SELECT * FROM ({} WHERE {whose} AND c.active_at >= ? AND c.id <= ?)
         WHERE coalesce(said, opened) IS NOT NULL",
        with_column(THEN)
    );
    values.push(Value::Integer(after.newest.as_millis()));
    values.push(Value::Integer(after.opened.0));
    if filter.waiting {
        sql.push_str(" AND since IS NOT NULL");
    }
    if !filter.silent {
        sql.push_str(" AND said IS NOT NULL");
    }
    let rank =
        "since IS NULL, coalesce(since, -coalesce(said, opened)), iif(since IS NULL, -id, id)";
    let _ = write!(sql, " AND ({rank}) > (?, ?, ?) ORDER BY {rank} LIMIT ?");
    let place = after.rank;
    let (is_other, at, row) = match place.waiting_since {
        Some(since) => (0, since.as_millis(), place.number.0),
        None => (1, -place.active_at.as_millis(), -place.number.0),
    };
    values.extend([is_other, at, row].map(Value::Integer));
    values.push(number(limit));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (said, opened): (Option<i64>, Option<i64>) = (row.get("said")?, row.get("opened")?);
        let since: Option<i64> = row.get("since")?;
        let conversation = conversation(row)?;
        let rank = InboxRank {
            waiting_since: since.map(timestamp).transpose()?,
            active_at: timestamp(said.or(opened).unwrap_or_default())?,
            number: conversation.number.unwrap_or(ConversationNumber(0)),
        };
        found.push((conversation, rank));
    }
    Ok(found)
}

fn number(limit: usize) -> Value {
    Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX))
}
