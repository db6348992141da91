//! Conversations: list, read, say something.

use uuid::Uuid;

use super::{
    Answer, Caller, Caps, IdempotencyKey, KeyPrincipal, Reply, Services, Stop, WriteContext,
    events, members,
};
use crate::domain::{
    Conversation, ConversationId, Event, ExternalUserId, Member, MessageId, MessageNumber,
    ProgramNumber, Refusal, Role, Timestamp,
};
use crate::store::conversations::ConversationFilter;
use crate::store::members::Selector;
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    ConversationListResponse, ConversationPageQuery, ConversationResponse, Cursor, ListKind,
    MessageListResponse, MessageResponse, PageQuery, SendMessageRequest, SendMessageResponse,
};

impl Services {
    /// Conversations, those last active first: a member's own, or for a key the whole program's
    /// unless it names a member. A member's support conversation is listed even before anything was
    /// said in it, at the end.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown member, `FORBIDDEN` when a token names another one.
    pub async fn list_conversations(
        &self,
        caller: Caller,
        (on_behalf, include_archived): (Option<ExternalUserId>, bool),
        page: ConversationPageQuery,
    ) -> Result<ConversationListResponse, Stop> {
        self.read(caller, move |connection| {
            let program = caller.program();
            let member =
                members::subject_of_list(connection, &caller, on_behalf, include_archived)?;
            let filter = ConversationFilter {
                member: member.as_ref().map(|member| member.number),
                waiting: page.waiting,
                before: page.after,
            };
            let limit = page.limit;
            let mut rows = store::conversations::list(connection, program, &filter, limit + 1)?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next_cursor = rows
                .last()
                .filter(|_| more)
                .map(|(_, last)| ConversationPageQuery::cursor_after(program, last));
            let mut rows: Vec<Conversation> = rows.into_iter().map(|(row, _)| row).collect();
            if let Some(member) = member.filter(|_| !more && !page.waiting) {
                let support = ConversationId::of_support(member.number);
                match store::conversations::find(connection, program, support)? {
                    None => rows.push(silent(&member)),
                    // It is shown where it was when the first page was read: at the end.
                    Some(spoken) => {
                        let numbers = spoken.number.zip(page.after);
                        let is_new = numbers.map(|(number, then)| {
                            store::conversations::was_silent(connection, number, &then)
                        });
                        if is_new.transpose()? == Some(true) {
                            rows.push(spoken);
                        }
                    }
                }
            }
            let conversations = rows.iter().map(ConversationResponse::from).collect();
            Ok(ConversationListResponse {
                conversations,
                next_cursor,
            })
        })
        .await
    }

    /// A page of a conversation's messages, newest first.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown or another member's.
    pub async fn list_messages(
        &self,
        caller: Caller,
        id: String,
        on_behalf: Option<ExternalUserId>,
        page: PageQuery,
    ) -> Result<MessageListResponse, Stop> {
        self.read(caller, move |connection| {
            let subject = members::subject(connection, &caller, on_behalf)?;
            let conversation = visible(connection, &caller, &id)?;
            if subject.is_some_and(|member| member.number != conversation.member) {
                return Err(Refusal::NotFound("conversation").into());
            }
            let Some(number) = conversation.number else {
                return Ok(MessageListResponse {
                    messages: Vec::new(),
                    next_cursor: None,
                });
            };
            let before = page.cursor.map(|cursor| MessageNumber(cursor.0));
            let mut rows =
                store::conversations::messages(connection, number, before, page.limit + 1)?;
            let more = page.cut(&mut rows);
            let next_cursor = rows
                .last()
                .filter(|_| more)
                .map(|last| Cursor(last.number.0).encode(ListKind::Messages, caller.program().0));
            let author = conversation.external_user_id.as_str();
            let messages = rows.iter().map(|row| MessageResponse::new(row, author));
            Ok(MessageListResponse {
                messages: messages.collect(),
                next_cursor,
            })
        })
        .await
    }

