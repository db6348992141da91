//! When each key was last used. A request notes the second that the clock was last looked at in, so
//! that noting costs nothing that could be measured; every few minutes what is new is written down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::directory::Directory;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::service::writer::UpkeepWriter;
use crate::store::{self, Transaction};
use crate::telemetry::cause_chain;

/// How often it is written down; a process that is killed loses so much at most.
const WRITE_EVERY: Duration = Duration::from_mins(5);

/// Writes down when keys were last used.
#[derive(Debug)]
pub(in crate::service) struct KeyUses {
    directory: Arc<Directory>,
    clock: Clock,
    writer: UpkeepWriter,
    /// Earlier uses are written down.
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

    /// Says what time it is.
    pub(in crate::service) fn tick(&self) {
        self.directory.tick(self.clock.now());
    }

    /// Writes down what is new, if the last time is long enough ago.
    pub(in crate::service) fn write_if_due(&mut self) {
        if self.written.elapsed() >= WRITE_EVERY {
            self.write();
        }
    }

    /// Writes down what is new.
    pub(in crate::service) fn write(&mut self) {
        self.written = Instant::now();
        // What is used from here on, within this same second too, is new the next time.
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
                "when keys were last used could not be written down"
            ),
        }
    }
}
