//! `/v1/sandbox`.

use actix_web::web::Data;

use crate::http::auth::SandboxKey;
use crate::http::extract::{Idempotency, JsonBody};
use crate::http::rate_limit::RateLimiter;
use crate::http::{HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::wire::{AdvanceClockRequest, ResetRequest};

/// `POST /v1/sandbox/reset`.
pub(in crate::http) async fn reset_sandbox(
    services: Data<Services>,
    rates: Data<RateLimiter>,
    SandboxKey(key): SandboxKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    ResetRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    let answer = services.reset_sandbox(key, idempotency).await?;
    if let Ok(now) = services.directory().authenticate_hash(key.fingerprint) {
        rates.carry_over(key.program, now.program);
    }
    Ok(reply(answer))
}

/// `GET /v1/sandbox/clock`.
pub(in crate::http) async fn get_clock(
    services: Data<Services>,
    SandboxKey(key): SandboxKey,
) -> HttpResult {
    Ok(ok(&services.sandbox_clock(key).await?))
}

/// `POST /v1/sandbox/clock`.
pub(in crate::http) async fn advance_clock(
    services: Data<Services>,
    SandboxKey(key): SandboxKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = AdvanceClockRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.advance_clock(key, idempotency, request).await?,
    ))
}
