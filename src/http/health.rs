//! Whether the process is up, whether it can do its work, and how it does.

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, web};

use super::auth::PartnerKey;
use super::{HttpLimits, HttpResult, ok};
use crate::realtime::Realtime;
use crate::service::Services;
use crate::wire::{HealthResponse, UnreadyResponse};

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `GET /healthz`: the process is up.
pub(super) async fn get_health() -> HttpResponse {
    ok(&HealthResponse {
        status: "ok",
        version: VERSION,
    })
}

/// `GET /readyz`: the figures are loaded (nothing is served before) and the database takes writes.
pub(super) async fn get_readiness(services: web::Data<Services>) -> HttpResponse {
    let Some(reason) = services.unreadiness() else {
        return ok(&HealthResponse {
            status: "ready",
            version: VERSION,
        });
    };
    let body = UnreadyResponse {
        status: "unavailable",
        reason,
    };
    super::json(503, crate::wire::to_json(&body))
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
