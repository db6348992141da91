//! Credentials. Each kind of permission is an extractor; a handler that takes one is authorized.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};

use super::HttpError;
use super::behind::Behind;
use super::connection::Watch;
use super::known_keys::KnownKeys;
use super::rate_limit::{Bucket, RateLimiter};
use crate::budget::Owner;
use crate::domain::Environment;
use crate::error::Code;
use crate::service::{
    Caller, CredentialError, KeyPrincipal, MemberPrincipal, PartnerPrincipal, Services,
};

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");
static PARTNER_API_KEY: HeaderName = HeaderName::from_static("x-partner-api-key");

/// The start of the header `Authorization` with a credential, in lower case.
const BEARER: &[u8] = b"bearer ";

/// A credential as sent; its prefix tells the kind.
enum Presented<'a> {
    OrgKey(&'a str),
    PartnerKey(&'a str),
    MemberToken(&'a str),
}

/// The credential of a request: `Authorization: Bearer`, else `X-API-Key`, else
/// `X-Partner-API-Key`. `Authorization` with another scheme, such as a proxy's own, is an error
/// only if there is no key.
fn presented(headers: &HeaderMap) -> Result<Presented<'_>, HttpError> {
    let unauthorized = |message: &'static str| HttpError::new(Code::Unauthorized, message);
    let authorization = headers.get(header::AUTHORIZATION);
    let bearer = authorization
        .and_then(|value| value.as_bytes().split_at_checked(BEARER.len()))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BEARER))
        .and_then(|(_, credential)| std::str::from_utf8(credential).ok())
        .map(str::trim);
    let credential = if let Some(bearer) = bearer {
        bearer
    } else {
        headers
            .get(&API_KEY)
            .or_else(|| headers.get(&PARTNER_API_KEY))
            .ok_or_else(|| {
                unauthorized(if authorization.is_some() {
                    "the Authorization header must be: Bearer <credential>"
                } else {
                    "a credential is required, as Authorization: Bearer <credential>"
                })
            })?
            .to_str()
            .map_err(|_| unauthorized("the credential is not visible ASCII"))?
    };
    Ok(if credential.starts_with("expys_") {
        Presented::OrgKey(credential)
    } else if credential.starts_with("partner_") {
        Presented::PartnerKey(credential)
    } else {
        Presented::MemberToken(credential)
    })
}

fn services(request: &HttpRequest) -> Result<&Services, HttpError> {
    request
        .app_data::<web::Data<Services>>()
        .map(web::Data::get_ref)
        .ok_or_else(|| HttpError::plain(Code::Internal))
}

/// The owner of a credential.
enum Principal {
    Caller(Caller),
    Partner(PartnerPrincipal),
}

impl Principal {
    fn fingerprint(&self) -> u64 {
        match self {
            Self::Caller(caller) => credential_of(*caller),
            Self::Partner(partner) => start_of(&partner.fingerprint),
        }
    }
}

/// A number that identifies the credential of a caller; all tokens of a member have the same.
pub(super) fn credential_of(caller: Caller) -> u64 {
    match caller {
        Caller::Key(key) => start_of(&key.fingerprint),
        // The highest bit distinguishes members from keys.
        Caller::Member(member) => member.member.0.unsigned_abs() | 1 << 63,
    }
}

/// The start of a key's hash, without the highest bit.
fn start_of(hash: &[u8; 32]) -> u64 {
    let start = hash.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(start) & !(1 << 63)
}

/// Authenticates the caller and counts the request against the credential's rate.
fn principal(request: &HttpRequest) -> Result<Principal, HttpError> {
    let services = services(request)?;
    let (principal, environment, bucket) = match presented(request.headers())? {
        Presented::OrgKey(key) => {
            let key = key_principal(request, services, key)?;
            let bucket = Bucket::Program(key.program);
            (Principal::Caller(Caller::Key(key)), key.environment, bucket)
        }
        Presented::MemberToken(token) => {
            let member = services.authenticate_member(token)?;
            let caller = Principal::Caller(Caller::Member(member));
            (caller, member.environment, Bucket::Member(member.member))
        }
        Presented::PartnerKey(key) => {
            let partner = services.directory().authenticate_partner(key)?;
            let bucket = Bucket::Partner(partner.environment);
            (Principal::Partner(partner), partner.environment, bucket)
        }
    };
    if let Some(watch) = Watch::of(request) {
        watch.set_owner(Owner::Credential(principal.fingerprint()));
    }
    if let Principal::Caller(caller) = &principal
        && let Some(behind) = services.behind(caller.program())
    {
        request.extensions_mut().insert(Behind::new(behind));
    }
    let what = "too many requests with this credential";
    count(request, services, environment, bucket, what)?;
    Ok(principal)
}

