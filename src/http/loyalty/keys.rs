//! `/v1/keys`.

use actix_web::web::Data;

use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText};
use crate::http::{HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::wire::CreateKeyRequest;

/// `GET /v1/keys`.
pub(in crate::http) async fn list_keys(
    services: Data<Services>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    Ok(ok(&services.list_keys(key).await?))
}

/// `POST /v1/keys`.
pub(in crate::http) async fn create_key(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateKeyRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(services.create_key(key, idempotency, request).await?))
}

/// `DELETE /v1/keys/{id}`.
pub(in crate::http) async fn revoke_key(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(reply(services.revoke_own_key(key, id).await?))
}
