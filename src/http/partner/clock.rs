//! `/partner/clock`.

use actix_web::web::Data;

use crate::http::HttpResult;
use crate::http::auth::PartnerKey;
use crate::http::extract::{Idempotency, JsonBody};
use crate::http::openapi::operation::Operation;
use crate::http::response::reply;
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{AcceptClockRequest, AcceptedClockResponse};

routes! {
    tag "Partner";

    "/partner/clock/accept" {
        POST PartnerKey accept_clock => Operation::new("Accept a jump of the system clock")
            .description(
                "When the system clock has jumped forward by more than 24 hours, writes stop. This \
                 accepts the current time as correct, for live and the sandbox, so that writes \
                 resume.",
            )
            .optional_body::<AcceptClockRequest>()
            .returns::<AcceptedClockResponse>(200, "The accepted jump, if any, and the time.");
    }
}

async fn accept_clock(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    AcceptClockRequest::parse(&body.value)?;
    let idempotency = idempotency.of_partner(partner, &body.value)?;
    Ok(reply(services.accept_clock(partner, idempotency).await?))
}
