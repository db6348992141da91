//! `/v1/offers`.

use actix_web::web::Data;

use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::precondition::{Conditions, ok_at};
use crate::http::{HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::wire::{CreateOfferRequest, ListKind, PatchOfferRequest};

/// `GET /v1/offers`.
pub(in crate::http) async fn list_offers(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page(ListKind::Offers, caller.program())?;
    let (available, on_behalf) = (query.boolean("available")?, query.external_user_id()?);
    Ok(ok(&services
        .list_offers(caller, on_behalf, available, query.search()?, page)
        .await?))
}

/// `GET /v1/offers/{id}`.
pub(in crate::http) async fn get_offer(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
    query: QueryText,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id()?;
    let offer = services.get_offer(caller, on_behalf, id).await?;
    Ok(ok_at(offer.version, &offer))
}

/// `POST /v1/offers`.
pub(in crate::http) async fn create_offer(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateOfferRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.create_offer(key, idempotency, request).await?,
    ))
}

/// `PATCH /v1/offers/{id}`.
pub(in crate::http) async fn patch_offer(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchOfferRequest::parse(&body.value)?;
    Ok(reply(
        services.patch_offer(key, id, precondition, request).await?,
    ))
}

/// `DELETE /v1/offers/{id}`.
pub(in crate::http) async fn archive_offer(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    Ok(reply(services.archive_offer(key, id, precondition).await?))
}
