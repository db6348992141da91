//! `/v1/webhooks`.

use actix_web::web::Data;

use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathPair, PathText, QueryText};
use crate::http::precondition::{Conditions, ok_at};
use crate::http::{HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::wire::{CreateWebhookRequest, ListKind, PatchWebhookRequest};

/// `GET /v1/webhooks`.
pub(in crate::http) async fn list_webhooks(
    services: Data<Services>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    Ok(ok(&services.list_webhooks(key).await?))
}

/// `POST /v1/webhooks`.
pub(in crate::http) async fn create_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateWebhookRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.create_webhook(key, idempotency, request).await?,
    ))
}

/// `GET /v1/webhooks/{id}`.
pub(in crate::http) async fn get_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    let webhook = services.get_webhook(key, id).await?;
    Ok(ok_at(webhook.version, &webhook))
}

/// `PATCH /v1/webhooks/{id}`.
pub(in crate::http) async fn patch_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchWebhookRequest::parse(&body.value)?;
    Ok(reply(
        services
            .patch_webhook(key, id, precondition, request)
            .await?,
    ))
}

/// `DELETE /v1/webhooks/{id}`.
pub(in crate::http) async fn delete_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    Ok(reply(services.delete_webhook(key, id, precondition).await?))
}

/// `GET /v1/webhooks/{id}/deliveries`.
pub(in crate::http) async fn list_webhook_deliveries(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page(ListKind::Deliveries, key.program)?;
    let status = query.delivery_status()?;
    Ok(ok(&services.list_deliveries(key, id, status, page).await?))
}

/// `POST /v1/webhooks/{id}/deliveries/{deliveryId}/redeliver`.
pub(in crate::http) async fn redeliver_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathPair(id, delivery): PathPair,
) -> HttpResult {
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.redeliver(key, idempotency, id, delivery).await?,
    ))
}

/// `POST /v1/webhooks/{id}/test`.
pub(in crate::http) async fn test_webhook(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(services.test_webhook(key, idempotency, id).await?))
}
