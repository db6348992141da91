//! The three error envelopes.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Query;
use super::schema::RedemptionStatus;
use crate::domain::Invalid;
use crate::error::{Problem, Surface};

/// An error under `/v1`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorResponse {
    /// The error.
    pub error: PlainErrorResponse,
}

/// The error in the envelope of `/v1`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlainErrorResponse {
    /// The error code. Codes are stable; new ones may be added at any time.
    pub code: &'static str,
    /// A message for humans; it may change.
    pub message: String,
    /// Only of `REDEMPTION_NOT_COMPLETED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub details: Option<StatusDetailsResponse>,
}

/// The state that an error is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusDetailsResponse {
    /// The current status of the redemption.
    #[schema(value_type = RedemptionStatus)]
    pub status: &'static str,
}

/// An error under `/v1/reports` and `/v1/programs`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportErrorResponse {
    /// The error code. Codes are stable; new ones may be added at any time.
    pub code: &'static str,
    /// A message for humans; it may change.
    pub message: String,
    /// The field or parameter that was wrong, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub details: Option<ErrorDetailsResponse>,
}

/// The error of a field or parameter.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorDetailsResponse {
    /// Its name.
    pub field: String,
    /// `required`, `repeated` or `invalid`.
    pub reason: &'static str,
    /// A sentence for humans; it may change.
    pub message: String,
    /// The expected value.
    pub expected: String,
    /// The first characters of the received value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub received: Option<String>,
}

impl From<&Invalid> for ErrorDetailsResponse {
    fn from(invalid: &Invalid) -> Self {
        let reason = if invalid.expected.starts_with("is required") {
            "required"
        } else if invalid.expected == Query::ONCE {
            "repeated"
        } else {
            "invalid"
        };
        Self {
            field: invalid.field.clone(),
            reason,
            message: invalid.to_string(),
            expected: invalid.expected.clone(),
            received: invalid.received.clone(),
        }
    }
}

/// An error under `/partner`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartnerErrorResponse {
    /// The error code. Codes are stable; new ones may be added at any time.
    pub code: &'static str,
    /// A message for humans; it may change.
    pub message: String,
    /// Always empty.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
}

/// The status and the body of an error on a surface.
pub fn render(surface: Surface, problem: &Problem) -> (u16, Vec<u8>) {
    let (status, code) = problem.code.on(surface);
    let message = problem.message.clone().into_owned();
    let body = match surface {
        Surface::Expys => super::to_json(&ErrorResponse {
            error: PlainErrorResponse {
                code,
                message,
                details: problem.status.map(|status| StatusDetailsResponse {
                    status: status.as_str(),
                }),
            },
        }),
        Surface::Scrip => super::to_json(&ReportErrorResponse {
            code,
            message,
            details: problem.invalid.as_deref().map(Into::into),
        }),
        Surface::Bullseye => super::to_json(&PartnerErrorResponse {
            code,
            message,
            details: Map::new(),
        }),
    };
    (status, body)
}
