//! The programs in which something is overdue, for readers: what they read lacks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;

use crate::domain::{ByNumber, ProgramNumber, Timestamp};

/// When the first thing was due that is not applied yet, by the clock, of each program that sweeps,
/// or in which it waits because the program is not active. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Overdue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The number of programs, so that most requests need no lock.
    count: AtomicUsize,
    since: RwLock<Since>,
}

#[derive(Debug, Default)]
struct Since {
    sweeping: ByNumber<ProgramNumber, Timestamp>,
    /// Of the programs that are not active.
    waiting: ByNumber<ProgramNumber, Timestamp>,
}

impl Overdue {
    /// Notes since when a program has something overdue, which is being applied; `None`: it has
    /// nothing.
    pub(super) fn note(&self, program: ProgramNumber, since: Option<Timestamp>) {
        self.set(program, [since, None]);
    }

    /// Notes since when a program that is not active has something overdue.
    pub(super) fn note_waiting(&self, program: ProgramNumber, since: Timestamp) {
        self.set(program, [None, Some(since)]);
    }

    fn set(&self, program: ProgramNumber, since: [Option<Timestamp>; 2]) {
        if since == [None, None] && self.0.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut all = self.0.since.write();
        let Since { sweeping, waiting } = &mut *all;
        for (all, since) in [sweeping, waiting].into_iter().zip(since) {
            match since {
                Some(since) => all.insert(program, since),
                None => all.remove(&program),
            };
        }
        let count = all.sweeping.len() + all.waiting.len();
        self.0.count.store(count, Ordering::Release);
    }

    /// The number of programs that sweep.
    pub fn sweeps(&self) -> usize {
        self.0.since.read().sweeping.len()
    }

    /// Since when a program has something overdue.
    pub fn since(&self, program: ProgramNumber) -> Option<Timestamp> {
        if self.0.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let all = self.0.since.read();
        let since = all.sweeping.get(&program);
        since.or_else(|| all.waiting.get(&program)).copied()
    }

    /// Since when any program that sweeps has.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.0.since.read().sweeping.values().copied().min()
    }
}
