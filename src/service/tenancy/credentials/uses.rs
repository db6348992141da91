//! When each key was last used. A request notes the second that the clock was last looked at in, so
//! that noting costs nothing that could be measured; every few minutes what is new is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::Directory;
use crate::clock::Clock;
use crate::domain::{CredentialNumber, Timestamp};
use crate::service::writer::UpkeepWriter;
use crate::store::credentials::{CredentialRow, KeyHash};
use crate::store::{self, Transaction};
use crate::telemetry::cause_chain;

/// How often it is written down; a process that is killed loses so much at most.
const WRITE_EVERY: Duration = Duration::from_mins(5);

/// A key that is good, and when it was last used.
#[derive(Debug)]
pub(super) struct HeldKey {
    pub(super) row: CredentialRow,
    /// In Unix milliseconds; 0 is never.
    used: AtomicI64,
}

impl HeldKey {
    pub(super) fn new(row: CredentialRow) -> Self {
        let used = row.last_used_at.map_or(0, Timestamp::as_millis);
        Self {
            row,
            used: AtomicI64::new(used),
        }
    }

    /// Notes a use. It writes only once a second, so that the threads that serve requests do not
    /// take the same line of memory from each other.
    pub(super) fn note_use(&self, second: i64) {
        if self.used.load(Ordering::Relaxed) < second {
            self.used.store(second, Ordering::Relaxed);
        }
    }

    /// Takes over the uses of the same key as it was held before.
    pub(super) fn inherit(&self, before: &Self) {
        let used = before.used.load(Ordering::Relaxed);
        self.used.fetch_max(used, Ordering::Relaxed);
    }

    fn last_used(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        Timestamp::from_millis(used).filter(|_| used > 0)
    }
}

impl Directory {
    /// Says what time it is, for the uses that are noted from here on.
    pub(in crate::service) fn tick(&self, now: Timestamp) {
        self.second.store(now.as_millis(), Ordering::Relaxed);
    }

    /// When a key that is good was last used.
    pub(in crate::service) fn last_used(&self, key: &KeyHash) -> Option<Timestamp> {
        self.state.read().keys.get(key)?.last_used()
    }

    fn used_since(&self, since: Timestamp) -> Vec<(CredentialNumber, Timestamp)> {
        let state = self.state.read();
        let uses = state.keys.values();
        uses.filter_map(|key| Some((key.row.number, key.last_used()?)))
            .filter(|(_, at)| *at >= since)
            .collect()
    }
}

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
