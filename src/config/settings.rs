//! The settings, one type for each section.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::domain::Environment;

/// The defaults, with every setting and its unit explained.
pub const DEFAULTS: &str = include_str!("../../config.toml");

/// All settings. `config.toml` documents each of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct Settings {
    pub server: ServerSettings,
    pub database: DatabaseSettings,
    pub auth: AuthSettings,
    pub analytics: AnalyticsSettings,
    pub idempotency: IdempotencySettings,
    pub partner: PartnerSettings,
    pub webhooks: WebhookSettings,
    #[serde(default)]
    pub phone: PhoneSettings,
    pub rate_limit: RateLimitSettings,
    pub limits: LimitSettings,
    pub metrics: MetricsSettings,
    pub log: LogSettings,
    #[serde(default)]
    pub bootstrap: BootstrapSettings,
}

impl Settings {
    /// How long a member token is valid.
    pub fn member_token_ttl(&self) -> Duration {
        Duration::from_secs(self.auth.member_token_ttl)
    }
}

/// Section `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct ServerSettings {
    pub listen: SocketAddr,
    pub workers: usize,
    pub keep_alive: u64,
    pub connections_max: usize,
    pub request_timeout: u64,
    pub write_timeout: u64,
    pub buffered_bytes_max: usize,
    pub buffered_bytes_each_max: usize,
    pub body_bytes_max: usize,
    pub cors_origins: String,
    pub shutdown_timeout: u64,
    pub stream_heartbeat: u64,
    pub streams_max: usize,
    pub streams_each_max: usize,
}

/// Section `[database]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct DatabaseSettings {
    pub path: PathBuf,
    pub readers: u32,
    pub read_queue_max: usize,
    pub queue_max: usize,
    pub share_max: u32,
    pub wal_bytes_max: u64,
}

/// Section `[auth]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct AuthSettings {
    pub member_token_ttl: u64,
}

/// Section `[analytics]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct AnalyticsSettings {
    pub bucket_time: BucketTime,
    pub snapshot_interval: u64,
    pub snapshot_rows: u64,
}

/// The format of a bucket's times in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketTime {
    /// Unix milliseconds, as documented for the API.
    Number,
    /// RFC 3339 in UTC, as the typed client libraries expect.
    Rfc3339,
    /// RFC 3339 for the typed client libraries, numbers for other clients.
    Auto,
}

/// Section `[idempotency]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct IdempotencySettings {
    pub retention: u64,
}

/// Section `[partner]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct PartnerSettings {
    pub credit_pool: u64,
}

/// Section `[webhooks]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct WebhookSettings {
    pub sandbox_private_targets: bool,
    pub timeout: u64,
    pub per_second: u32,
    pub retention: u64,
}

/// Section `[phone]`: the gateway for phones of programs without their own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct PhoneSettings {
    pub webhook_url: Option<String>,
    pub webhook_secret: Option<SecretString>,
}

/// Section `[rate_limit]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct RateLimitSettings {
    pub per_minute: u32,
    pub sandbox_per_minute: u32,
    pub programs_per_minute: u32,
}

/// Section `[limits]`. In each setting, 0 means no limit.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct LimitSettings {
    pub organizations_max: u64,
    pub programs_each_max: u64,
    pub keys_each_max: u64,
    pub offers_each_max: u64,
    pub sandbox_members_max: u64,
    pub message_bytes_max: u64,
    pub attachment_bytes_max: u64,
    pub attachment_bytes_total_max: u64,
}

/// Section `[metrics]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct MetricsSettings {
    pub public: bool,
}

/// Section `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct LogSettings {
    pub level: String,
    pub format: LogFormat,
    pub slow_request: u64,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object per line.
    Json,
}

/// Section `[bootstrap]`: keys for the first start of a new database.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct BootstrapSettings {
    pub sandbox_key: Option<SecretString>,
    pub live_key: Option<SecretString>,
    pub partner_sandbox_key: Option<SecretString>,
    pub partner_live_key: Option<SecretString>,
}

impl BootstrapSettings {
    /// The configured Org-API-Key of an environment.
    pub fn org_key(&self, environment: Environment) -> Option<&SecretString> {
        match environment {
            Environment::Sandbox => self.sandbox_key.as_ref(),
            Environment::Live => self.live_key.as_ref(),
        }
    }

    /// The configured partner key of an environment.
    pub fn partner_key(&self, environment: Environment) -> Option<&SecretString> {
        match environment {
            Environment::Sandbox => self.partner_sandbox_key.as_ref(),
            Environment::Live => self.partner_live_key.as_ref(),
        }
    }
}

/// Settings of the command line, which override all others.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--config`: the file to read.
    pub file: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--database`.
    pub database: Option<PathBuf>,
}
