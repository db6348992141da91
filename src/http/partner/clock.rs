//! `/partner/clock`.

use actix_web::web::Data;

use crate::http::auth::PartnerKey;
use crate::http::extract::{Idempotency, JsonBody};
use crate::http::{HttpResult, reply};
use crate::service::Services;
use crate::wire::AcceptClockRequest;

/// `POST /partner/clock/accept`.
pub(in crate::http) async fn accept_clock(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    AcceptClockRequest::parse(&body.value)?;
    let idempotency = idempotency.of_partner(partner, &body.value)?;
    Ok(reply(services.accept_clock(partner, idempotency).await?))
}
