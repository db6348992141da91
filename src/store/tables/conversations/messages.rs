//! Reads messages of conversations.
//!
//! **Must not know** the open transaction, which reads some of this.

use rusqlite::{Connection, Row};

use crate::domain::{
    ConversationId, ConversationNumber, ConversationPlace, MemberNumber, Message, MessageId,
    MessageNumber, MessageText, Role, Timestamp,
};
use crate::store::Error;
use crate::store::tables::attachments::attachment;
use crate::store::tables::columns::{self, column, optional, time, word};
use crate::store::tables::query;

/// The columns that [`message`] reads.
const COLUMNS: &str = "s.id, s.uuid, s.role, s.body, s.created_at, a.type AS file_type,
        a.name AS file_name, a.size AS file_size";

/// The tables of [`COLUMNS`]. Only a message without text can have a file.
const FROM: &str = "FROM message s
    LEFT JOIN attachment a ON a.message_id = iif(coalesce(s.body, '') = '', s.id, NULL)";

/// The time since which the member of a conversation waits, according to its messages.
pub(in crate::store) const WAITS_SINCE: &str = "(SELECT min(s.created_at) FROM message s
        WHERE s.conversation_id = conversation.id AND s.id > coalesce((SELECT max(a.id)
            FROM message a WHERE a.conversation_id = conversation.id AND a.role = 'agent'), 0))";

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The newest message of all.
pub(super) fn newest_message(connection: &Connection) -> Result<MessageNumber, Error> {
    let sql = "SELECT coalesce(max(id), 0) FROM message";
    Ok(MessageNumber(
        connection.query_row(sql, [], |row| row.get(0))?,
    ))
}

/// Whether a conversation had no message when the first page of a list was read.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn was_silent(
    connection: &Connection,
    conversation: ConversationNumber,
    then: &ConversationPlace,
) -> Result<bool, Error> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM message WHERE conversation_id = ?1 AND id <= ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((conversation.0, then.message.0), |row| row.get(0))?)
}

/// The day of a time, counted in days since 1970 (UTC).
pub fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY)
}

/// The bytes of the messages that a member sent on a day. Reads only messages since the day began,
/// in conversations that were active since.
pub(in crate::store) fn bytes_sent(
    connection: &Connection,
    member: MemberNumber,
    day: i64,
) -> Result<i64, Error> {
    let (begins, ends) = (day.saturating_mul(DAY), day.saturating_mul(DAY) + DAY);
    let active = "SELECT id FROM conversation WHERE member_id = ?1 AND active_at >= ?2";
    let mut active = connection.prepare_cached(active)?;
    let mut active = active.query((member.0, begins))?;
    let said = "SELECT created_at, role, octet_length(body) FROM message
                WHERE conversation_id = ?1 ORDER BY id DESC";
    let mut said = connection.prepare_cached(said)?;
    let mut sent = 0;
    while let Some(conversation) = active.next()? {
        let mut said = said.query([conversation.get::<_, i64>(0)?])?;
        while let Some(message) = said.next()? {
            let at: i64 = message.get(0)?;
            if at < begins {
                break;
            }
            let role: String = message.get(1)?;
            if at < ends && role == Role::Member.as_str() {
                sent += message.get::<_, Option<i64>>(2)?.unwrap_or(0);
            }
        }
    }
    Ok(sent)
}

/// A page of a conversation's messages, newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn messages(
    connection: &Connection,
    conversation: ConversationNumber,
    before: Option<MessageNumber>,
    limit: usize,
) -> Result<Vec<Message>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} {FROM}
         WHERE s.conversation_id = ?1 AND s.id < ?2 ORDER BY s.id DESC LIMIT ?3"
    );
    let before = before.map_or(i64::MAX, |number| number.0);
    let values = (conversation.0, before, query::limit(limit));
    query::all(connection, &sql, values, message)
}

/// A message and the public id of its conversation.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_message(
    connection: &Connection,
    id: MessageId,
) -> Result<Option<(Message, ConversationId)>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, c.uuid AS conversation
         {FROM} JOIN conversation c ON c.id = s.conversation_id
         WHERE s.uuid = ?1"
    );
    query::one(connection, &sql, [id.as_uuid().as_bytes()], |row| {
        let conversation = ConversationId::from_uuid(columns::uuid(row, "conversation")?);
        Ok((message(row)?, conversation))
    })
}

/// Reads [`COLUMNS`].
fn message(row: &Row<'_>) -> Result<Message, Error> {
    Ok(Message {
        number: MessageNumber(row.get(column!(COLUMNS, "id"))?),
        id: MessageId::from_uuid(columns::uuid(row, column!(COLUMNS, "uuid"))?),
        role: word(row, column!(COLUMNS, "role"), Role::parse, "role")?,
        body: optional(row, column!(COLUMNS, "body"), MessageText::stored)?,
        attachment: attachment(
            row,
            (
                column!(COLUMNS, "file_type"),
                column!(COLUMNS, "file_name"),
                column!(COLUMNS, "file_size"),
            ),
        )?,
        created_at: time(row, column!(COLUMNS, "created_at"))?,
    })
}
