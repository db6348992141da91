//! Who reads next: there are fewer connections than may want one, and nobody may have them all.
//!
//! One organization holds at most all connections but one, and so does the sandbox as a whole.
//! Those who wait get a connection in fair shares ([`Shares`]), however many of them are whose.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::store::shares::{Bounds, Holder, Shares, Ticket};
use crate::store::{Error, Tenant};

#[derive(Debug)]
pub(in crate::store) struct Gate {
    state: Mutex<State>,
    /// Connections that there are.
    all: usize,
    /// How many one organization may hold, or the sandbox.
    most: usize,
    bounds: Bounds,
    /// How long one waits.
    patience: Duration,
}

#[derive(Debug)]
struct State {
    waiting: Shares<oneshot::Sender<Permit>>,
    held: Held,
}

/// Who holds how many; no more entries than connections.
#[derive(Debug, Default)]
struct Held(Vec<(Holder, usize)>);

/// The right to one connection, until it is dropped.
#[derive(Debug)]
pub(in crate::store) struct Permit {
    gate: Arc<Gate>,
    ticket: Ticket,
    since: Instant,
}

impl Held {
    /// How many are held by those of whom this is so.
    fn count(&self, is: impl Fn(Holder) -> bool) -> usize {
        let of = self.0.iter().filter(|(holder, _)| is(*holder));
        of.map(|(_, count)| count).sum()
    }

    fn may(&self, holder: Holder, most: usize) -> bool {
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
    pub(in crate::store) fn new(all: usize, bounds: Bounds, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: Shares::new(),
                held: Held::default(),
            }),
            all,
            most: all.saturating_sub(1).max(1),
            bounds,
            patience,
        })
    }

    /// A connection at once, if one is free that this tenant may have. Of those who wait none may:
    /// they would have got it.
    pub(in crate::store) fn try_enter(self: &Arc<Self>, tenant: Tenant) -> Option<Permit> {
        let mut state = self.state.lock();
        self.enter_now(&mut state, tenant)
    }

    fn enter_now(self: &Arc<Self>, state: &mut State, tenant: Tenant) -> Option<Permit> {
        let ticket = state.waiting.pass(tenant);
        let holder = ticket.holder();
        if state.held.count(|_| true) >= self.all || !state.held.may(holder, self.most) {
            return None;
        }
        state.held.add(holder);
        Some(self.permit(ticket))
    }

    /// A connection when the tenant's turn has come.
    ///
    /// # Errors
    /// [`Error::TooManyReads`] at once if too many wait, or after waiting for long.
    pub(in crate::store) async fn enter(self: &Arc<Self>, tenant: Tenant) -> Result<Permit, Error> {
        let told = {
            let mut state = self.state.lock();
            if let Some(permit) = self.enter_now(&mut state, tenant) {
                return Ok(permit);
            }
            let (tell, told) = oneshot::channel();
            let pushed = state.waiting.push(tenant, self.bounds, tell);
            pushed.map_err(|_| Error::TooManyReads)?;
            told
        };
        match tokio::time::timeout(self.patience, told).await {
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
            let Some((ticket, tell)) = waiting.take(|holder| held.may(holder, gate.most)) else {
                break;
            };
            // Whoever waited may have gone.
            if tell.is_closed() {
                continue;
            }
            held.add(ticket.holder());
            next.push((tell, gate.permit(ticket)));
        }
        drop(state);
        for (tell, permit) in next {
            // What comes back from one who went just now is dropped, and goes on to the next.
            drop(tell.send(permit));
        }
    }
}
