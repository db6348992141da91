//! The header `Stampcard-Behind`, on answers for a program in which something is due that is not
//! applied yet: for how many milliseconds it is due.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const BEHIND: HeaderName = HeaderName::from_static("stampcard-behind");

/// For how many milliseconds something is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behind(u64);

impl Behind {
    pub(super) fn new(behind: Duration) -> Self {
        Self(u64::try_from(behind.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert(BEHIND, HeaderValue::from(self.0));
    }
}
