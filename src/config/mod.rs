//! Settings: `config.toml` (compiled in as the defaults), then a file, then `STAMPCARD_*`
//! environment variables, then flags. A later one wins.

mod sources;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::domain::Environment;
pub use sources::{Effective, Loaded, Origin};

/// The defaults, with every setting and its unit explained.
pub const DEFAULTS: &str = include_str!("../config.toml");

/// Everything that can be set. `config.toml` says what each is.
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
    pub rate_limit: RateLimitSettings,
    pub limits: LimitSettings,
    pub metrics: MetricsSettings,
    pub log: LogSettings,
    #[serde(default)]
    pub bootstrap: BootstrapSettings,
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

/// How the times of a bucket look in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketTime {
    /// Unix milliseconds, as the API's documents say.
    Number,
    /// RFC 3339 in UTC, as the typed client libraries expect.
    Rfc3339,
    /// By who asks: the typed client libraries get RFC 3339, everybody else numbers.
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

/// Section `[rate_limit]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml documents every setting")]
pub struct RateLimitSettings {
    pub per_minute: u32,
    pub sandbox_per_minute: u32,
    pub programs_per_minute: u32,
}

/// Section `[limits]`. 0 is no limit in all of them.
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

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
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
    /// The Org-API-Key asked for in an environment.
    pub fn org_key(&self, environment: Environment) -> Option<&SecretString> {
        match environment {
            Environment::Sandbox => self.sandbox_key.as_ref(),
            Environment::Live => self.live_key.as_ref(),
        }
    }

    /// The partner key asked for in an environment.
    pub fn partner_key(&self, environment: Environment) -> Option<&SecretString> {
        match environment {
            Environment::Sandbox => self.partner_sandbox_key.as_ref(),
            Environment::Live => self.partner_live_key.as_ref(),
        }
    }
}

