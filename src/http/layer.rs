//! The layer around every request: it assigns the request id, renders errors, catches panics, and
//! logs requests that are slow or fail.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError, web};
use data_encoding::HEXLOWER;
use futures_util::FutureExt as _;

use super::body::{self, Answering};
use super::connection::Watch;
use super::rate_limit::Standing;
use super::request_body::RequestBody;
use super::response::json;
use super::{HttpError, HttpLimits, fault, headers, path, upgrade};
use crate::error::{Code, Problem, Surface};
use crate::service::Services;
use crate::telemetry::PathMetrics;
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

/// Answers a request. Errors and panics of everything inside end in a response as well.
pub(super) async fn answer<B>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error>
where
    B: MessageBody + 'static,
{
    let start = Instant::now();
    let answering = Answering::begin(Watch::of(request.request()));
    yield_sometimes().await;
    let id = RequestId::next();
    let surface = surface_of(request.path());
    let services = request.app_data::<web::Data<Services>>().cloned();
    let is_upgrade = upgrade::ignore(&mut request);
    let body = RequestBody::hold(&mut request);
    let response = match AssertUnwindSafe(fault::inject(request, next))
        .catch_unwind()
        .await
    {
        Ok(Ok(response)) => response,
        // The request is gone with the error, so that the error renders itself.
        Ok(Err(error)) => return Err(Escaped::new(surface, id, &error.to_string()).into()),
        Err(_) => {
            if let Some(services) = services {
                services.metrics().panicked();
            }
            return Err(Escaped::new(surface, id, "a handler panicked").into());
        }
    };
    let mut response = render_error(response, surface, id);
    headers::add(response.headers_mut());
    id.write(response.headers_mut());
    let standing = response.request().extensions().get::<Standing>().copied();
    if let Some(standing) = standing {
        standing.write(response.headers_mut());
    }
    if is_upgrade {
        upgrade::decline(&mut response);
    }
    note(&response, id, start.elapsed());
    answering.responded(&body);
    Ok(body.release(body::in_pieces(response, answering)))
}

/// Completes a response of another layer that did not pass through [`answer`].
pub(super) async fn complete<B>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error>
where
    B: MessageBody + 'static,
{
    let surface = surface_of(request.path());
    let mut response = next.call(request).await?.map_into_boxed_body();
    if response.headers().contains_key(REQUEST_ID) {
        return Ok(response);
    }
    let id = RequestId::next();
    if let Some(error) = response.response().error() {
        let refusal = HttpError::new(Code::BadRequest, error.to_string());
        response = render_error(response.error_response(refusal), surface, id);
    }
    headers::add(response.headers_mut());
    id.write(response.headers_mut());
    Ok(response)
}

/// Counts and logs a request.
fn note(response: &ServiceResponse<BoxBody>, id: RequestId, took: Duration) {
    let (request, status) = (response.request(), response.status().as_u16());
    let method = request.method().as_str();
    // The pattern, not the path: a path can identify a person.
    let mut route = "";
    if let Some(metrics) = request.app_data::<PathMetrics>() {
        metrics.answered(method, status, took);
        route = metrics.path();
    }
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let request_id = id.as_str();
    let limits = request.app_data::<HttpLimits>();
    if limits.is_some_and(|limits| took >= limits.slow_request) {
        tracing::warn!(
            request_id,
            method,
            route,
            status,
            duration_ms,
            "slow request"
        );
    } else {
        tracing::debug!(request_id, method, route, status, duration_ms, "request");
    }
}

/// A failure without a response.
#[derive(Debug, thiserror::Error)]
#[error("internal error")]
struct Escaped {
    surface: Surface,
    id: RequestId,
}

impl Escaped {
    fn new(surface: Surface, id: RequestId, cause: &str) -> Self {
        tracing::error!(
            request_id = id.as_str(),
            status = 500,
            cause,
            "request failed"
        );
        Self { surface, id }
    }
}

impl ResponseError for Escaped {
    fn error_response(&self) -> HttpResponse {
        let (status, body) = wire::render_problem(self.surface, &Problem::plain(Code::Internal));
        let mut response = json(status, body);
        headers::add(response.headers_mut());
        self.id.write(response.headers_mut());
        response
    }
}

/// Renders an error in the envelope of the surface.
fn render_error(
    response: ServiceResponse<BoxBody>,
    surface: Surface,
    id: RequestId,
) -> ServiceResponse<BoxBody> {
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
