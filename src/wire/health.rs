//! The health of the server.

use serde::Serialize;
use utoipa::ToSchema;

/// The response while the process runs (`/healthz`) or accepts writes (`/readyz`).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HealthResponse {
    /// `ok` or `ready`.
    pub status: &'static str,
    /// The version of the server.
    pub version: &'static str,
}

/// The response while no writes are accepted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnreadyResponse {
    /// `unavailable`.
    pub status: &'static str,
    /// The reason.
    pub reason: String,
}
