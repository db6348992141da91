//! The use cases: check the rules, change the rows, name what happened.
//!
//! **Must not know**: HTTP requests or SQL. It is handed parsed requests and proven callers, works
//! in the writer's transaction or on a reading connection, and gives back rendered answers.

mod analytics;
mod answer;
pub mod bootstrap;
mod caps;
mod clock;
mod configuration;
mod conversations;
mod credentials;
mod derived;
mod events;
mod exchange;
mod idempotency;
mod keys;
mod ledger;
mod lookups;
mod members;
mod metrics;
mod offers;
mod organizations;
mod partner;
mod program_keys;
mod programs;
mod redemptions;
mod reports;
mod sandbox;
mod sending;
mod server;
mod signals;
mod snapshots;
mod targets;
mod tenants;
mod tokens;
pub mod transfer;
pub mod verify;
mod wallets;
mod webhooks;
mod writes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

pub use analytics::{Analytics, TimeForm, TimeseriesSelection, unknown_series_offer};
pub use answer::{Answer, Reply};
pub use credentials::{
    Caller, CredentialError, Directory, DirectoryVersion, KeyPrincipal, MemberPrincipal,
    PartnerPrincipal,
};
pub use events::ShownEvent;
pub use idempotency::{IdempotencyKey, Scope};
pub use lookups::SystemNames;
pub use members::RemoveOptions;
pub use organizations::OrganizationChange;
pub use redemptions::UNKNOWN_OFFER;
pub use reports::ActivitySelection;
pub use sending::{DueDeliveries, Outcome, after_attempt};
pub use signals::{Announcements, Signals};
pub use targets::{Addresses, Names, Targets};
pub use tokens::TokenKey;

use crate::analytics::Engine;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{
    ByNumber, Environment, Invalid, Member, Name, ProgramNumber, Refusal, Seq, Timestamp,
};
use crate::store::members::Selector;
use crate::store::{
    self, Connection, Database, OpenError, ReaderSettings, Readers, Tenant, WriteError,
    WriterSettings,
};
use crate::telemetry::Metrics;
use caps::Caps;
use clock::ClockWatch;
use credentials::KeyUses;
use derived::Derived;
use snapshots::Snapshots;
use writes::Pen;

/// Why a use case was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] store::Error),
}

impl From<Invalid> for Stop {
    fn from(invalid: Invalid) -> Self {
        Self::Refused(Refusal::Invalid(invalid))
    }
}

/// Who writes, and what for: what every write has in common.
#[derive(Debug, Clone)]
pub struct WriteContext {
    /// Who calls.
    pub caller: Caller,
    /// The key under which the answer is kept, if the caller gave one.
    pub idempotency: Option<IdempotencyKey>,
}

/// The running product without HTTP: the store, the figures, and who may do what. Clones share it.
#[derive(Debug, Clone)]
pub struct Services {
    pen: Pen,
    readers: Readers,
    analytics: Analytics,
    engine: Arc<Engine>,
    directory: Arc<Directory>,
    signals: Arc<Signals>,
    targets: Targets,
    metrics: Metrics,
    database: PathBuf,
    partner_uuid: Uuid,
    tokens: Arc<TokenKey>,
    clock: Clock,
    /// How far a write moves the clock first, where a history is made.
    step: Option<Duration>,
    snapshots: Snapshots,
    clock_watch: ClockWatch,
    limits: Limits,
    started_at: Timestamp,
}

/// Settings that the rules need.
#[derive(Debug, Clone, Copy)]
struct Limits {
    member_token_ttl: Duration,
    idempotency_retention: Duration,
    credit_pool: i64,
    caps: Caps,
}

impl Limits {
    fn of(settings: &Settings) -> Self {
        Self {
            member_token_ttl: settings.member_token_ttl(),
            idempotency_retention: Duration::from_secs(settings.idempotency.retention),
            credit_pool: i64::try_from(settings.partner.credit_pool).unwrap_or(i64::MAX),
            caps: Caps::new(settings.limits),
        }
    }
}

/// A failure to start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] store::Error),
    /// The first rows could not be written.
    #[error("the first organization could not be made")]
    Bootstrap(#[source] WriteError),
    /// The first keys could not be shown.
    #[error(
        "the keys of a new database could not be printed, so it was not made; start it once with \
         a standard output that somebody reads, or choose the keys by the settings under \
         `bootstrap`"
    )]
    Unseen(#[source] std::io::Error),
    /// The log cannot be folded.
    #[error("the activity log contradicts itself; run `stampcard verify` on the database")]
    Contradiction,
    /// The database is not new, but lacks the key of member tokens.
    #[error(
        "the key of member tokens is missing in the database {}; restore a backup",
        .0.display()
    )]
    NoTokenKey(PathBuf),
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}

