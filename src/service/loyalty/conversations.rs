//! Conversations: list, read, start, send a message.

use uuid::Uuid;

use super::members;
use crate::domain::{
    Conversation, ConversationId, ConversationNumber, Event, ExternalUserId, Member, MemberNumber,
    MessageId, MessageNumber, MessageText, ProgramNumber, Refusal, Role, Timestamp,
};
use crate::service::events;
use crate::service::tenancy::caps::Caps;
use crate::service::{
    Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services, page,
};
use crate::store::conversations::ConversationFilter;
use crate::store::inbox::InboxFilter;
use crate::store::members::Selector;
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    ConversationListResponse, ConversationOrder, ConversationPageQuery, ConversationResponse,
    ListKind, MessageListResponse, MessageResponse, PageQuery, SendMessageRequest,
    SendMessageResponse, StartConversationRequest,
};

impl Services {
    /// A page of conversations, by default the last active ones first: a member's own, or for a key
    /// those of the whole program unless it names a member. A member's support conversation is
    /// listed even before its first message, at the end.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown member, `FORBIDDEN` when a token names another one.
    pub async fn list_conversations(
        &self,
        caller: Caller,
        (on_behalf, include_archived): (Option<ExternalUserId>, bool),
        page: ConversationPageQuery,
    ) -> Result<ConversationListResponse, ServiceError> {
        self.read(caller, move |connection| {
            let member =
                members::subject_of_list(connection, &caller, on_behalf, include_archived)?;
            let mut members = member.as_ref().map(|member| vec![member.number]);
            if let Some(search) = &page.search {
                let mut found = store::inbox::members_found(connection, caller.program(), search)?;
                found.retain(|number| members.as_ref().is_none_or(|own| own.contains(number)));
                members = Some(found);
            }
            match page.order {
                ConversationOrder::Recent { after } => {
                    let filter = ConversationFilter {
                        members,
                        waiting: page.waiting,
                        before: after,
                    };
                    recent(connection, caller, (&filter, page.limit), member.as_ref())
                }
                ConversationOrder::Waiting { after, silent } => {
                    let filter = InboxFilter {
                        members,
                        waiting: page.waiting,
                        silent,
                        after,
                    };
                    inbox(connection, caller, (&filter, page.limit))
                }
            }
        })
        .await
    }

    /// A conversation.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown or another member's.
    pub async fn get_conversation(
        &self,
        caller: Caller,
        id: String,
    ) -> Result<ConversationResponse, ServiceError> {
        self.look_up(caller, move |connection| {
            members::subject(connection, &caller, None)?;
            let conversation = visible(connection, &caller, &id)?;
            Ok(match caller {
                Caller::Key(_) => ConversationResponse::for_key(&conversation),
                Caller::Member(_) => ConversationResponse::for_member(&conversation),
            })
        })
        .await
    }

    /// Starts a conversation with a member.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn start_conversation(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: StartConversationRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, idempotency, move |tx, key| {
            let program = key.program;
            let StartConversationRequest {
                external_user_id,
                title,
                message,
            } = request;
            let member = members::current(tx, program, external_user_id)?.number;
            let at = tx.now(program);
            let first = MessageId::from_uuid(Uuid::now_v7());
            let id = ConversationId::of_first(first);
            let about = (None, title.as_ref());
            let number = store::conversations::insert(tx, (program, member), id, about, at)?;
            add(
                tx,
                (program, number, member),
                (first, Role::Agent, &message),
                at,
            )?;
            let started = store::conversations::find(tx, program, id)?
                .ok_or(Refusal::NotFound("conversation"))?;
            let answer = Answer::created(&ConversationResponse::for_key(&started));
            Ok(answer.with_words_of(member))
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
    ) -> Result<MessageListResponse, ServiceError> {
        let links = self.links();
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
            let list = (ListKind::Messages, caller.program().0);
            let next_cursor = page::next_cursor(&mut rows, page, list, |last| last.number.0);
            let author = conversation.external_user_id.as_str();
            let program = caller.program();
            let messages = rows
                .iter()
                .map(|row| MessageResponse::new(row, author, links.of(program, row)));
            Ok(MessageListResponse {
                messages: messages.collect(),
                next_cursor,
            })
        })
        .await
    }

    /// Sends a message in a conversation: a member as itself, a key as the operator.
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
        let caps = self.limits.caps;
        self.write(caller, idempotency, move |tx, caller| {
            let role = match caller {
                Caller::Key(_) => Role::Agent,
                Caller::Member(_) => Role::Member,
            };
            let conversation = visible(tx, caller, &id)?;
            send(tx, caps, &conversation, role, (caller, &request))
        })
        .await
    }

    /// Sends a message as the member whose conversation it is. For generated histories, whose
    /// members have no tokens.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn send_message_as_member(
        &self,
        key: KeyPrincipal,
        id: String,
        request: SendMessageRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write(Caller::Key(key), None, move |tx, caller| {
            let conversation = visible(tx, caller, &id)?;
            send(tx, caps, &conversation, Role::Member, (caller, &request))
        })
        .await
    }

    /// The id of a conversation whose stream the caller may read.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown or another member's.
    pub async fn find_conversation(
        &self,
        caller: Caller,
        id: String,
    ) -> Result<ConversationId, ServiceError> {
        self.read(caller, move |connection| {
            members::subject(connection, &caller, None)?;
            Ok(visible(connection, &caller, &id)?.id)
        })
        .await
    }
}

