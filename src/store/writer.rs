//! The one thread that writes.
//!
//! A write is a closure over an open transaction. The thread takes one, begins, runs it in a
//! savepoint, takes whatever else waits (up to [`BATCH_MAX`], never sleeping to fill a batch),
//! commits once for all, tells the [`Observer`] what was committed, and only then answers
//! everybody. So an acknowledged write is on the disk and in the figures.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::idempotency::KeyFilter;
use super::{Error, Lock, activity, connection, idempotency, settings};
use crate::clock::Clock;
use crate::domain::{Activity, Event, ProgramNumber, Seq, Timestamp};
use crate::telemetry::cause_chain;

/// The most writes that share a commit.
const BATCH_MAX: usize = 256;
/// Pages in the write-ahead log after which a checkpoint is tried between batches (16 MiB).
const CHECKPOINT_PAGES: u64 = 4096;
/// How long the queue must be empty before the thread tidies up.
const IDLE: Duration = Duration::from_secs(1);
/// Expired idempotency keys deleted in one transaction.
const PURGE_STEP: usize = 2000;

thread_local! {
    /// Pages in the write-ahead log after the last commit on this thread. SQLite's hook takes a
    /// plain function, so this is how the number reaches the writer.
    static WAL_PAGES: Cell<u64> = const { Cell::new(0) };
}

/// Why a write was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The queue is full; nothing was done.
    #[error("too many writes wait")]
    Overloaded,
    /// The disk failed; whether the write was done is not known.
    #[error("the storage takes no writes")]
    Unavailable,
    /// The write hit a defect; nothing was done.
    #[error("the write panicked")]
    Panicked,
}

/// What one commit did, for those who derive something from it.
#[derive(Debug)]
pub struct Committed<'a> {
    /// The rows that were added to the log, in order.
    pub activities: &'a [Activity],
    /// Whether keys, or who may use them, changed.
    pub credentials_changed: bool,
}

/// Who is told of every commit, on the writer's thread and before anybody gets an answer.
pub trait Observer: Send {
    /// Takes in what was committed.
    fn committed(&mut self, connection: &Connection, committed: &Committed<'_>);

    /// Builds everything anew from the database, after [`Observer::committed`] panicked.
    ///
    /// # Errors
    /// [`Error`] if the database cannot be read.
    fn rebuild(&mut self, connection: &Connection) -> Result<(), Error>;
}

/// What the writer needs to know.
#[derive(Debug)]
pub struct WriterSettings {
    /// Stamps the time.
    pub clock: Clock,
    /// The time of each program's last activity, which its next one does not precede.
    pub last_at: HashMap<ProgramNumber, Timestamp>,
    /// Writes that may wait.
    pub queue_max: usize,
    /// Bytes of write-ahead log past which writes are refused.
    pub wal_bytes_max: u64,
    /// How long an idempotency key is kept.
    pub idempotency_retention: Duration,
}

/// The log as the open batch sees it.
#[derive(Debug)]
struct Log {
    clock: Clock,
    next_seq: i64,
    last_at: HashMap<ProgramNumber, Timestamp>,
    pending: Vec<Activity>,
    credentials_changed: bool,
    keys: KeyFilter,
}

/// An open transaction, and the only way to change a row or to say what happened.
#[derive(Debug)]
pub struct Transaction<'a> {
    connection: &'a Connection,
    log: &'a mut Log,
    mark: Mark,
}

/// Where the log stood before a write.
#[derive(Debug, Clone, Copy)]
struct Mark {
    next_seq: i64,
    pending: usize,
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Transaction<'_> {
    /// The time to stamp on what happens in a program: the clock's, but never before the
    /// program's last activity.
    pub fn now(&self, program: ProgramNumber) -> Timestamp {
        let now = self.log.clock.now();
        self.log
            .last_at
            .get(&program)
            .map_or(now, |last| now.max(*last))
    }

    /// The clock's time, for what belongs to no program.
    pub fn clock_now(&self) -> Timestamp {
        self.log.clock.now()
    }

    /// The number that the next activity gets.
    pub fn next_seq(&self) -> Seq {
        Seq(self.log.next_seq)
    }

