//! The programs in which something is overdue, for readers: what they read lacks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;

use crate::domain::{ByNumber, ProgramNumber, Timestamp};

/// What is overdue in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late {
    /// When the first thing was due that is not applied yet, by the clock.
    pub(super) since: Timestamp,
    /// Whether it is being applied; otherwise it waits, because the program is not active.
    pub(super) is_sweeping: bool,
}

/// The programs that sweep, and those in which something due waits because they are not active.
/// Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Overdue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The number of programs, so that no lock is needed while there are none.
    count: AtomicUsize,
    programs: RwLock<ByNumber<ProgramNumber, Late>>,
}

impl Overdue {
    /// Notes what is overdue in a program; `None`: nothing. Only the writer does, so that nothing
    /// changes between the look and the change.
    pub(super) fn note(&self, program: ProgramNumber, late: Option<Late>) {
        if self.get(program) == late {
            return;
        }
        let mut programs = self.0.programs.write();
        match late {
            Some(late) => programs.insert(program, late),
            None => programs.remove(&program),
        };
        self.0.count.store(programs.len(), Ordering::Release);
    }

    /// What is overdue in a program.
    pub(super) fn get(&self, program: ProgramNumber) -> Option<Late> {
        if self.0.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.0.programs.read().get(&program).copied()
    }

    /// Whether something due waits in a program because it is not active.
    pub(super) fn waits(&self, program: ProgramNumber) -> bool {
        self.get(program).is_some_and(|late| !late.is_sweeping)
    }

    /// The programs in which something due waits because they are not active.
    pub(super) fn waiting(&self) -> Vec<ProgramNumber> {
        let programs = self.0.programs.read();
        let waiting = programs.iter().filter(|(_, late)| !late.is_sweeping);
        waiting.map(|(program, _)| *program).collect()
    }

    /// The number of programs that sweep.
    pub fn sweeps(&self) -> usize {
        let programs = self.0.programs.read();
        programs.values().filter(|late| late.is_sweeping).count()
    }

    /// Since when a program has something overdue.
    pub fn since(&self, program: ProgramNumber) -> Option<Timestamp> {
        self.get(program).map(|late| late.since)
    }

    /// Since when any program that sweeps has.
    pub fn oldest(&self) -> Option<Timestamp> {
        let programs = self.0.programs.read();
        let sweeping = programs.values().filter(|late| late.is_sweeping);
        sweeping.map(|late| late.since).min()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn programs_that_wait_are_behind_but_no_sweeps() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let late = |millis, is_sweeping| {
            let since = at(millis);
            Some(Late { since, is_sweeping })
        };
        let [one, two, three] = [1, 2, 3].map(ProgramNumber);
        let overdue = Overdue::default();
        overdue.note(one, late(10, false));
        overdue.note(two, late(30, true));
        overdue.note(three, None);
        let since = [one, two, three].map(|program| overdue.since(program));
        assert_eq!(since, [Some(at(10)), Some(at(30)), None]);
        assert_eq!((overdue.sweeps(), overdue.oldest()), (1, Some(at(30))));
        assert_eq!(overdue.waiting(), [one]);
        assert!(overdue.waits(one) && !overdue.waits(two) && !overdue.waits(three));
        overdue.note(one, late(10, true));
        assert_eq!((overdue.sweeps(), overdue.oldest()), (2, Some(at(10))));
        overdue.note(two, None);
        assert_eq!((overdue.since(two), overdue.waiting()), (None, vec![]));
        assert_eq!((overdue.sweeps(), overdue.oldest()), (1, Some(at(10))));
    }

    /// A request of a program must not wait for the writer, which notes something for every batch.
    #[test]
    fn what_changes_nothing_takes_no_lock_to_write() {
        let [one, two] = [1, 2].map(ProgramNumber);
        let since = Timestamp::from_millis(10).unwrap();
        let late = Some(Late {
            since,
            is_sweeping: false,
        });
        let overdue = Overdue::default();
        overdue.note(one, late);
        let reader = overdue.0.programs.read();
        let (done, is_done) = channel();
        let writer = overdue.clone();
        std::thread::spawn(move || {
            writer.note(two, None);
            writer.note(one, late);
            done.send(())
        });
        is_done.recv_timeout(Duration::from_secs(10)).unwrap();
        drop(reader);
        assert!(overdue.waits(one) && !overdue.waits(two));
    }
}
