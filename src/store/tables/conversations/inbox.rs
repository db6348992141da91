//! The inbox: the conversations of a program. Those in which the member waits for an answer come
//! first.

use rusqlite::{Connection, Row};

use super::messages::newest_message;
use super::{COLUMNS, conversation, opened, select};
use crate::domain::{
    Conversation, ConversationNumber, InboxPlace, InboxRank, MemberNumber, ProgramNumber, Search,
    Timestamp,
};
use crate::store::Error;
use crate::store::tables::columns::{optional_time, time};
use crate::store::tables::members::MemberFilter;
use crate::store::tables::query::{self, Query};
use crate::store::tables::search;

/// The filter of the inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxFilter {
    /// Only those of these members.
    pub members: Option<Vec<MemberNumber>>,
    /// Only those in which the member waits.
    pub waiting: bool,
    /// Include those without messages.
    pub silent: bool,
    /// Only those that come after this place.
    pub after: Option<InboxPlace>,
}

/// A conversation, and its rank when the first page was read.
type Ranked = (Conversation, InboxRank);

/// A page of the inbox. All pages show the order of the first one, also if messages were sent
/// since.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &InboxFilter,
    limit: usize,
) -> Result<Vec<(Conversation, InboxPlace)>, Error> {
    // One snapshot for all reads: messages that are sent meanwhile are not in it.
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
        let newest = query::one(&moment, sql, [program.0], |row| time(row, 0))?;
        let newest = newest.unwrap_or(Timestamp::EPOCH);
        let message = newest_message(&moment)?;
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

/// The number of a program's conversations in which the member waits, up to
/// [`Conversation::WAITING_COUNTED`].
///
/// # Errors
/// [`Error`] if the database fails.
pub fn count_waiting(connection: &Connection, program: ProgramNumber) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM conversation
                   WHERE program_id = ?1 AND waiting_since IS NOT NULL LIMIT ?2)";
    let most = query::limit(Conversation::WAITING_COUNTED);
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((program.0, most), |row| row.get(0))?)
}

/// The members whose conversations a search lists: the newest that it finds, including removed
/// ones.
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
    let numbers = found.members.into_iter().map(|member| member.number);
    Ok(numbers.collect())
}

/// The waiting conversations that were not active since the first page.
fn waiting(
    connection: &Connection,
    program: ProgramNumber,
    filter: &InboxFilter,
    limit: usize,
) -> Result<Vec<Ranked>, Error> {
    let mut query = select(COLUMNS, program, filter.members.as_deref());
    query.push(" AND c.waiting_since IS NOT NULL");
    if let Some(after) = &filter.after {
        query.and("c.active_at < ?", [after.newest.as_millis()]);
        let since = after.rank.waiting_since.map_or(0, Timestamp::as_millis);
        let place = [since, after.rank.number.0];
        query.and("(c.waiting_since, c.id) > (?, ?)", place);
    }
    query.push(" ORDER BY c.waiting_since, c.id");
    query.page(connection, limit, ranked)
}

/// The other conversations that were not active since the first page.
fn others(
    connection: &Connection,
    program: ProgramNumber,
    filter: &InboxFilter,
    limit: usize,
) -> Result<Vec<Ranked>, Error> {
    let mut query = select(COLUMNS, program, filter.members.as_deref());
    query.push(" AND c.waiting_since IS NULL");
    if !filter.silent {
        query.push(" AND c.last_message_at IS NOT NULL");
    }
    if let Some(after) = &filter.after {
        query.and("c.active_at < ?", [after.newest.as_millis()]);
        if after.rank.waiting_since.is_none() {
            let place = [after.rank.active_at.as_millis(), after.rank.number.0];
            query.and("(c.active_at, c.id) < (?, ?)", place);
        }
    }
    query.push(" ORDER BY c.active_at DESC, c.id DESC");
    query.page(connection, limit, ranked)
}

/// Reads a conversation that was not active since the first page.
fn ranked(row: &Row<'_>) -> Result<Ranked, Error> {
    let conversation = conversation(row)?;
    let rank = InboxRank {
        waiting_since: conversation.waiting_since,
        active_at: conversation.active_at,
        number: conversation.number.unwrap_or(ConversationNumber(0)),
    };
    Ok((conversation, rank))
}

/// The time of the last message and the time since which the member waited, according to the
/// messages up to number ?1.
const THEN: &str = concat!(
    "(SELECT s.created_at FROM message s
        WHERE s.conversation_id = c.id AND s.id <= ?1 ORDER BY s.id DESC LIMIT 1) AS said, ",
    opened!(),
    " AS opened,
    iif(m.archived_at IS NULL, (SELECT min(s.created_at) FROM message s
        WHERE s.conversation_id = c.id AND s.id <= ?1 AND s.id > coalesce((SELECT max(a.id)
            FROM message a WHERE a.conversation_id = c.id AND a.id <= ?1 AND a.role = 'agent'), 0)),
        NULL) AS since"
);

/// The conversations that may have been active since the first page, each with its rank then.
fn moved(
    connection: &Connection,
    program: ProgramNumber,
    (filter, after): (&InboxFilter, InboxPlace),
    limit: usize,
) -> Result<Vec<Ranked>, Error> {
    let columns = format!("{COLUMNS}, {THEN}");
    let mut inner = select(&columns, program, filter.members.as_deref());
    inner.and("c.active_at >= ?", [after.newest.as_millis()]);
    inner.and("c.id <= ?", [after.opened.0]);
    // The parameter of `THEN` comes first.
    inner.values.insert(0, after.message.0.into());
    let mut query = Query {
        sql: format!(
            "SELECT * FROM ({}) WHERE coalesce(said, opened) IS NOT NULL",
            inner.sql
        ),
        values: inner.values,
    };
    if filter.waiting {
        query.push(" AND since IS NOT NULL");
    }
    if !filter.silent {
        query.push(" AND said IS NOT NULL");
    }
    let rank =
        "since IS NULL, coalesce(since, -coalesce(said, opened)), iif(since IS NULL, -id, id)";
    let place = after.rank;
    let place = match place.waiting_since {
        Some(since) => [0, since.as_millis(), place.number.0],
        None => [1, -place.active_at.as_millis(), -place.number.0],
    };
    query.and(&format!("({rank}) > (?, ?, ?)"), place);
    query.push(&format!(" ORDER BY {rank}"));
    query.page(connection, limit, |row| {
        let conversation = conversation(row)?;
        let active_at = match optional_time(row, "said")? {
            Some(said) => said,
            None => time(row, "opened")?,
        };
        let rank = InboxRank {
            waiting_since: optional_time(row, "since")?,
            active_at,
            number: conversation.number.unwrap_or(ConversationNumber(0)),
        };
        Ok((conversation, rank))
    })
}
