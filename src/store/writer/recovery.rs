//! Recovery after a failure: the batch is forgotten, and a new connection is opened.

use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::observing::rebuild;
use super::state;
use super::thread::{WAL_PAGES, WriterThread};
use crate::store::file::connection;
use crate::store::tables::{sandbox, settings};
use crate::store::whole::audit;
use crate::store::{Error, OpenError};
use crate::telemetry::cause_chain;

impl WriterThread {
    /// Forgets the batch, whose outcome is not known. Its connection is not used again.
    pub(super) fn abandon(&mut self, connection: &Connection) {
        self.condition.forget_log();
        self.writable.store(false, Ordering::Relaxed);
        self.reschedule(&[], false);
        self.state.batch_lost();
        self.note_scrub();
        // It may have been rolled back already.
        let _ = connection.execute_batch("ROLLBACK");
    }

    /// Opens a new connection, and returns it if a commit works on it. Before that, it takes in
    /// what the lost batch may have left in the database.
    pub(super) fn recover(&mut self) -> Option<Connection> {
        if !self.condition.check() {
            return None;
        }
        let connection = match connection::open_writer(&self.path) {
            Ok(connection) => connection,
            Err(error) => {
                let cause = cause_chain(&error);
                tracing::warn!(error = cause, "the storage takes no writes yet");
                if let OpenError::Sqlite { source, .. } = error {
                    self.note_damage(&Error::Sqlite(source));
                }
                return None;
            }
        };
        match self.probe(&connection) {
            Ok(()) => {
                tracing::info!("the storage takes writes again");
                self.adopt(&connection);
                self.writable.store(true, Ordering::Relaxed);
                Some(connection)
            }
            Err(error) => {
                tracing::warn!(
                    error = cause_chain(&error),
                    "the storage takes no writes yet"
                );
                self.note_damage(&error);
                None
            }
        }
    }

    /// Makes a test commit, and takes in what the lost batch may have left in the database.
    fn probe(&mut self, connection: &Connection) -> Result<(), Error> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        settings::probe(connection)?;
        connection.execute_batch("COMMIT")?;
        self.catch_up(connection)
    }

    /// Takes in a lost batch that reached the disk although its commit reported a failure.
    fn catch_up(&mut self, connection: &Connection) -> Result<(), Error> {
        let next_seq = state::next_seq(connection)?;
        if next_seq != self.state.next_seq || self.state.access_in_doubt {
            self.state.next_seq = next_seq;
            rebuild(self.observer.as_mut(), connection)?;
            self.state.access_in_doubt = false;
            self.state.last_at.extend(self.state.open_at.drain());
        }
        self.state.open_at.clear();
        self.state.ahead = sandbox::all_ahead(connection)?;
        Ok(())
    }

    /// Prepares to write with this connection from now on.
    pub(super) fn adopt(&self, connection: &Connection) {
        WAL_PAGES.set(0);
        connection.wal_hook(Some(|_, pages| {
            WAL_PAGES.set(u64::try_from(pages).unwrap_or(0));
            Ok(())
        }));
        self.condition.note_log();
    }

    /// Logs a failure, and counts it if SQLite failed.
    pub(super) fn note_failure(&mut self, event: &'static str, error: &Error) {
        tracing::error!(error = cause_chain(error), "{event}");
        if let Error::Sqlite(_) = error {
            self.metrics.storage_failed();
        }
        self.note_damage(error);
    }

    /// Stops all writes and logs what to do if SQLite found the file damaged.
    fn note_damage(&mut self, error: &Error) {
        if error.is_damage() && self.condition.note_damage() {
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
