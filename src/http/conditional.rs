//! Conditional reads: a client that has the newest answer already gets 304 and no body.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;

use super::{HttpError, ok};
use crate::analytics::Versioned;
use crate::config::BucketTime;
use crate::service::KeyPrincipal;

/// What a client has, and what it asks for.
#[derive(Debug, Clone)]
pub(super) struct Conditional {
    if_none_match: Option<String>,
    /// The path with its query.
    question: String,
}

impl FromRequest for Conditional {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get(header::IF_NONE_MATCH);
        let question = request
            .uri()
            .path_and_query()
            .map_or("", |question| question.as_str());
        ready(Ok(Self {
            if_none_match: header
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            question: question.to_owned(),
        }))
    }
}

impl Conditional {
    /// The tag of the answer to this question when a program's newest activity is `version`. It
    /// follows from nothing else, so that it is the same after a restart.
    fn tag(&self, key: KeyPrincipal, version: i64, times: BucketTime) -> String {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(key.program_uuid.as_bytes());
        hasher.update(&[times as u8]);
        hasher.update(self.question.as_bytes());
        format!("\"{version}-{:08x}\"", hasher.finalize())
    }

    /// The answer with its tag: 304 without a body if the client has it already, else 200.
    ///
    /// Source: RFC 9110, section 13.1.2.
    pub(super) fn answer<T: Serialize>(
        &self,
        key: KeyPrincipal,
        answer: &Versioned<T>,
        times: BucketTime,
    ) -> HttpResponse {
        let tag = self.tag(key, answer.version, times);
        let known = self.if_none_match.as_deref().unwrap_or_default();
        let is_known = known
            .split(',')
            .map(str::trim)
            .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
        let response = if is_known {
            HttpResponse::NotModified().finish()
        } else {
            ok(&answer.value)
        };
        with_tag(response, &tag)
    }
}

fn with_tag(mut response: HttpResponse, tag: &str) -> HttpResponse {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
    }
    // Kept by the one who asked, and asked about each time.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Authorization, X-API-Key"),
    );
    response
}
