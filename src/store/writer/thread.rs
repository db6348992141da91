//! The thread: batches, commits, and what is done after a failure.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::checkpoints::Checkpointer;
use super::observing::{PANICKED, abort, rebuild};
use super::queue::{Exit, Turn, Waited};
use super::statements::{self, Statements};
use super::transaction::{Log, Mark, Transaction};
use super::{Committed, Job, Observer, WriteError};
use crate::domain::Actor;
use crate::store::answers::idempotency;
use crate::store::answers::key_index::Segment;
use crate::store::file::condition::Condition;
use crate::store::file::connection;
use crate::store::file::scrub::Scrubber;
use crate::store::tables::{sandbox, settings};
use crate::store::whole::audit;
use crate::store::{Error, Lock, OpenError, Readership, log};
use crate::telemetry::{Metrics, cause_chain};

/// The most writes that share a commit.
const BATCH_MAX: usize = 256;
/// How long several organizations' writes may take until they are committed: nobody waits for a
/// commit because another one has much to write.
const SHARED_BATCH: Duration = Duration::from_millis(2);
/// Writes after which those who read go first, if anybody does.
const READERS_FIRST_AFTER: usize = 4;
/// How long the queue must be empty before the thread tidies up.
pub(super) const IDLE: Duration = Duration::from_secs(1);

thread_local! {
    /// Pages in the write-ahead log after the last commit on this thread. SQLite's hook takes a
    /// plain function, so this is how the number reaches the writer.
    pub(super) static WAL_PAGES: Cell<u64> = const { Cell::new(0) };
}

/// What became of one job of a batch.
type Ran = (Box<dyn Job>, Result<(), WriteError>);

pub(super) struct WriterThread {
    pub(super) path: PathBuf,
    /// `None` after a failure, until a probe commit works on a new one.
    pub(super) connection: Option<Connection>,
    pub(super) log: Log,
    pub(super) jobs: Exit,
    pub(super) observer: Box<dyn Observer>,
    pub(super) writable: Arc<AtomicBool>,
    /// Once it is lost no write is tried again.
    pub(super) condition: Condition,
    /// Whether anything was committed since the last full checkpoint.
    pub(super) dirty: bool,
    /// When the write-ahead log is emptied although writes go on, because it has what was erased.
    pub(super) truncate_at: Option<Instant>,
    pub(super) scrubber: Scrubber,
    /// The hour in which expired answers were last all deleted.
    pub(super) purged_hour: i64,
    pub(super) checkpointer: Checkpointer,
    pub(super) readership: Readership,
    pub(super) wal_pages_max: u64,
    pub(super) retention: Duration,
    pub(super) metrics: Metrics,
    /// Held as long as this thread may write.
    pub(super) _lock: Lock,
}

impl WriterThread {
    pub(super) fn run(mut self) {
        loop {
            match self.jobs.wait(self.wait()) {
                Waited::Turn(turn) => self.batch(turn),
                Waited::TimedOut => self.tidy(),
                Waited::Closed => break,
            }
        }
        // Two cannot move pages at once.
        self.checkpointer.stop();
        self.finish_scrub();
        self.checkpoint_all();
        self.condition.forget_log();
    }

    /// How long the queue must be empty before there is something else to do, if there is.
    fn wait(&self) -> Option<Duration> {
        let has_chores = self.dirty || self.connection.is_none();
        let chores = has_chores.then_some(IDLE);
        let scrub = self.scrubber.wait().filter(|_| self.connection.is_some());
        scrub.into_iter().chain(chores).min()
    }

    /// Runs one job and whatever else waits, in one commit.
    fn batch(&mut self, first: Turn) {
        self.metrics.taken();
        let connection = match self.open_batch() {
            Ok(connection) => connection,
            Err(error) => {
                first.1.finish(Err(error));
                return;
            }
        };
        let statements = Statements::new(&connection);
        let mut ran: Vec<Ran> = Vec::new();
        let intact = self.run_batch(&statements, first, &mut ran);
        drop(statements);
        if intact && self.commit(&connection, ran.len()) {
            self.publish(&connection);
            self.connection = Some(connection);
            for (job, outcome) in ran {
                job.finish(outcome);
            }
        } else {
            self.abandon(&connection);
            for (job, _) in ran {
                job.finish(Err(WriteError::Unavailable));
            }
        }
        self.between_batches();
        self.readership.let_go_first();
    }

