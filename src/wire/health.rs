//! Whether the server is well.

use serde::Serialize;
use utoipa::ToSchema;

/// The process is up, or the database takes writes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HealthResponse {
    /// `ok` or `ready`.
    pub status: &'static str,
}

/// The database takes no writes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnreadyResponse {
    /// `unavailable`.
    pub status: &'static str,
    /// Why.
    pub reason: &'static str,
}
