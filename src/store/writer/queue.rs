//! The queue of writes for the writing thread, in fair shares ([`Shares`]). Its lock is held only
//! while a write is put in or taken out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::job::{Job, WriteError};
use crate::domain::ProgramNumber;
use crate::store::Tenant;
use crate::store::shares::{Bounds, Shares, Ticket};

/// What has a turn.
pub(super) enum Work {
    /// A write.
    Write(Box<dyn Job>),
    /// A slice of the sweep of a program.
    Slice(ProgramNumber),
}

/// The work that is next, and whose share it takes.
pub(super) type Turn = (Ticket, Work);

/// The result of waiting for work.
pub(super) enum Waited {
    /// There is some.
    Turn(Turn),
    /// None came in time.
    TimedOut,
    /// The queue is closed and empty.
    Closed,
}

struct Queue {
    state: Mutex<State>,
    /// Wakes the thread if it sleeps.
    wake: Condvar,
    bounds: Bounds,
    /// The number of writes that wait. It is changed only under the lock.
    writes: AtomicUsize,
}

struct State {
    shares: Shares<Work>,
    /// A slice that was taken and put back, which is next.
    next: Option<(Ticket, ProgramNumber)>,
    is_closed: bool,
    is_asleep: bool,
}

/// The end of the queue where writes are put in. Dropping it closes the queue.
pub(super) struct Entrance(Arc<Queue>);

/// The end of the queue where the thread takes writes out. Dropping it drops the writes that wait.
pub(super) struct Exit(Arc<Queue>);

/// Tells without a lock whether a write waits.
pub(super) struct Waiting(Arc<Queue>);

impl Waiting {
    /// Whether a write waits.
    pub(super) fn any(&self) -> bool {
        self.0.writes.load(Ordering::Relaxed) > 0
    }
}

/// A queue with these bounds.
pub(super) fn queue(bounds: Bounds) -> (Entrance, Exit) {
    let queue = Arc::new(Queue {
        state: Mutex::new(State {
            shares: Shares::new(),
            next: None,
            is_closed: false,
            is_asleep: false,
        }),
        wake: Condvar::new(),
        bounds,
        writes: AtomicUsize::new(0),
    });
    (Entrance(Arc::clone(&queue)), Exit(queue))
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entrance")
    }
}

impl Entrance {
    /// Puts a write into the queue.
    ///
    /// # Errors
    /// [`WriteError::Overloaded`] if too many wait, [`WriteError::Unavailable`] if it is closed.
    pub(super) fn push(&self, tenant: Tenant, job: Box<dyn Job>) -> Result<(), WriteError> {
        let mut state = self.0.state.lock();
        if state.is_closed {
            return Err(WriteError::Unavailable);
        }
        let pushed = state.shares.push(tenant, self.0.bounds, Work::Write(job));
        if pushed.is_ok() {
            self.0.writes.fetch_add(1, Ordering::Relaxed);
        }
        let was_asleep = std::mem::take(&mut state.is_asleep);
        drop(state);
        if was_asleep {
            self.0.wake.notify_one();
        }
        pushed.map_err(|_| WriteError::Overloaded)
    }

    /// Refuses further writes; those that wait are still carried out.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Queue {
    fn take(&self, state: &mut State) -> Option<Turn> {
        if let Some((ticket, program)) = state.next.take() {
            return Some((ticket, Work::Slice(program)));
        }
        let turn = state.shares.take(|_| true);
        if let Some((_, Work::Write(_))) = turn {
            self.writes.fetch_sub(1, Ordering::Relaxed);
        }
        turn
    }

    fn close(&self) {
        self.state.lock().is_closed = true;
        self.wake.notify_one();
    }
}

impl Exit {
    /// Charges what the last write took, and takes the next one if one waits.
    pub(super) fn take(&self, last: Option<(Ticket, Duration)>) -> Option<Turn> {
        let mut state = self.0.state.lock();
        if let Some((ticket, took)) = last {
            state.shares.charge(ticket, took);
        }
        self.0.take(&mut state)
    }

    /// Puts a slice back that was just taken. It keeps its turn: it is the next that is taken.
    pub(super) fn put_next(&self, ticket: Ticket, program: ProgramNumber) {
        self.0.state.lock().next = Some((ticket, program));
    }