    /// Says something in a conversation: a member in its own name, a key in the operator's.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn send_message(
        &self,
        caller: Caller,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: SendMessageRequest,
    ) -> Result<Reply, WriteError> {
        let context = WriteContext {
            caller,
            idempotency,
        };
        let caps = self.limits.caps;
        self.write(context, move |tx, caller| {
            let role = match caller {
                Caller::Key(_) => Role::Agent,
                Caller::Member(_) => Role::Member,
            };
            let conversation = visible(tx, caller, &id)?;
            say(tx, caps, &conversation, role, (caller, &request))
        })
        .await
    }

    /// Says something in the name of the member whose conversation it is: for histories that are
    /// made, in which nobody holds a token.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn send_message_as_member(
        &self,
        key: KeyPrincipal,
        id: String,
        request: SendMessageRequest,
    ) -> Result<Reply, WriteError> {
        let context = WriteContext {
            caller: Caller::Key(key),
            idempotency: None,
        };
        let caps = self.limits.caps;
        self.write(context, move |tx, caller| {
            let conversation = visible(tx, caller, &id)?;
            say(tx, caps, &conversation, Role::Member, (caller, &request))
        })
        .await
    }

    /// The id of a conversation that the caller may listen to.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown or another member's.
    pub async fn find_conversation(
        &self,
        caller: Caller,
        id: String,
    ) -> Result<ConversationId, Stop> {
        self.read(caller, move |connection| {
            members::subject(connection, &caller, None)?;
            Ok(visible(connection, &caller, &id)?.id)
        })
        .await
    }
}

/// Adds a message to a conversation.
fn say(
    tx: &mut Transaction<'_>,
    caps: Caps,
    conversation: &Conversation,
    role: Role,
    (caller, request): (&Caller, &SendMessageRequest),
) -> Result<Answer, Stop> {
    let program = caller.program();
    let member = Selector::Number(conversation.member);
    // Nobody reads what is said to somebody who was removed.
    store::members::find(tx, program, &member)?
        .filter(|member| member.archived_at.is_none())
        .ok_or(Refusal::NotFound("conversation"))?;
    let at = tx.now(program);
    if role == Role::Member {
        caps.check_message(tx, conversation.member, &request.message, at)?;
    }
    let number = match conversation.number {
        Some(number) => number,
        None => store::conversations::insert(
            tx,
            program,
            conversation.member,
            conversation.id,
            None,
            at,
        )?,
    };
    let message = MessageId::from_uuid(Uuid::now_v7());
    let place = (number, conversation.member);
    store::conversations::add_message(tx, place, message, role, &request.message, at)?;
    let event = Event::MessageCreated {
        member: conversation.member,
        message,
        role: Some(role),
    };
    events::record(tx, program, at, event)?;
    Ok(Answer::ok(&SendMessageResponse { ok: true }))
}

/// A conversation that the caller may see.
fn visible(connection: &Connection, caller: &Caller, id: &str) -> Result<Conversation, Stop> {
    let not_found = Refusal::NotFound("conversation");
    let Some(id) = ConversationId::parse(id) else {
        return Err(not_found.into());
    };
    let program = caller.program();
    let found = match store::conversations::find(connection, program, id)? {
        Some(conversation) => Some(conversation),
        None => silent_support(connection, program, id)?,
    };
    let is_visible = |conversation: &Conversation| match caller {
        Caller::Key(_) => true,
        Caller::Member(principal) => principal.member == conversation.member,
    };
    found.filter(is_visible).ok_or(Stop::Refused(not_found))
}

/// A support conversation in which nothing was said yet.
fn silent_support(
    connection: &Connection,
    program: ProgramNumber,
    id: ConversationId,
) -> Result<Option<Conversation>, store::Error> {
    let Some(number) = id.support_of() else {
        return Ok(None);
    };
    let member = store::members::find(connection, program, &Selector::Number(number))?;
    Ok(member.as_ref().map(silent))
}

fn silent(member: &Member) -> Conversation {
    Conversation {
        number: None,
        id: ConversationId::of_support(member.number),
        member: member.number,
        external_user_id: member.external_user_id.clone(),
        redemption: None,
        title: None,
        last_message: None,
        active_at: Timestamp::EPOCH,
    }
}
