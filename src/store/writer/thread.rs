//! The writing thread: it runs the writes that wait in batches, and commits each batch once.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::checkpoints::Checkpointer;
use super::job::{Job, WriteError};
use super::observing::{self, Committed, Observer};
use super::queue::{Exit, Turn, Waited, Work};
use super::state::State;
use super::statements::{self, Statements};
use super::sweeps::Sweeps;
use super::times::ApplyDue;
use super::transaction::Transaction;
use crate::books::Published;
use crate::domain::Timestamp;
use crate::store::answers::key_index::Segment;
use crate::store::answers::stored_index;
use crate::store::file::condition::Condition;
use crate::store::file::scrub::Scrubber;
use crate::store::{Error, Lock, Readership};
use crate::telemetry::Metrics;

/// The most writes in one commit.
const BATCH_MAX: usize = 256;
/// How long the writes of several organizations may take before they are committed, so that no
/// organization waits long for a commit because another one writes much.
const SHARED_BATCH: Duration = Duration::from_millis(2);
/// Writes after which the thread yields to readers, if there are any.
const YIELD_AFTER: usize = 4;
/// How long the queue must be empty before the thread does its chores.
pub(super) const IDLE: Duration = Duration::from_secs(1);

thread_local! {
    /// Pages in the write-ahead log after the last commit on this thread. SQLite's hook takes a
    /// plain function, so this is how the number reaches the writer.
    pub(super) static WAL_PAGES: Cell<u64> = const { Cell::new(0) };
}

/// A job of a batch, and its outcome.
pub(super) type Ran = (Box<dyn Job>, Result<(), WriteError>);

pub(super) struct WriterThread {
    pub(super) path: PathBuf,
    pub(super) state: State,
    /// The published books.
    pub(super) books: Published,
    pub(super) jobs: Exit,
    pub(super) sweeps: Sweeps,
    pub(super) apply_due: ApplyDue,
    /// Whether everything was applied that was due at the start.
    pub(super) is_settled: Arc<AtomicBool>,
    /// When the last batch ended.
    pub(super) last_batch: Instant,
    pub(super) observer: Box<dyn Observer>,
    pub(super) writable: Arc<AtomicBool>,
    /// Once the file is lost, no write is tried again.
    pub(super) condition: Condition,
    /// Whether anything was committed since the last full checkpoint.
    pub(super) dirty: bool,
    /// When the write-ahead log is emptied although writes go on, because it holds erased words.
    pub(super) truncate_at: Option<Instant>,
    pub(super) scrubber: Scrubber,
    /// The hour in which all expired idempotency records were last deleted.
    pub(super) purged_hour: i64,
    pub(super) checkpointer: Checkpointer,
    pub(super) readership: Readership,
    pub(super) wal_pages_max: u64,
    pub(super) retention: Duration,
    pub(super) metrics: Metrics,
    /// Held as long as this thread may write.
    pub(super) _lock: Lock,
}

/// Why a connection is not used any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The queue was closed.
    Closed,
    /// A batch failed.
    Failed,
}

impl WriterThread {
    /// Writes until the queue is closed: with this connection and, after failures, with others.
    pub(super) fn run(mut self, connection: Connection) {
        let mut open = Some((connection, None));
        let mut last = None;
        while let Some((connection, first)) = open.take() {
            match self.serve(&connection, first) {
                Ended::Closed => last = Some(connection),
                Ended::Failed => {
                    drop(connection);
                    open = self.await_recovery();
                }
            }
        }
        // Only one thread can move pages at a time.
        self.checkpointer.stop();
        if let Some(connection) = &last {
            self.finish_scrub(connection);
            self.checkpoint_all(connection);
        }
        // Before the connection is closed, which may delete the log.
        self.condition.forget_log();
    }

    /// Writes with a connection, whose statements stay prepared.
    fn serve(&mut self, connection: &Connection, mut first: Option<Turn>) -> Ended {
        let statements = Statements::new(connection);
        self.reschedule_all();
        self.resume_sweeps();
        loop {
            self.wake_due(connection);
            self.note_settled();
            let waited = match first.take() {
                Some(turn) => Waited::Turn(turn),
                None => self.jobs.wait(self.wait()),
            };
            match waited {
                Waited::Turn(turn) => {
                    if !self.batch(&statements, turn) {
                        return Ended::Failed;
                    }
                }
                // If something is due now, the next turn is a slice.
                Waited::TimedOut => self.tidy(connection),
                Waited::Closed => return Ended::Closed,
            }
        }
    }

