//! HTTP with actix: routes, credentials, extractors, errors.
//!
//! **Must not know**: SQL or the rules of the product. A handler parses a request, calls one
//! service, and renders its result.

mod auth;
mod behind;
mod body;
mod conditional;
mod connection;
mod cors;
mod dashboard;
mod descriptors;
mod error;
mod extract;
mod fault;
mod headers;
mod health;
mod known_keys;
mod layer;
mod loyalty;
mod openapi;
mod owning_body;
mod partner;
mod path;
mod precondition;
mod rate_limit;
mod recent_answers;
mod request_body;
mod response;
mod route;
mod router;
mod routes;
mod scrip;
mod server;
mod starting;
mod upgrade;

use std::time::Duration;

use actix_web::HttpResponse;

pub use self::openapi::indented as indented_openapi;
pub use error::HttpError;
pub use route::{Access, Route};
pub use routes::{ROUTES, document as openapi};
pub use server::BoundServer;
pub(crate) use server::{bind, worker_count};
pub(crate) use starting::Progress;

use crate::config::Settings;

/// The result of a handler.
type HttpResult = Result<HttpResponse, HttpError>;

/// Limits that the extractors and layers need.
#[derive(Debug, Clone, Copy)]
struct HttpLimits {
    body_bytes_max: usize,
    request_timeout: Duration,
    slow_request: Duration,
    stream_heartbeat: Duration,
    metrics_public: bool,
}

impl HttpLimits {
    fn of(settings: &Settings) -> Self {
        Self {
            body_bytes_max: settings.server.body_bytes_max,
            request_timeout: Duration::from_secs(settings.server.request_timeout),
            slow_request: Duration::from_millis(settings.log.slow_request),
            stream_heartbeat: Duration::from_secs(settings.server.stream_heartbeat),
            metrics_public: settings.metrics.public,
        }
    }
}
