//! The writes that wait for the writing thread, in fair shares ([`Shares`]). Nobody waits for a
//! lock longer than it takes to put a write in or to take one out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{Job, WriteError};
use crate::store::Tenant;
use crate::store::shares::{Bounds, Shares, Ticket};

/// A write whose turn it is.
pub(super) type Turn = (Ticket, Box<dyn Job>);

/// What waiting came to.
pub(super) enum Waited {
    /// A write came.
    Turn(Turn),
    /// None came in time.
    TimedOut,
    /// None will come any more.
    Closed,
}

struct Queue {
    state: Mutex<State>,
    /// Rung for the thread, if it sleeps.
    bell: Condvar,
    bounds: Bounds,
}

struct State {
    shares: Shares<Box<dyn Job>>,
    is_closed: bool,
    is_asleep: bool,
}

/// Where writes are put in. The last one that is dropped closes the queue.
pub(super) struct Entrance(Arc<Queue>);

/// Where the thread takes them out. Whatever waits when it is dropped is given up.
pub(super) struct Exit(Arc<Queue>);

/// A queue with these bounds.
pub(super) fn queue(bounds: Bounds) -> (Entrance, Exit) {
    let queue = Arc::new(Queue {
        state: Mutex::new(State {
            shares: Shares::new(),
            is_closed: false,
            is_asleep: false,
        }),
        bell: Condvar::new(),
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
    /// Lets a write wait.
    ///
    /// # Errors
    /// [`WriteError::Overloaded`] if too much waits, [`WriteError::Unavailable`] once it is closed.
    pub(super) fn push(&self, tenant: Tenant, job: Box<dyn Job>) -> Result<(), WriteError> {
        let mut state = self.0.state.lock();
        if state.is_closed {
            return Err(WriteError::Unavailable);
        }
        let pushed = state.shares.push(tenant, self.0.bounds, job);
        let sleeps = std::mem::take(&mut state.is_asleep);
        drop(state);
        if sleeps {
            self.0.bell.notify_one();
        }
        pushed.map_err(|_| WriteError::Overloaded)
    }

    /// Takes no more; what waits is still carried out.
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
    fn close(&self) {
        self.state.lock().is_closed = true;
        self.bell.notify_one();
    }
}

impl Exit {
    /// The next write, if one waits, once it is said what the last one took.
    pub(super) fn take(&self, last: Option<(Ticket, Duration)>) -> Option<Turn> {
        let mut state = self.0.state.lock();
        if let Some((ticket, took)) = last {
            state.shares.charge(ticket, took);
        }
        state.shares.take(|_| true)
    }

    /// Says what a write took after which no other is taken at once.
    pub(super) fn charge(&self, ticket: Ticket, took: Duration) {
        self.0.state.lock().shares.charge(ticket, took);
    }

    /// Waits for the next write, for so long at most.
    pub(super) fn wait(&self, patience: Option<Duration>) -> Waited {
        let end = patience.map(|patience| Instant::now() + patience);
        let mut state = self.0.state.lock();
        loop {
            if let Some(turn) = state.shares.take(|_| true) {
                return Waited::Turn(turn);
            }
            if state.is_closed {
                return Waited::Closed;
            }
            state.is_asleep = true;
            match end {
                None => self.0.bell.wait(&mut state),
                Some(end) => {
                    if self.0.bell.wait_until(&mut state, end).timed_out() {
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
        let given_up = state.shares.drain();
        drop(state);
        // Whoever waits is told by the end of the other side.
        drop(given_up);
    }
}
