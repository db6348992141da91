//! The one thread that writes.
//!
//! A write is a closure over an open transaction. The thread takes the write whose turn it is,
//! begins a transaction, runs the closure in a savepoint, and continues with the other writes that
//! wait, up to a fixed number; it never sleeps to fill a batch. It commits once for all of them,
//! passes the changes to the [`Observer`], and only then answers the callers. So an acknowledged
//! write is on the disk and counted in the figures.

mod accounts;
mod cached_rules;
mod cached_settings;
mod checkpoints;
mod chores;
mod due;
mod job;
mod observing;
mod overdue;
mod queue;
mod recovery;
mod schedule;
mod slice;
mod state;
mod statements;
mod sweeps;
mod tally;
mod thread;
mod times;
mod transaction;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub use self::accounts::NoRoom;
use self::checkpoints::Checkpointer;
use self::job::{Reply, job};
pub use self::job::{Timing, WriteError};
pub use self::observing::{AccessChange, Committed, Observer, ObserverError};
pub use self::overdue::Overdue;
use self::queue::Entrance;
use self::state::State;
pub(in crate::store) use self::statements::{Prepared, run};
use self::sweeps::Sweeps;
pub use self::tally::Counted;
use self::thread::WriterThread;
pub use self::times::ApplyDue;
pub use self::transaction::Transaction;
use super::shares::Bounds;
use super::{Database, Error, Tenant};
use crate::books::Published;
use crate::clock::Clock;
use crate::domain::{ByNumber, ProgramNumber, Timestamp};
use crate::store::file::condition::Condition;
use crate::store::file::scrub::Scrubber;
use crate::telemetry::Metrics;

/// The settings of the writer.
#[derive(Debug)]
pub struct WriterSettings {
    /// The clock that stamps the time.
    pub clock: Clock,
    /// The time of each program's last activity. Its next one is not stamped with an earlier time.
    pub last_at: ByNumber<ProgramNumber, Timestamp>,
    /// The books, which the writer's own changes follow.
    pub books: Published,
    /// Applies what is due.
    pub apply_due: ApplyDue,
    /// Writes that may wait.
    pub queue_max: usize,
    /// Of these, those of one organization, in percent.
    pub share_max: u32,
    /// Bytes of write-ahead log past which writes are refused.
    pub wal_bytes_max: u64,
    /// How long an idempotency record is valid.
    pub idempotency_retention: Duration,
    /// The metrics of the server.
    pub metrics: Metrics,
}

/// A handle of the writing thread. Clones share it.
#[derive(Debug, Clone)]
pub struct Writer {
    entrance: Arc<Entrance>,
    writable: Arc<AtomicBool>,
    is_settled: Arc<AtomicBool>,
    overdue: Overdue,
    condition: Condition,
    metrics: Metrics,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Database {
    /// Passes the connection and the lock to a thread that makes all writes from now on.
    ///
    /// # Errors
    /// [`Error`] if the database cannot be read or the thread cannot be started.
    pub fn start_writer(
        self,
        settings: WriterSettings,
        observer: Box<dyn Observer>,
    ) -> Result<Writer, Error> {
        Writer::start(self, settings, observer)
    }
}

impl Writer {
    fn start(
        database: Database,
        settings: WriterSettings,
        observer: Box<dyn Observer>,
    ) -> Result<Self, Error> {
        let Database {
            path,
            connection,
            lock,
            readership,
            condition,
        } = database;
        let (entrance, jobs) = queue::queue(Bounds::new(settings.queue_max, settings.share_max));
        let writable = Arc::new(AtomicBool::new(true));
        let is_settled = Arc::new(AtomicBool::new(false));
        let sweeps = Sweeps::default();
        let overdue = sweeps.overdue.clone();
        let mut thread = WriterThread {
            state: State::read(
                &connection,
                settings.clock,
                settings.last_at,
                &settings.books,
            )?,
            books: settings.books,
            sweeps,
            apply_due: settings.apply_due,
            is_settled: Arc::clone(&is_settled),
            last_batch: Instant::now(),
            scrubber: Scrubber::open(&connection)?,
            checkpointer: Checkpointer::start(path.clone(), condition.clone())
                .map_err(Error::Thread)?,
            readership,
            path,
            jobs,
            observer,
            writable: Arc::clone(&writable),
            condition: condition.clone(),
            // A process that was killed leaves its log behind.
            dirty: true,
            truncate_at: None,
            purged_hour: i64::MIN,
            wal_pages_max: settings.wal_bytes_max / 4096,
            retention: settings.idempotency_retention,
            metrics: settings.metrics.clone(),
            _lock: lock,
        };
        thread.adopt(&connection);
        thread.reschedule_all();
        thread.note_settled();
        let thread = std::thread::Builder::new()
            .name("stampcard-writer".to_owned())
            .spawn(move || thread.run(connection))
            .map_err(Error::Thread)?;
        Ok(Self {
            entrance: Arc::new(entrance),
            writable,
            is_settled,
            overdue,
            condition,
            metrics: settings.metrics,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Runs `work` in a transaction when its turn has come; returns once it is durable and the
    /// observer has seen it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn write<T, F>(
        &self,
        tenant: Tenant,
        timing: Timing,
        work: F,
    ) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(tenant, timing, work)?
            .await
            .unwrap_or(Err(WriteError::Unavailable))
    }

    /// [`Writer::write`] by no program's time, for a thread that may block.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_blocking<T, F>(
        &self,
        tenant: Tenant,
        timing: Timing,
        work: F,
    ) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(tenant, timing, work)?
            .blocking_recv()
            .unwrap_or(Err(WriteError::Unavailable))
    }

    /// Whether the last write, or the last attempt to recover, succeeded and the file still exists.
    pub fn is_writable(&self) -> bool {
        self.condition.check() && self.writable.load(Ordering::Relaxed)
    }

    /// The programs in which something is overdue.
    pub fn overdue(&self) -> &Overdue {
        &self.overdue
    }

    /// Whether everything was applied that was due at the start.
    pub fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// The reason why nothing is written until the next start, if there is one.
    pub fn loss(&self) -> Option<&'static str> {
        self.condition.loss()
    }

    /// Finishes the writes that wait, checkpoints and ends the thread. Later writes are refused.
    pub fn stop(&self) {
        let thread = self.thread.lock().take();
        self.entrance.close();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }

    fn submit<T, F>(&self, tenant: Tenant, timing: Timing, work: F) -> Result<Reply<T>, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (job, reply) = job(timing, work);
        self.metrics.queued();
        if let Err(error) = self.entrance.push(tenant, job) {
            self.metrics.taken();
            return Err(error);
        }
        Ok(reply)
    }
}
