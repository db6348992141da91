//! The state of the server, for its operator.

use serde::Serialize;
use utoipa::ToSchema;

/// The server and its database, for both environments.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerResponse {
    /// The version of the server.
    pub version: &'static str,
    /// When this process started.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// The current time.
    #[schema(format = DateTime)]
    pub now: String,
    /// Whether writes are accepted.
    pub takes_writes: bool,
    /// The reason why they are not; null if they are.
    pub reason: Option<String>,
    /// Whether the reason is that the system clock was set forward, which
    /// `POST /partner/clock/accept` accepts.
    pub clock_refused: bool,
    /// The database.
    pub database: ServerFileResponse,
    /// The last `stampcard verify` of this database; null if this server knows none.
    pub last_verify: Option<ServerVerifyResponse>,
    /// The last verified `stampcard backup` of this database; null if this server knows none.
    pub last_backup: Option<ServerBackupResponse>,
}

/// The files of the database.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerFileResponse {
    /// Its size in bytes.
    pub bytes: u64,
    /// The size of its write-ahead log in bytes.
    pub log_bytes: u64,
}

/// A verification.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerVerifyResponse {
    /// When it ended.
    #[schema(format = DateTime)]
    pub at: String,
    /// Whether it found no contradiction.
    pub agrees: bool,
    /// The number of figures compared.
    pub figures: u64,
    /// The number of findings.
    pub findings: u64,
}

/// A backup.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerBackupResponse {
    /// When it was made.
    #[schema(format = DateTime)]
    pub at: String,
    /// Its size in bytes.
    pub bytes: u64,
}
