//! The one thread that writes.
//!
//! A write is a closure over an open transaction. The thread takes the one whose turn it is,
//! begins, runs it in a savepoint, takes whatever else waits (up to a fixed number, never sleeping
//! to fill a batch), commits once for all, tells the [`Observer`] what was committed, and only then
//! answers everybody. So an acknowledged write is on the disk and in the figures.

mod checkpoints;
mod chores;
mod observing;
mod queue;
mod statements;
mod sums;
mod tally;
mod thread;
mod transaction;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use self::checkpoints::Checkpointer;
pub use self::observing::ObserverError;
use self::queue::Entrance;
use self::sums::Sums;
pub use self::tally::Counted;
use self::tally::Tally;
use self::thread::WriterThread;
use self::transaction::Log;
pub use self::transaction::Transaction;
use super::shares::Bounds;
use super::{Database, Error, Tenant};
use crate::clock::Clock;
use crate::domain::{
    Activity, ByNumber, CredentialNumber, MemberNumber, OrganizationNumber, ProgramNumber,
    Timestamp,
};
use crate::store::answers::idempotency;
use crate::store::file::condition::Condition;
use crate::store::file::scrub::Scrubber;
use crate::store::log;
use crate::store::tables::sandbox;
use crate::telemetry::Metrics;

/// Why a write was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The queue is full; nothing was done.
    #[error("too many writes wait")]
    Overloaded,
    /// The disk failed; whether the write was done is not known.
    #[error("the storage takes no writes")]
    Unavailable,
    /// The write hit a defect of the program; nothing was done.
    #[error("the write failed")]
    Failed,
    /// The system clock was set far forward, which nobody has accepted; nothing was done.
    #[error(
        "writes are stopped because the system clock was set forward by more than 24 hours; set it \
         right, or accept it with `stampcard clock accept`"
    )]
    ClockRefused,
}

/// A row that changed and decides who may do what. Whoever keeps such rows reads it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessChange {
    /// A key.
    Credential(CredentialNumber),
    /// A program.
    Program(ProgramNumber),
    /// An organization.
    Organization(OrganizationNumber),
    /// A member's tokens.
    Member(MemberNumber),
}

/// What one commit did, for those who derive something from it.
#[derive(Debug)]
pub struct Committed<'a> {
    /// The rows that were added to the log, in order.
    pub activities: &'a [Activity],
    /// Of keys, and of what decides whether they are good, what changed.
    pub access: &'a [AccessChange],
    /// The programs of the events that webhooks listen to; one may stand here more than once.
    pub announced: &'a [ProgramNumber],
    /// The programs with a webhook that has something to send again, or a test.
    pub due: &'a [ProgramNumber],
    /// Whether webhooks were made or deleted.
    pub webhooks_changed: bool,
}

/// Who is told of every commit, on the writer's thread and before anybody gets an answer.
pub trait Observer: Send {
    /// Takes in what was committed.
    ///
    /// # Errors
    /// [`ObserverError`]. What was taken in of the commit is then rebuilt.
    fn committed(
        &mut self,
        connection: &Connection,
        committed: &Committed<'_>,
    ) -> Result<(), ObserverError>;

    /// Builds everything anew from the database, after [`Observer::committed`] failed or panicked.
    ///
    /// # Errors
    /// [`ObserverError`].
    fn rebuild(&mut self, connection: &Connection) -> Result<(), ObserverError>;
}

/// What the writer needs to know.
#[derive(Debug)]
pub struct WriterSettings {
    /// Stamps the time.
    pub clock: Clock,
    /// The time of each program's last activity, which its next one does not precede.
    pub last_at: ByNumber<ProgramNumber, Timestamp>,
    /// Writes that may wait.
    pub queue_max: usize,
    /// Of these, those of one organization, in percent.
    pub share_max: u32,
    /// Bytes of write-ahead log past which writes are refused.
    pub wal_bytes_max: u64,
    /// How long an idempotency key is kept.
    pub idempotency_retention: Duration,
    /// Counts what the writer does.
    pub metrics: Metrics,
}

/// Something to do in a transaction, and somebody who waits for it.
trait Job: Send {
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error>;
    fn finish(self: Box<Self>, outcome: Result<(), WriteError>);
}

struct Task<F, T> {
    work: Option<F>,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, WriteError>>,
}

impl<F, T> Job for Task<F, T>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(tx)?);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), WriteError>) {
        let Self { value, reply, .. } = *self;
        // The client may have gone; the write stands all the same.
        let _ = reply.send(outcome.and_then(|()| value.ok_or(WriteError::Failed)));
    }
}

/// The way to the writing thread. Clones share it.
#[derive(Debug, Clone)]
pub struct Writer {
    entrance: Arc<Entrance>,
    writable: Arc<AtomicBool>,
    condition: Condition,
    metrics: Metrics,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Writer {
    pub(super) fn start(
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
        let log = Log {
            next_seq: log::last_seq(&connection)?.map_or(1, |seq| seq.0 + 1),
            last_at: settings.last_at,
            open_at: ByNumber::default(),
            ahead: sandbox::all_ahead(&connection)?,
            clocks_changed: false,
            pending: Vec::new(),
            access: Vec::new(),
            access_in_doubt: false,
            keys: idempotency::index(&connection)?,
            sums: Sums::default(),
            tally: Tally::default(),
            heard: None,
            announced: Vec::new(),
            due: Vec::new(),
            webhooks_changed: false,
            erasures: 0,
            clock: settings.clock,
        };
        let mut thread = WriterThread {
            scrubber: Scrubber::open(&connection)?,
            checkpointer: Checkpointer::start(path.clone(), condition.clone())
                .map_err(Error::Thread)?,
            readership,
            path,
            connection: None,
            log,
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
        thread.adopt(connection);
        let thread = std::thread::Builder::new()
            .name("stampcard-writer".to_owned())
            .spawn(move || thread.run())
            .map_err(Error::Thread)?;
        Ok(Self {
            entrance: Arc::new(entrance),
            writable,
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
    pub async fn write<T, F>(&self, tenant: Tenant, work: F) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(tenant, work)?
            .await
            .unwrap_or(Err(WriteError::Unavailable))
    }

    /// [`Writer::write`] for a thread that may block.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_blocking<T, F>(&self, tenant: Tenant, work: F) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(tenant, work)?
            .blocking_recv()
            .unwrap_or(Err(WriteError::Unavailable))
    }

    /// Whether the last write, or the last attempt to recover, worked, and the file is still there.
    pub fn is_writable(&self) -> bool {
        self.condition.look() && self.writable.load(Ordering::Relaxed)
    }

    /// Why nothing is written until the next start, if that is so.
    pub fn loss(&self) -> Option<&'static str> {
        self.condition.loss()
    }

    /// Finishes what waits, checkpoints and ends the thread. Later writes are refused.
    pub fn stop(&self) {
        let thread = self.thread.lock().take();
        self.entrance.close();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }

    fn submit<T, F>(
        &self,
        tenant: Tenant,
        work: F,
    ) -> Result<oneshot::Receiver<Result<T, WriteError>>, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, receiver) = oneshot::channel();
        let job = Box::new(Task {
            work: Some(work),
            value: None,
            reply,
        });
        self.metrics.queued();
        if let Err(error) = self.entrance.push(tenant, job) {
            self.metrics.taken();
            return Err(error);
        }
        Ok(receiver)
    }
}