/// Adds a message to a conversation.
fn send(
    tx: &mut Transaction<'_>,
    caps: Caps,
    conversation: &Conversation,
    role: Role,
    (caller, request): (&Caller, &SendMessageRequest),
) -> Result<Answer, ServiceError> {
    let program = caller.program();
    check_current(tx, program, conversation)?;
    let at = tx.now(program);
    if role == Role::Member {
        caps.check_message(tx, conversation.member, &request.message, at)?;
    }
    let message = MessageId::from_uuid(Uuid::now_v7());
    let what = (message, role, &request.message);
    add_to(tx, (program, conversation), what, at)?;
    Ok(Answer::ok(&SendMessageResponse { ok: true }))
}

/// Refuses a message to a removed member, who could not read it.
pub(super) fn check_current(
    connection: &Connection,
    program: ProgramNumber,
    conversation: &Conversation,
) -> Result<(), ServiceError> {
    let member = Selector::Number(conversation.member);
    store::members::find(connection, program, &member)?
        .filter(|member| member.archived_at.is_none())
        .ok_or(Refusal::NotFound("conversation"))?;
    Ok(())
}

/// Adds a message to a conversation, whose row is created if it has none.
pub(super) fn add_to(
    tx: &mut Transaction<'_>,
    (program, conversation): (ProgramNumber, &Conversation),
    what: (MessageId, Role, &MessageText),
    at: Timestamp,
) -> Result<MessageNumber, ServiceError> {
    let number = if let Some(number) = conversation.number {
        number
    } else {
        let of = (program, conversation.member);
        store::conversations::insert(tx, of, conversation.id, (None, None), at)?
    };
    add(tx, (program, number, conversation.member), what, at)
}

/// Adds a message to a conversation that has a row, and records the event.
fn add(
    tx: &mut Transaction<'_>,
    (program, number, member): (ProgramNumber, ConversationNumber, MemberNumber),
    (message, role, text): (MessageId, Role, &MessageText),
    at: Timestamp,
) -> Result<MessageNumber, ServiceError> {
    let place = (number, member);
    let row = store::conversations::add_message(tx, place, message, role, text, at)?;
    let event = Event::MessageCreated {
        member,
        message,
        role: Some(role),
    };
    events::record(tx, program, at, event)?;
    Ok(row)
}

/// A page of conversations, those last active first.
fn recent(
    connection: &Connection,
    caller: Caller,
    (filter, limit): (&ConversationFilter, usize),
    member: Option<&Member>,
) -> Result<ConversationListResponse, ServiceError> {
    let program = caller.program();
    let mut rows = store::conversations::list(connection, program, filter, limit + 1)?;
    let next_cursor = page::cut(&mut rows, limit)
        .map(|(_, last)| ConversationPageQuery::cursor_after(program, last));
    let mut rows: Vec<Conversation> = rows.into_iter().map(|(row, _)| row).collect();
    // It is listed unless a search excludes the member.
    let is_listed = |member: &&Member| {
        let members = filter.members.as_ref();
        next_cursor.is_none()
            && !filter.waiting
            && members.is_some_and(|all| all.contains(&member.number))
    };
    if let Some(member) = member.filter(is_listed) {
        let support = ConversationId::of_support(member.number);
        match store::conversations::find(connection, program, support)? {
            None => rows.push(silent(member)),
            // It keeps the place it had when the first page was read: the end.
            Some(spoken) => {
                let numbers = spoken.number.zip(filter.before);
                let is_new = numbers.map(|(number, then)| {
                    store::conversations::was_silent(connection, number, &then)
                });
                if is_new.transpose()? == Some(true) {
                    rows.push(spoken);
                }
            }
        }
    }
    page_of(connection, caller, &rows, next_cursor)
}

/// A page of the inbox.
fn inbox(
    connection: &Connection,
    caller: Caller,
    (filter, limit): (&InboxFilter, usize),
) -> Result<ConversationListResponse, ServiceError> {
    let program = caller.program();
    let mut rows = store::inbox::list(connection, program, filter, limit + 1)?;
    let next_cursor = page::cut(&mut rows, limit)
        .map(|(_, last)| ConversationPageQuery::inbox_cursor_after(program, last));
    let rows: Vec<Conversation> = rows.into_iter().map(|(row, _)| row).collect();
    page_of(connection, caller, &rows, next_cursor)
}

fn page_of(
    connection: &Connection,
    caller: Caller,
    rows: &[Conversation],
    next_cursor: Option<String>,
) -> Result<ConversationListResponse, ServiceError> {
    let (show, waiting_count): (fn(&Conversation) -> ConversationResponse, _) = match caller {
        Caller::Key(_) => {
            let count = store::inbox::count_waiting(connection, caller.program())?;
            (ConversationResponse::for_key, Some(count))
        }
        Caller::Member(_) => (ConversationResponse::for_member, None),
    };
    Ok(ConversationListResponse {
        conversations: rows.iter().map(show).collect(),
        next_cursor,
        waiting_count,
    })
}

/// A conversation that the caller may see.
pub(super) fn visible(
    connection: &Connection,
    caller: &Caller,
    id: &str,
) -> Result<Conversation, ServiceError> {
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
    found
        .filter(is_visible)
        .ok_or(ServiceError::Refused(not_found))
}

/// A support conversation without messages.
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
        display_name: member.display_name.clone(),
        last_message: None,
        preview: None,
        waiting_since: None,
        active_at: Timestamp::EPOCH,
    }
}
