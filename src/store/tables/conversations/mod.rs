//! Conversations.

pub mod inbox;
mod list;
mod messages;

use rusqlite::types::Value;
use rusqlite::{Connection, Row};

pub use self::list::{ConversationFilter, list};
pub(in crate::store) use self::messages::{WAITS_SINCE, bytes_sent};
pub use self::messages::{day_of, find_message, messages, was_silent};
use crate::domain::{
    Conversation, ConversationId, ConversationNumber, DisplayName, ExternalUserId, MemberNumber,
    MessageId, MessageNumber, MessageText, ProgramNumber, RedemptionId, RedemptionNumber, Role,
    Timestamp, Title,
};
use crate::store::tables::columns::{self, column, optional, optional_time, time, timestamp};
use crate::store::tables::query::{self, Query};
use crate::store::{Counted, Error, Transaction};

/// The columns that [`conversation`] reads.
const COLUMNS: &str = "c.id, c.uuid, c.member_id, m.external_user_id, r.uuid,
        c.title, c.last_message_at, c.last_role, c.active_at, c.waiting_since, m.display_name,
        (SELECT substr(s.body, 1, 141) FROM message s WHERE s.conversation_id = c.id
            ORDER BY s.id DESC LIMIT 1) AS preview";

/// The tables of [`COLUMNS`].
const FROM: &str = "FROM conversation c
    JOIN member m ON m.id = c.member_id
    LEFT JOIN redemption r ON r.id = c.redemption_id";

/// The time at which a conversation without messages was opened, as SQL.
macro_rules! opened {
    () => {
        "coalesce((SELECT a.at FROM interest i JOIN activity a ON a.seq = i.seq
            WHERE i.uuid = c.uuid), r.created_at)"
    };
}
use opened;

/// A conversation that has a row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: ConversationId,
) -> Result<Option<Conversation>, Error> {
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE c.uuid = ?1 AND c.program_id = ?2");
    let values = (id.as_uuid().as_bytes(), program.0);
    query::one(connection, &sql, values, conversation)
}

/// The time a conversation was last active.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn active_at(
    connection: &Connection,
    program: ProgramNumber,
    number: ConversationNumber,
) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT active_at FROM conversation WHERE id = ?1 AND program_id = ?2";
    query::one(connection, sql, (number.0, program.0), |row| time(row, 0))
}

/// Begins the query of a program's conversations, or of those of some of its members, with its
/// first condition.
fn select(columns: &str, program: ProgramNumber, members: Option<&[MemberNumber]>) -> Query {
    let (condition, value) = match members {
        None => ("c.program_id = ?", Value::Integer(program.0)),
        Some([member]) => ("c.member_id = ?", Value::Integer(member.0)),
        Some(members) => {
            let numbers: Vec<String> = members.iter().map(|member| member.0.to_string()).collect();
            (
                "c.member_id IN (SELECT value FROM json_each(?))",
                Value::Text(format!("[{}]", numbers.join(","))),
            )
        }
    };
    Query::new(
        format!("SELECT {columns} {FROM} WHERE {condition}"),
        [value],
    )
}

/// Creates a conversation.
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

/// Makes the conversation of an interest that of the redemption that came of it.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn take_over(
    tx: &Transaction<'_>,
    id: ConversationId,
    redemption: RedemptionNumber,
) -> Result<(), Error> {
    let sql = "UPDATE conversation SET redemption_id = ?2 WHERE uuid = ?1";
    let values = (id.as_uuid().as_bytes(), redemption.0);
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Adds a message, and updates the last message and the waiting time of its conversation.
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
) -> Result<MessageNumber, Error> {
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
    let number = MessageNumber(tx.last_insert_rowid());
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
    Ok(number)
}

/// Marks the conversations of a removed member as not waiting: the operator cannot answer any more.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn stop_waiting(tx: &Transaction<'_>, member: MemberNumber) -> Result<(), Error> {
    let sql = "UPDATE conversation SET waiting_since = NULL
               WHERE member_id = ?1 AND waiting_since IS NOT NULL";
    tx.run(sql, |statement| statement.execute([member.0]))?;
    Ok(())
}

/// Marks the conversations of a restored member as waiting, unless the operator has answered.
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

/// Reads [`COLUMNS`].
fn conversation(row: &Row<'_>) -> Result<Conversation, Error> {
    let said_at: Option<i64> = row.get(column!(COLUMNS, "last_message_at"))?;
    let role: Option<String> = row.get(column!(COLUMNS, "last_role"))?;
    let last_message = match (said_at, role.as_deref().and_then(Role::parse)) {
        (Some(at), Some(role)) => Some((timestamp(at)?, role)),
        _ => None,
    };
    let redemption: Option<[u8; 16]> = row.get(column!(COLUMNS, "r.uuid"))?;
    Ok(Conversation {
        number: Some(ConversationNumber(row.get(column!(COLUMNS, "id"))?)),
        id: ConversationId::from_uuid(columns::uuid(row, column!(COLUMNS, "c.uuid"))?),
        member: MemberNumber(row.get(column!(COLUMNS, "member_id"))?),
        external_user_id: ExternalUserId::stored(row.get(column!(COLUMNS, "external_user_id"))?),
        redemption: redemption.map(|bytes| RedemptionId::from_uuid(uuid::Uuid::from_bytes(bytes))),
        title: optional(row, column!(COLUMNS, "title"), Title::stored)?,
        last_message,
        preview: row.get(column!(COLUMNS, "preview"))?,
        waiting_since: optional_time(row, column!(COLUMNS, "waiting_since"))?,
        display_name: optional(row, column!(COLUMNS, "display_name"), DisplayName::stored)?,
        active_at: time(row, column!(COLUMNS, "active_at"))?,
    })
}
