//! `/v1/wallet` and `/v1/eligibility`.

use actix_web::web::Data;

use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, QueryText};
use crate::http::{HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::wire::{ListKind, MovePointsRequest};

/// `GET /v1/wallet`.
pub(in crate::http) async fn get_wallet(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id()?;
    Ok(ok(&services.get_wallet(caller, on_behalf).await?))
}

/// `GET /v1/eligibility`.
pub(in crate::http) async fn get_eligibility(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id()?;
    Ok(ok(&services.get_eligibility(caller, on_behalf).await?))
}

/// `GET /v1/wallet/transactions`.
pub(in crate::http) async fn list_transactions(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page(ListKind::Transactions, caller.program())?;
    let on_behalf = query.external_user_id()?;
    let include_archived = query.flag("includeArchived")?;
    Ok(ok(&services
        .list_transactions(caller, on_behalf, include_archived, page)
        .await?))
}

/// `POST /v1/wallet/credit`.
pub(in crate::http) async fn credit_wallet(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = MovePointsRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.credit_wallet(key, idempotency, request).await?,
    ))
}

/// `POST /v1/wallet/debit`.
pub(in crate::http) async fn debit_wallet(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = MovePointsRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.debit_wallet(key, idempotency, request).await?,
    ))
}
