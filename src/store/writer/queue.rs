//! The queue of writes for the writing thread, in fair shares ([`Shares`]). Its lock is held only
//! while a write is put in or taken out.

use std::sync::Arc;
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
}

struct State {
    shares: Shares<Work>,
    /// Work that was taken and put back, which is next.
    next: Option<Turn>,
    is_closed: bool,
    is_asleep: bool,
}

/// The end of the queue where writes are put in. Dropping it closes the queue.
pub(super) struct Entrance(Arc<Queue>);

/// The end of the queue where the thread takes writes out. Dropping it drops the writes that wait.
pub(super) struct Exit(Arc<Queue>);

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

impl State {
    fn take(&mut self) -> Option<Turn> {
        self.next.take().or_else(|| self.shares.take(|_| true))
    }
}

impl Queue {
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
        state.take()
    }

    /// Puts work back that was just taken. It keeps its turn: it is the next that is taken.
    pub(super) fn put_next(&self, turn: Turn) {
        self.0.state.lock().next = Some(turn);
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
            if let Some(turn) = state.take() {
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
    use super::*;
    use crate::domain::{Environment, OrganizationNumber};

    #[test]
    fn work_that_is_put_back_is_next_whatever_came_meanwhile() {
        let (_entrance, exit) = queue(Bounds::new(8, 50));
        let add = |number| {
            let program = ProgramNumber(number);
            let organization = OrganizationNumber(number);
            let environment = Environment::Live;
            let tenant = Tenant::Program {
                organization,
                program,
                environment,
            };
            exit.put_slice(tenant, program);
        };
        let next = || match exit.wait(Some(Duration::ZERO)) {
            Waited::Turn((ticket, Work::Slice(program))) => Some((ticket, program)),
            _ => None,
        };
        add(1);
        add(2);
        let (ticket, program) = next().unwrap();
        exit.put_next((ticket, Work::Slice(program)));
        exit.charge(ticket, Duration::from_secs(1));
        add(3);
        let order: Vec<_> = std::iter::from_fn(|| next().map(|(_, program)| program.0)).collect();
        assert_eq!(order, [1, 2, 3]);
    }
}
