//! Responses with a JSON body.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use serde::Serialize;

use crate::domain::Seq;
use crate::service::Reply;
use crate::wire;

/// A response with status 200.
pub(super) fn ok<T: Serialize>(body: &T) -> HttpResponse {
    json(200, wire::to_json(body))
}

/// A response with status 200 that shows a resource, with its settings version as `ETag`.
pub(super) fn ok_at<T: Serialize>(version: i64, body: &T) -> HttpResponse {
    let mut response = ok(body);
    set_tag(&mut response, Seq(version));
    response
}

/// The response to a write.
pub(super) fn reply(reply: Reply) -> HttpResponse {
    let mut response = json(reply.status, reply.body);
    if reply.status == 401 {
        let bearer = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, bearer);
    }
    if matches!(reply.status, 429 | 503) {
        let seconds = HeaderValue::from(reply.retry_after.unwrap_or(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if let Some(version) = reply.version {
        set_tag(&mut response, version);
    }
    if reply.is_replay {
        let name = HeaderName::from_static("idempotency-replayed");
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static("true"));
    }
    response
}

/// A response with a body that is JSON already; without a content type if the body is empty.
pub(super) fn json(status: u16, body: impl Into<Bytes>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = body.into();
    if body.is_empty() {
        return HttpResponse::new(status);
    }
    let mut response = HttpResponse::with_body(status, BoxBody::new(body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

fn set_tag(response: &mut HttpResponse, version: Seq) {
    if let Ok(value) = HeaderValue::try_from(format!("\"{}\"", version.0)) {
        response.headers_mut().insert(header::ETAG, value);
    }
}