impl Services {
    /// Opens the database, folds its log into the figures and starts the writer. On the first start
    /// of a database its first organizations and keys are made; they come back beside the services.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        settings: &Settings,
        clock: &Clock,
    ) -> Result<(Self, Option<bootstrap::FirstKeys>), StartError> {
        Self::start_showing(settings, clock, &|_| Ok(()))
    }

    /// [`Services::start`]; the keys of a new database are shown before they count.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_showing(
        settings: &Settings,
        clock: &Clock,
        show: bootstrap::Show<'_>,
    ) -> Result<(Self, Option<bootstrap::FirstKeys>), StartError> {
        Self::start_on(settings, clock, show).map_err(|error| match error {
            StartError::Storage(error) if error.is_of_damage() => {
                let path = settings.database.path.clone();
                StartError::Open(OpenError::Damaged { path })
            }
            other => other,
        })
    }

    fn start_on(
        settings: &Settings,
        clock: &Clock,
        show: bootstrap::Show<'_>,
    ) -> Result<(Self, Option<bootstrap::FirstKeys>), StartError> {
        let database = open(&settings.database.path)?;
        let readers = database.readers(reader_settings(settings))?;
        let path = database.path().to_owned();
        // A fold stops at a row that contradicts those before it.
        let load = AssertUnwindSafe(|| snapshots::load(database.connection()));
        let (figures, kept) = catch_unwind(load).map_err(|_| StartError::Contradiction)??;
        let last_at = figures.last_at();
        let was_refused = resume(clock, database.connection(), &last_at)?;
        let engine = Arc::new(Engine::new(figures));
        let analytics = Analytics::new(
            &engine,
            settings.analytics.bucket_time,
            database.readership(),
            readers.turns(),
        );
        let directory = Arc::new(Directory::load(database.connection())?);
        let last_seq = store::activity::last_seq(database.connection())?.unwrap_or(Seq(0));
        let signals = Arc::new(Signals::new(last_seq));
        let stored_key = store::settings::token_key(database.connection())?;
        let partner_uuid =
            store::settings::partner_uuid(database.connection())?.unwrap_or_else(Uuid::new_v4);
        if stored_key.is_none() && last_seq > Seq(0) {
            return Err(StartError::NoTokenKey(settings.database.path.clone()));
        }
        let metrics = Metrics::new();
        let derived = Derived {
            engine: Arc::clone(&engine),
            directory: Arc::clone(&directory),
            signals: Arc::clone(&signals),
        };
        let writing = writer_settings(settings, clock, last_at, &metrics);
        let pen = Pen::new(database.start_writer(writing, Box::new(derived))?);
        let (token_key, first_keys) = match stored_key {
            Some(key) => (key, None),
            None => bootstrap::run(&pen.upkeep(), partner_uuid, &settings.bootstrap, show)
                .map(|(key, keys)| (key, Some(keys)))?,
        };
        let uses = KeyUses::new(Arc::clone(&directory), clock.clone(), pen.upkeep());
        let snapshots = Snapshots::start(
            Arc::clone(&engine),
            pen.upkeep(),
            kept,
            settings.analytics,
            uses,
        )
        .map_err(StartError::Thread)?;
        let clock_watch = ClockWatch::start(clock.clone(), pen.upkeep(), was_refused)
            .map_err(StartError::Thread)?;
        let services = Self {
            pen,
            readers,
            analytics,
            engine,
            directory,
            signals,
            metrics,
            database: path,
            targets: Targets::new(
                Arc::new(SystemNames::new()),
                settings.webhooks.sandbox_private_targets,
            ),
            partner_uuid,
            snapshots,
            clock_watch,
            tokens: Arc::new(TokenKey::new(&token_key)),
            clock: clock.clone(),
            step: None,
            limits: Limits::of(settings),
            started_at: clock.now(),
        };
        Ok((services, first_keys))
    }

    /// The same with another name service, for tests of where webhooks may go.
    #[must_use]
    pub fn with_names(mut self, names: Arc<dyn Names>) -> Self {
        self.targets = self.targets.with_names(names);
        self
    }

    /// Whether writes are taken, as far as is known.
    pub fn is_ready(&self) -> bool {
        self.pen.is_writable() && self.clock.refused().is_none()
    }

    /// Why it takes none until the next start, if that is so.
    pub fn loss(&self) -> Option<&'static str> {
        self.pen.loss()
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
        self.pen.stop();
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
    async fn read<T, F>(&self, tenant: impl Into<Tenant>, read: F) -> Result<T, Stop>
    where
        F: FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        self.noted(self.readers.read(tenant.into(), read).await)
    }

    /// Works something out of the figures of so many programs: at once if they are few, else when
    /// it is the tenant's turn, as for a read.
    async fn in_turn<T, F>(
        &self,
        tenant: impl Into<Tenant>,
        programs: usize,
        work: F,
    ) -> Result<T, Stop>
    where
        F: FnOnce(&Self) -> T + Send + 'static,
        T: Send + 'static,
    {
        if programs <= analytics::AT_ONCE_MAX {
            return Ok(work(self));
        }
        let services = self.clone();
        let work = move || work(&services);
        Ok(self.readers.turns().run(tenant.into(), work).await?)
    }

    /// The same for a read of a few rows that are found by their keys.
    async fn look_up<T, F>(&self, tenant: impl Into<Tenant>, read: F) -> Result<T, Stop>
    where
        F: FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        self.noted(self.readers.look_up(tenant.into(), read).await)
    }

    /// What a read gave back; if it met damage, writes stop.
    fn noted<T>(&self, result: Result<T, Stop>) -> Result<T, Stop> {
        if let Err(Stop::Storage(error)) = &result {
            self.readers.note_failure(error);
        }
        result
    }
}