    /// Waits for a new connection that works, and refuses the writes that come before. Returns it
    /// with the write that came last, or `None` if the queue was closed.
    fn await_recovery(&mut self) -> Option<(Connection, Option<Turn>)> {
        self.refuse_waiting();
        loop {
            let turn = match self.jobs.wait(Some(IDLE)) {
                Waited::Turn(turn) => Some(turn),
                Waited::TimedOut => None,
                Waited::Closed => return None,
            };
            if let Some(connection) = self.recover() {
                return Some((connection, turn));
            }
            if let Some((_, work)) = turn {
                self.note_taken(&work);
                self.decline(work);
            }
        }
    }

    /// Counts work that left the queue, if it is a write.
    fn note_taken(&self, work: &Work) {
        if matches!(work, Work::Write(_)) {
            self.metrics.taken();
        }
    }

    /// Does not carry out work, because the storage takes no writes.
    fn decline(&mut self, work: Work) {
        match work {
            Work::Write(job) => job.finish(Err(WriteError::Unavailable)),
            Work::Slice(program) => {
                self.lose_slice(program);
                self.postpone(program);
            }
        }
    }

    /// How long the queue must be empty before there are chores; `None` if there are none.
    fn wait(&self) -> Option<Duration> {
        let idle = self.last_batch.elapsed();
        let chores = self.dirty.then(|| IDLE.saturating_sub(idle));
        let due = self.wait_for_due();
        self.scrubber
            .wait()
            .into_iter()
            .chain(chores)
            .chain(due)
            .min()
    }

    /// Runs a job and all others that wait, in one commit. Returns false if the connection must
    /// not be used again.
    fn batch(&mut self, statements: &Statements<'_>, first: Turn) -> bool {
        self.note_taken(&first.1);
        let connection = statements.connection();
        if !self.has_room(connection) {
            self.decline(first.1);
            return true;
        }
        if let Err(error) = statements::run(statements, "BEGIN IMMEDIATE", |s| s.execute([])) {
            self.note_failure("a transaction could not begin", &Error::Sqlite(error));
            self.abandon(connection);
            self.decline(first.1);
            return false;
        }
        self.begin_sweeps();
        let mut ran: Vec<Ran> = Vec::new();
        let intact = self.run_batch(statements, first, &mut ran);
        let is_committed = intact && self.commit(statements, ran.len());
        if is_committed {
            self.publish(connection);
            self.count_applied();
            for (job, outcome) in ran {
                job.finish(outcome);
            }
            self.between_batches(connection);
        } else {
            self.abandon(connection);
            for (job, _) in ran {
                job.finish(Err(WriteError::Unavailable));
            }
        }
        self.readership.yield_to_readers();
        self.last_batch = Instant::now();
        is_committed
    }

    /// Runs a job and the next ones of the queue, up to the size of a batch. Returns false if the
    /// whole transaction is lost.
    fn run_batch(&mut self, statements: &Statements<'_>, first: Turn, ran: &mut Vec<Ran>) -> bool {
        let mut begun = Instant::now();
        let (mut holder, mut is_shared) = (None, false);
        let (mut since, mut turn) = (begun, first);
        loop {
            let (ticket, work) = turn;
            let own = Some(ticket.holder()).filter(|holder| !holder.is_upkeep());
            is_shared |= own.is_some() && holder.is_some() && own != holder;
            holder = holder.or(own);
            let is_slice = matches!(work, Work::Slice(_));
            let intact = match work {
                Work::Write(job) => self.run_write(statements, job, ran),
                Work::Slice(program) => self.run_slice(statements, program),
            };
            let now = Instant::now();
            let took = now - since;
            if is_slice {
                // It comes first, and the writes that follow have their own time.
                begun = now;
            }
            let is_long = is_shared && now - begun > SHARED_BATCH || self.sweeps.ends_batch;
            if !intact || is_long || ran.len() >= BATCH_MAX {
                self.jobs.charge(ticket, took);
                return intact;
            }
            since = now;
            if ran.len().is_multiple_of(YIELD_AFTER) && self.readership.yield_to_readers() {
                since = Instant::now();
            }
            match self.jobs.take(Some((ticket, took))) {
                // What waits for this commit need not wait for a slice, too.
                Some((ticket, Work::Slice(program))) => {
                    self.jobs.put_next(ticket, program);
                    return true;
                }
                Some(next) => {
                    self.note_taken(&next.1);
                    turn = next;
                }
                None => return true,
            }
        }
    }

