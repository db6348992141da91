//! A key in the directory, with the time of its last use.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;
use crate::store::credentials::CredentialRow;

/// A valid key and the time of its last use.
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

    /// Notes a use. It writes at most once a second, so that the threads that serve requests do not
    /// compete for the same cache line.
    pub(super) fn note_use(&self, second: i64) {
        if self.used.load(Ordering::Relaxed) < second {
            self.used.store(second, Ordering::Relaxed);
        }
    }

    /// Takes over the last use of the entry that this one replaces.
    pub(super) fn inherit(&self, before: &Self) {
        let used = before.used.load(Ordering::Relaxed);
        self.used.fetch_max(used, Ordering::Relaxed);
    }

    pub(super) fn last_used(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        Timestamp::from_millis(used).filter(|_| used > 0)
    }
}
