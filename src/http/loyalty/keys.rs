//! `/v1/keys`.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText};
use crate::http::openapi::operation::Operation;
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{CreateKeyRequest, CreatedKeyResponse, KeyListResponse};

routes! {
    tag "Keys";

    "/v1/keys" {
        GET OrgKey list_keys => Operation::new("List the program's Org-API-Keys")
            .description("All keys that are not revoked, on one page.")
            .returns::<KeyListResponse>(200, "The keys, newest first.");
        POST OrgKey create_key => Operation::new("Create an Org-API-Key")
            .description("The new key is of the same program as the key of the request.")
            .body::<CreateKeyRequest>()
            .returns::<CreatedKeyResponse>(201, "The key; no other response shows it.")
            .errors(&[Code::LimitReached]);
    }
    "/v1/keys/{id}" {
        DELETE OrgKey revoke_key => Operation::new("Revoke an Org-API-Key")
            .description(
                "The key's streams end within a heartbeat. Member tokens that were created with it \
                 stay valid until they expire. A key cannot revoke itself.",
            )
            .returns_empty(204, "The key is refused from the next request on.")
            .errors(&[Code::NotFound, Code::KeyInUse]);
    }
}

async fn list_keys(services: Data<Services>, OrgKey(key): OrgKey) -> HttpResult {
    Ok(ok(&services.list_keys(key).await?))
}

async fn create_key(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateKeyRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(services.create_key(key, idempotency, request).await?))
}

async fn revoke_key(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(reply(services.revoke_key(key, id).await?))
}
