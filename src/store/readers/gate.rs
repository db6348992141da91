//! The gate of the reading connections, which decides who reads next.
//!
//! No organization may hold all connections: one of them holds at most all except one, and no more
//! than there are processors; and so does the sandbox as a whole. Waiting reads get a connection in
//! fair shares ([`Shares`]), no matter how many each organization has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::store::shares::{Bounds, Holder, Shares, Ticket};
use crate::store::{Error, Tenant};

#[derive(Debug)]
pub(in crate::store) struct Gate {
    state: Mutex<State>,
    /// The number of connections.
    all: usize,
    /// The number of connections that one organization, or the sandbox, may hold.
    most: usize,
    bounds: Bounds,
    /// How long a read waits.
    patience: Duration,
}

#[derive(Debug)]
struct State {
    waiting: Shares<oneshot::Sender<Permit>>,
    held: Held,
}

/// The number of connections that each holder has; no more entries than connections.
#[derive(Debug, Default)]
struct Held(Vec<(Holder, usize)>);

/// The right to use one connection, until it is dropped.
#[derive(Debug)]
pub(in crate::store) struct Permit {
    gate: Arc<Gate>,
    ticket: Ticket,
    since: Instant,
}

impl Held {
    /// The number of connections that the given holders have.
    fn count(&self, is_counted: impl Fn(Holder) -> bool) -> usize {
        let counted = self.0.iter().filter(|(holder, _)| is_counted(*holder));
        counted.map(|(_, count)| count).sum()
    }

    /// Whether a holder may have one more connection.
    fn admits(&self, holder: Holder, most: usize) -> bool {
        self.count(|other| other == holder) < most
            && (!holder.is_sandbox() || self.count(Holder::is_sandbox) < most)
    }

    fn add(&mut self, holder: Holder) {
        match self.0.iter_mut().find(|(other, _)| *other == holder) {
            Some((_, count)) => *count += 1,
            None => self.0.push((holder, 1)),
        }
    }

    fn remove(&mut self, holder: Holder) {
        if let Some(place) = self.0.iter().position(|(other, _)| *other == holder) {
            self.0[place].1 -= 1;
            if self.0[place].1 == 0 {
                self.0.swap_remove(place);
            }
        }
    }
}

impl Gate {
    /// A gate for a number of connections and of processors.
    pub(in crate::store) fn new(
        (all, processors): (usize, usize),
        bounds: Bounds,
        patience: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: Shares::new(),
                held: Held::default(),
            }),
            all,
            most: all.saturating_sub(1).min(processors).max(1),
            bounds,
            patience,
        })
    }

    /// Enters without waiting, if a connection is free that this tenant may have. No waiting read
    /// may have it, or it would have it already.
    pub(in crate::store) fn try_enter(self: &Arc<Self>, tenant: Tenant) -> Option<Permit> {
        let mut state = self.state.lock();
        self.enter_now(&mut state, tenant)
    }

    fn enter_now(self: &Arc<Self>, state: &mut State, tenant: Tenant) -> Option<Permit> {
        let ticket = state.waiting.pass(tenant);
        let holder = ticket.holder();
        if state.held.count(|_| true) >= self.all || !state.held.admits(holder, self.most) {
            return None;
        }
        state.held.add(holder);
        Some(self.permit(ticket))
    }

    /// Enters when the tenant's turn has come.
    ///
    /// # Errors
    /// [`Error::TooManyReads`] immediately if too many reads wait, or after a long wait.
    pub(in crate::store) async fn enter(self: &Arc<Self>, tenant: Tenant) -> Result<Permit, Error> {
        let admitted = {
            let mut state = self.state.lock();
            if let Some(permit) = self.enter_now(&mut state, tenant) {
                return Ok(permit);
            }
            let (admit, admitted) = oneshot::channel();
            let pushed = state.waiting.push(tenant, self.bounds, admit);
            pushed.map_err(|_| Error::TooManyReads)?;
            admitted
        };
        match tokio::time::timeout(self.patience, admitted).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Error::TooManyReads),
        }
    }

    fn permit(self: &Arc<Self>, ticket: Ticket) -> Permit {
        Permit {
            gate: Arc::clone(self),
            ticket,
            since: Instant::now(),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let gate = &self.gate;
        let mut state = gate.state.lock();
        state.held.remove(self.ticket.holder());
        if state.waiting.is_empty() {
            return;
        }
        state.waiting.charge(self.ticket, self.since.elapsed());
        let mut next = Vec::new();
        while state.held.count(|_| true) < gate.all {
            let State { waiting, held } = &mut *state;
            let Some((ticket, admit)) = waiting.take(|holder| held.admits(holder, gate.most))
            else {
                break;
            };
            // The read may have been canceled while it waited.
            if admit.is_closed() {
                continue;
            }
            held.add(ticket.holder());
            next.push((admit, gate.permit(ticket)));
        }
        drop(state);
        for (admit, permit) in next {
            // If the read was canceled just now, its permit comes back and is dropped, which admits
            // the next one.
            drop(admit.send(permit));
        }
    }
}
