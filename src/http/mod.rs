//! The only actix: routes, credentials, extractors, errors.
//!
//! **Must not know**: SQL or the rules of the product. A handler parses, asks one service, and
//! renders.

mod auth;
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
mod layer;
mod loyalty;
mod openapi;
mod partner;
mod path;
mod precondition;
mod rate_limit;
mod reports;
mod request_body;
mod routes;
mod server;
mod starting;
mod upgrade;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;

pub use error::HttpError;
pub use openapi::{Undescribed, document as openapi};
pub use routes::{Access, ROUTES, Route};
pub use server::BoundServer;
pub(crate) use server::{bind, worker_count};
pub(crate) use starting::Progress;

use crate::config::Settings;
use crate::service::Reply;

/// What a handler gives back.
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

/// A body of JSON with status 200.
fn ok<T: serde::Serialize>(body: &T) -> HttpResponse {
    json(200, crate::wire::to_json(body))
}

/// What a write answered.
fn reply(reply: Reply) -> HttpResponse {
    let mut response = json(reply.status, reply.body);
    if reply.status == 401 {
        let bearer = header::HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, bearer);
    }
    if let Some(version) = reply.version {
        precondition::set_tag(&mut response, version);
    }
    if reply.is_replay {
        let name = header::HeaderName::from_static("idempotency-replayed");
        response
            .headers_mut()
            .insert(name, header::HeaderValue::from_static("true"));
    }
    response
}

fn json(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status)
        .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if body.is_empty() {
        return response.finish();
    }
    response.content_type("application/json").body(body)
}