    /// Runs a job and those that wait behind it, as many as share a commit. False: the whole
    /// transaction is lost.
    fn run_batch(&mut self, statements: &Statements<'_>, first: Turn, ran: &mut Vec<Ran>) -> bool {
        let begun = Instant::now();
        let (mut holder, mut is_shared) = (None, false);
        let (mut since, mut turn) = (begun, first);
        loop {
            let (ticket, job) = turn;
            let own = Some(ticket.holder()).filter(|holder| !holder.is_upkeep());
            is_shared |= own.is_some() && holder.is_some() && own != holder;
            holder = holder.or(own);
            let intact = self.run_job(statements, job, ran);
            let now = Instant::now();
            let took = now - since;
            let is_long = is_shared && now - begun > SHARED_BATCH;
            if !intact || is_long || ran.len() >= BATCH_MAX {
                self.jobs.charge(ticket, took);
                return intact;
            }
            since = now;
            if ran.len().is_multiple_of(READERS_FIRST_AFTER) && self.readership.let_go_first() {
                since = Instant::now();
            }
            match self.jobs.take(Some((ticket, took))) {
                Some(next) => {
                    self.metrics.taken();
                    turn = next;
                }
                None => return true,
            }
        }
    }

    /// Begins a transaction, and lends its connection to the batch.
    fn open_batch(&mut self) -> Result<Connection, WriteError> {
        if !self.condition.look() {
            return Err(WriteError::Unavailable);
        }
        if self.connection.is_none() {
            self.recover();
        }
        if WAL_PAGES.get() > self.wal_pages_max {
            self.checkpoint_passive();
            if WAL_PAGES.get() > self.wal_pages_max {
                self.writable.store(false, Ordering::Relaxed);
                tracing::error!(
                    wal_pages = WAL_PAGES.get(),
                    "the write-ahead log is past its limit because a reader holds it; writes are \
                     refused until it can be checkpointed"
                );
                return Err(WriteError::Unavailable);
            }
        }
        let connection = self.connection.take().ok_or(WriteError::Unavailable)?;
        let begun = connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut s| s.execute([]));
        if let Err(error) = begun {
            self.note_failure("a transaction could not begin", &Error::Sqlite(error));
            self.abandon(&connection);
            return Err(WriteError::Unavailable);
        }
        Ok(connection)
    }

    /// Runs a job in a savepoint. False: the whole transaction is lost.
    fn run_job(
        &mut self,
        statements: &Statements<'_>,
        mut job: Box<dyn Job>,
        ran: &mut Vec<Ran>,
    ) -> bool {
        let connection = statements.connection();
        let mark = Mark {
            next_seq: self.log.next_seq,
            pending: self.log.pending.len(),
        };
        self.log.sums.mark();
        self.log.tally.mark();
        let result = savepoint(statements, "SAVEPOINT job").and_then(|()| {
            let mut tx = Transaction {
                connection,
                statements,
                log: &mut self.log,
                mark,
                actor: Actor::Server,
            };
            match catch_unwind(AssertUnwindSafe(|| job.run(&mut tx))) {
                Ok(Ok(())) => Ok(Ok(())),
                Ok(Err(error)) => tx.undo().map(|()| Err(Some(error))),
                Err(_) => {
                    self.metrics.panicked();
                    tx.undo().map(|()| Err(None))
                }
            }
        });
        let result = result.and_then(|result| {
            savepoint(statements, "RELEASE job")?;
            Ok(result)
        });
        // A full disk or an I/O error may end the transaction under us.
        let lost = connection.is_autocommit();
        let outcome = match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(None)) => Err(WriteError::Failed),
            Ok(Err(Some(error))) if !error.is_of_storage() => {
                self.note_failure("a write failed", &error);
                Err(WriteError::Failed)
            }
            Ok(Err(Some(error))) | Err(error) => {
                self.note_failure("a write failed", &error);
                ran.push((job, Err(WriteError::Unavailable)));
                return !lost && self.condition.loss().is_none();
            }
        };
        ran.push((job, outcome));
        !lost
    }

    fn commit(&mut self, connection: &Connection, writes: usize) -> bool {
        let start = Instant::now();
        if let Err(error) = self.log.sums.flush(connection) {
            self.note_failure("the sums of a batch could not be written", &error);
            return false;
        }
        if !self.condition.look() {
            return false;
        }
        let segment = match self.close_segment(connection) {
            Ok(segment) => segment,
            Err(error) => {
                self.note_failure("a segment of idempotency keys could not be written", &error);
                return false;
            }
        };
        match connection
            .prepare_cached("COMMIT")
            .and_then(|mut s| s.execute([]))
        {
            Ok(_) => {
                if let Some(segment) = segment {
                    self.log.keys.closed(segment);
                }
                self.metrics.committed(writes, start.elapsed());
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

    /// Writes a segment of idempotency keys once there are enough of them.
    fn close_segment(&self, connection: &Connection) -> Result<Option<Segment>, Error> {
        let keys = &self.log.keys;
        keys.is_full()
            .then(|| idempotency::close_segment(connection, keys))
            .transpose()
    }

    /// Tells the observer what was committed. If it cannot take that in, it rebuilds everything from
    /// the log; if it cannot do that either, the process ends.
    fn publish(&mut self, connection: &Connection) {
        let activities = std::mem::take(&mut self.log.pending);
        let access = std::mem::take(&mut self.log.access);
        let announced = std::mem::take(&mut self.log.announced);
        let due = std::mem::take(&mut self.log.due);
        self.log.last_at.extend(self.log.open_at.drain());
        self.log.clocks_changed = false;
        self.note_scrub();
        let committed = Committed {
            activities: &activities,
            access: &access,
            announced: &announced,
            due: &due,
            webhooks_changed: std::mem::take(&mut self.log.webhooks_changed),
        };
        let observer = &mut self.observer;
        let told = catch_unwind(AssertUnwindSafe(|| {
            observer.committed(connection, &committed)
        }));
        let cause = match told {
            Ok(Ok(())) => return,
            Ok(Err(error)) => cause_chain(&error),
            Err(_) => PANICKED.to_owned(),
        };
        tracing::error!(cause, "the figures cannot follow a commit; rebuilding them");
        if let Err(error) = rebuild(self.observer.as_mut(), connection) {
            abort(&cause_chain(&error));
        }
    }

    /// Forgets the batch: what became of it is not known. Its connection is not used again.
    fn abandon(&mut self, connection: &Connection) {
        self.condition.forget_log();
        self.writable.store(false, Ordering::Relaxed);
        self.log.next_seq -= i64::try_from(self.log.pending.len()).unwrap_or(0);
        self.log.pending.clear();
        // It may have reached the disk all the same.
        self.log.access_in_doubt |= !self.log.access.is_empty();
        self.log.access.clear();
        self.log.announced.clear();
        self.log.due.clear();
        self.log.sums.clear();
        self.log.tally.clear();
        self.log.webhooks_changed = false;
        self.log.heard = None;
        self.log.clocks_changed = false;
        self.note_scrub();
        // It may have been rolled back already.
        let _ = connection.execute_batch("ROLLBACK");
    }

    /// Opens a new connection and adopts it once a commit works on it. What the lost batch may have
    /// left behind is taken in first.
    pub(super) fn recover(&mut self) {
        if !self.condition.look() {
            return;
        }
        let connection = match connection::open_writer(&self.path) {
            Ok(connection) => connection,
            Err(error) => {
                let cause = cause_chain(&error);
                tracing::warn!(error = cause, "the storage takes no writes yet");
                if let OpenError::Sqlite { source, .. } = error {
                    self.note_damage(&Error::Sqlite(source));
                }
                return;
            }
        };
        match self.probe(&connection) {
            Ok(()) => {
                tracing::info!("the storage takes writes again");
                self.adopt(connection);
                self.writable.store(true, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::warn!(
                    error = cause_chain(&error),
                    "the storage takes no writes yet"
                );
                self.note_damage(&error);
            }
        }
    }

    /// Makes a commit that means nothing, and takes in what the lost batch may have left behind.
    fn probe(&mut self, connection: &Connection) -> Result<(), Error> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        settings::probe(connection)?;
        connection.execute_batch("COMMIT")?;
        self.catch_up(connection)
    }

    /// A commit that reported a failure may still have reached the disk.
    fn catch_up(&mut self, connection: &Connection) -> Result<(), Error> {
        let next_seq = log::last_seq(connection)?.map_or(1, |seq| seq.0 + 1);
        if next_seq != self.log.next_seq || self.log.access_in_doubt {
            self.log.next_seq = next_seq;
            rebuild(self.observer.as_mut(), connection)?;
            self.log.access_in_doubt = false;
            self.log.last_at.extend(self.log.open_at.drain());
        }
        self.log.open_at.clear();
        self.log.ahead = sandbox::all_ahead(connection)?;
        Ok(())
    }

    pub(super) fn adopt(&mut self, connection: Connection) {
        WAL_PAGES.set(0);
        connection.wal_hook(Some(|_, pages| {
            WAL_PAGES.set(u64::try_from(pages).unwrap_or(0));
            Ok(())
        }));
        self.condition.note_log();
        self.connection = Some(connection);
    }

    pub(super) fn note_failure(&mut self, what: &'static str, error: &Error) {
        tracing::error!(error = cause_chain(error), "{what}");
        if let Error::Sqlite(_) = error {
            self.metrics.storage_failed();
        }
        self.note_damage(error);
    }

    /// If SQLite said that the file is damaged, stops all writing and says what to do.
    fn note_damage(&mut self, error: &Error) {
        if error.is_of_damage() && self.condition.note_damage() {
            self.writable.store(false, Ordering::Relaxed);
            let findings = connection::open_read_only(&self.path)
                .ok()
                .and_then(|connection| audit::integrity(&connection).ok())
                .unwrap_or_default();
            tracing::error!(
                findings = findings.join("; "),
                "the database is damaged: writes are stopped; stop the server, run `stampcard \
                 verify`, and put a good copy of the file in place"
            );
        }
    }
}

fn savepoint(statements: &Statements<'_>, sql: &'static str) -> Result<(), Error> {
    statements::run(statements, sql, |statement| statement.execute([]))?;
    Ok(())
}