    /// Whether the file is in its place and its write-ahead log is within its limit.
    fn has_room(&mut self, connection: &Connection) -> bool {
        if !self.condition.check() {
            return false;
        }
        if WAL_PAGES.get() > self.wal_pages_max {
            self.checkpoint_passive(connection);
            if WAL_PAGES.get() > self.wal_pages_max {
                self.writable.store(false, Ordering::Relaxed);
                tracing::error!(
                    wal_pages = WAL_PAGES.get(),
                    "the write-ahead log is past its limit because a reader holds it; writes are \
                     refused until it can be checkpointed"
                );
                return false;
            }
        }
        true
    }

    /// Runs a job, which happens when the clock shows `now` if the clock was read for it already.
    /// Returns false if the whole transaction is lost.
    pub(super) fn run_job(
        &mut self,
        statements: &Statements<'_>,
        (mut job, now): (Box<dyn Job>, Option<Timestamp>),
        ran: &mut Vec<Ran>,
    ) -> bool {
        let (outcome, is_intact) = self.attempt(statements, now, |tx| job.run(tx));
        ran.push((job, outcome));
        is_intact
    }

    /// Runs `work` in a savepoint. Returns its outcome, and false if the whole transaction is lost.
    pub(super) fn attempt<T>(
        &mut self,
        statements: &Statements<'_>,
        now: Option<Timestamp>,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> (Result<T, WriteError>, bool) {
        let connection = statements.connection();
        let mut tx = Transaction::begin((connection, statements), &mut self.state, now);
        let result = match catch_unwind(AssertUnwindSafe(|| work(&mut tx))) {
            Ok(Ok(value)) => Ok(Ok(value)),
            Ok(Err(error)) => tx.undo().map(|()| Err(Some(error))),
            Err(_) => {
                self.metrics.panicked();
                tx.undo().map(|()| Err(None))
            }
        };
        let result = result.and_then(|result| {
            let ended = catch_unwind(AssertUnwindSafe(|| tx.end()));
            ended.unwrap_or(Err(Error::Irrevocable)).map(|()| result)
        });
        // A full disk or an I/O error may end the transaction.
        let is_intact = !connection.is_autocommit();
        match result {
            Ok(Ok(value)) => (Ok(value), is_intact),
            Ok(Err(None)) => (Err(WriteError::Failed), is_intact),
            Ok(Err(Some(Error::Overdue))) => (Err(WriteError::Overloaded), is_intact),
            Ok(Err(Some(error))) if !error.is_storage_failure() => {
                self.note_failure("a write failed", &error);
                (Err(WriteError::Failed), is_intact)
            }
            Ok(Err(Some(error))) => {
                self.note_failure("a write failed", &error);
                let is_lost = !is_intact || self.condition.loss().is_some();
                (Err(WriteError::Unavailable), !is_lost)
            }
            Err(error) => {
                self.note_failure("a write could not be undone", &error);
                (Err(WriteError::Unavailable), false)
            }
        }
    }

    fn commit(&mut self, statements: &Statements<'_>, writes: usize) -> bool {
        let start = Instant::now();
        self.state.settings.end_batch();
        self.state.rules.end_batch();
        if !self.condition.check() {
            return false;
        }
        let segment = match self.close_segment(statements.connection()) {
            Ok(segment) => segment,
            Err(error) => {
                self.note_failure("a segment of idempotency keys could not be written", &error);
                return false;
            }
        };
        match statements::run(statements, "COMMIT", |s| s.execute([])) {
            Ok(_) => {
                if let Some(segment) = segment {
                    self.state.keys.closed(segment);
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

    /// Writes a segment of idempotency keys once there are enough for one.
    fn close_segment(&self, connection: &Connection) -> Result<Option<Segment>, Error> {
        let keys = &self.state.keys;
        keys.is_full()
            .then(|| stored_index::close_segment(connection, keys))
            .transpose()
    }

    /// Passes the changes of a commit to the observer.
    fn publish(&mut self, connection: &Connection) {
        let clocks_changed = self.state.clocks_changed;
        let changes = self.state.batch_committed();
        self.note_scrub();
        let committed = Committed {
            activities: &changes.activities,
            draft: &self.state.draft,
            access: &changes.access,
            announced: &changes.announced,
            due: &changes.due,
            webhooks_changed: changes.webhooks_changed,
        };
        observing::publish(self.observer.as_mut(), connection, &committed);
        self.reschedule(&changes.access, clocks_changed);
        self.state.draft.clear();
    }

    /// Takes note once everything is applied that was due at the start.
    pub(super) fn note_settled(&self) {
        if !self.is_settled.load(Ordering::Relaxed) && self.sweeps.is_over(&self.state.clock) {
            self.is_settled.store(true, Ordering::Release);
        }
    }
}
