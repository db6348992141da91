//! The programs that sweep, for readers: what they read may lack what is due already.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;

use crate::domain::{ByNumber, ProgramNumber, Timestamp};

/// When the first thing was due that is not applied yet, by the clock, of each program that
/// sweeps. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Overdue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The number of programs, so that most requests need no lock.
    count: AtomicUsize,
    since: RwLock<ByNumber<ProgramNumber, Timestamp>>,
}

impl Overdue {
    /// Notes since when a program has something overdue; `None`: it has nothing.
    pub(super) fn note(&self, program: ProgramNumber, since: Option<Timestamp>) {
        if since.is_none() && self.count() == 0 {
            return;
        }
        let mut all = self.0.since.write();
        match since {
            Some(since) => all.insert(program, since),
            None => all.remove(&program),
        };
        self.0.count.store(all.len(), Ordering::Release);
    }

    /// The number of programs that sweep.
    pub fn count(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// Since when a program has something overdue.
    pub fn since(&self, program: ProgramNumber) -> Option<Timestamp> {
        if self.count() == 0 {
            return None;
        }
        self.0.since.read().get(&program).copied()
    }

    /// Since when any program has.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.0.since.read().values().copied().min()
    }
}