    /// Appends to the activity log.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn record(
        &mut self,
        program: Option<ProgramNumber>,
        at: Timestamp,
        event: Event,
    ) -> Result<Seq, Error> {
        let seq = self.next_seq();
        let activity = Activity {
            seq,
            at,
            program,
            event,
        };
        activity::insert(self.connection, &activity)?;
        self.log.next_seq += 1;
        if let Some(program) = program {
            let last = self.log.last_at.entry(program).or_insert(at);
            *last = (*last).max(at);
        }
        self.log.pending.push(activity);
        Ok(seq)
    }

    /// Says that keys, or who may use them, changed.
    pub fn credentials_changed(&mut self) {
        self.log.credentials_changed = true;
    }

    /// Undoes everything this write did so far, so that a refusal leaves nothing behind but what is
    /// written after it.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn undo(&mut self) -> Result<(), Error> {
        self.connection
            .prepare_cached("ROLLBACK TO job")?
            .execute([])?;
        self.log.pending.truncate(self.mark.pending);
        self.log.next_seq = self.mark.next_seq;
        Ok(())
    }

    pub(super) fn keys(&mut self) -> &mut KeyFilter {
        &mut self.log.keys
    }
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
        let _ = reply.send(outcome.and_then(|()| value.ok_or(WriteError::Panicked)));
    }
}

enum Message {
    Run(Box<dyn Job>),
    Stop,
}

/// The way to the writing thread. Clones share it.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: SyncSender<Message>,
    writable: Arc<AtomicBool>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Writer {
    pub(super) fn start(
        path: PathBuf,
        connection: Connection,
        lock: Lock,
        settings: WriterSettings,
        observer: Box<dyn Observer>,
    ) -> Result<Self, Error> {
        let (queue, jobs) = sync_channel(settings.queue_max);
        let writable = Arc::new(AtomicBool::new(true));
        let log = Log {
            next_seq: activity::last_seq(&connection)?.map_or(1, |seq| seq.0 + 1),
            last_at: settings.last_at,
            pending: Vec::new(),
            credentials_changed: false,
            keys: KeyFilter::load(&connection)?,
            clock: settings.clock,
        };
        let mut thread = WriterThread {
            path,
            connection: None,
            log,
            jobs,
            observer,
            writable: Arc::clone(&writable),
            corrupt: false,
            dirty: false,
            purged_hour: i64::MIN,
            wal_pages_max: settings.wal_bytes_max / 4096,
            retention: settings.idempotency_retention,
            _lock: lock,
        };
        thread.adopt(connection);
        let handle = std::thread::Builder::new()
            .name("stampcard-writer".to_owned())
            .spawn(move || thread.run())
            .map_err(|_| Error::Impossible("failure to start a thread"))?;
        Ok(Self {
            queue,
            writable,
            thread: Arc::new(Mutex::new(Some(handle))),
        })
    }

    /// Runs `work` in a transaction; returns once it is durable and the observer has seen it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn write<T, F>(&self, work: F) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(work)?
            .await
            .unwrap_or(Err(WriteError::Unavailable))
    }

    /// [`Writer::write`] for a thread that may block.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(work)?
            .blocking_recv()
            .unwrap_or(Err(WriteError::Unavailable))
    }

    /// Whether the last write, or the last attempt to recover, worked.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    /// Finishes what waits, checkpoints and ends the thread. Later writes are refused.
    pub fn stop(&self) {
        // The thread is gone already if nobody receives.
        let _ = self.queue.send(Message::Stop);
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }

    fn submit<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, WriteError>>, WriteError>
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
        self.queue
            .try_send(Message::Run(job))
            .map_err(|error| match error {
                TrySendError::Full(_) => WriteError::Overloaded,
                TrySendError::Disconnected(_) => WriteError::Unavailable,
            })?;
        Ok(receiver)
    }
}

/// What became of one job of a batch.
type Ran = (Box<dyn Job>, Result<(), WriteError>);

struct WriterThread {
    path: PathBuf,
    /// `None` after a failure, until a probe commit works on a new one.
    connection: Option<Connection>,
    log: Log,
    jobs: Receiver<Message>,
    observer: Box<dyn Observer>,
    writable: Arc<AtomicBool>,
    /// SQLite said that the file is damaged: no write is tried again.
    corrupt: bool,
    /// Whether anything was committed since the last full checkpoint.
    dirty: bool,
    /// The hour in which expired idempotency keys were last all deleted.
    purged_hour: i64,
    wal_pages_max: u64,
    retention: Duration,
    /// Held as long as this thread may write.
    _lock: Lock,
}

