//! Lists of conversations, those last active first.

use std::cmp::Reverse;

use rusqlite::Connection;

use super::messages::newest_message;
use super::{COLUMNS, conversation, opened, select};
use crate::domain::{
    Conversation, ConversationNumber, ConversationPlace, MemberNumber, ProgramNumber, Timestamp,
};
use crate::store::Error;
use crate::store::tables::columns::time;
use crate::store::tables::query::Query;

/// The time a conversation was last active according to the messages up to number ?; null if it did
/// not exist then.
const ACTIVE_THEN: &str = concat!(
    "coalesce((SELECT s.created_at FROM message s
        WHERE s.conversation_id = c.id AND s.id <= ? ORDER BY s.id DESC LIMIT 1), ",
    opened!(),
    ")"
);

/// The filter of a list of conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Only those of these members.
    pub members: Option<Vec<MemberNumber>>,
    /// Only those in which the member waits for an answer.
    pub waiting: bool,
    /// Only those that come after this place.
    pub before: Option<ConversationPlace>,
}

/// A conversation, and the time it was last active when the first page was read.
type Then = (Conversation, Timestamp);

/// A page of the conversations that have a row, those last active first, each with its place. All
/// pages show the order of the first one, also if messages were sent since.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &ConversationFilter,
    limit: usize,
) -> Result<Vec<(Conversation, ConversationPlace)>, Error> {
    // One snapshot for all reads: messages that are sent meanwhile are not in it.
    let moment = connection.unchecked_transaction()?;
    let mut found = settled(&moment, program, filter, limit)?;
    let (newest, message) = if let Some(before) = filter.before {
        found.extend(moved(&moment, program, (filter, before), limit)?);
        (before.newest, before.message)
    } else {
        let newest = found
            .first()
            .map_or(Timestamp::EPOCH, |(first, _)| first.active_at);
        (newest, newest_message(&moment)?)
    };
    found.sort_by_key(|(conversation, then)| Reverse((*then, conversation.number)));
    found.truncate(limit);
    let with_place = |(conversation, active_at): Then| {
        let number = conversation.number.unwrap_or(ConversationNumber(0));
        let place = ConversationPlace {
            active_at,
            number,
            newest,
            message,
        };
        (conversation, place)
    };
    Ok(found.into_iter().map(with_place).collect())
}

/// The conversations that were not active since the first page.
fn settled(
    connection: &Connection,
    program: ProgramNumber,
    filter: &ConversationFilter,
    limit: usize,
) -> Result<Vec<Then>, Error> {
    let mut query = narrowed(COLUMNS, program, filter);
    if let Some(before) = &filter.before {
        query.and("c.active_at < ?", [before.newest.as_millis()]);
        let place = [before.active_at.as_millis(), before.number.0];
        query.and("(c.active_at, c.id) < (?, ?)", place);
    }
    query.push(" ORDER BY c.active_at DESC, c.id DESC");
    query.page(connection, limit, |row| {
        let conversation = conversation(row)?;
        let active_at = conversation.active_at;
        Ok((conversation, active_at))
    })
}

/// The conversations that may have been active since the first page.
fn moved(
    connection: &Connection,
    program: ProgramNumber,
    (filter, before): (&ConversationFilter, ConversationPlace),
    limit: usize,
) -> Result<Vec<Then>, Error> {
    let columns = format!("{COLUMNS}, {ACTIVE_THEN} AS moved");
    let mut query = narrowed(&columns, program, filter);
    // The parameter of `ACTIVE_THEN` comes first.
    query.values.insert(0, before.message.0.into());
    query.and("c.active_at >= ?", [before.newest.as_millis()]);
    let place = [before.active_at.as_millis(), before.number.0];
    query.and("(moved, c.id) < (?, ?)", place);
    query.push(" ORDER BY moved DESC, c.id DESC");
    query.page(connection, limit, |row| {
        Ok((conversation(row)?, time(row, "moved")?))
    })
}

fn narrowed(columns: &str, program: ProgramNumber, filter: &ConversationFilter) -> Query {
    let mut query = select(columns, program, filter.members.as_deref());
    if filter.waiting {
        query.push(" AND c.waiting_since IS NOT NULL");
    }
    query
}
