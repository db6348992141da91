//! `/partner/organizations/{id}/api-keys`.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::PartnerKey;
use crate::http::extract::{Idempotency, JsonBody, PathPair, PathText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{ApiKeyListResponse, CreateApiKeyRequest, CreatedApiKeyResponse};

routes! {
    tag "Keys";

    "/partner/organizations/{id}/api-keys" {
        GET PartnerKey list_api_keys => Operation::new("List an organization's Org-API-Keys")
            .returns::<ApiKeyListResponse>(200, "The keys, newest first.")
            .errors(NOT_FOUND);
        POST PartnerKey create_api_key => Operation::new("Create an organization's Org-API-Key")
            .body::<CreateApiKeyRequest>()
            .returns::<CreatedApiKeyResponse>(201, "The key; no other response shows it.")
            .errors(&[Code::NotFound, Code::LimitReached]);
    }
    "/partner/organizations/{id}/api-keys/{keyId}" {
        DELETE PartnerKey revoke_api_key => Operation::new("Revoke an organization's Org-API-Key")
            .description("Member tokens that were created with it stay valid until they expire.")
            .returns_empty(204, "The key is refused from the next request on.")
            .errors(NOT_FOUND);
    }
}

async fn list_api_keys(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.list_api_keys(partner, id).await?))
}

async fn create_api_key(
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

async fn revoke_api_key(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathPair(id, key): PathPair,
) -> HttpResult {
    Ok(reply(services.revoke_api_key(partner, id, key).await?))
}
