//! The sandbox's help for those who build an app.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::{Fields, seconds};
use super::schema::{self, request_schema};
use crate::domain::Invalid;

/// The most seconds that time moves at once: ten years of 365 days.
const ADVANCE_SECONDS_MAX: u64 = 10 * 365 * 24 * 3600;

/// The body of `POST /v1/sandbox/reset`, which says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetRequest;

impl ResetRequest {
    /// Reads the body; null is no body.
    ///
    /// # Errors
    /// [`Invalid`] if it is neither null nor an object.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        if !body.is_null() {
            Fields::of(body)?;
        }
        Ok(Self)
    }
}

request_schema!(ResetRequest {} example {});

/// The body of `POST /v1/sandbox/clock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdvanceClockRequest {
    /// How far time moves.
    pub by: Duration,
}

impl AdvanceClockRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let read = |name: &str, value: &Value| seconds(name, value, ADVANCE_SECONDS_MAX);
        let by = Fields::of(body)?.required("advanceSeconds", read)?;
        Ok(Self { by })
    }
}

request_schema!(AdvanceClockRequest {
    /// How far time moves.
    required advanceSeconds: schema::whole(1, ADVANCE_SECONDS_MAX.cast_signed()),
} example {"advanceSeconds": 86400});

/// The program that the key opens from now on.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ResetResponse {
    pub program_id: String,
}

/// What time it is in the program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"now": "2026-06-16T12:00:00.000Z", "aheadSeconds": 86400})))]
pub struct ClockResponse {
    /// What time it is in the program.
    #[schema(format = DateTime)]
    pub now: String,
    /// How far that is ahead of the server's clock; 0 if it is not.
    #[schema(minimum = 0)]
    pub ahead_seconds: u64,
}