impl WriterThread {
    fn run(mut self) {
        loop {
            let has_chores = self.dirty || self.connection.is_none();
            let message = if has_chores {
                self.jobs.recv_timeout(IDLE)
            } else {
                self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match message {
                Ok(Message::Run(job)) => {
                    if !self.batch(job) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.tidy(),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.checkpoint_all();
    }

    /// Runs one job and whatever else waits, in one commit. False: it is time to stop.
    fn batch(&mut self, first: Box<dyn Job>) -> bool {
        if let Err(error) = self.open_batch() {
            first.finish(Err(error));
            return true;
        }
        let mut ran: Vec<Ran> = Vec::new();
        let mut going = true;
        let mut intact = self.run_job(first, &mut ran);
        while intact && ran.len() < BATCH_MAX {
            match self.jobs.try_recv() {
                Ok(Message::Run(job)) => intact = self.run_job(job, &mut ran),
                Ok(Message::Stop) => {
                    going = false;
                    break;
                }
                Err(_) => break,
            }
        }
        if intact && self.commit() {
            self.publish();
            for (job, outcome) in ran {
                job.finish(outcome);
            }
        } else {
            self.abandon();
            for (job, _) in ran {
                job.finish(Err(WriteError::Unavailable));
            }
        }
        self.between_batches();
        going
    }

    fn open_batch(&mut self) -> Result<(), WriteError> {
        if self.connection.is_none() {
            self.recover();
        }
        if WAL_PAGES.get() > self.wal_pages_max {
            self.checkpoint_passive();
            if WAL_PAGES.get() > self.wal_pages_max {
                tracing::error!(
                    wal_pages = WAL_PAGES.get(),
                    "the write-ahead log is past its limit because a reader holds it; writes are \
                     refused until it can be checkpointed"
                );
                return Err(WriteError::Unavailable);
            }
        }
        let Some(connection) = &self.connection else {
            return Err(WriteError::Unavailable);
        };
        let begun = connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut s| s.execute([]));
        if let Err(error) = begun {
            self.note_failure("a transaction could not begin", &Error::Sqlite(error));
            self.abandon();
            return Err(WriteError::Unavailable);
        }
        Ok(())
    }

    /// Runs a job in a savepoint. False: the whole transaction is lost.
    fn run_job(&mut self, mut job: Box<dyn Job>, ran: &mut Vec<Ran>) -> bool {
        let Some(connection) = &self.connection else {
            ran.push((job, Err(WriteError::Unavailable)));
            return false;
        };
        let mark = Mark {
            next_seq: self.log.next_seq,
            pending: self.log.pending.len(),
        };
        let result = savepoint(connection, "SAVEPOINT job").and_then(|()| {
            let mut tx = Transaction {
                connection,
                log: &mut self.log,
                mark,
            };
            match catch_unwind(AssertUnwindSafe(|| job.run(&mut tx))) {
                Ok(Ok(())) => Ok(Ok(())),
                Ok(Err(error)) => tx.undo().map(|()| Err(Some(error))),
                Err(_) => tx.undo().map(|()| Err(None)),
            }
        });
        let result = result.and_then(|result| {
            savepoint(connection, "RELEASE job")?;
            Ok(result)
        });
        // A full disk or an I/O error may end the transaction under us.
        let lost = connection.is_autocommit();
        let outcome = match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(None)) => Err(WriteError::Panicked),
            Ok(Err(Some(error))) | Err(error) => {
                self.note_failure("a write failed", &error);
                ran.push((job, Err(WriteError::Unavailable)));
                return !lost && self.connection.is_some() && !self.corrupt;
            }
        };
        ran.push((job, outcome));
        !lost
    }

    fn commit(&mut self) -> bool {
        let Some(connection) = &self.connection else {
            return false;
        };
        match connection
            .prepare_cached("COMMIT")
            .and_then(|mut s| s.execute([]))
        {
            Ok(_) => {
                self.dirty = true;
                self.writable.store(true, Ordering::Relaxed);
                true
            }
            Err(error) => {
                self.note_failure("a commit failed", &Error::Sqlite(error));
                false
            }
        }
    }

    /// Tells the observer what was committed. If it panics, it starts anew from the log.
    fn publish(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let activities = std::mem::take(&mut self.log.pending);
        let credentials_changed = std::mem::take(&mut self.log.credentials_changed);
        let committed = Committed {
            activities: &activities,
            credentials_changed,
        };
        let observer = &mut self.observer;
        let told = catch_unwind(AssertUnwindSafe(|| {
            observer.committed(connection, &committed);
        }));
        if told.is_err() {
            tracing::error!("the figures could not take in a commit; building them anew");
            if let Err(error) = observer.rebuild(connection) {
                // Wrong figures are worse than none: without them the process must not go on.
                tracing::error!(
                    error = cause_chain(&error),
                    "the figures cannot be built anew"
                );
                std::process::abort();
            }
        }
    }

    /// Forgets the batch and the connection: what became of it is not known.
    fn abandon(&mut self) {
        self.writable.store(false, Ordering::Relaxed);
        self.log.next_seq -= i64::try_from(self.log.pending.len()).unwrap_or(0);
        self.log.pending.clear();
        self.log.credentials_changed = false;
        if let Some(connection) = self.connection.take() {
            // It may have been rolled back already.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }

    /// Opens a new connection and adopts it once a commit works on it. What the lost batch may have
    /// left behind is taken in first.
    fn recover(&mut self) {
        if self.corrupt {
            return;
        }
        let opened = connection::open_writer(&self.path).map_err(|error| cause_chain(&error));
        let recovered = opened.and_then(|connection| {
            connection
                .execute_batch("BEGIN IMMEDIATE")
                .and_then(|()| settings::probe(&connection))
                .and_then(|()| connection.execute_batch("COMMIT"))
                .map_err(Error::Sqlite)
                .and_then(|()| self.catch_up(&connection))
                .map(|()| connection)
                .map_err(|error| cause_chain(&error))
        });
        match recovered {
            Ok(connection) => {
                tracing::info!("the storage takes writes again");
                self.adopt(connection);
                self.writable.store(true, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(error, "the storage takes no writes yet"),
        }
    }

    /// A commit that reported a failure may still have reached the disk.
    fn catch_up(&mut self, connection: &Connection) -> Result<(), Error> {
        let next_seq = activity::last_seq(connection)?.map_or(1, |seq| seq.0 + 1);
        if next_seq != self.log.next_seq {
            self.log.next_seq = next_seq;
            self.observer.rebuild(connection)?;
        }
        Ok(())
    }

    fn adopt(&mut self, connection: Connection) {
        WAL_PAGES.set(0);
        connection.wal_hook(Some(|_, pages| {
            WAL_PAGES.set(u64::try_from(pages).unwrap_or(0));
            Ok(())
        }));
        self.connection = Some(connection);
    }

    fn note_failure(&mut self, what: &'static str, error: &Error) {
        tracing::error!(error = cause_chain(error), "{what}");
        let Error::Sqlite(sqlite) = error else { return };
        let damaged = [
            Some(rusqlite::ErrorCode::DatabaseCorrupt),
            Some(rusqlite::ErrorCode::NotADatabase),
        ];
        if damaged.contains(&sqlite.sqlite_error_code()) && !self.corrupt {
            self.corrupt = true;
            self.writable.store(false, Ordering::Relaxed);
            let findings = connection::open_read_only(&self.path)
                .ok()
                .and_then(|connection| super::audit::integrity(&connection).ok())
                .unwrap_or_default();
            tracing::error!(
                findings = findings.join("; "),
                "the database is damaged: writes are stopped; stop the server, run `stampcard \
                 verify`, and put a good copy of the file in place"
            );
        }
    }

    fn between_batches(&mut self) {
        if WAL_PAGES.get() > CHECKPOINT_PAGES {
            self.checkpoint_passive();
        }
        let now = self.log.clock.now();
        if now.hour() != self.purged_hour {
            self.purge(now);
        }
    }

    /// Chores for a quiet moment.
    fn tidy(&mut self) {
        if self.connection.is_none() {
            self.recover();
        }
        if self.dirty {
            self.checkpoint_all();
        }
    }

    /// Deletes one step of expired idempotency keys.
    fn purge(&mut self, now: Timestamp) {
        let Some(connection) = &self.connection else {
            return;
        };
        let before = now.saturating_sub(self.retention).hour();
        match idempotency::purge(connection, before, PURGE_STEP) {
            Ok(deleted) if deleted < PURGE_STEP => {
                self.log.keys.forget_before(before);
                self.purged_hour = now.hour();
            }
            Ok(_) => {}
            Err(error) => self.note_failure("expired idempotency keys stay", &error),
        }
    }

    fn checkpoint_passive(&mut self) {
        if let Some(connection) = &self.connection {
            let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
            match done {
                Ok((pages, moved)) if pages == moved => WAL_PAGES.set(0),
                Ok(_) => {}
                Err(error) => self.note_failure("a checkpoint failed", &Error::Sqlite(error)),
            }
        }
    }

    /// Moves the whole write-ahead log into the file and empties it, unless a reader is in the way.
    fn checkpoint_all(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let truncated = connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                    row.get::<_, i64>(0)
                })
            })
            .and_then(|busy| {
                connection
                    .busy_timeout(Duration::from_secs(5))
                    .map(|()| busy)
            });
        match truncated {
            Ok(0) => {
                self.dirty = false;
                WAL_PAGES.set(0);
            }
            // A reader is in the way: the next quiet moment tries again.
            Ok(_) => {}
            Err(error) => {
                self.note_failure("a checkpoint failed", &Error::Sqlite(error));
                self.dirty = false;
            }
        }
    }
}

fn savepoint(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