/// What the command line sets, above everything else.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--config`: the file to read.
    pub file: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--database`.
    pub database: Option<PathBuf>,
}

impl Settings {
    /// Gathers the settings of this process.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, or a value is of another kind or out of its
    /// range; the message names the file or the variable, the key, and what would be right.
    pub fn load(overrides: &Overrides) -> Result<Loaded, anyhow::Error> {
        sources::gather(overrides, sources::variables())
    }

    /// The defaults alone, for tests and the demo to start from.
    ///
    /// # Panics
    /// Never: the defaults are compiled in and a test reads them.
    pub fn defaults() -> Self {
        sources::gather(&Overrides::default(), HashMap::new())
            .expect("the compiled-in defaults are valid")
            .settings
    }

    /// How long a member token lives.
    pub fn member_token_ttl(&self) -> Duration {
        Duration::from_secs(self.auth.member_token_ttl)
    }

    #[expect(clippy::too_many_lines, reason = "a table: the range of every setting")]
    fn check(&self) -> Result<(), anyhow::Error> {
        let within = |key: &str, value: u64, least: u64, most: u64| {
            anyhow::ensure!(
                (least..=most).contains(&value),
                "{key} is {value}; it must be {least} to {most}"
            );
            Ok(())
        };
        within("server.workers", self.server.workers as u64, 0, 1024)?;
        check_origins(&self.server.cors_origins)?;
        within("server.keep_alive", self.server.keep_alive, 1, 3600)?;
        within(
            "server.request_timeout",
            self.server.request_timeout,
            1,
            3600,
        )?;
        within(
            "server.connections_max",
            self.server.connections_max as u64,
            1,
            1 << 24,
        )?;
        within("server.write_timeout", self.server.write_timeout, 1, 3600)?;
        within(
            "server.buffered_bytes_each_max",
            self.server.buffered_bytes_each_max as u64,
            1 << 20,
            1 << 40,
        )?;
        within(
            "server.buffered_bytes_max",
            self.server.buffered_bytes_max as u64,
            self.server.buffered_bytes_each_max as u64,
            1 << 40,
        )?;
        within(
            "server.body_bytes_max",
            self.server.body_bytes_max as u64,
            1024,
            16 << 20,
        )?;
        within(
            "server.shutdown_timeout",
            self.server.shutdown_timeout,
            0,
            600,
        )?;
        within("database.readers", u64::from(self.database.readers), 1, 256)?;
        within(
            "database.read_queue_max",
            self.database.read_queue_max as u64,
            1,
            1 << 20,
        )?;
        within(
            "database.queue_max",
            self.database.queue_max as u64,
            1,
            1 << 20,
        )?;
        within(
            "database.share_max",
            u64::from(self.database.share_max),
            1,
            100,
        )?;
        within(
            "database.wal_bytes_max",
            self.database.wal_bytes_max,
            1 << 20,
            1 << 40,
        )?;
        within(
            "auth.member_token_ttl",
            self.auth.member_token_ttl,
            1,
            86_400,
        )?;
        within(
            "idempotency.retention",
            self.idempotency.retention,
            60,
            604_800,
        )?;
        within(
            "analytics.snapshot_interval",
            self.analytics.snapshot_interval,
            1,
            86_400,
        )?;
        within(
            "analytics.snapshot_rows",
            self.analytics.snapshot_rows,
            1000,
            1_000_000_000,
        )?;
        within(
            "partner.credit_pool",
            self.partner.credit_pool,
            0,
            1_000_000_000_000,
        )?;
        within(
            "webhooks.per_second",
            u64::from(self.webhooks.per_second),
            1,
            1000,
        )?;
        within("webhooks.timeout", self.webhooks.timeout, 1, 60)?;
        within(
            "webhooks.retention",
            self.webhooks.retention,
            3600,
            31_536_000,
        )?;
        let per_minute = |name: &str, limit: u32| within(name, u64::from(limit), 0, 10_000_000);
        per_minute("rate_limit.per_minute", self.rate_limit.per_minute)?;
        per_minute(
            "rate_limit.sandbox_per_minute",
            self.rate_limit.sandbox_per_minute,
        )?;
        per_minute(
            "rate_limit.programs_per_minute",
            self.rate_limit.programs_per_minute,
        )?;
        let count = |name: &str, limit: u64| within(name, limit, 0, 1 << 40);
        count("limits.organizations_max", self.limits.organizations_max)?;
        count("limits.programs_each_max", self.limits.programs_each_max)?;
        count("limits.keys_each_max", self.limits.keys_each_max)?;
        count("limits.offers_each_max", self.limits.offers_each_max)?;
        count(
            "limits.sandbox_members_max",
            self.limits.sandbox_members_max,
        )?;
        count("limits.message_bytes_max", self.limits.message_bytes_max)?;
        within(
            "server.stream_heartbeat",
            self.server.stream_heartbeat,
            1,
            300,
        )?;
        within(
            "server.streams_max",
            self.server.streams_max as u64,
            0,
            1 << 20,
        )?;
        within(
            "server.streams_each_max",
            self.server.streams_each_max as u64,
            0,
            1 << 20,
        )?;
        for environment in Environment::ALL {
            let name = environment.as_str();
            let key = self.bootstrap.org_key(environment);
            check_prefix(
                &format!("bootstrap.{name}_key"),
                key,
                &format!("expys_{name}_"),
            )?;
            let key = self.bootstrap.partner_key(environment);
            check_prefix(
                &format!("bootstrap.partner_{name}_key"),
                key,
                &format!("partner_{name}_"),
            )?;
        }
        Ok(())
    }
}

/// An origin is what a browser sends: a scheme and a host, nothing behind them.
fn check_origins(origins: &str) -> Result<(), anyhow::Error> {
    for origin in origins.split_whitespace() {
        let is_origin = url::Url::parse(origin)
            .is_ok_and(|url| url.origin().ascii_serialization() == origin && url.has_host());
        anyhow::ensure!(
            origin == "*" || origins.trim() == "none" || is_origin,
            "server.cors_origins names {origin:?}; an origin looks like https://app.example.com"
        );
    }
    Ok(())
}

/// A key must begin as its kind does and go on with visible ASCII. The message does not repeat it.
fn check_prefix(name: &str, key: Option<&SecretString>, prefix: &str) -> Result<(), anyhow::Error> {
    let Some(key) = key else { return Ok(()) };
    let rest = key.expose_secret().strip_prefix(prefix);
    anyhow::ensure!(
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic())),
        "{name} must begin with {prefix} and go on with visible ASCII characters"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn with_environment(pairs: &[(&str, &str)]) -> Result<Settings, anyhow::Error> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables = pairs.iter().map(pair).collect();
        sources::gather(&Overrides::default(), variables).map(|loaded| loaded.settings)
    }

    #[test]
    fn the_defaults_are_those_of_the_documented_file() {
        let settings = Settings::defaults();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.database.path, Path::new("stampcard.db"));
        assert_eq!(settings.auth.member_token_ttl, 900);
        assert!(settings.bootstrap.sandbox_key.is_none());
    }

    #[test]
    fn the_environment_wins_over_the_defaults() {
        let settings = with_environment(&[
            ("STAMPCARD_SERVER__LISTEN", "127.0.0.1:0"),
            ("STAMPCARD_AUTH__MEMBER_TOKEN_TTL", "60"),
            ("STAMPCARD_BOOTSTRAP__SANDBOX_KEY", "expys_sandbox_1234"),
        ])
        .unwrap();
        assert_eq!(settings.server.listen.port(), 0);
        assert_eq!(settings.auth.member_token_ttl, 60);
        let key = settings.bootstrap.sandbox_key.unwrap();
        assert_eq!(key.expose_secret(), "expys_sandbox_1234");
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = with_environment(&[("STAMPCARD_SERVER__LISTN", "x")]).unwrap_err();
        assert!(format!("{error:#}").contains("listn"), "{error:#}");
    }

    #[test]
    fn a_bootstrap_key_with_the_wrong_prefix_is_refused_without_repeating_it() {
        let error = with_environment(&[("STAMPCARD_BOOTSTRAP__LIVE_KEY", "expys_sandbox_secret")])
            .unwrap_err();
        let message = format!("{error:#}");
        assert!(
            message.contains("bootstrap.live_key must begin with expys_live_"),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_name() {
        let error = with_environment(&[("STAMPCARD_AUTH__MEMBER_TOKEN_TTL", "0")]).unwrap_err();
        assert!(
            format!("{error:#}").contains("auth.member_token_ttl is 0"),
            "{error:#}"
        );
    }
}
