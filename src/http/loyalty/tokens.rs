//! `/v1/auth/exchange`.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody};
use crate::http::openapi::operation::Operation;
use crate::http::response::reply;
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{ExchangeTokenRequest, TokenGrantResponse};

routes! {
    tag "Tokens";

    "/v1/auth/exchange" {
        POST OrgKey exchange_token => Operation::new("Create a member token")
            .description(
                "A member's app sends the token as `Authorization: Bearer`. An unknown member is \
                 created; the profile fields of a known one are updated. A removed member is 404: \
                 only `PUT /v1/members/{externalUserID}` restores it.",
            )
            .body::<ExchangeTokenRequest>()
            .returns::<TokenGrantResponse>(200, "The token and its expiry.")
            .errors(&[Code::NotFound, Code::LimitReached]);
    }
}

async fn exchange_token(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = ExchangeTokenRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.exchange_token(key, idempotency, request).await?,
    ))
}
