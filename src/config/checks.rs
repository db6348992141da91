//! The range of every setting.

use std::ops::RangeInclusive;

use secrecy::{ExposeSecret as _, SecretString};

use super::settings::{BootstrapSettings, PhoneSettings, Settings};
use crate::domain::{Environment, TargetPolicy, WebhookUrl};

/// Checks settings against their ranges, in order.
macro_rules! check {
    ($settings:expr; $($section:ident.$name:ident in $range:expr;)*) => { $(
        check_range(
            concat!(stringify!($section), ".", stringify!($name)),
            $settings.$section.$name.number(),
            $range,
        )?;
    )* };
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), anyhow::Error> {
        check! { self;
            server.workers in 0..=1024;
        }
        check_origins(&self.server.cors_origins)?;
        check! { self;
            server.keep_alive in 1..=3600;
            server.request_timeout in 1..=3600;
            server.connections_max in 1..=1 << 24;
            server.write_timeout in 1..=3600;
            server.buffered_bytes_each_max in 1 << 20..=1 << 40;
            server.buffered_bytes_max in self.server.buffered_bytes_each_max.number()..=1 << 40;
            server.body_bytes_max in 1024..=16 << 20;
            server.shutdown_timeout in 0..=600;
            database.readers in 1..=256;
            database.read_queue_max in 1..=1 << 20;
            database.queue_max in 1..=1 << 20;
            database.share_max in 1..=100;
            database.wal_bytes_max in 1 << 20..=1 << 40;
            auth.member_token_ttl in 1..=86_400;
            idempotency.retention in 60..=604_800;
            analytics.snapshot_interval in 1..=86_400;
            analytics.snapshot_rows in 1000..=1_000_000_000;
            partner.credit_pool in 0..=1_000_000_000_000;
            webhooks.per_second in 1..=1000;
            webhooks.timeout in 1..=60;
            webhooks.retention in 3600..=31_536_000;
            rate_limit.per_minute in PER_MINUTE;
            rate_limit.sandbox_per_minute in PER_MINUTE;
            rate_limit.programs_per_minute in PER_MINUTE;
            limits.organizations_max in COUNT;
            limits.programs_each_max in COUNT;
            limits.keys_each_max in COUNT;
            limits.offers_each_max in COUNT;
            limits.sandbox_members_max in COUNT;
            limits.message_bytes_max in COUNT;
            limits.attachment_bytes_max in COUNT;
            limits.attachment_bytes_total_max in COUNT;
            server.stream_heartbeat in 1..=300;
            server.streams_max in 0..=1 << 20;
            server.streams_each_max in 0..=1 << 20;
        }
        check_phone(&self.phone)?;
        check_keys(&self.bootstrap)
    }
}

/// Requests a minute.
const PER_MINUTE: RangeInclusive<u64> = 0..=10_000_000;
/// The most of something that an account may have; 0 is no limit.
const COUNT: RangeInclusive<u64> = 0..=1 << 40;

/// A number of any width.
trait Number {
    fn number(self) -> u64;
}

impl Number for u32 {
    fn number(self) -> u64 {
        u64::from(self)
    }
}

impl Number for u64 {
    fn number(self) -> u64 {
        self
    }
}

impl Number for usize {
    fn number(self) -> u64 {
        self as u64
    }
}

fn check_range(key: &str, value: u64, range: RangeInclusive<u64>) -> Result<(), anyhow::Error> {
    let (least, most) = range.into_inner();
    anyhow::ensure!(
        (least..=most).contains(&value),
        "{key} is {value}; expected a number from {least} to {most}"
    );
    Ok(())
}

fn check_keys(bootstrap: &BootstrapSettings) -> Result<(), anyhow::Error> {
    for environment in Environment::ALL {
        let name = environment.as_str();
        check_prefix(
            &format!("bootstrap.{name}_key"),
            bootstrap.org_key(environment),
            &format!("expys_{name}_"),
        )?;
        check_prefix(
            &format!("bootstrap.partner_{name}_key"),
            bootstrap.partner_key(environment),
            &format!("partner_{name}_"),
        )?;
    }
    Ok(())
}

/// Checks that the gateway for phones has an address and a secret, or neither.
fn check_phone(phone: &PhoneSettings) -> Result<(), anyhow::Error> {
    if let Some(url) = &phone.webhook_url {
        WebhookUrl::parse(url, TargetPolicy::Any)
            .map_err(|refusal| anyhow::anyhow!("phone.webhook_{refusal}"))?;
    }
    let secret = phone.webhook_secret.as_ref();
    let is_set = secret.is_some_and(|secret| !secret.expose_secret().is_empty());
    anyhow::ensure!(
        is_set == phone.webhook_url.is_some(),
        "phone.webhook_secret must be set, and not be empty, if phone.webhook_url is set, and only then"
    );
    Ok(())
}

/// Checks that each origin has the form that browsers send: a scheme and a host, nothing else.
fn check_origins(origins: &str) -> Result<(), anyhow::Error> {
    for origin in origins.split_whitespace() {
        let is_origin = url::Url::parse(origin)
            .is_ok_and(|url| url.origin().ascii_serialization() == origin && url.has_host());
        anyhow::ensure!(
            origin == "*" || origins.trim() == "none" || is_origin,
            "server.cors_origins has {origin:?}; expected an origin such as https://app.example.com"
        );
    }
    Ok(())
}

/// Checks that a key has the prefix of its kind, followed by visible ASCII characters. The message
/// does not repeat the key.
fn check_prefix(name: &str, key: Option<&SecretString>, prefix: &str) -> Result<(), anyhow::Error> {
    let Some(key) = key else { return Ok(()) };
    let rest = key.expose_secret().strip_prefix(prefix);
    anyhow::ensure!(
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic())),
        "{name} must begin with {prefix}, followed by visible ASCII characters"
    );
    Ok(())
}
