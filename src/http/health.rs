//! Whether the process is up, and whether it can do its work.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::ok;
use crate::service::Services;

/// `GET /healthz`: the process is up.
pub(super) async fn get_health() -> HttpResponse {
    ok(&json!({"status": "ok"}))
}

/// `GET /readyz`: the figures are loaded (nothing is served before) and the database takes writes.
pub(super) async fn get_readiness(services: web::Data<Services>) -> HttpResponse {
    if services.is_ready() {
        ok(&json!({"status": "ready"}))
    } else {
        let body = json!({"status": "unavailable", "reason": "the database takes no writes"});
        super::json(503, crate::wire::to_json(&body))
    }
}
