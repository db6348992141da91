//! Chores of the writer between batches and while it is idle: it moves pages of the write-ahead log
//! into the file, deletes expired idempotency records and bytes of files, and overwrites what an
//! erasure left in pages.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::checkpoints::{Moved, checkpoint};
use super::tally::Counted;
use super::thread::{IDLE, WAL_PAGES, WriterThread};
use crate::domain::Timestamp;
use crate::store::Error;
use crate::store::answers::idempotency;
use crate::store::tables::{attachments, removals, settings};

/// The number of pages in the write-ahead log above which they are moved into the file (16 MiB).
const CHECKPOINT_PAGES: u64 = 4096;
/// How long a stop may continue to scrub after an erasure; the next start does the rest.
const SCRUB_AT_STOP: Duration = Duration::from_secs(5);
/// Expired idempotency records deleted in one transaction.
const PURGE_STEP: usize = 2000;

impl WriterThread {
    /// Does the chores that are due after a batch.
    pub(super) fn between_batches(&mut self, connection: &Connection) {
        self.move_pages(connection);
        if self.scrubber.wait().is_some_and(|wait| wait.is_zero()) {
            self.scrub(connection);
        }
        self.truncate_if_due(connection);
        let now = self.state.clock.now();
        if now.hour() != self.purged_hour {
            self.purge(connection, now);
        }
    }

    /// Does the chores that are due while the queue is empty.
    pub(super) fn tidy(&mut self, connection: &Connection) {
        if self.scrubber.wait().is_some_and(|wait| wait.is_zero()) {
            self.scrub(connection);
            self.move_pages(connection);
        }
        if self.dirty && !self.is_scrubbing() && self.last_batch.elapsed() >= IDLE {
            self.checkpoint_all(connection);
        }
    }

    /// Whether the next step of scrubbing is due soon.
    fn is_scrubbing(&self) -> bool {
        self.scrubber.wait().is_some_and(|wait| wait < IDLE / 2)
    }

    /// Requests that pages are moved from the write-ahead log into the file once there are many.
    fn move_pages(&mut self, connection: &Connection) {
        if self.checkpointer.take_moved() {
            self.checkpoint_passive(connection);
        } else if WAL_PAGES.get() > CHECKPOINT_PAGES {
            self.checkpointer.request();
        }
    }

    /// Notifies the scrubber of a batch.
    pub(super) fn note_scrub(&mut self) {
        self.scrubber.disturb();
        if std::mem::take(&mut self.state.erasures) > 0 {
            self.scrubber.want();
        }
    }

    /// Does one step of scrubbing.
    fn scrub(&mut self, connection: &Connection) {
        if !self.condition.check() {
            return;
        }
        if WAL_PAGES.get() > self.wal_pages_max / 2 {
            // A reader holds the log. The rest of it is reserved for writes.
            self.scrubber.postpone();
            return;
        }
        self.dirty = true;
        match self.scrubber.step(connection) {
            Ok(true) => {
                self.truncate_at = Some(Instant::now());
                self.truncate_if_due(connection);
            }
            Ok(false) => {}
            Err(error) => self.note_failure("scrubbing after an erasure failed", &error),
        }
    }

    /// Continues to scrub for a limited time.
    pub(super) fn finish_scrub(&mut self, connection: &Connection) {
        let start = Instant::now();
        while self.is_scrubbing() && start.elapsed() < SCRUB_AT_STOP {
            self.scrub(connection);
            if WAL_PAGES.get() > CHECKPOINT_PAGES {
                self.checkpoint_passive(connection);
            }
        }
    }

    /// Empties the write-ahead log once scrubbing is done; tries again later if a reader is in the
    /// way.
    fn truncate_if_due(&mut self, connection: &Connection) {
        if self.truncate_at.is_some_and(|at| at <= Instant::now()) {
            self.checkpoint_all(connection);
            self.truncate_at = self.dirty.then(|| Instant::now() + IDLE);
        }
    }

    /// Deletes a limited number of expired idempotency records and of files to discard, and the
    /// expired hashes of erased members.
    fn purge(&mut self, connection: &Connection, now: Timestamp) {
        if !self.condition.check() {
            return;
        }
        let created_until = now.saturating_sub(self.retention);
        let purged = removals::purge(connection, created_until)
            .and_then(|()| idempotency::purge(connection, created_until, PURGE_STEP));
        let purged = match purged {
            Ok(purged) => purged,
            Err(error) => {
                self.note_failure("expired idempotency records could not be deleted", &error);
                return;
            }
        };
        self.state.keys.forget_up_to(purged.up_to);
        match self.discard_files(connection, now) {
            Ok(has_more) if !has_more && !purged.has_more => self.purged_hour = now.hour(),
            Ok(_) => {}
            Err(error) => self.note_failure("bytes of files could not be deleted", &error),
        }
    }

    /// Deletes bytes of unfinished uploads, and of erased members if the request did not do it.
    /// Returns whether there may be more.
    fn discard_files(&mut self, connection: &Connection, now: Timestamp) -> Result<bool, Error> {
        let tx = connection.unchecked_transaction()?;
        let discarded = attachments::discard(&tx, now)?;
        if discarded.has_erased {
            settings::want_scrub(&tx)?;
        }
        tx.commit()?;
        for (program, day, size) in discarded.uploads {
            let changed = [Counted::Attached(program, day), Counted::AttachedInAll];
            for what in changed {
                self.state.tally.change(what, -size);
            }
        }
        if discarded.has_erased {
            self.scrubber.want();
        }
        Ok(discarded.has_more)
    }

    /// Moves pages from the write-ahead log into the file. Once all of them are moved, SQLite
    /// overwrites the log from its start.
    pub(super) fn checkpoint_passive(&mut self, connection: &Connection) {
        match checkpoint(connection) {
            Ok(Moved::All) => WAL_PAGES.set(0),
            Ok(Moved::Some) => {}
            Err(error) => self.note_failure("a checkpoint failed", &Error::Sqlite(error)),
        }
    }

    /// Moves the whole write-ahead log into the file and empties it, unless a reader is in the way.
    pub(super) fn checkpoint_all(&mut self, connection: &Connection) {
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
                // The reader that held the log past its limit is gone.
                let is_sound = self.condition.loss().is_none();
                self.writable.store(is_sound, Ordering::Relaxed);
            }
            // A reader is in the way: the next idle moment tries again.
            Ok(_) => {}
            Err(error) => {
                self.note_failure("a checkpoint failed", &Error::Sqlite(error));
                self.dirty = false;
            }
        }
    }
}