/// Authenticates an Org-API-Key.
fn key_principal(
    request: &HttpRequest,
    services: &Services,
    key: &str,
) -> Result<KeyPrincipal, CredentialError> {
    let directory = services.directory();
    let Some(known) = request.app_data::<KnownKeys>() else {
        return directory.authenticate_key(key);
    };
    let mark = known.mark(key);
    if let Some(hash) = known.hash(mark) {
        return directory.authenticate_hash(hash);
    }
    let principal = directory.authenticate_key(key)?;
    known.put(mark, principal.fingerprint);
    Ok(principal)
}

/// Counts a program that is about to be created against its organization's rate.
pub(super) fn count_new_program(request: &HttpRequest, key: KeyPrincipal) -> Result<(), HttpError> {
    let bucket = Bucket::NewPrograms(key.organization);
    let what = "too many programs created by this organization";
    count(request, services(request)?, key.environment, bucket, what)
}

fn count(
    request: &HttpRequest,
    services: &Services,
    environment: Environment,
    bucket: Bucket,
    what: &'static str,
) -> Result<(), HttpError> {
    let limiter = request
        .app_data::<web::Data<RateLimiter>>()
        .ok_or_else(|| HttpError::plain(Code::Internal))?;
    let Some(standing) = limiter.take(environment, bucket, || services.now()) else {
        return Ok(());
    };
    if standing.retry_after.is_some() || !matches!(bucket, Bucket::NewPrograms(_)) {
        // The layer writes it into every response.
        request.extensions_mut().insert(standing);
    }
    match standing.retry_after {
        None => Ok(()),
        Some(seconds) => Err(HttpError::new(
            Code::RateLimited,
            format!("{what}; try again in {seconds} s"),
        )),
    }
}

fn caller(request: &HttpRequest) -> Result<Caller, HttpError> {
    match principal(request)? {
        Principal::Caller(caller) => Ok(caller),
        Principal::Partner(_) => Err(HttpError::new(
            Code::Forbidden,
            "a partner key is valid only for /partner",
        )),
    }
}

/// A caller with an Org-API-Key.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrgKey(pub(super) KeyPrincipal);

impl FromRequest for OrgKey {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).and_then(|caller| match caller {
            Caller::Key(key) => Ok(Self(key)),
            Caller::Member(_) => Err(HttpError::new(
                Code::Forbidden,
                "this requires an Org-API-Key; a member token is not enough",
            )),
        }))
    }
}

/// A caller with a member token.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemberToken(pub(super) MemberPrincipal);

impl FromRequest for MemberToken {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).and_then(|caller| match caller {
            Caller::Member(member) => Ok(Self(member)),
            Caller::Key(_) => Err(HttpError::new(
                Code::Forbidden,
                "this requires a member token; an Org-API-Key does not act as a member",
            )),
        }))
    }
}

/// A caller with a sandbox Org-API-Key.
#[derive(Debug, Clone, Copy)]
pub(super) struct SandboxKey(pub(super) KeyPrincipal);

impl FromRequest for SandboxKey {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(
            OrgKey::from_request(request, payload)
                .into_inner()
                .and_then(|OrgKey(key)| match key.environment {
                    Environment::Sandbox => Ok(Self(key)),
                    Environment::Live => Err(HttpError::new(
                        Code::Forbidden,
                        "this exists only in the sandbox; a live key is not accepted",
                    )),
                }),
        )
    }
}

/// The environment of a request's credential, if it is valid.
pub(super) fn environment(request: &HttpRequest) -> Option<Environment> {
    let services = services(request).ok()?;
    let directory = services.directory();
    match presented(request.headers()).ok()? {
        Presented::OrgKey(key) => Some(directory.authenticate_key(key).ok()?.environment),
        Presented::PartnerKey(key) => Some(directory.authenticate_partner(key).ok()?.environment),
        Presented::MemberToken(token) => {
            let principal = services.authenticate_member(token).ok()?;
            directory.environment_of(principal.program)
        }
    }
}

/// A caller with an Org-API-Key or a member token.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyOrMember(pub(super) Caller);

impl FromRequest for KeyOrMember {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(Self))
    }
}

/// The partner, with a partner key.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartnerKey(pub(super) PartnerPrincipal);

impl FromRequest for PartnerKey {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(partner(request).map(Self))
    }
}

fn partner(request: &HttpRequest) -> Result<PartnerPrincipal, HttpError> {
    match principal(request)? {
        Principal::Partner(partner) => Ok(partner),
        Principal::Caller(_) => Err(HttpError::new(
            Code::Forbidden,
            "this requires a partner key",
        )),
    }
}
