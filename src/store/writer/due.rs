//! Due things: they are applied before every write of their program, and when their time has come.
//!
//! A *slice* applies a limited number of them in a savepoint of its own, so that a write that fails
//! afterwards does not undo them. If more is due, the program *sweeps*: its slices take turns with
//! the writes of others, its own writes wait, and they go on in their order when nothing is due
//! any more.

use std::time::Duration;

use rusqlite::Connection;

use super::job::{Job, Timing, WriteError};
use super::observing::AccessChange;
use super::overdue::Late;
use super::schedule::Schedule;
use super::slice::apply_slice;
use super::statements::Statements;
use super::sweeps::Sweep;
use super::thread::{IDLE, Ran, WriterThread};
use crate::domain::{DueKind, ProgramNumber, Timestamp};
use crate::store::Tenant;
use crate::store::tables::programs;

/// The due things that are applied for the writes of a batch before it ends, because those that ran
/// wait for its commit.
const BATCH_DUE: usize = 250;

/// The result of a look at what is due in a program.
enum Settled {
    /// Nothing is due any more. The number is that of the things that were applied.
    All(usize),
    /// More is due than a slice could apply. The tenant is that of the program.
    More(Tenant),
    /// It could not be applied.
    Failed(WriteError),
    /// The whole transaction is lost.
    Lost,
}

impl WriterThread {
    /// Runs a write of a program once everything that is due there was applied. Returns false if
    /// the whole transaction is lost.
    pub(super) fn run_write(
        &mut self,
        statements: &Statements<'_>,
        mut job: Box<dyn Job>,
        ran: &mut Vec<Ran>,
    ) -> bool {
        let Timing { program, step } = job.timing();
        if let Some(step) = step {
            self.state.clock.advance(step);
            if !self.settle_history(statements) {
                job.finish(Err(WriteError::Unavailable));
                return false;
            }
        }
        let Some(program) = program else {
            return self.run_job(statements, (job, None), ran);
        };
        if let Some(sweep) = self.sweeps.of.get_mut(&program) {
            match sweep.wait(job) {
                Ok(()) => self.metrics.queued(),
                Err(job) => job.finish(Err(WriteError::Overloaded)),
            }
            return true;
        }
        let mut clock_now = None;
        if self.state.draft.next_due(program).is_some() {
            let now = self.state.clock.now();
            clock_now = Some(now);
            match self.settle_for_write(statements, program, now, !ran.is_empty()) {
                Settled::All(_) => {}
                Settled::More(tenant) => {
                    self.sweep(program, tenant, Some(job));
                    return true;
                }
                Settled::Failed(error) => {
                    job.finish(Err(error));
                    return true;
                }
                Settled::Lost => {
                    job.finish(Err(WriteError::Unavailable));
                    return false;
                }
            }
        }
        if !self.run_job(statements, (job, clock_now), ran) {
            return false;
        }
        if self.state.draft.has_new_notice() {
            // What that makes due is known after the commit.
            self.sweeps.ends_batch = true;
            return true;
        }
        self.settle_after(statements, program)
    }

    /// Applies everything that is due in any program, before a write that has advanced the clock.
    /// Such a write does not wait for a sweep, because the next ones would advance the clock
    /// meanwhile. Returns false if the whole transaction is lost.
    fn settle_history(&mut self, statements: &Statements<'_>) -> bool {
        let now = self.state.clock.now();
        let mut programs: Vec<_> = self.sweeps.of.keys().copied().collect();
        while let Some(program) = self.sweeps.schedule.take(now) {
            programs.push(program);
        }
        for program in programs {
            loop {
                match self.settle_for_write(statements, program, now, false) {
                    Settled::More(_) => {}
                    Settled::All(_) | Settled::Failed(_) => break,
                    Settled::Lost => return false,
                }
            }
            self.end_sweep(program, None);
            let next = self.state.draft.next_due(program);
            let next = next.map(|at| self.state.clock_time(program, at));
            self.sweeps.schedule.set(program, next);
        }
        true
    }

    /// Applies what a write made that is due at once. Returns false if the whole transaction is
    /// lost.
    fn settle_after(&mut self, statements: &Statements<'_>, program: ProgramNumber) -> bool {
        if self.state.draft.next_due_here(program).is_none() {
            return true;
        }
        let now = self.state.clock.now();
        match self.settle_for_write(statements, program, now, true) {
            Settled::All(_) | Settled::Failed(_) => true,
            Settled::More(tenant) => {
                self.sweep(program, tenant, None);
                true
            }
            Settled::Lost => false,
        }
    }

