//! Steps of the system clock.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Timestamp;
use crate::wire::request::request;

request! {
    /// The body of `POST /partner/clock/accept`, which is optional and has no fields.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct AcceptClockRequest {}
    example {}
    parse(body or null);
}

/// The result of accepting a step of the system clock.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedClockResponse {
    /// Whether a step had been refused and is accepted now.
    pub accepted: bool,
    /// How far the clock was set forward, in milliseconds; 0 if no step had been refused.
    pub step_ms: u64,
    /// The current time.
    pub now: String,
}

impl AcceptedClockResponse {
    /// The accepted step, if there was one, and the current time.
    pub fn new(step: Option<Duration>, now: Timestamp) -> Self {
        let step_ms = step.map_or(0, |step| step.as_millis());
        Self {
            accepted: step.is_some(),
            step_ms: u64::try_from(step_ms).unwrap_or(u64::MAX),
            now: now.to_string(),
        }
    }
}
