//! `/v1/conversations`.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::{HttpError, HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::wire::{ListKind, SendMessageRequest, StartConversationRequest};

/// `GET /v1/conversations`.
pub(in crate::http) async fn list_conversations(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = match caller {
        Caller::Key(_) => query.inbox_page(caller.program())?,
        Caller::Member(_) => {
            // They change nothing for a member, but have to be good.
            query.inbox_choices()?;
            query.conversation_page(caller.program())?
        }
    };
    let on_behalf = query.external_user_id()?;
    let include_archived = query.flag("includeArchived")?;
    Ok(ok(&services
        .list_conversations(caller, (on_behalf, include_archived), page)
        .await?))
}

/// `POST /v1/conversations`.
pub(in crate::http) async fn start_conversation(
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

/// `GET /v1/conversations/{id}`.
pub(in crate::http) async fn get_conversation(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.get_conversation(caller, id).await?))
}

/// `GET /v1/conversations/{id}/messages`.
pub(in crate::http) async fn list_messages(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page(ListKind::Messages, caller.program())?;
    let on_behalf = query.external_user_id()?;
    Ok(ok(&services
        .list_messages(caller, id, on_behalf, page)
        .await?))
}

/// `POST /v1/conversations/{id}/messages`.
pub(in crate::http) async fn send_message(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let speaks_as_somebody = body.value.get("as").is_some_and(|role| !role.is_null());
    // Who may speak is asked before what is said.
    match caller {
        Caller::Key(_) if !speaks_as_somebody && body.value.is_object() => {
            return Err(HttpError::new(
                Code::Forbidden,
                "an Org-API-Key speaks for no member; send \"as\": \"agent\" to speak for the \
                 operator",
            ));
        }
        Caller::Member(_) if speaks_as_somebody => {
            return Err(HttpError::new(
                Code::Forbidden,
                "a member token speaks for its member alone; leave out \"as\"",
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
