//! Headers that every answer has, so that no browser or proxy makes more of it than it is.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// What every answer has.
static ALWAYS: [(HeaderName, HeaderValue); 2] = [
    // Its type is what it says.
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    // A path can name a person: no other site learns it from a link.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
];

/// Nearly every answer holds personal data or a secret: nobody keeps it on the way. Figures,
/// streams and the dashboard's files have rules of their own.
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Adds them.
pub(super) fn add(headers: &mut HeaderMap) {
    for (name, value) in &ALWAYS {
        headers.insert(name.clone(), value.clone());
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, NO_STORE.clone());
    }
}
