//! Whether the process is up, and whether it can do its work.

use actix_web::{HttpResponse, web};

use super::ok;
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
            reason: "the database takes no writes",
        };
        super::json(503, crate::wire::to_json(&body))
    }
}
