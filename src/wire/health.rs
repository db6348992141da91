//! Whether the server is well.

use serde::Serialize;
use utoipa::ToSchema;

/// The process is up, or takes writes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HealthResponse {
    /// `ok` or `ready`.
    pub status: &'static str,
    /// The version of the server.
    pub version: &'static str,
}

/// No writes are taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnreadyResponse {
    /// `unavailable`.
    pub status: &'static str,
    /// Why.
    pub reason: String,
}
