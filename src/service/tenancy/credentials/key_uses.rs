//! The time when each key was last used. A request notes the time of the last tick, which costs
//! nothing measurable; every few minutes, new uses are saved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::directory::Directory;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::service::writer::UpkeepWriter;
use crate::store::{self, Transaction};
use crate::telemetry::cause_chain;

/// Interval between two saves; the uses of this interval are lost if the process is killed.
const SAVE_EVERY: Duration = Duration::from_mins(5);

/// Saves the times when keys were last used.
#[derive(Debug)]
pub(in crate::service) struct KeyUses {
    directory: Arc<Directory>,
    clock: Clock,
    writer: UpkeepWriter,
    /// Uses before this time are saved.
    since: Timestamp,
    written: Instant,
}

impl KeyUses {
    pub(in crate::service) fn new(
        directory: Arc<Directory>,
        clock: Clock,
        writer: UpkeepWriter,
    ) -> Self {
        let since = clock.now();
        directory.tick(since);
        Self {
            directory,
            clock,
            writer,
            since,
            written: Instant::now(),
        }
    }

    /// Passes the current time to the directory.
    pub(in crate::service) fn tick(&self) {
        self.directory.tick(self.clock.now());
    }

    /// Saves new uses if the last save is long enough ago.
    pub(in crate::service) fn write_if_due(&mut self) {
        if self.written.elapsed() >= SAVE_EVERY {
            self.write();
        }
    }

    /// Saves new uses.
    pub(in crate::service) fn write(&mut self) {
        self.written = Instant::now();
        // Uses from now on, even within this second, belong to the next save.
        let now = self.clock.now();
        let uses = self.directory.used_since(self.since);
        if uses.is_empty() {
            return;
        }
        let written = self.writer.write_blocking(move |tx: &mut Transaction<'_>| {
            store::credentials::set_last_used(tx, &uses)
        });
        match written {
            Ok(()) => self.since = now.saturating_sub(Duration::from_secs(2)),
            Err(error) => tracing::warn!(
                error = cause_chain(&error),
                "the last uses of keys could not be saved"
            ),
        }
    }
}
