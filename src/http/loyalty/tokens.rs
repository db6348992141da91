//! `/v1/auth/exchange`.

use actix_web::web::Data;

use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody};
use crate::http::{HttpResult, reply};
use crate::service::{Caller, Services};
use crate::wire::ExchangeTokenRequest;

/// `POST /v1/auth/exchange`.
pub(in crate::http) async fn exchange_token(
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
