//! Conversations and their messages.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use super::activity::timestamp;
use super::{Error, Transaction, programs};
use crate::domain::{
    Conversation, ConversationId, ConversationNumber, ExternalUserId, MemberNumber, Message,
    MessageId, MessageNumber, MessageText, ProgramNumber, RedemptionId, RedemptionNumber, Role,
    Timestamp, Title,
};

/// The columns that [`conversation`] reads.
const SELECT: &str = "SELECT c.id, c.uuid, c.member_id, m.external_user_id, r.uuid, c.title,
        c.last_message_at, c.last_role, c.active_at
    FROM conversation c
    JOIN member m ON m.id = c.member_id
    LEFT JOIN redemption r ON r.id = c.redemption_id";

/// Which conversations of a program are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Only this member's.
    pub member: Option<MemberNumber>,
    /// Only those in which the member spoke last.
    pub waiting: bool,
    /// Only those that come after this one, in the order of the list.
    pub before: Option<(Timestamp, ConversationNumber)>,
}

/// A conversation that has a row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: ConversationId,
) -> Result<Option<Conversation>, Error> {
    let sql = format!("{SELECT} WHERE c.uuid = ?1 AND c.program_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((id.as_uuid().as_bytes(), program.0))?;
    rows.next()?.map(conversation).transpose()
}

/// When the conversation of a row was last active.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn active_at(
    connection: &Connection,
    program: ProgramNumber,
    number: ConversationNumber,
) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT active_at FROM conversation WHERE id = ?1 AND program_id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement
        .query_row((number.0, program.0), |row| row.get(0))
        .optional()?;
    found.map(timestamp).transpose()
}

/// Conversations that have a row, those last active first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &ConversationFilter,
    limit: usize,
) -> Result<Vec<Conversation>, Error> {
    let mut sql = String::from(SELECT);
    let mut values = Vec::new();
    if let Some(member) = filter.member {
        sql.push_str(" WHERE c.member_id = ?");
        values.push(Value::Integer(member.0));
    } else {
        sql.push_str(" WHERE c.program_id = ?");
        values.push(Value::Integer(program.0));
    }
    if filter.waiting {
        sql.push_str(" AND c.last_role = 'member'");
    }
    if let Some((at, number)) = filter.before {
        sql.push_str(" AND (c.active_at, c.id) < (?, ?)");
        values.push(Value::Integer(at.as_millis()));
        values.push(Value::Integer(number.0));
    }
    sql.push_str(" ORDER BY c.active_at DESC, c.id DESC LIMIT ?");
    values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut conversations = Vec::new();
    while let Some(row) = rows.next()? {
        conversations.push(conversation(row)?);
    }
    Ok(conversations)
}

/// Opens a conversation.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    member: MemberNumber,
    id: ConversationId,
    about: Option<(RedemptionNumber, &Title)>,
    at: Timestamp,
) -> Result<ConversationNumber, Error> {
    let sql =
        "INSERT INTO conversation (uuid, program_id, member_id, redemption_id, title, active_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.run(sql, |statement| {
        statement.execute((
            id.as_uuid().as_bytes(),
            program.0,
            member.0,
            about.map(|(redemption, _)| redemption.0),
            about.map(|(_, title)| title.as_str()),
            at.as_millis(),
        ))
    })?;
    Ok(ConversationNumber(tx.last_insert_rowid()))
}

/// Adds a message and notes it on its conversation.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn add_message(
    tx: &Transaction<'_>,
    conversation: ConversationNumber,
    id: MessageId,
    role: Role,
    text: &MessageText,
    at: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO message (uuid, conversation_id, role, body, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.run(sql, |statement| {
        statement.execute((
            id.as_uuid().as_bytes(),
            conversation.0,
            role.as_str(),
            text.as_str(),
            at.as_millis(),
        ))
    })?;
    let sql = "UPDATE conversation SET last_message_at = ?2, last_role = ?3, active_at = ?2
               WHERE id = ?1";
    tx.run(sql, |statement| {
        statement.execute((conversation.0, at.as_millis(), role.as_str()))
    })?;
    Ok(())
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
    let sql = "SELECT id, uuid, role, body, created_at FROM message
               WHERE conversation_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((
        conversation.0,
        before.map_or(i64::MAX, |number| number.0),
        i64::try_from(limit).unwrap_or(i64::MAX),
    ))?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(message(row)?);
    }
    Ok(messages)
}

/// A message and the public id of its conversation.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_message(
    connection: &Connection,
    id: MessageId,
) -> Result<Option<(Message, ConversationId)>, Error> {
    let sql = "SELECT s.id, s.uuid, s.role, s.body, s.created_at, c.uuid
               FROM message s JOIN conversation c ON c.id = s.conversation_id
               WHERE s.uuid = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.as_uuid().as_bytes()])?;
    rows.next()?
        .map(|row| {
            let conversation = ConversationId::from_uuid(programs::uuid(row, 5)?);
            Ok((message(row)?, conversation))
        })
        .transpose()
}

/// Reads the columns of [`SELECT`].
fn conversation(row: &Row<'_>) -> Result<Conversation, Error> {
    let redemption: Option<[u8; 16]> = row.get(4)?;
    let said_at: Option<i64> = row.get(6)?;
    let role: Option<String> = row.get(7)?;
    let last_message = match (said_at, role.as_deref().and_then(Role::parse)) {
        (Some(at), Some(role)) => Some((timestamp(at)?, role)),
        _ => None,
    };
    Ok(Conversation {
        number: Some(ConversationNumber(row.get(0)?)),
        id: ConversationId::from_uuid(programs::uuid(row, 1)?),
        member: MemberNumber(row.get(2)?),
        external_user_id: ExternalUserId::stored(row.get(3)?),
        redemption: redemption.map(|bytes| RedemptionId::from_uuid(uuid::Uuid::from_bytes(bytes))),
        title: row.get::<_, Option<String>>(5)?.map(Title::stored),
        last_message,
        active_at: timestamp(row.get(8)?)?,
    })
}

fn message(row: &Row<'_>) -> Result<Message, Error> {
    let role: String = row.get(2)?;
    Ok(Message {
        number: MessageNumber(row.get(0)?),
        id: MessageId::from_uuid(programs::uuid(row, 1)?),
        role: Role::parse(&role).ok_or(Error::Impossible("role"))?,
        body: row.get::<_, Option<String>>(3)?.map(MessageText::stored),
        created_at: timestamp(row.get(4)?)?,
    })
}
