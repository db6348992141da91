//! The sweeps: programs in which more is due than fits into a slice, and the writes that wait
//! for it.

use std::collections::VecDeque;

use super::job::Job;
use super::overdue::Overdue;
use super::schedule::Schedule;
use crate::clock::Clock;
use crate::domain::{ByNumber, DueKind, ProgramNumber};
use crate::store::Tenant;

/// The most writes of a program that wait for its sweep.
const WAITING_MAX: usize = 256;

/// What is due, and what is being applied.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    pub(super) of: ByNumber<ProgramNumber, Sweep>,
    pub(super) schedule: Schedule,
    pub(super) overdue: Overdue,
    /// The programs in which the open batch applied what was due, or found nothing.
    pub(super) looked_at: Vec<ProgramNumber>,
    /// The programs in which what is due could not be applied, which is tried again later.
    pub(super) failed: Vec<ProgramNumber>,
    /// The due things that the open batch applied, by kind.
    pub(super) applied: [usize; DueKind::ALL.len()],
    /// How many of them it applied for its writes, and not in sweeps.
    pub(super) for_writes: usize,
    /// Whether the open batch has to end, because what was due for a write took its time.
    pub(super) ends_batch: bool,
}

/// A program with more due things than fit into a slice.
pub(super) struct Sweep {
    pub(super) tenant: Tenant,
    /// The writes that wait until nothing is due.
    pub(super) waiting: VecDeque<Box<dyn Job>>,
    /// Whether the next slice is in the queue.
    pub(super) is_queued: bool,
}

impl Sweep {
    /// A sweep for which no write waits yet.
    pub(super) fn new(tenant: Tenant) -> Self {
        Self {
            tenant,
            waiting: VecDeque::new(),
            is_queued: false,
        }
    }

    /// Lets a write wait; returns it as an error if too many do.
    pub(super) fn wait(&mut self, job: Box<dyn Job>) -> Result<(), Box<dyn Job>> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(job);
        }
        self.waiting.push_back(job);
        Ok(())
    }
}

impl std::fmt::Debug for Sweep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sweep")
    }
}

impl Sweeps {
    /// Whether nothing is due, except in programs that are not active.
    pub(super) fn is_over(&self, clock: &Clock) -> bool {
        self.of.is_empty() && self.schedule.next().is_none_or(|next| next > clock.now())
    }
}
