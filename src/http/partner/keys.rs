//! `/partner/organizations/{id}/api-keys`.

use actix_web::web::Data;

use crate::http::auth::PartnerKey;
use crate::http::extract::{Idempotency, JsonBody, PathPair, PathText};
use crate::http::{HttpResult, ok, reply};
use crate::service::Services;
use crate::wire::CreateApiKeyRequest;

/// `GET /partner/organizations/{id}/api-keys`.
pub(in crate::http) async fn list_api_keys(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.list_api_keys(partner, id).await?))
}

/// `POST /partner/organizations/{id}/api-keys`.
pub(in crate::http) async fn create_api_key(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = CreateApiKeyRequest::parse(&body.value)?;
    let idempotency = idempotency.of_partner(partner, &body.value)?;
    Ok(reply(
        services
            .create_api_key(partner, idempotency, id, request)
            .await?,
    ))
}

/// `DELETE /partner/organizations/{id}/api-keys/{keyId}`.
pub(in crate::http) async fn revoke_api_key(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathPair(id, key): PathPair,
) -> HttpResult {
    Ok(reply(services.revoke_api_key(partner, id, key).await?))
}
