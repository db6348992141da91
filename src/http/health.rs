//! The state of the process: liveness, readiness and metrics.

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, web};

use super::auth::PartnerKey;
use super::openapi::operation::Operation;
use super::response::{json, ok};
use super::route::routes;
use super::{HttpLimits, HttpResult};
use crate::error::Code;
use crate::realtime::Realtime;
use crate::service::Services;
use crate::wire::{HealthResponse, UnreadyResponse, to_json};

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The response while the process is up, rendered.
const UP: &str = concat!(
    r#"{"status":"ok","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}"#
);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

routes! {
    tag "Server";

    "/healthz" {
        GET Public get_health => Operation::new("Check that the process is up")
            .returns::<HealthResponse>(200, "The process is up.");
    }
    "/readyz" {
        GET Public get_readiness => Operation::new("Check that the database accepts writes")
            .returns::<HealthResponse>(200, "The database accepts writes.")
            .returns::<UnreadyResponse>(503, "The database does not accept writes.");
    }
    "/metrics" {
        GET Public get_metrics => Operation::new("Get the metrics of the server")
            .description("For Prometheus. Requires a partner key if `metrics.public` is false.")
            .returns_media(200, OPEN_METRICS, "OpenMetrics text.")
            .errors(&[Code::Unauthorized, Code::Forbidden, Code::RateLimited]);
    }
}

async fn get_health() -> HttpResponse {
    json(200, UP)
}

/// `GET /readyz`: the figures are loaded, without which nothing is served, and the database accepts
/// writes.
async fn get_readiness(services: web::Data<Services>) -> HttpResponse {
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
    json(503, to_json(&body))
}

/// `GET /metrics`: the metrics of the server, for Prometheus. Requires a partner key unless
/// `metrics.public` is true.
async fn get_metrics(
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
    Ok(HttpResponse::Ok().content_type(OPEN_METRICS).body(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rendered_response_is_that_of_the_type() {
        let response = HealthResponse {
            status: "ok",
            version: VERSION,
        };
        assert_eq!(UP.as_bytes(), to_json(&response));
    }
}
