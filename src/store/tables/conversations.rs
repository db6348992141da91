//! Conversations and their messages.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use super::programs;
use crate::domain::{
    Conversation, ConversationId, ConversationNumber, ConversationPlace, DisplayName,
    ExternalUserId, MemberNumber, Message, MessageId, MessageNumber, MessageText, ProgramNumber,
    RedemptionId, RedemptionNumber, Role, Timestamp, Title,
};
use crate::store::log::timestamp;
use crate::store::{Counted, Error, Transaction};

/// The columns that [`conversation`] reads.
pub(in crate::store) const SELECT: &str =
    "SELECT c.id, c.uuid, c.member_id, m.external_user_id, r.uuid,
        c.title, c.last_message_at, c.last_role, c.active_at, c.waiting_since, m.display_name,
        (SELECT substr(s.body, 1, 141) FROM message s WHERE s.conversation_id = c.id
            ORDER BY s.id DESC LIMIT 1)
    FROM conversation c
    JOIN member m ON m.id = c.member_id
    LEFT JOIN redemption r ON r.id = c.redemption_id";

/// When a conversation was last active, as far as the messages up to number ? tell; null if it was
/// not there.
const ACTIVE_THEN: &str = "coalesce((SELECT s.created_at FROM message s
        WHERE s.conversation_id = c.id AND s.id <= ? ORDER BY s.id DESC LIMIT 1), r.created_at)";

/// Which conversations of a program are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Only these members'.
    pub members: Option<Vec<MemberNumber>>,
    /// Only those in which the member waits for an answer.
    pub waiting: bool,
    /// Only those that come after this place.
    pub before: Option<ConversationPlace>,
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

/// A page of the conversations that have a row, those last active first, each with its place. The
/// pages show them in the order they had at the first one, whatever was said since.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &ConversationFilter,
    limit: usize,
) -> Result<Vec<(Conversation, ConversationPlace)>, Error> {
    // Read in one moment: what is said meanwhile is not in it.
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
    found.sort_by_key(|(conversation, then)| std::cmp::Reverse((*then, conversation.number)));
    found.truncate(limit);
    let with_place = |(conversation, active_at): (Conversation, Timestamp)| {
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

/// The newest message of all.
pub(in crate::store) fn newest_message(connection: &Connection) -> Result<MessageNumber, Error> {
    let sql = "SELECT coalesce(max(id), 0) FROM message";
    Ok(MessageNumber(
        connection.query_row(sql, [], |row| row.get(0))?,
    ))
}

/// Those that were not active since the first page, each with when it was active.
fn settled(
    connection: &Connection,
    program: ProgramNumber,
    filter: &ConversationFilter,
    limit: usize,
) -> Result<Vec<(Conversation, Timestamp)>, Error> {
    let (mut sql, mut values) = (SELECT.to_owned(), Vec::new());
    narrow(&mut sql, &mut values, program, filter);
    if let Some(before) = &filter.before {
        sql.push_str(" AND c.active_at < ? AND (c.active_at, c.id) < (?, ?)");
        values.push(Value::Integer(before.newest.as_millis()));
        values.push(Value::Integer(before.active_at.as_millis()));
        values.push(Value::Integer(before.number.0));
    }
    sql.push_str(" ORDER BY c.active_at DESC, c.id DESC LIMIT ?");
    values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut conversations = Vec::new();
    while let Some(row) = rows.next()? {
        let conversation = conversation(row)?;
        let active_at = conversation.active_at;
        conversations.push((conversation, active_at));
    }
    Ok(conversations)
}

/// Those that may have been active since the first page, each with when it was active then.
fn moved(
    connection: &Connection,
    program: ProgramNumber,
    (filter, before): (&ConversationFilter, ConversationPlace),
    limit: usize,
) -> Result<Vec<(Conversation, Timestamp)>, Error> {
    let mut values = vec![Value::Integer(before.message.0)];
    let mut sql = with_column(&format!("{ACTIVE_THEN} AS moved"));
    narrow(&mut sql, &mut values, program, filter);
    sql.push_str(" AND c.active_at >= ? AND (moved, c.id) < (?, ?)");
    values.push(Value::Integer(before.newest.as_millis()));
    values.push(Value::Integer(before.active_at.as_millis()));
    values.push(Value::Integer(before.number.0));
    sql.push_str(" ORDER BY moved DESC, c.id DESC LIMIT ?");
    values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut conversations = Vec::new();
    while let Some(row) = rows.next()? {
        conversations.push((conversation(row)?, timestamp(row.get(12)?)?));
    }
    Ok(conversations)
}

fn narrow(
    sql: &mut String,
    values: &mut Vec<Value>,
    program: ProgramNumber,
    filter: &ConversationFilter,
) {
    sql.push_str(" WHERE ");
    let (condition, value) = of_whom(program, filter.members.as_deref());
    sql.push_str(condition);
    values.push(value);
    if filter.waiting {
        sql.push_str(" AND c.waiting_since IS NOT NULL");
    }
}

/// The condition that finds a program's conversations, or those of some members of it, and the
/// value it has.
pub(in crate::store) fn of_whom(
    program: ProgramNumber,
    members: Option<&[MemberNumber]>,
) -> (&'static str, Value) {
    match members {
        None => ("c.program_id = ?", Value::Integer(program.0)),
        Some([member]) => ("c.member_id = ?", Value::Integer(member.0)),
        Some(members) => {
            let numbers: Vec<String> = members.iter().map(|member| member.0.to_string()).collect();
            (
                "c.member_id IN (SELECT value FROM json_each(?))",
                Value::Text(format!("[{}]", numbers.join(","))),
            )
        }
    }
}

/// [`SELECT`] with one more column at its end.
pub(in crate::store) fn with_column(column: &str) -> String {
    SELECT.replacen(
        "\n    FROM conversation c",
        &format!(", {column}\n    FROM conversation c"),
        1,
    )
}

/// Whether nothing was said in a conversation before the first page of a list was read.
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

/// Opens a conversation.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    (program, member): (ProgramNumber, MemberNumber),
    id: ConversationId,
    (redemption, title): (Option<RedemptionNumber>, Option<&Title>),
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
            redemption.map(|redemption| redemption.0),
            title.map(Title::as_str),
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
    tx: &mut Transaction<'_>,
    (conversation, member): (ConversationNumber, MemberNumber),
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
    let sql = "UPDATE conversation SET last_message_at = ?2, last_role = ?3, active_at = ?2,
                   waiting_since = iif(?3 = 'member', coalesce(waiting_since, ?2), NULL)
               WHERE id = ?1";
    tx.run(sql, |statement| {
        statement.execute((conversation.0, at.as_millis(), role.as_str()))
    })?;
    if role == Role::Member {
        let bytes = i64::try_from(text.as_str().len()).unwrap_or(i64::MAX);
        tx.count_change(Counted::Sent(member, day_of(at)), bytes);
    }
    Ok(())
}

/// Since when the member of a conversation waits, as its messages say.
const WAITS_SINCE: &str = "(SELECT min(s.created_at) FROM message s
        WHERE s.conversation_id = conversation.id AND s.id > coalesce((SELECT max(a.id)
            FROM message a WHERE a.conversation_id = conversation.id AND a.role = 'agent'), 0))";