    /// Applies a slice of what is due in a program for a write there. The batch ends soon if that
    /// took its time.
    fn settle_for_write(
        &mut self,
        statements: &Statements<'_>,
        program: ProgramNumber,
        now: Timestamp,
        is_awaited: bool,
    ) -> Settled {
        let settled = self.settle(statements, program, now, is_awaited);
        match settled {
            Settled::All(applied) => {
                self.sweeps.for_writes += applied;
                self.sweeps.ends_batch |= self.sweeps.for_writes >= BATCH_DUE;
            }
            Settled::More(_) => self.sweeps.ends_batch = true,
            Settled::Failed(_) | Settled::Lost => {}
        }
        settled
    }

    /// Applies a slice of what is due in a program when the clock shows `now`, unless the program
    /// is not active. The slice is short if it is awaited, or while a write waits.
    fn settle(
        &mut self,
        statements: &Statements<'_>,
        program: ProgramNumber,
        now: Timestamp,
        is_awaited: bool,
    ) -> Settled {
        let until = self.state.time_in(program, now);
        let next = self.state.draft.next_due(program);
        if next.is_none_or(|next| next > until) {
            return Settled::All(0);
        }
        self.sweeps.looked_at.push(program);
        if self.state.clock.refused().is_some() {
            self.sweeps.failed.push(program);
            return Settled::Failed(WriteError::ClockRefused);
        }
        let tenant = match programs::active_tenant(statements.connection(), program) {
            Ok(Some(tenant)) => tenant,
            // Its credentials are refused, or may only read.
            Ok(None) => return Settled::All(0),
            Err(error) => {
                self.note_failure("what is due could not be looked up", &error);
                return Settled::Lost;
            }
        };
        let (apply, waiting) = (self.apply_due, self.jobs.waiting());
        let (outcome, is_intact) = self.attempt(statements, Some(now), |tx| {
            apply_slice(tx, apply, (program, until), || is_awaited || waiting.any())
        });
        match outcome {
            _ if !is_intact => Settled::Lost,
            Ok(slice) => {
                for (sum, applied) in self.sweeps.applied.iter_mut().zip(slice.applied) {
                    *sum += applied;
                }
                if slice.has_more {
                    Settled::More(tenant)
                } else {
                    Settled::All(slice.applied.iter().sum())
                }
            }
            Err(error) => {
                self.sweeps.failed.push(program);
                Settled::Failed(error)
            }
        }
    }

    /// Begins the sweep of a program, or continues it. `first` is a write that waits for it.
    fn sweep(&mut self, program: ProgramNumber, tenant: Tenant, first: Option<Box<dyn Job>>) {
        let sweep = self
            .sweeps
            .of
            .entry(program)
            .or_insert_with(|| Sweep::new(tenant));
        if let Some(job) = first {
            self.metrics.queued();
            sweep.waiting.push_back(job);
        }
        let noted = self.sweeps.overdue.get(program);
        if !noted.is_some_and(|late| late.is_sweeping) {
            let since = self.state.draft.next_due(program);
            let late = since.map(|at| Late {
                since: self.state.clock_time(program, at),
                is_sweeping: true,
            });
            self.sweeps.overdue.note(program, late);
        }
        if !std::mem::replace(&mut sweep.is_queued, true) {
            self.jobs.put_slice(tenant, program);
        }
    }

    /// Runs the next slice of a sweep. Returns false if the whole transaction is lost.
    pub(super) fn run_slice(
        &mut self,
        statements: &Statements<'_>,
        program: ProgramNumber,
    ) -> bool {
        self.lose_slice(program);
        if self.jobs.is_closed() {
            // The next start does the rest.
            self.end_sweep(program, Some(WriteError::Unavailable));
            return true;
        }
        let now = self.state.clock.now();
        match self.settle(statements, program, now, false) {
            Settled::All(_) => self.end_sweep(program, None),
            Settled::More(tenant) => self.sweep(program, tenant, None),
            Settled::Failed(error) => self.end_sweep(program, Some(error)),
            Settled::Lost => return false,
        }
        true
    }

    /// Takes in that the next slice of a sweep is not in the queue any more.
    pub(super) fn lose_slice(&mut self, program: ProgramNumber) {
        if let Some(sweep) = self.sweeps.of.get_mut(&program) {
            sweep.is_queued = false;
        }
    }

    /// Ends the sweep of a program: the writes that waited for it go on, or are refused.
    fn end_sweep(&mut self, program: ProgramNumber, refusal: Option<WriteError>) {
        let Some(sweep) = self.sweeps.of.remove(&program) else {
            return;
        };
        match refusal {
            None => self.jobs.put_back(sweep.tenant, sweep.waiting.into_iter()),
            Some(error) => {
                for job in sweep.waiting {
                    self.refuse(job, error);
                }
            }
        }
    }

    /// Refuses the writes that wait for sweeps, because the storage takes no writes.
    pub(super) fn refuse_waiting(&mut self) {
        let sweeps = self.sweeps.of.values_mut();
        let waiting: Vec<_> = sweeps.flat_map(|sweep| sweep.waiting.drain(..)).collect();
        for job in waiting {
            self.refuse(job, WriteError::Unavailable);
        }
    }

