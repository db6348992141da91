//! The running product without HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::analytics::Engine;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::Timestamp;
use crate::service::error::ServiceError;
use crate::service::events::{Names, Signals, Targets};
use crate::service::figures::Analytics;
use crate::service::figures::snapshots::Snapshots;
use crate::service::tenancy::caps::Caps;
use crate::service::tenancy::credentials::{CredentialError, Directory, MemberPrincipal, TokenKey};
use crate::service::upkeep::clock_watch::ClockWatch;
use crate::service::writer::RequestWriter;
use crate::store::{Connection, Readers, Tenant};
use crate::telemetry::Metrics;

/// The running product without HTTP: the store, the figures, and who may do what. Clones share it.
#[derive(Debug, Clone)]
pub struct Services {
    pub(in crate::service) writer: RequestWriter,
    pub(in crate::service) readers: Readers,
    pub(in crate::service) analytics: Analytics,
    pub(in crate::service) engine: Arc<Engine>,
    pub(in crate::service) directory: Arc<Directory>,
    pub(in crate::service) signals: Arc<Signals>,
    pub(in crate::service) targets: Targets,
    pub(in crate::service) metrics: Metrics,
    pub(in crate::service) database: PathBuf,
    pub(in crate::service) partner_uuid: Uuid,
    pub(in crate::service) tokens: Arc<TokenKey>,
    pub(in crate::service) clock: Clock,
    /// How far a write moves the clock first, where a history is made.
    pub(in crate::service) step: Option<Duration>,
    pub(in crate::service) snapshots: Snapshots,
    pub(in crate::service) clock_watch: ClockWatch,
    pub(in crate::service) limits: Limits,
    pub(in crate::service) started_at: Timestamp,
}

/// Settings that the rules need.
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
    /// The same with another name service, for tests of where webhooks may go.
    #[must_use]
    pub fn with_names(mut self, names: Arc<dyn Names>) -> Self {
        self.targets = self.targets.with_names(names);
        self
    }

    /// Whether writes are taken, as far as is known.
    pub fn is_ready(&self) -> bool {
        self.writer.is_writable() && self.clock.refused().is_none()
    }

    /// Why it takes none until the next start, if that is so.
    pub fn loss(&self) -> Option<&'static str> {
        self.writer.loss()
    }

    /// The analytics, which need nothing else of this.
    pub fn analytics(&self) -> &Analytics {
        &self.analytics
    }

    /// What commits tell those who follow the log.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Where webhooks may be sent.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Who a credential belongs to.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Who a member token was minted for.
    ///
    /// # Errors
    /// [`CredentialError`] if it is not ours, has expired or died with a removal, or its program
    /// may not act.
    pub fn authenticate_member(&self, token: &str) -> Result<MemberPrincipal, CredentialError> {
        let principal = self
            .tokens
            .open(token, self.clock.now())
            .ok_or(CredentialError::Unauthorized)?;
        self.directory.check_member(principal)
    }

    /// Takes a last snapshot, finishes what waits and closes the database. Later writes are
    /// refused.
    pub fn stop(&self) {
        self.snapshots.stop();
        self.clock_watch.stop();
        self.writer.stop();
    }

    /// The same services, but each of their writes moves a fixed clock on when it has its turn, so
    /// that writes which wait together are stamped with times of their own. It is for histories
    /// that are made, not lived through; the system's clock goes by itself.
    #[must_use]
    pub fn after(&self, step: Duration) -> Self {
        Self {
            step: Some(step),
            ..self.clone()
        }
    }

    /// Reads on behalf of somebody, when it is their turn.
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

    /// The same for a read of a few rows that are found by their keys.
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

    /// What a read gave back; if it met damage, writes stop.
    fn noted<T>(&self, result: Result<T, ServiceError>) -> Result<T, ServiceError> {
        if let Err(ServiceError::Storage(error)) = &result {
            self.readers.note_failure(error);
        }
        result
    }
}
