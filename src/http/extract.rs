//! Extractors for the path, the query, the body and the idempotency key, each decoded strictly.

use std::borrow::Cow;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use serde::Deserialize as _;
use serde_json::Value;

use super::path::{self, Pattern};
use super::{HttpError, HttpLimits};
use crate::domain::{Attachment, FileType, Invalid};
use crate::error::Code;
use crate::service::{Caller, IdempotencyKey, KeyPrincipal, PartnerPrincipal, Scope};
use crate::wire::{self, Parameters, PlainNumbers, Query};

/// The deepest nesting of lists and objects in a body.
const DEPTH_MAX: usize = 128;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The first variable segment of a path, decoded after routing, so that it may hold a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathText(pub(super) String);

impl FromRequest for PathText {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(variables(request).map(|mut all| Self(all.swap_remove(0))))
    }
}

/// Both variable segments of a path that has two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPair(pub(super) String, pub(super) String);

impl FromRequest for PathPair {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(variables(request).map(|mut all| {
            let second = all.pop().unwrap_or_default();
            Self(all.pop().unwrap_or_default(), second)
        }))
    }
}

/// The variable segments of a path, at least one, decoded from the raw path. Segments are counted
/// from the end, because the two addresses of a route differ only at the start.
fn variables(request: &HttpRequest) -> Result<Vec<String>, HttpError> {
    let pattern = request
        .app_data::<Pattern>()
        .map_or("", |pattern| pattern.0);
    let segments = pattern.rsplit('/').zip(request.uri().path().rsplit('/'));
    let mut all = segments
        .filter(|(name, _)| name.starts_with('{'))
        .map(|(_, segment)| path::segment(segment).map(Cow::into_owned))
        .collect::<Result<Vec<_>, _>>()?;
    all.reverse();
    if all.is_empty() {
        return Err(HttpError::plain(Code::Internal));
    }
    Ok(all)
}

/// The query string, to be parsed once the caller is known. It yields only the parameters of `Q`,
/// which are described.
#[derive(Debug)]
pub(super) struct QueryText<Q>(String, PhantomData<fn() -> Q>);

impl<Q: Parameters> QueryText<Q> {
    /// Reads a query that has no cursor.
    pub(super) fn parse(&self) -> Result<Q, Invalid>
    where
        Q: Parameters<Owner = ()>,
    {
        self.parse_for(())
    }

    /// Reads a query whose cursor must be of a list of `owner`.
    pub(super) fn parse_for(&self, owner: Q::Owner) -> Result<Q, Invalid> {
        Q::read(&Query::parse(&self.0)?, owner)
    }
}

impl<Q> FromRequest for QueryText<Q> {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.query_string().to_owned(), PhantomData)))
    }
}

/// A JSON body, parsed and raw. An absent body is treated as `null`. It may have as many bytes as
/// the server's limit or, if that is less, as `ROOM`.
#[derive(Debug, Clone)]
pub(super) struct JsonBody<const ROOM: usize = 0> {
    pub(super) value: Value,
    pub(super) bytes: Bytes,
}

impl<const ROOM: usize> FromRequest for JsonBody<ROOM> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = request.app_data::<HttpLimits>();
        let limit = limits.map_or(0, |limits| limits.body_bytes_max.max(ROOM));
        let received = receive(request, payload, limit);
        Box::pin(async move {
            let bytes = received.await?.freeze();
            let value = parse(&bytes)?;
            Ok(Self { value, bytes })
        })
    }
}

/// A file as the whole body, whose type is its `Content-Type`.
#[derive(Debug)]
pub(super) struct FileBody {
    pub(super) file_type: FileType,
    pub(super) bytes: Vec<u8>,
}

impl FromRequest for FileBody {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let file_type = match file_type(request) {
            Ok(file_type) => file_type,
            Err(invalid) => return Box::pin(ready(Err(invalid.into()))),
        };
        let received = receive(request, payload, Attachment::BYTES_MAX);
        Box::pin(async move {
            let bytes = Vec::from(received.await?);
            if !file_type.begins(&bytes) {
                let kind = file_type.as_str();
                let expected = format!("must be a file of the Content-Type, {kind}");
                return Err(Invalid::new("the body", expected).into());
            }
            Ok(Self { file_type, bytes })
        })
    }
}

/// The type of a file, which must be named without parameters.
fn file_type(request: &HttpRequest) -> Result<FileType, Invalid> {
    let value = request.headers().get(header::CONTENT_TYPE);
    let named = value.and_then(|value| value.to_str().ok());
    let named = named.unwrap_or_default().trim();
    FileType::parse(&named.to_ascii_lowercase()).ok_or_else(|| {
        let words = FileType::ALL.map(FileType::as_str);
        wire::expected_one_of("Content-Type", &words).received(named)
    })
}