/// Says that nobody can answer a member any more, who was removed.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn stop_waiting(tx: &Transaction<'_>, member: MemberNumber) -> Result<(), Error> {
    let sql = "UPDATE conversation SET waiting_since = NULL
               WHERE member_id = ?1 AND waiting_since IS NOT NULL";
    tx.run(sql, |statement| statement.execute([member.0]))?;
    Ok(())
}

/// Says that a member who was restored waits again where nobody answered.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn wait_again(tx: &Transaction<'_>, member: MemberNumber) -> Result<(), Error> {
    let sql = format!(
        "UPDATE conversation SET waiting_since = {WAITS_SINCE}
         WHERE member_id = ?1 AND last_role = 'member'"
    );
    tx.execute(&sql, [member.0])?;
    Ok(())
}

/// Sets since when the members of some conversations wait: those behind one row up to another.
pub(in crate::store) fn set_waiting_of(
    connection: &Connection,
    (after, last): (i64, i64),
) -> Result<(), rusqlite::Error> {
    let sql = format!(
        "UPDATE conversation SET waiting_since = {WAITS_SINCE}
         WHERE id > ?1 AND id <= ?2 AND last_role = 'member'
             AND (SELECT archived_at FROM member WHERE id = member_id) IS NULL"
    );
    connection.execute(&sql, [after, last])?;
    Ok(())
}

/// The day that a time lies in, counted since 1970 (UTC).
pub fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY)
}

/// How many bytes of messages a member sent on a day. Only what was said since it began is read, of
/// the conversations that were active since.
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

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

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
pub(in crate::store) fn conversation(row: &Row<'_>) -> Result<Conversation, Error> {
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
        preview: row.get(11)?,
        waiting_since: row.get::<_, Option<i64>>(9)?.map(timestamp).transpose()?,
        display_name: row.get::<_, Option<String>>(10)?.map(DisplayName::stored),
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