    /// Tells whether a write waits.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting(Arc::clone(&self.0))
    }

    /// Charges what a write took that is the last of its batch.
    pub(super) fn charge(&self, ticket: Ticket, took: Duration) {
        self.0.state.lock().shares.charge(ticket, took);
    }

    /// Adds a slice of the sweep of a program.
    pub(super) fn put_slice(&self, tenant: Tenant, program: ProgramNumber) {
        let work = Work::Slice(program);
        self.0.state.lock().shares.put_last(tenant, work);
    }

    /// Puts writes back that were taken, before those of their program that still wait.
    pub(super) fn put_back(
        &self,
        tenant: Tenant,
        jobs: impl DoubleEndedIterator<Item = Box<dyn Job>>,
    ) {
        let mut state = self.0.state.lock();
        for job in jobs.rev() {
            state.shares.put_first(tenant, Work::Write(job));
            self.0.writes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether no further writes come.
    pub(super) fn is_closed(&self) -> bool {
        self.0.state.lock().is_closed
    }

    /// Waits for the next write, at most for a given time.
    pub(super) fn wait(&self, patience: Option<Duration>) -> Waited {
        let end = patience.map(|patience| Instant::now() + patience);
        let mut state = self.0.state.lock();
        loop {
            if let Some(turn) = self.0.take(&mut state) {
                return Waited::Turn(turn);
            }
            if state.is_closed {
                return Waited::Closed;
            }
            state.is_asleep = true;
            match end {
                None => self.0.wake.wait(&mut state),
                Some(end) => {
                    if self.0.wake.wait_until(&mut state, end).timed_out() {
                        state.is_asleep = false;
                        if state.shares.is_empty() && !state.is_closed {
                            return Waited::TimedOut;
                        }
                    }
                }
            }
        }
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.is_closed = true;
        let given_up = (state.next.take(), state.shares.drain());
        drop(state);
        // The callers notice that the other end of their channel is dropped.
        drop(given_up);
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::{Timing, job};
    use super::*;
    use crate::domain::{Environment, OrganizationNumber};

    fn tenant(number: i64) -> Tenant {
        Tenant::Program {
            organization: OrganizationNumber(number),
            program: ProgramNumber(number),
            environment: Environment::Live,
        }
    }

    #[test]
    fn writes_wait_from_when_they_are_put_in_until_they_are_taken_and_slices_do_not() {
        let (entrance, exit) = queue(Bounds::new(2, 100));
        let waiting = exit.waiting();
        let push = || entrance.push(tenant(1), job(Timing::default(), |_| Ok(())).0);
        exit.put_slice(tenant(2), ProgramNumber(2));
        assert!(!waiting.any());
        push().unwrap();
        assert_eq!(push(), Err(WriteError::Overloaded));
        assert!(waiting.any());
        let (ticket, work) = exit.take(None).unwrap();
        assert!(matches!(work, Work::Slice(_)) && waiting.any());
        exit.put_next(ticket, ProgramNumber(2));
        assert!(matches!(exit.take(None), Some((_, Work::Slice(_)))) && waiting.any());
        let Some((_, Work::Write(write))) = exit.take(None) else {
            panic!("the write is next");
        };
        assert!(!waiting.any(), "a refused write does not wait");
        exit.put_back(tenant(1), [write].into_iter());
        assert!(waiting.any());
        let waited = exit.wait(Some(Duration::ZERO));
        assert!(matches!(waited, Waited::Turn((_, Work::Write(_)))) && !waiting.any());
    }

    #[test]
    fn a_slice_that_is_put_back_is_next_whatever_came_meanwhile() {
        let (_entrance, exit) = queue(Bounds::new(8, 50));
        let add = |number| exit.put_slice(tenant(number), ProgramNumber(number));
        let next = || match exit.wait(Some(Duration::ZERO)) {
            Waited::Turn((ticket, Work::Slice(program))) => Some((ticket, program)),
            _ => None,
        };
        add(1);
        add(2);
        let (ticket, program) = next().unwrap();
        exit.put_next(ticket, program);
        exit.charge(ticket, Duration::from_secs(1));
        add(3);
        let order: Vec<_> = std::iter::from_fn(|| next().map(|(_, program)| program.0)).collect();
        assert_eq!(order, [1, 2, 3]);
    }
}