/// Receives a body of at most `limit` bytes.
fn receive(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> impl Future<Output = Result<BytesMut, HttpError>> + use<> {
    let payload = payload.take();
    let limits = request.app_data::<HttpLimits>();
    let patience = limits.map_or_else(Duration::default, |limits| limits.request_timeout);
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    async move {
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        tokio::time::timeout(patience, read(payload, limit))
            .await
            .map_err(|_| too_slow(patience))?
    }
}

async fn read(mut payload: Payload, limit: usize) -> Result<BytesMut, HttpError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            HttpError::new(
                Code::BadRequest,
                format!("the body could not be read: {error}"),
            )
        })?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large(limit: usize) -> HttpError {
    HttpError::new(
        Code::PayloadTooLarge,
        format!("the body must be at most {limit} bytes"),
    )
}

fn too_slow(patience: Duration) -> HttpError {
    HttpError::new(
        Code::BadRequest,
        format!("the body must arrive within {} seconds", patience.as_secs()),
    )
}

fn parse(bytes: &[u8]) -> Result<Value, HttpError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let bad = |problem: &dyn std::fmt::Display| {
        let message = format!("the body is not well-formed JSON: {problem}");
        HttpError::new(Code::BadRequest, message)
    };
    let (depth, numbers) = scan(bytes);
    if depth > DEPTH_MAX {
        return Err(bad(&format_args!("it is deeper than {DEPTH_MAX} levels")));
    }
    let plain = if numbers.are_all() {
        Cow::Borrowed(bytes)
    } else {
        wire::with_plain_numbers(bytes)
    };
    let mut deserializer = serde_json::Deserializer::from_slice(&plain);
    // The limit of serde_json is one level lower.
    deserializer.disable_recursion_limit();
    let value = Value::deserialize(&mut deserializer).map_err(|error| bad(&error))?;
    deserializer.end().map_err(|error| bad(&error))?;
    Ok(value)
}

/// The nesting depth of lists and objects, if `bytes` is JSON, and whether its numbers are plain.
fn scan(bytes: &[u8]) -> (usize, PlainNumbers) {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut numbers = PlainNumbers::default();
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else {
            match byte {
                b'"' => in_string = true,
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            numbers.next(*byte);
            deepest = deepest.max(depth);
        }
    }
    (deepest, numbers)
}

/// The request, for its `Idempotency-Key`.
#[derive(Debug, Clone)]
pub(super) struct Idempotency(HttpRequest);

impl Idempotency {
    /// The key in the caller's scope.
    pub(super) fn key(
        &self,
        caller: Caller,
        body: &Value,
    ) -> Result<Option<IdempotencyKey>, HttpError> {
        self.within(scope_of(caller), body)
    }

    /// The key in the scope of an Org-API-Key, which may also be in the body, as
    /// `idempotency_key`.
    pub(super) fn of_body(
        &self,
        key: KeyPrincipal,
        body: &Value,
    ) -> Result<Option<IdempotencyKey>, HttpError> {
        const FIELD: &str = "idempotency_key";
        let scope = Scope::Program(key.program);
        let Some(map) = body.as_object().filter(|map| map.contains_key(FIELD)) else {
            return self.within(scope, body);
        };
        // The same request may be sent with the key in either place.
        let mut rest = map.clone();
        let text = rest.remove(FIELD);
        let text = text.as_ref().and_then(Value::as_str);
        let text = text.ok_or_else(|| Invalid::new(FIELD, "must be a string"))?;
        if let Some(header) = self.header()?
            && header != text
        {
            let expected = "must be that of the header Idempotency-Key, or be left out";
            return Err(Invalid::new(FIELD, expected).into());
        }
        if !(1..=IdempotencyKey::CHARS_MAX).contains(&text.chars().count()) {
            return Err(Invalid::new(FIELD, "must be 1 to 255 characters long").into());
        }
        self.of_text(text, scope, &Value::Object(rest)).map(Some)
    }

    /// The key in the partner's scope.
    pub(super) fn of_partner(
        &self,
        partner: PartnerPrincipal,
        body: &Value,
    ) -> Result<Option<IdempotencyKey>, HttpError> {
        self.within(Scope::Partner(partner.environment), body)
    }

    fn within(&self, scope: Scope, body: &Value) -> Result<Option<IdempotencyKey>, HttpError> {
        let text = self.header()?;
        text.map(|text| self.of_text(text, scope, body)).transpose()
    }

    /// The header.
    fn header(&self) -> Result<Option<&str>, Invalid> {
        let key = self.0.headers().get(IDEMPOTENCY_KEY);
        let text = key
            .map(|key| std::str::from_utf8(key.as_bytes()))
            .transpose();
        text.map_err(|_| Invalid::new("Idempotency-Key", "must be UTF-8"))
    }

    fn of_text(&self, text: &str, scope: Scope, body: &Value) -> Result<IdempotencyKey, HttpError> {
        let (method, path) = (self.0.method().as_str(), path::plain(self.0.uri().path())?);
        // Both addresses of a route mean the same request.
        let path = path.strip_prefix(path::PARTNER_PREFIX).unwrap_or(&path);
        Ok(IdempotencyKey::new(text, scope, method, path, body)?)
    }
}

/// The scope of a caller's keys.
fn scope_of(caller: Caller) -> Scope {
    match caller {
        Caller::Key(key) => Scope::Program(key.program),
        Caller::Member(member) => Scope::Member(member.program, member.member),
    }
}

impl FromRequest for Idempotency {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}
