//! The layer around every request: it assigns the request id, renders errors, catches panics, and
//! logs requests that are slow or fail.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use data_encoding::HEXLOWER;
use futures_util::FutureExt as _;

use super::behind::Behind;
use super::body::{self, Answering};
use super::connection::Watch;
use super::rate_limit::Standing;
use super::request_body::RequestBody;
use super::response::json;
use super::router::Router;
use super::{HttpError, HttpLimits, fault, headers, path, upgrade};
use crate::error::{Code, Surface};
use crate::telemetry::{Metrics, PathMetrics};
use crate::wire;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// `req_`, a random number of the process, and a counter.
#[derive(Debug, Clone, Copy)]
struct RequestId([u8; 32]);

impl RequestId {
    fn next() -> Self {
        static PROCESS: OnceLock<[u8; 20]> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let process = PROCESS.get_or_init(|| {
            let mut random = [0; 8];
            getrandom::fill(&mut random).expect("the system gives random bytes");
            let mut start = *b"req_0000000000000000";
            HEXLOWER.encode_mut(&random, &mut start[4..]);
            start
        });
        let count = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut id = [0; 32];
        id[..20].copy_from_slice(process);
        HEXLOWER.encode_mut(&count[2..], &mut id[20..]);
        Self(id)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn write(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_bytes(&self.0) {
            headers.insert(REQUEST_ID, value);
        }
    }
}

/// Yields the thread before every eighth request on it.
///
/// actix-http takes pipelined requests from its buffer only while fewer than 16 are queued, and
/// checks this only when bytes arrive or when a request is not answered immediately. If all queued
/// requests are answered immediately, because the client was slow to read, the requests that are
/// still in the buffer stay there until `server.keep_alive` closes the connection.
/// (`InnerDispatcher::poll_request` and `poll_response`, actix-http 3.20.0)
async fn yield_sometimes() {
    thread_local! {
        static COUNT: Cell<u8> = const { Cell::new(0) };
    }
    let count = COUNT.get().wrapping_add(1);
    COUNT.set(count);
    if count.is_multiple_of(8) {
        tokio::task::yield_now().await;
    }
}

/// The surface of a request, whose envelope its errors have, for any spelling of its path.
fn surface_of(path: &str) -> Surface {
    Surface::of_path(&path::plain(path).unwrap_or(Cow::Borrowed(path)))
}

/// What every request on one thread passes through.
#[derive(Debug)]
pub(super) struct Layer {
    router: Router,
    metrics: Metrics,
    /// Requests that take at least this long are logged.
    slow_request: Duration,
}

impl Layer {
    pub(super) fn new(router: Router, metrics: &Metrics, limits: &HttpLimits) -> Self {
        Self {
            router,
            metrics: metrics.clone(),
            slow_request: limits.slow_request,
        }
    }
}

/// Answers a request. Errors and panics of everything inside end in a response as well.
///
/// The layer calls the handler itself: actix boxes the call of each of its layers, and its routes
/// compare the path with one pattern after the other.
pub(super) async fn answer(
    layer: Rc<Layer>,
    mut request: ServiceRequest,
) -> Result<ServiceResponse, Error> {
    let start = Instant::now();
    let answering = Answering::begin(Watch::of(request.request()));
    yield_sometimes().await;
    let id = RequestId::next();
    let is_upgrade = upgrade::ignore(&mut request);
    let body = RequestBody::hold(&mut request);
    let resource = layer.router.find(&mut request);
    let kept = request.request().clone();
    let handled = AssertUnwindSafe(fault::inject(request, resource))
        .catch_unwind()
        .await;
    let response = handled.unwrap_or_else(|_| {
        layer.metrics.panicked();
        let error = HttpError {
            cause: Some("a handler panicked".to_owned()),
            ..HttpError::plain(Code::Internal)
        };
        ServiceResponse::new(kept.clone(), HttpResponse::from_error(error))
    });
    // actix reuses the request once nothing else holds it.
    drop(kept);
    let mut response = render_error(response, id);
    headers::add(response.headers_mut());
    id.write(response.headers_mut());
    let standing = response.request().extensions().get::<Standing>().copied();
    if let Some(standing) = standing {
        standing.write(response.headers_mut());
    }
    let behind = response.request().extensions().get::<Behind>().copied();
    if let Some(behind) = behind {
        behind.write(response.headers_mut());
    }
    if is_upgrade {
        upgrade::decline(&mut response);
    }
    let end = Instant::now();
    layer.note(&response, &resource.metrics, id, end - start);
    answering.responded(&body);
    Ok(body.release(body::in_pieces(response, answering, end)))
}

/// Completes a response of another layer that did not pass through [`answer`].
pub(super) async fn complete<B>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error>
where
    B: MessageBody + 'static,
{
    let mut response = next.call(request).await?.map_into_boxed_body();
    if response.headers().contains_key(REQUEST_ID) {
        return Ok(response);
    }
    let id = RequestId::next();
    if let Some(error) = response.response().error() {
        let refusal = HttpError::new(Code::BadRequest, error.to_string());
        response = render_error(response.error_response(refusal), id);
    }
    headers::add(response.headers_mut());
    id.write(response.headers_mut());
    Ok(response)
}

impl Layer {
    /// Counts and logs a request.
    fn note(
        &self,
        response: &ServiceResponse,
        metrics: &PathMetrics,
        id: RequestId,
        took: Duration,
    ) {
        let method = response.request().method().as_str();
        let status = response.status().as_u16();
        metrics.answered(method, status, took);
        // The pattern, not the path: a path can identify a person.
        let route = metrics.path();
        if took >= self.slow_request {
            tracing::warn!(
                request_id = id.as_str(),
                method,
                route,
                status,
                duration_ms = millis(took),
                "slow request"
            );
        } else {
            tracing::debug!(
                request_id = id.as_str(),
                method,
                route,
                status,
                duration_ms = millis(took),
                "request"
            );
        }
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// Renders an error in the envelope of the surface.
fn render_error(response: ServiceResponse, id: RequestId) -> ServiceResponse {
    let Some(error) = response.response().error() else {
        return response;
    };
    let other;
    let error = if let Some(error) = error.as_error::<HttpError>() {
        error
    } else {
        // An error of actix, such as a body that ends too early.
        let code = match response.status().as_u16() {
            413 => Code::PayloadTooLarge,
            400..=499 => Code::BadRequest,
            _ => Code::Internal,
        };
        other = HttpError {
            cause: Some(error.to_string()),
            ..HttpError::plain(code)
        };
        &other
    };
    let request_id = id.as_str();
    let surface = surface_of(response.request().path());
    let (status, body) = wire::render_problem(surface, &error.problem);
    if status == 503 {
        // The cause was logged when it occurred; this names the affected request.
        tracing::warn!(request_id, status, "request refused");
    } else if status >= 500 {
        let cause = error.cause.as_deref().unwrap_or(&error.problem.message);
        tracing::error!(request_id, status, cause, "request failed");
    }
    let rendered = with_headers(json(status, body), error, status);
    response.into_response(rendered).map_into_boxed_body()
}

fn with_headers(mut response: HttpResponse, error: &HttpError, status: u16) -> HttpResponse {
    let headers = response.headers_mut();
    if status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == 503 || status == 429 {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Some(Ok(allow)) = error.allow.as_deref().map(HeaderValue::from_str) {
        headers.insert(header::ALLOW, allow);
    }
    response
}
