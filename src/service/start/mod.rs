//! The start: opens the database, folds its log into the figures, and starts the threads.

mod error;
mod late;

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

pub use self::error::StartError;
use crate::analytics::Engine;
use crate::books::{Books, Published};
use crate::clock::Clock;
use crate::config::{PhoneSettings, Settings};
use crate::domain::{ByNumber, ProgramNumber, Seq, TargetPolicy, Timestamp, WebhookUrl};
use crate::service::events::gateways::Gateways;
use crate::service::events::{Signals, SystemNames, Targets};
use crate::service::figures::derived::Derived;
use crate::service::figures::generations::BooksSaver;
use crate::service::figures::saving::Snapshots;
use crate::service::figures::snapshots::FiguresSaver;
use crate::service::figures::{Analytics, Loaded};
use crate::service::loyalty::opening::Opening;
use crate::service::loyalty::profiles::Profiles;
use crate::service::loyalty::{due, points};
use crate::service::services::{Limits, Services};
use crate::service::tenancy::bootstrap;
use crate::service::tenancy::credentials::{Directory, KeyUses, TokenKey};
use crate::service::upkeep::clock_watch::ClockWatch;
use crate::service::writer::RequestWriter;
use crate::store::gateways::GatewayTarget;
use crate::store::{self, Connection, Database, OpenError, ReaderSettings, WriterSettings};
use crate::telemetry::Metrics;

