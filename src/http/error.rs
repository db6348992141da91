//! Errors of HTTP, converted from those of the other layers. [`super::layer`] renders them.

use actix_web::ResponseError;
use actix_web::http::StatusCode;

use crate::domain::{Invalid, Refusal};
use crate::error::{Code, Problem, Surface};
use crate::realtime::TooManyStreams;
use crate::service::{CredentialError, ServiceError};
use crate::store::{self, WriteError};
use crate::telemetry::cause_chain;

/// An error on its way to the client.
#[derive(Debug, thiserror::Error)]
#[error("{}", .problem.message)]
pub struct HttpError {
    /// The part that the client sees.
    pub problem: Problem,
    /// The cause, which only the log shows.
    pub cause: Option<String>,
    /// The methods of the route, for `Allow`.
    pub allow: Option<String>,
}

impl HttpError {
    /// An error with a specific message.
    pub fn new(code: Code, message: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self {
            problem: Problem::new(code, message),
            cause: None,
            allow: None,
        }
    }

    /// An error with the message of its code.
    pub fn plain(code: Code) -> Self {
        Self {
            problem: Problem::plain(code),
            cause: None,
            allow: None,
        }
    }
}

impl ResponseError for HttpError {
    fn status_code(&self) -> StatusCode {
        let (status, _) = self.problem.code.on(Surface::Expys);
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Invalid> for HttpError {
    fn from(invalid: Invalid) -> Self {
        Self {
            problem: Problem::from(&invalid),
            cause: None,
            allow: None,
        }
    }
}

impl From<ServiceError> for HttpError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refusal) => Self {
                problem: Problem::from(&refusal),
                cause: None,
                allow: None,
            },
            ServiceError::Storage(error) => {
                let code = match error {
                    store::Error::PoolExhausted(_)
                    | store::Error::TooManyReads
                    | store::Error::Overdue => Code::Overloaded,
                    store::Error::Unpublished => Code::StorageUnavailable,
                    store::Error::Sqlite(_)
                    | store::Error::Impossible(_)
                    | store::Error::Contradiction(_)
                    | store::Error::Irrevocable
                    | store::Error::Thread(_) => Code::Internal,
                };
                Self {
                    cause: Some(cause_chain(&error)),
                    ..Self::plain(code)
                }
            }
        }
    }
}

impl From<WriteError> for HttpError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Overloaded => Self::plain(Code::Overloaded),
            WriteError::Unavailable => Self::plain(Code::StorageUnavailable),
            WriteError::Failed => Self::plain(Code::Internal),
            WriteError::ClockRefused => Self::new(
                Code::StorageUnavailable,
                "the server's clock jumped far forward, so that writes are stopped and this one \
                 was not carried out: retry once the clock is correct",
            ),
        }
    }
}

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        Self::from(ServiceError::Refused(refusal))
    }
}

impl From<TooManyStreams> for HttpError {
    fn from(error: TooManyStreams) -> Self {
        match error {
            TooManyStreams::InAll => Self::plain(Code::Overloaded),
            TooManyStreams::OfCredential(_) => Self::new(Code::RateLimited, error.to_string()),
        }
    }
}

impl From<CredentialError> for HttpError {
    fn from(error: CredentialError) -> Self {
        let code = match error {
            CredentialError::Unauthorized => Code::Unauthorized,
            CredentialError::Inactive => Code::Forbidden,
        };
        Self::new(code, error.to_string())
    }
}
