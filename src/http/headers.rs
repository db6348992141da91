//! Security headers of every response.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The headers of every response.
static ALWAYS: [(HeaderName, HeaderValue); 2] = [
    // Browsers must not guess another content type.
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    // A path can identify a person; other sites must not learn it from a link.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
];

/// The default for caches, because nearly every response holds personal data or a secret. Figures,
/// streams and the dashboard's files set their own rules.
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Adds the headers to a response.
pub(super) fn add(headers: &mut HeaderMap) {
    for (name, value) in &ALWAYS {
        headers.insert(name.clone(), value.clone());
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, NO_STORE.clone());
    }
}
