//! The sandbox's tools for developers of an app.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::ADVANCE_SECONDS;
use super::request::request;

request! {
    /// The body of `POST /v1/sandbox/reset`, which is optional and has no fields.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ResetRequest {}
    example {}
    parse(body or null);
}

request! {
    /// The body of `POST /v1/sandbox/clock`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct AdvanceClockRequest {
        /// The seconds by which time moves forward.
        pub by: Duration = required("advanceSeconds", ADVANCE_SECONDS),
    }
    example {"advanceSeconds": 86400}
    parse(body);
}

/// The new program of the key.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResetResponse {
    /// The program that the key opens from now on.
    pub program_id: String,
}

/// The current time in the program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"now": "2026-06-16T12:00:00.000Z", "aheadSeconds": 86400})))]
pub struct ClockResponse {
    /// The current time in the program.
    #[schema(format = DateTime)]
    pub now: String,
    /// The seconds by which it is ahead of the server's clock; 0 if it is not ahead.
    #[schema(minimum = 0)]
    pub ahead_seconds: u64,
}
