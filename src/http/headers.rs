//! Security headers of every response.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// Browsers must not guess another content type.
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// A path can identify a person; other sites must not learn it from a link.
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// The default for caches, because nearly every response holds personal data or a secret. Figures,
/// streams and the dashboard's files set their own rules.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Adds the headers to a response.
pub(super) fn add(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(header::REFERRER_POLICY, NO_REFERRER);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, NO_STORE);
    }
}