/// Tells the clock what is known of earlier runs: the newest time that was stamped (by the clock,
/// not by that of a program which is ahead), and a step that was refused; whether one was.
fn resume(
    clock: &Clock,
    connection: &Connection,
    last_at: &ByNumber<ProgramNumber, Timestamp>,
) -> Result<bool, store::Error> {
    let refused = store::settings::refused_step(connection)?;
    let ahead = store::sandbox::all_ahead(connection)?;
    let stamped = last_at
        .iter()
        .map(|(program, at)| match ahead.get(program) {
            Some(ahead) => at.saturating_sub(*ahead),
            None => *at,
        });
    clock.resume(stamped.max(), refused);
    Ok(refused.is_some())
}

fn writer_settings(
    settings: &Settings,
    clock: &Clock,
    last_at: ByNumber<ProgramNumber, Timestamp>,
    metrics: &Metrics,
) -> WriterSettings {
    WriterSettings {
        clock: clock.clone(),
        last_at,
        queue_max: settings.database.queue_max,
        share_max: settings.database.share_max,
        wal_bytes_max: settings.database.wal_bytes_max,
        idempotency_retention: Duration::from_secs(settings.idempotency.retention),
        metrics: metrics.clone(),
    }
}

fn reader_settings(settings: &Settings) -> ReaderSettings {
    ReaderSettings {
        count: settings.database.readers,
        queue_max: settings.database.read_queue_max,
        share_max: settings.database.share_max,
    }
}

/// Opens a database to serve it.
fn open(path: &Path) -> Result<Database, StartError> {
    let database = Database::open(path)?;
    if store::import_batches::unfinished_import(database.connection())?.is_some() {
        return Err(OpenError::UnfinishedImport {
            path: path.to_owned(),
        }
        .into());
    }
    Ok(database)
}

/// The member that a token was minted for.
fn principal_member(connection: &Connection, principal: MemberPrincipal) -> Result<Member, Stop> {
    let selector = Selector::Number(principal.member);
    store::members::find(connection, principal.program, &selector)?
        .filter(|member| member.token_epoch == principal.epoch && member.archived_at.is_none())
        .ok_or(Stop::Refused(Refusal::TokenRevoked))
}

/// Opens a database to read it, beside whatever else has it open.
///
/// # Errors
/// [`OpenError`].
pub fn open_read_only(path: &Path) -> Result<Connection, OpenError> {
    store::open_read_only(path)
}

/// The name that the first organization and program of an environment get.
pub(crate) fn first_name(environment: Environment) -> Name {
    Name::stored(match environment {
        Environment::Sandbox => "Sandbox".to_owned(),
        Environment::Live => "Live".to_owned(),
    })
}
