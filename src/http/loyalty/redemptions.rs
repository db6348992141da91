//! `/v1/redemptions`.

use actix_web::web::Data;

use crate::domain::Invalid;
use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::{HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::wire::{
    CancelRedemptionRequest, CreateRedemptionRequest, ListKind, PatchRedemptionRequest,
    RedemptionHistoryResponse, RedemptionListQuery,
};

/// `GET /v1/redemptions`.
pub(in crate::http) async fn list_redemptions(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page(ListKind::Redemptions, caller.program())?;
    let asked = RedemptionListQuery::parse(&query)?;
    Ok(ok(&services.list_redemptions(caller, asked, page).await?))
}

/// `GET /v1/redemptions/{id}/history`.
pub(in crate::http) async fn get_redemption_history(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let limits = RedemptionHistoryResponse::LIMITS;
    let page = query.page_of(ListKind::RedemptionHistory, key.program.0, limits)?;
    Ok(ok(&services.get_redemption_history(key, id, page).await?))
}

/// `GET /v1/redemptions/{id}`.
pub(in crate::http) async fn get_redemption(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
    query: QueryText,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id()?;
    Ok(ok(&services.get_redemption(caller, id, on_behalf).await?))
}

/// `POST /v1/redemptions`.
pub(in crate::http) async fn create_redemption(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateRedemptionRequest::parse(&body.value)?;
    // Bad input, and so refused before a transaction keeps the refusal under the Idempotency-Key.
    if matches!(caller, Caller::Key(_)) && request.external_user_id.is_none() {
        let expected = "is required when an Org-API-Key calls";
        return Err(Invalid::new("externalUserID", expected).into());
    }
    let idempotency = idempotency.key(caller, &body.value)?;
    Ok(reply(
        services
            .create_redemption(caller, idempotency, request)
            .await?,
    ))
}

/// `PATCH /v1/redemptions/{id}`.
pub(in crate::http) async fn patch_redemption(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = PatchRedemptionRequest::parse(&body.value)?;
    Ok(reply(services.patch_redemption(key, id, request).await?))
}

/// `POST /v1/redemptions/{id}/cancel`.
pub(in crate::http) async fn cancel_redemption(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = CancelRedemptionRequest::parse(&body.value)?;
    let idempotency = idempotency.key(caller, &body.value)?;
    Ok(reply(
        services
            .cancel_redemption(caller, idempotency, id, request)
            .await?,
    ))
}
