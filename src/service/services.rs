//! The running product without HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::analytics::Engine;
use crate::books::Published;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{ProgramNumber, Timestamp};
use crate::service::error::ServiceError;
use crate::service::events::gateways::Gateways;
use crate::service::events::{Names, Post, Signals, Targets};
use crate::service::figures::Analytics;
use crate::service::figures::saving::Snapshots;
use crate::service::loyalty::opening::Opening;
use crate::service::loyalty::profiles::Profiles;
use crate::service::tenancy::caps::Caps;
use crate::service::tenancy::credentials::{
    CredentialError, Directory, Links, MemberPrincipal, TokenKey,
};
use crate::service::upkeep::clock_watch::ClockWatch;
use crate::service::writer::RequestWriter;
use crate::store::{Connection, Readers, Readership, Tenant};
use crate::telemetry::Metrics;

/// The running product without HTTP: the store, the figures and the credentials. Clones share it.
#[derive(Debug, Clone)]
pub struct Services {
    pub(in crate::service) writer: RequestWriter,
    pub(in crate::service) readers: Readers,
    pub(in crate::service) analytics: Analytics,
    /// The accounts of members.
    pub(in crate::service) books: Published,
    pub(in crate::service) readership: Readership,
    /// Profiles of members that were read lately.
    pub(in crate::service) profiles: Profiles,
    pub(in crate::service) engine: Arc<Engine>,
    pub(in crate::service) directory: Arc<Directory>,
    pub(in crate::service) signals: Arc<Signals>,
    pub(in crate::service) targets: Targets,
    pub(in crate::service) gateways: Gateways,
    pub(in crate::service) metrics: Metrics,
    pub(in crate::service) database: PathBuf,
    pub(in crate::service) partner_uuid: Uuid,
    pub(in crate::service) tokens: Arc<TokenKey>,
    pub(in crate::service) clock: Clock,
    /// How far each write advances the fixed clock first, while a history is generated.
    pub(in crate::service) step: Option<Duration>,
    pub(in crate::service) snapshots: Snapshots,
    pub(in crate::service) clock_watch: ClockWatch,
    pub(in crate::service) opening: Opening,
    pub(in crate::service) limits: Limits,
    pub(in crate::service) started_at: Timestamp,
}

/// Settings that the use cases need.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Limits {
    pub(in crate::service) member_token_ttl: Duration,
    pub(in crate::service) idempotency_retention: Duration,
    pub(in crate::service) credit_pool: i64,
    pub(in crate::service) caps: Caps,
}

impl Limits {
    pub(in crate::service) fn of(settings: &Settings) -> Self {
        Self {
            member_token_ttl: settings.member_token_ttl(),
            idempotency_retention: Duration::from_secs(settings.idempotency.retention),
            credit_pool: i64::try_from(settings.partner.credit_pool).unwrap_or(i64::MAX),
            caps: Caps::new(settings.limits),
        }
    }
}

impl Services {
    /// Replaces the name service, for tests of webhook targets.
    #[must_use]
    pub fn with_names(mut self, names: Arc<dyn Names>) -> Self {
        self.targets = self.targets.with_names(names);
        self
    }

    /// Sets the sender of requests to gateways.
    #[must_use]
    pub fn with_post(mut self, post: Arc<dyn Post>) -> Self {
        self.gateways = self.gateways.with_post(post);
        self
    }

    /// Whether writes are accepted, as far as is known.
    pub fn is_ready(&self) -> bool {
        self.writer.is_writable() && self.clock.refused().is_none() && self.writer.is_settled()
    }

    /// For how long something is due in a program that is not applied yet; `None` if nothing is.
    /// What is read of the program lacks it.
    pub fn behind(&self, program: ProgramNumber) -> Option<Duration> {
        let since = self.writer.overdue().since(program)?;
        Some(self.clock.now().since(since))
    }

    /// The reason why no write is accepted until the next start, if there is one.
    pub fn loss(&self) -> Option<&'static str> {
        self.writer.loss()
    }

    /// The analytics.
    pub fn analytics(&self) -> &Analytics {
        &self.analytics
    }

    /// Notifications of commits, for the followers of the log.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The rule on webhook targets.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The directory of keys, programs and organizations.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Authenticates a member token.
    ///
    /// # Errors
    /// [`CredentialError`] if this server did not mint it, it has expired, its member was removed
    /// since, or its program or organization is not active.
    pub fn authenticate_member(&self, token: &str) -> Result<MemberPrincipal, CredentialError> {
        let principal = self
            .tokens
            .open(token, self.clock.now())
            .ok_or(CredentialError::Unauthorized)?;
        self.directory.check_member(principal)
    }

    /// Makes addresses of files as of now.
    pub(in crate::service) fn links(&self) -> Links {
        Links::new(&self.tokens, self.clock.now())
    }

    /// Takes a last snapshot, finishes the queued writes and closes the database. Later writes are
    /// refused.
    pub fn stop(&self) {
        self.opening.stop();
        self.snapshots.stop();
        self.clock_watch.stop();
        self.writer.stop();
    }

    /// Returns services whose writes each advance a fixed clock by `step` when they begin, so that
    /// queued writes get different times. For generated histories; a system clock is not changed.
    #[must_use]
    pub fn after(&self, step: Duration) -> Self {
        Self {
            step: Some(step),
            ..self.clone()
        }
    }

    /// Reads from the database when the tenant is scheduled.
    pub(in crate::service) async fn read<T, F>(
        &self,
        tenant: impl Into<Tenant>,
        read: F,
    ) -> Result<T, ServiceError>
    where
        F: FnOnce(&Connection) -> Result<T, ServiceError> + Send + 'static,
        T: Send + 'static,
    {
        self.noted(self.readers.read(tenant.into(), read).await)
    }

    /// [`Services::read`] for a few rows that are found by their keys.
    pub(in crate::service) async fn look_up<T, F>(
        &self,
        tenant: impl Into<Tenant>,
        read: F,
    ) -> Result<T, ServiceError>
    where
        F: FnOnce(&Connection) -> Result<T, ServiceError> + Send + 'static,
        T: Send + 'static,
    {
        self.noted(self.readers.look_up(tenant.into(), read).await)
    }

    /// Passes the result of a read on; damage that it met stops writes.
    fn noted<T>(&self, result: Result<T, ServiceError>) -> Result<T, ServiceError> {
        if let Err(ServiceError::Storage(error)) = &result {
            self.readers.note_failure(error);
        }
        result
    }
}