impl Services {
    /// Opens the database, folds its log into the figures and starts the writer. The first start of
    /// a database creates its first organizations and keys, and returns the keys too.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        settings: &Settings,
        clock: &Clock,
    ) -> Result<(Self, Option<bootstrap::FirstKeys>), StartError> {
        Self::start_showing(settings, clock, &|_| Ok(()))
    }

    /// [`Services::start`]; `show` receives the keys of a new database before they are stored.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_showing(
        settings: &Settings,
        clock: &Clock,
        show: bootstrap::Show<'_>,
    ) -> Result<(Self, Option<bootstrap::FirstKeys>), StartError> {
        Self::start_on(settings, clock, show).map_err(|error| match error {
            StartError::Storage(error) if error.is_damage() => {
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
        let loaded = Loaded::load(database.connection())?;
        let last_at = loaded.figures.last_at();
        let was_refused = resume(clock, database.connection(), &last_at, &loaded.books)?;
        let engine = Arc::new(Engine::new(loaded.figures));
        let books = Published::new(loaded.books);
        let readership = database.readership();
        let analytics = Analytics::new(
            &engine,
            settings.analytics.bucket_time,
            readership.clone(),
            readers.turns(),
        );
        let directory = Arc::new(Directory::load(database.connection())?);
        let last_seq = store::log::last_seq(database.connection())?.unwrap_or(Seq(0));
        let signals = Arc::new(Signals::new(last_seq));
        let (stored_key, partner_uuid) = identity(&database, last_seq)?;
        let converting = store::assets::opening(database.connection())?;
        let metrics = Metrics::new();
        let derived = Derived {
            engine: Arc::clone(&engine),
            books: books.clone(),
            directory: Arc::clone(&directory),
            signals: Arc::clone(&signals),
        };
        let writing = writer_settings(settings, clock, last_at, (&books, &metrics));
        let writer = RequestWriter::new(database.start_writer(writing, Box::new(derived))?);
        let (token_key, first_keys) = match stored_key {
            Some(key) => (key, None),
            None => bootstrap::run(&writer.upkeep(), partner_uuid, &settings.bootstrap, show)
                .map(|(key, keys)| (key, Some(keys)))?,
        };
        let uses = KeyUses::new(Arc::clone(&directory), clock.clone(), writer.upkeep());
        let savers = (
            FiguresSaver::new(Arc::clone(&engine), loaded.snapshot),
            BooksSaver::new(books.clone(), loaded.generations),
        );
        let snapshots = Snapshots::start(savers, writer.upkeep(), settings.analytics, uses)
            .map_err(StartError::Thread)?;
        let clock_watch = ClockWatch::start(clock.clone(), writer.upkeep(), was_refused)
            .map_err(StartError::Thread)?;
        let opening = Opening::start(writer.upkeep(), points::open_some, converting)
            .map_err(StartError::Thread)?;
        let services = Self {
            writer,
            readers,
            analytics,
            books,
            readership,
            profiles: Profiles::default(),
            engine,
            directory,
            signals,
            metrics,
            database: path,
            targets: targets(settings),
            gateways: Gateways::new(phone_gateway(&settings.phone)),
            partner_uuid,
            snapshots,
            clock_watch,
            opening,
            tokens: Arc::new(TokenKey::new(&token_key)),
            clock: clock.clone(),
            step: None,
            limits: Limits::of(settings),
            started_at: clock.now(),
        };
        Ok((services, first_keys))
    }
}

/// Where webhooks may be sent.
fn targets(settings: &Settings) -> Targets {
    let names = Arc::new(SystemNames::new());
    Targets::new(names, settings.webhooks.sandbox_private_targets)
}

/// The key of member tokens, which a new database does not have yet, and the partner's public id.
fn identity(database: &Database, last_seq: Seq) -> Result<(Option<[u8; 32]>, Uuid), StartError> {
    let connection = database.connection();
    let token_key = store::settings::token_key(connection)?;
    if token_key.is_none() && last_seq > Seq(0) {
        return Err(StartError::NoTokenKey(database.path().to_owned()));
    }
    let partner_uuid = store::settings::partner_uuid(connection)?.unwrap_or_else(Uuid::new_v4);
    Ok((token_key, partner_uuid))
}

/// Passes what earlier runs stored to the clock: the newest stamped time, less what its program
/// is ahead of the clock, and a refused jump. Returns whether a refused jump was stored.
fn resume(
    clock: &Clock,
    connection: &Connection,
    last_at: &ByNumber<ProgramNumber, Timestamp>,
    books: &Books,
) -> Result<bool, store::Error> {
    let stored = store::settings::refused_step(connection)?;
    let ahead = store::sandbox::all_ahead(connection)?;
    let stamped = last_at
        .iter()
        .map(|(program, at)| match ahead.get(program) {
            Some(ahead) => at.saturating_sub(*ahead),
            None => *at,
        });
    let newest = stamped.max();
    let refused = match stored {
        Some(stored) => Some(stored),
        None => late::refused(clock, connection, newest, (books, &ahead))?,
    };
    clock.resume(newest, refused);
    Ok(stored.is_some())
}

fn writer_settings(
    settings: &Settings,
    clock: &Clock,
    last_at: ByNumber<ProgramNumber, Timestamp>,
    (books, metrics): (&Published, &Metrics),
) -> WriterSettings {
    WriterSettings {
        clock: clock.clone(),
        last_at,
        books: books.clone(),
        apply_due: due::apply,
        queue_max: settings.database.queue_max,
        share_max: settings.database.share_max,
        wal_bytes_max: settings.database.wal_bytes_max,
        idempotency_retention: Duration::from_secs(settings.idempotency.retention),
        metrics: metrics.clone(),
    }
}

/// The configured gateway for phones of programs without their own.
fn phone_gateway(settings: &PhoneSettings) -> Option<GatewayTarget> {
    Some(GatewayTarget {
        url: WebhookUrl::parse(settings.webhook_url.as_ref()?, TargetPolicy::Any).ok()?,
        secret: settings.webhook_secret.clone()?,
    })
}

fn reader_settings(settings: &Settings) -> ReaderSettings {
    ReaderSettings {
        count: settings.database.readers,
        queue_max: settings.database.read_queue_max,
        share_max: settings.database.share_max,
        processors: std::thread::available_parallelism().map_or(1, NonZero::get),
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
