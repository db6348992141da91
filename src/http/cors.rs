//! CORS: pages of other origins may call the API from a browser only if their origin is configured.
//!
//! Source: the Fetch standard, section 3.2, "CORS protocol".

use actix_cors::Cors;
use actix_web::http::header;
use actix_web::middleware::Condition;

/// The time for which a browser may cache a preflight response, in seconds.
const MAX_AGE: usize = 3600;

/// The layer for the origins in `origins`, separated by spaces; `*` is any, `none` disables it.
///
/// Credentials are headers that a page sets itself, never cookies, so that an origin gains nothing
/// that it does not have.
pub(super) fn layer(origins: &str) -> Condition<Cors> {
    let mut cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            // Some browsers let a page set it, and the SDKs set it.
            header::USER_AGENT,
        ])
        .allowed_headers([
            "x-api-key",
            "x-partner-api-key",
            "idempotency-key",
            "last-event-id",
            "stampcard-fault",
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER])
        .expose_headers(["x-request-id", "idempotency-replayed", "stampcard-behind"])
        .expose_headers([
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ])
        .max_age(MAX_AGE);
    for origin in origins.split_whitespace() {
        cors = match origin {
            "*" => cors.allow_any_origin().send_wildcard(),
            origin => cors.allowed_origin(origin),
        };
    }
    Condition::new(is_on(origins), cors)
}

/// Whether any origin is allowed.
pub(super) fn is_on(origins: &str) -> bool {
    origins.trim() != "none"
}
