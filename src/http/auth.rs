//! Who calls. Each kind of permission is a type; a handler that takes one has been authorized.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};

use super::HttpError;
use crate::domain::Environment;
use crate::error::Code;
use crate::service::{Caller, KeyPrincipal, PartnerPrincipal, Services};

/// A credential as it was sent, by its looks.
enum Presented<'a> {
    OrgKey(&'a str),
    PartnerKey(&'a str),
    MemberToken(&'a str),
}

/// The credential of a request: `Authorization: Bearer`, else `X-API-Key`, else
/// `X-Partner-API-Key`.
fn presented(headers: &HeaderMap) -> Result<Presented<'_>, HttpError> {
    let unauthorized = |message: &'static str| HttpError::new(Code::Unauthorized, message);
    let credential = if let Some(value) = headers.get(header::AUTHORIZATION) {
        value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, credential)| credential.trim())
            .ok_or_else(|| unauthorized("the Authorization header must be: Bearer <credential>"))?
    } else {
        headers
            .get("x-api-key")
            .or_else(|| headers.get("x-partner-api-key"))
            .ok_or_else(|| {
                unauthorized("a credential is required, as Authorization: Bearer <credential>")
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

fn caller(request: &HttpRequest) -> Result<Caller, HttpError> {
    let services = services(request)?;
    match presented(request.headers())? {
        Presented::OrgKey(key) => Ok(Caller::Key(services.directory().authenticate_key(key)?)),
        Presented::MemberToken(token) => Ok(Caller::Member(services.authenticate_member(token)?)),
        Presented::PartnerKey(key) => {
            services.directory().authenticate_partner(key)?;
            Err(HttpError::new(
                Code::Forbidden,
                "a partner key opens only /partner",
            ))
        }
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
                "this needs an Org-API-Key; a member token is not enough",
            )),
        }))
    }
}

/// A caller with an Org-API-Key of the sandbox.
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
                        "this is of the sandbox; a live key does not open it",
                    )),
                }),
        )
    }
}

/// The environment of a request's credential, if that is good.
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
    let services = services(request)?;
    let forbidden = || HttpError::new(Code::Forbidden, "this needs a partner key");
    match presented(request.headers())? {
        Presented::PartnerKey(key) => Ok(services.directory().authenticate_partner(key)?),
        Presented::OrgKey(key) => {
            services.directory().authenticate_key(key)?;
            Err(forbidden())
        }
        Presented::MemberToken(token) => {
            services.authenticate_member(token)?;
            Err(forbidden())
        }
    }
}