    /// Looks up again when something is due in every program.
    pub(super) fn reschedule_all(&mut self) {
        self.sweeps.schedule = Schedule::default();
        let next_dues: Vec<_> = self.books.read().next_dues().collect();
        for (program, at) in next_dues {
            let at = self.state.clock_time(program, at);
            self.sweeps.schedule.set(program, Some(at));
        }
    }

    /// Looks up again when something is due in the programs that a batch changed. It was published,
    /// or is lost.
    pub(super) fn reschedule(&mut self, access: &[AccessChange], clocks_changed: bool) {
        if clocks_changed {
            self.reschedule_all();
        }
        let mut programs = std::mem::take(&mut self.sweeps.looked_at);
        let overdue = &self.sweeps.overdue;
        for change in access {
            match change {
                AccessChange::Program(program) if overdue.waits(*program) => {
                    programs.push(*program);
                }
                AccessChange::Organization(_) => programs.extend(overdue.waiting()),
                _ => {}
            }
        }
        programs.extend(self.state.draft.dated());
        for program in programs {
            let next = self.schedule(program);
            let is_sweeping = self.sweeps.of.contains_key(&program);
            let late = next
                .filter(|_| is_sweeping)
                .map(|since| Late { since, is_sweeping });
            self.sweeps.overdue.note(program, late);
        }
        for program in std::mem::take(&mut self.sweeps.failed) {
            self.postpone(program);
        }
    }

    /// Schedules what is due next in a program, and returns when that is, by the clock.
    fn schedule(&mut self, program: ProgramNumber) -> Option<Timestamp> {
        let next = self.books.read().next_due(program);
        let next = next.map(|at| self.state.clock_time(program, at));
        self.sweeps.schedule.set(program, next);
        next
    }

    /// Puts the slices of all sweeps into the queue.
    pub(super) fn resume_sweeps(&mut self) {
        for (program, sweep) in &mut self.sweeps.of {
            if !std::mem::replace(&mut sweep.is_queued, true) {
                self.jobs.put_slice(sweep.tenant, *program);
            }
        }
    }

    /// Begins the sweeps of programs in which something is due. Returns whether there are any.
    pub(super) fn wake_due(&mut self, connection: &Connection) -> bool {
        let Some(next) = self.sweeps.schedule.next() else {
            return false;
        };
        let now = self.state.clock.now();
        if next > now || self.state.clock.refused().is_some() {
            return false;
        }
        let mut has_any = false;
        while let Some(program) = self.sweeps.schedule.take(now) {
            match programs::active_tenant(connection, program) {
                Ok(Some(tenant)) => {
                    has_any = true;
                    self.sweep(program, tenant, None);
                }
                Ok(None) => self.suspend(program, now),
                Err(error) => {
                    self.note_failure("what is due could not be looked up", &error);
                    self.postpone(program);
                }
            }
        }
        has_any
    }

    /// Lets what is due in a program, which the schedule does not name any more, wait until the
    /// program is active.
    fn suspend(&mut self, program: ProgramNumber, now: Timestamp) {
        let until = self.state.time_in(program, now);
        if let Some(first) = self.state.draft.due(program, until, 1).first() {
            let late = Late {
                since: self.state.clock_time(program, first.at),
                is_sweeping: false,
            };
            self.sweeps.overdue.note(program, Some(late));
        } else {
            // The points are gone for which it was scheduled.
            self.sweeps.overdue.note(program, None);
            self.schedule(program);
        }
    }

    /// Tries again later to apply what is due in a program.
    pub(super) fn postpone(&mut self, program: ProgramNumber) {
        let later = self.state.clock.now().saturating_add(IDLE);
        self.sweeps.schedule.set(program, Some(later));
    }

    /// How long until something is due, at most [`IDLE`], because the clock may be set.
    pub(super) fn wait_for_due(&self) -> Option<Duration> {
        let next = self.sweeps.schedule.next()?;
        if self.state.clock.refused().is_some() {
            return Some(IDLE);
        }
        let wait = next.since(self.state.clock.now());
        Some(wait.min(IDLE))
    }

    /// Begins a batch.
    pub(super) fn begin_sweeps(&mut self) {
        self.sweeps.ends_batch = false;
        self.sweeps.for_writes = 0;
        self.sweeps.applied = Default::default();
    }

    /// Counts the due things that a committed batch applied.
    pub(super) fn count_applied(&self) {
        for (kind, count) in DueKind::ALL.into_iter().zip(self.sweeps.applied) {
            if count > 0 {
                self.metrics.due_applied(kind.as_str(), count as u64);
            }
        }
    }

    /// Answers a write that waited for a sweep and is not run.
    fn refuse(&self, job: Box<dyn Job>, error: WriteError) {
        self.metrics.taken();
        job.finish(Err(error));
    }
}
