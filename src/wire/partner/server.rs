//! What the operator is told of the server.

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
    /// What time it is.
    #[schema(format = DateTime)]
    pub now: String,
    /// Whether writes are taken.
    pub takes_writes: bool,
    /// Why they are not; null if they are.
    pub reason: Option<String>,
    /// Whether that is because the system clock was set forward:
    /// `POST /partner/clock/accept` accepts it.
    pub clock_refused: bool,
    /// The database.
    pub database: ServerFileResponse,
    /// The last `stampcard verify` of this database; null if this server knows of none.
    pub last_verify: Option<ServerVerifyResponse>,
    /// The last `stampcard backup` of this database, which was verified too; null if this server
    /// knows of none.
    pub last_backup: Option<ServerBackupResponse>,
}

/// The files of the database.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerFileResponse {
    /// Its size.
    pub bytes: u64,
    /// The size of its write-ahead log.
    pub log_bytes: u64,
}

/// A verification.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerVerifyResponse {
    /// When it ended.
    #[schema(format = DateTime)]
    pub at: String,
    /// Whether everything agreed.
    pub agrees: bool,
    /// How many figures were compared.
    pub figures: u64,
    /// How many things were wrong.
    pub findings: u64,
}

/// A backup.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerBackupResponse {
    /// When it was done.
    #[schema(format = DateTime)]
    pub at: String,
    /// Its size.
    pub bytes: u64,
}
