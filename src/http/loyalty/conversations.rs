//! `/v1/conversations`.

use actix_web::web::Data;
use utoipa::openapi::path::Parameter;

use super::member_query::{ListedMemberQuery, MemberQuery};
use crate::domain::{Invalid, ProgramNumber, Search};
use crate::error::Code;
use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::http::{HttpError, HttpResult};
use crate::service::{Caller, Services};
use crate::wire::{
    ConversationListResponse, ConversationOrder, ConversationPageQuery, ConversationResponse, Kind,
    ListKind, MessageListResponse, PageQuery, Parameters, Part, Query, SendMessageRequest,
    SendMessageResponse, StartConversationRequest, TEXT, expected_one_of, flag, group, limit,
    optional, page, query_parameters, schema, search,
};

routes! {
    tag "Conversations";

    "/v1/conversations" {
        GET KeyOrMember list_conversations => Operation::new("List conversations")
            .description(
                "A member token lists its member's conversations; an Org-API-Key those of the \
                 whole program unless it names a member. A member's support conversation is listed even \
                 before its first message, except with `sort=waiting`. `sort`, `search` and \
                 `silent` have an effect only with an Org-API-Key.",
            )
            .returns::<ConversationListResponse>(200, "A page of conversations.")
            .errors(NOT_FOUND);
        POST OrgKey start_conversation => Operation::new("Start a conversation")
            .description("The operator sends the first message of a new conversation with a member.")
            .body::<StartConversationRequest>()
            .returns::<ConversationResponse>(201, "The conversation, of type `support`.")
            .errors(NOT_FOUND);
    }
    "/v1/conversations/{id}" {
        GET KeyOrMember get_conversation => Operation::new("Get a conversation")
            .returns::<ConversationResponse>(200, "The conversation.")
            .errors(NOT_FOUND);
    }
    "/v1/conversations/{id}/messages" {
        GET KeyOrMember list_messages => Operation::new("List the messages of a conversation")
            .returns::<MessageListResponse>(200, "A page, newest first.")
            .errors(NOT_FOUND);
        POST KeyOrMember send_message => Operation::new("Send a message")
            .description(
                "A member token sends as its member. An Org-API-Key sends as the operator, with \
                 `\"as\": \"agent\"`.",
            )
            .body::<SendMessageRequest>()
            .returns::<SendMessageResponse>(200, "The message was sent.")
            .errors(&[Code::NotFound, Code::LimitReached]);
    }
}

query_parameters! {
    /// The query of `GET /v1/conversations`.
    struct ListConversationsQuery of Caller {
        page: ConversationPageQuery = OrderedPage;
        /// `true`: only conversations in which the member spoke last and was not removed.
        waiting: bool = flag("waiting");
        member: ListedMemberQuery = group::<ListedMemberQuery>();
    }
}

query_parameters! {
    /// The parameters on which the order of a page depends.
    struct OrderQuery {
        /// `recent`, the default: the last active first. `waiting`: conversations in which the
        /// member waits first, the longest wait first, then the others, the last active first.
        by_wait: bool = optional("sort", SORT).or_default();
        /// `true`: with `sort=waiting`, includes conversations without messages.
        silent: bool = flag("silent");
        /// Only conversations of members whose id or name has these words; of the 100 newest such
        /// members.
        search: Option<Search> = search();
        limit: usize = limit(ConversationPageQuery::LIMITS);
        /// The next cursor of the previous page; the first page by default.
        cursor: Option<String> = optional("cursor", TEXT);
    }
}

const SORT: Kind<bool> = Kind {
    read: |name, word| match word {
        "recent" => Ok(false),
        "waiting" => Ok(true),
        _ => Err(expected_one_of(name, &["recent", "waiting"])),
    },
    schema: || schema::one_of(["recent", "waiting"]),
};

query_parameters! {
    /// The query of `GET /v1/conversations/{id}/messages`.
    struct ListMessagesQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Messages);
        member: MemberQuery = group::<MemberQuery>();
    }
}

/// A page in its order, to which its cursor belongs. Only an Org-API-Key chooses an order and
/// searches; the same parameters of a member are checked and ignored.
struct OrderedPage;

impl Part<Caller> for OrderedPage {
    type Value = ConversationPageQuery;

    fn read(&self, query: &Query<'_>, caller: Caller) -> Result<ConversationPageQuery, Invalid> {
        let query = OrderQuery::read(query, ())?;
        let (program, is_key) = (caller.program(), matches!(caller, Caller::Key(_)));
        let order = if is_key && query.by_wait {
            ConversationOrder::Waiting {
                after: place(query.cursor, |text| {
                    ConversationPageQuery::inbox_place(text, program)
                })?,
                silent: query.silent,
            }
        } else {
            ConversationOrder::Recent {
                after: place(query.cursor, |text| {
                    ConversationPageQuery::place(text, program)
                })?,
            }
        };
        Ok(ConversationPageQuery {
            limit: query.limit,
            waiting: false,
            search: query.search.filter(|_| is_key),
            order,
        })
    }

    fn describe(&self, _: &str, parameters: &mut Vec<Parameter>) {
        OrderQuery::describe(parameters);
    }
}

/// Decodes a cursor, if there is one.
fn place<T>(
    cursor: Option<String>,
    decode: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, Invalid> {
    cursor
        .map(|text| decode(&text).map_err(|invalid| invalid.received(&text)))
        .transpose()
}

async fn list_conversations(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText<ListConversationsQuery>,
) -> HttpResult {
    let query = query.parse_for(caller)?;
    let subject = query.member.subject();
    let page = ConversationPageQuery {
        waiting: query.waiting,
        ..query.page
    };
    Ok(ok(&services
        .list_conversations(caller, subject, page)
        .await?))
}

async fn start_conversation(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = StartConversationRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    let started = services.start_conversation(key, idempotency, request);
    Ok(reply(started.await?))
}

async fn get_conversation(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.get_conversation(caller, id).await?))
}

async fn list_messages(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
    query: QueryText<ListMessagesQuery>,
) -> HttpResult {
    let query = query.parse_for(caller.program())?;
    let on_behalf = query.member.external_user_id;
    Ok(ok(&services
        .list_messages(caller, id, on_behalf, query.page)
        .await?))
}

async fn send_message(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let names_role = body.value.get("as").is_some_and(|role| !role.is_null());
    // The sender is checked before the rest of the body.
    match caller {
        Caller::Key(_) if !names_role && body.value.is_object() => {
            return Err(HttpError::new(
                Code::Forbidden,
                "an Org-API-Key cannot send as a member; send \"as\": \"agent\" to send as the \
                 operator",
            ));
        }
        Caller::Member(_) if names_role => {
            return Err(HttpError::new(
                Code::Forbidden,
                "a member token sends only as its member; omit \"as\"",
            ));
        }
        Caller::Key(_) | Caller::Member(_) => {}
    }
    let request = SendMessageRequest::parse(&body.value)?;
    let idempotency = idempotency.key(caller, &body.value)?;
    Ok(reply(
        services
            .send_message(caller, idempotency, id, request)
            .await?,
    ))
}
