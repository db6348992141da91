//! The system clock's steps.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::{Invalid, Timestamp};
use crate::wire::fields::Fields;
use crate::wire::schema::request_schema;

/// The body of `POST /partner/clock/accept`, which says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptClockRequest;

impl AcceptClockRequest {
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

request_schema!(AcceptClockRequest {} example {});

/// What became of a step of the system clock.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedClockResponse {
    /// Whether a step had been refused.
    pub accepted: bool,
    /// How far the clock had been set forward, in milliseconds; 0 if no step had been refused.
    pub step_ms: u64,
    /// What time it is.
    pub now: String,
}

impl AcceptedClockResponse {
    /// Says which step was accepted, if one was, and what time it is.
    pub fn new(step: Option<Duration>, now: Timestamp) -> Self {
        let step_ms = step.map_or(0, |step| step.as_millis());
        Self {
            accepted: step.is_some(),
            step_ms: u64::try_from(step_ms).unwrap_or(u64::MAX),
            now: now.to_string(),
        }
    }
}
