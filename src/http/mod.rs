//! The only actix: routes, credentials, extractors, errors.
//!
//! **Must not know**: SQL or the rules of the product. A handler parses, asks one service, and
//! renders.

mod auth;
mod conditional;
mod cors;
mod dashboard;
mod error;
mod extract;
mod fault;
mod headers;
mod health;
mod layer;
mod loyalty;
mod openapi;
mod partner;
mod rate_limit;
mod reports;
mod routes;
mod unread;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::{Condition, from_fn};
use actix_web::{App, HttpResponse, HttpServer, web};

pub use error::HttpError;
pub use openapi::{Undescribed, document as openapi};
pub use routes::{Access, ROUTES, Route};

use crate::config::Settings;
use crate::realtime::Realtime;
use crate::service::{Reply, Services};
use rate_limit::RateLimiter;

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

/// A server that is bound to its port.
pub struct BoundServer(Box<dyn FnOnce(Services, Realtime) -> Server>);

impl std::fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoundServer")
    }
}

impl BoundServer {
    /// Starts serving. Must be called within an actix runtime.
    pub(crate) fn start(self, services: Services, realtime: Realtime) -> Server {
        (self.0)(services, realtime)
    }
}

/// Binds the port; nothing is served yet.
pub(crate) fn bind(settings: &Settings) -> std::io::Result<(BoundServer, SocketAddr)> {
    let limits = HttpLimits {
        body_bytes_max: settings.server.body_bytes_max,
        request_timeout: Duration::from_secs(settings.server.request_timeout),
        slow_request: Duration::from_millis(settings.log.slow_request),
        stream_heartbeat: Duration::from_secs(settings.server.stream_heartbeat),
        metrics_public: settings.metrics.public,
    };
    let slot: Arc<OnceLock<(web::Data<Services>, web::Data<Realtime>)>> = Arc::default();
    let filled = Arc::clone(&slot);
    let workers = match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        count => count,
    };
    let rates = web::Data::new(RateLimiter::new(settings.rate_limit));
    let origins = settings.server.cors_origins.clone();
    let server = HttpServer::new(move || {
        let (services, realtime) = filled
            .get()
            .expect("start fills the slot before it runs the server");
        App::new()
            .app_data(web::Data::clone(services))
            .app_data(web::Data::clone(realtime))
            .app_data(web::Data::clone(&rates))
            .app_data(web::Data::new(services.analytics().clone()))
            .app_data(limits)
            .wrap(from_fn(layer::answer))
            .wrap(cors::layer(&origins))
            // A page's question whether it may ask is answered by that layer alone.
            .wrap(Condition::new(
                cors::is_on(&origins),
                from_fn(layer::complete),
            ))
            .app_data(services.metrics().of_no_path())
            .configure(|config| routes::configure(config, services.metrics()))
            .default_service(web::to(routes::unknown))
    })
    .workers(workers)
    .keep_alive(Duration::from_secs(settings.server.keep_alive))
    .client_request_timeout(limits.request_timeout)
    .shutdown_timeout(settings.server.shutdown_timeout)
    .disable_signals()
    .bind(settings.server.listen)?;
    let address = server.addrs()[0];
    let start = move |services, realtime| {
        slot.get_or_init(|| (web::Data::new(services), web::Data::new(realtime)));
        server.run()
    };
    Ok((BoundServer(Box::new(start)), address))
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
