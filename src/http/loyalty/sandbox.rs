//! `/v1/sandbox`. A live key gets 403 here.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::SandboxKey;
use crate::http::behind::Behind;
use crate::http::extract::{Idempotency, JsonBody};
use crate::http::openapi::operation::Operation;
use crate::http::rate_limit::RateLimiter;
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{AdvanceClockRequest, ClockResponse, ResetRequest, ResetResponse};

routes! {
    tag "Sandbox";

    "/v1/sandbox/reset" {
        POST OrgKey reset_sandbox => Operation::new("Reset a program")
            .description(
                "The key's program is archived, and its keys open a new, empty one with the same \
                 name and settings. Sandbox keys only.",
            )
            .optional_body::<ResetRequest>()
            .returns::<ResetResponse>(200, "The new program.")
            .errors(&[Code::NotFound, Code::LimitReached]);
    }
    "/v1/sandbox/clock" {
        GET OrgKey get_clock => Operation::new("Get the program's time")
            .description("Sandbox keys only.")
            .returns::<ClockResponse>(200, "The program's time.");
        POST OrgKey advance_clock => Operation::new("Advance the program's clock")
            .description("The program stays ahead of the system clock. Sandbox keys only.")
            .body::<AdvanceClockRequest>()
            .returns::<ClockResponse>(200, "The program's new time.")
            .returns::<ClockResponse>(
                202,
                "The program's new time. What is due by then is still being applied.",
            );
    }
}

async fn reset_sandbox(
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

async fn get_clock(services: Data<Services>, SandboxKey(key): SandboxKey) -> HttpResult {
    Ok(ok(&services.get_clock(key).await?))
}

async fn advance_clock(
    services: Data<Services>,
    SandboxKey(key): SandboxKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = AdvanceClockRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    let (mut answer, behind) = services.advance_clock(key, idempotency, request).await?;
    if behind.is_some() {
        answer.status = 202;
    }
    let mut response = reply(answer);
    if let Some(behind) = behind {
        Behind::new(behind).write(response.headers_mut());
    }
    Ok(response)
}
