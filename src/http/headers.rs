//! Headers that every answer has, so that no browser or proxy makes more of it than it is.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::DefaultHeaders;

/// What an answer has unless its handler says otherwise.
const ALWAYS: [(HeaderName, &str); 3] = [
    // Its type is what it says.
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // A path can name a person: no other site learns it from a link.
    (header::REFERRER_POLICY, "no-referrer"),
    // Nearly every answer holds personal data or a secret: nobody keeps it on the way. Figures,
    // streams and the dashboard's files have rules of their own.
    (header::CACHE_CONTROL, "no-store"),
];

/// The layer that adds them.
pub(super) fn layer() -> DefaultHeaders {
    ALWAYS
        .into_iter()
        .fold(DefaultHeaders::new(), DefaultHeaders::add)
}

/// Adds them to an answer that no layer sees.
pub(super) fn add(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
