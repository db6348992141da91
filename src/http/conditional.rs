//! Conditional reads: a client that already has the newest response gets 304 without a body.

use std::future::{Future, Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use data_encoding::HEXLOWER;

use super::recent_answers::{Key, RecentAnswers, Rendered};
use super::response::json;
use super::{HttpError, HttpResult};
use crate::analytics::Versioned;
use crate::domain::ProgramNumber;
use crate::service::{KeyPrincipal, ServiceError, TimeForm};

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
        hasher.update(self.text().as_bytes());
        let known = self.0.headers().get(header::IF_NONE_MATCH);
        let known = known.and_then(|value| value.to_str().ok());
        Question {
            program: key.program,
            times,
            checksum: hasher.finalize(),
            known: known.map(str::to_owned),
        }
    }

    /// The response to a question about a program whose newest activity is `version`: the one that
    /// this thread has rendered, otherwise what `compute` returns.
    pub(super) async fn answer<F>(
        &self,
        question: Question,
        version: i64,
        compute: impl FnOnce(Question) -> F,
    ) -> HttpResult
    where
        F: Future<Output = Result<Tagged, ServiceError>>,
    {
        let Some(recent) = self.0.app_data::<RecentAnswers>() else {
            return Ok(compute(question).await?.into());
        };
        let Question {
            program,
            times,
            checksum,
            ..
        } = question;
        let mut key = Key {
            program,
            form: times.form,
            question: self.text(),
            version,
        };
        if let Some(Rendered { tag, body }) = recent.get(checksum, key) {
            let body = (!question.is_known(&tag)).then_some(body);
            return Ok(respond(tag, body, times.is_by_agent));
        }
        let answer = compute(question).await?;
        if let Some(body) = &answer.body {
            key.version = answer.version;
            let (tag, body) = (answer.tag.clone(), Bytes::clone(body));
            recent.put(checksum, key, Rendered { tag, body });
        }
        Ok(answer.into())
    }

    /// The path with its query.
    fn text(&self) -> &str {
        let question = self.0.uri().path_and_query();
        question.map_or("", PathAndQuery::as_str)
    }
}

/// A question: its checksum, and the tags of the responses that the client has.
#[derive(Debug)]
pub(super) struct Question {
    program: ProgramNumber,
    times: Times,
    checksum: u32,
    known: Option<String>,
}

/// A response with its tag; without a body if the client already has it.
#[derive(Debug)]
pub(super) struct Tagged {
    version: i64,
    tag: HeaderValue,
    is_by_agent: bool,
    body: Option<Bytes>,
}

impl Question {
    /// The tag of the response when a program's newest activity is `version`: the version and the
    /// checksum, in quotes. It depends on nothing else, so that it survives a restart.
    fn tag(&self, version: i64) -> HeaderValue {
        let mut tag = *b"\"0000000000000000-00000000\"";
        HEXLOWER.encode_mut(&version.to_be_bytes(), &mut tag[1..17]);
        HEXLOWER.encode_mut(&self.checksum.to_be_bytes(), &mut tag[18..26]);
        HeaderValue::from_bytes(&tag).expect("digits and quotes are visible")
    }

    /// Whether the client has the response with this tag.
    ///
    /// Source: RFC 9110, section 13.1.2.
    fn is_known(&self, tag: &HeaderValue) -> bool {
        let is_it = |known: &str| known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag;
        self.known.as_deref().is_some_and(|known| {
            known
                .split(',')
                .map(str::trim)
                .any(|known| known == "*" || is_it(known))
        })
    }

    /// The response, rendered only if the client does not have it.
    pub(super) fn answer<T>(
        &self,
        answer: &Versioned<T>,
        render: impl FnOnce(&T) -> Vec<u8>,
    ) -> Tagged {
        let tag = self.tag(answer.version);
        let body = (!self.is_known(&tag)).then(|| render(&answer.value).into());
        Tagged {
            version: answer.version,
            tag,
            is_by_agent: self.times.is_by_agent,
            body,
        }
    }
}

impl From<Tagged> for HttpResponse {
    fn from(answer: Tagged) -> Self {
        respond(answer.tag, answer.body, answer.is_by_agent)
    }
}

fn respond(tag: HeaderValue, body: Option<Bytes>, is_by_agent: bool) -> HttpResponse {
    let mut response = match body {
        Some(body) => json(200, body),
        None => HttpResponse::new(StatusCode::NOT_MODIFIED),
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
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
