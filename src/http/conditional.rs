//! Conditional reads: a client that already has the newest response gets 304 without a body.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use data_encoding::HEXLOWER;

use super::HttpError;
use super::response::json;
use crate::analytics::Versioned;
use crate::service::{KeyPrincipal, TimeForm};

/// The conditional headers of a request.
#[derive(Debug, Clone)]
pub(super) struct Conditional(HttpRequest);

impl FromRequest for Conditional {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}

/// The form of times in a response, and whether it depends on the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) form: TimeForm,
    pub(super) is_by_agent: bool,
}

impl Conditional {
    /// The `User-Agent` of the client.
    pub(super) fn agent(&self) -> Option<&str> {
        self.0.headers().get(header::USER_AGENT)?.to_str().ok()
    }

    /// The question, which can be sent to another thread.
    pub(super) fn question(&self, key: KeyPrincipal) -> Question {
        let times = Times {
            form: TimeForm::Millis,
            is_by_agent: false,
        };
        self.question_with_times(key, times)
    }

    /// The question of a response with times.
    pub(super) fn question_with_times(&self, key: KeyPrincipal, times: Times) -> Question {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(key.program_uuid.as_bytes());
        hasher.update(&[times.form as u8]);
        // The path with its query.
        let question = self.0.uri().path_and_query();
        hasher.update(question.map_or("", PathAndQuery::as_str).as_bytes());
        let known = self.0.headers().get(header::IF_NONE_MATCH);
        let known = known.and_then(|value| value.to_str().ok());
        Question {
            checksum: hasher.finalize(),
            is_by_agent: times.is_by_agent,
            known: known.map(str::to_owned),
        }
    }
}

/// A question: its checksum, and the tags of the responses that the client has.
#[derive(Debug)]
pub(super) struct Question {
    checksum: u32,
    is_by_agent: bool,
    known: Option<String>,
}

/// A response with its tag; without a body if the client already has it.
#[derive(Debug)]
pub(super) struct Tagged {
    tag: Tag,
    is_by_agent: bool,
    body: Option<Vec<u8>>,
}

impl Question {
    /// The tag of the response when a program's newest activity is `version`. It depends on nothing
    /// else, so that it survives a restart.
    fn tag(&self, version: i64) -> Tag {
        let mut tag = *b"\"0000000000000000-00000000\"";
        HEXLOWER.encode_mut(&version.to_be_bytes(), &mut tag[1..17]);
        HEXLOWER.encode_mut(&self.checksum.to_be_bytes(), &mut tag[18..26]);
        Tag(tag)
    }

    /// The response, rendered only if the client does not have it.
    ///
    /// Source: RFC 9110, section 13.1.2.
    pub(super) fn answer<T>(
        &self,
        answer: &Versioned<T>,
        render: impl FnOnce(&T) -> Vec<u8>,
    ) -> Tagged {
        let tag = self.tag(answer.version);
        let is_known = self.known.as_deref().is_some_and(|known| {
            known
                .split(',')
                .map(str::trim)
                .any(|known| known == "*" || tag.is(known))
        });
        let body = (!is_known).then(|| render(&answer.value));
        Tagged {
            tag,
            is_by_agent: self.is_by_agent,
            body,
        }
    }
}

impl From<Tagged> for HttpResponse {
    fn from(answer: Tagged) -> Self {
        let response = match answer.body {
            Some(body) => json(200, body),
            None => Self::NotModified().finish(),
        };
        with_tag(response, answer.tag, answer.is_by_agent)
    }
}

/// The version of a program and a checksum of the question, in quotes.
#[derive(Debug, Clone, Copy)]
struct Tag([u8; 27]);

impl Tag {
    fn is(&self, known: &str) -> bool {
        known.strip_prefix("W/").unwrap_or(known).as_bytes() == self.0
    }
}

fn with_tag(mut response: HttpResponse, tag: Tag, is_by_agent: bool) -> HttpResponse {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_bytes(&tag.0) {
        headers.insert(header::ETAG, value);
    }
    // Cached only by the client, and revalidated each time.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    let vary = if is_by_agent {
        "Authorization, X-API-Key, User-Agent"
    } else {
        "Authorization, X-API-Key"
    };
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    response
}
