//! Whether the process is up, whether it can do its work, and how it does.

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, web};

use super::auth::PartnerKey;
use super::{HttpLimits, HttpResult, ok};
use crate::realtime::Realtime;
use crate::service::Services;
use crate::wire::{HealthResponse, UnreadyResponse};

/// `GET /healthz`: the process is up.
pub(super) async fn get_health() -> HttpResponse {
    ok(&HealthResponse { status: "ok" })
}

/// `GET /readyz`: the figures are loaded (nothing is served before) and the database takes writes.
pub(super) async fn get_readiness(services: web::Data<Services>) -> HttpResponse {
    if services.is_ready() {
        ok(&HealthResponse { status: "ready" })
    } else {
        let body = UnreadyResponse {
            status: "unavailable",
            reason: unreadiness(&services),
        };
        super::json(503, crate::wire::to_json(&body))
    }
}

fn unreadiness(services: &Services) -> String {
    match (services.loss(), services.clock_refusal()) {
        (Some(loss), _) => loss.to_owned(),
        (None, Some(refusal)) => refusal,
        (None, None) => "the database takes no writes".to_owned(),
    }
}

/// `GET /metrics`: what the server counts, for Prometheus. Unless it is public it takes a partner
/// key.
pub(super) async fn get_metrics(
    request: HttpRequest,
    services: web::Data<Services>,
    realtime: web::Data<Realtime>,
) -> HttpResult {
    let is_public = request
        .app_data::<HttpLimits>()
        .is_some_and(|limits| limits.metrics_public);
    if !is_public {
        PartnerKey::extract(&request).await?;
    }
    let text = services
        .render_metrics(realtime.subscribers(), realtime.buffered_bytes())
        .await?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}
