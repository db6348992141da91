//! The time of a write, and what is due by then.

use super::transaction::Transaction;
use crate::domain::{Due, ExpiryNotice, ProgramNumber, Timestamp};
use crate::store::Error;

/// Applies a due thing of a program: appends its rows to the log.
pub type ApplyDue = fn(&mut Transaction<'_>, ProgramNumber, Due) -> Result<(), Error>;

impl Transaction<'_> {
    /// The time of an event in a program: the clock's time, or ahead of it if the program's clock
    /// was moved, but never before the program's last activity.
    pub fn now(&self, program: ProgramNumber) -> Timestamp {
        let now = self.clock_now();
        self.state.clock.stamped(now);
        self.state.time_in(program, now)
    }

    /// The time that a row of a program gets if it was due at a time: never before the program's
    /// last activity.
    pub fn stamp_of(&self, program: ProgramNumber, due_at: Timestamp) -> Timestamp {
        self.state
            .last_of(program)
            .map_or(due_at, |last| due_at.max(last))
    }

    /// The clock's time, for events outside programs. It is the same throughout a write.
    pub fn clock_now(&self) -> Timestamp {
        let now = self.clock_now.get();
        let now = now.unwrap_or_else(|| self.state.clock.now());
        self.clock_now.set(Some(now));
        now
    }

    /// What is due in a program up to a time, in order, at most `max`.
    pub(super) fn due(&self, program: ProgramNumber, until: Timestamp, max: usize) -> Vec<Due> {
        self.state.draft.due(program, until, max)
    }

    /// Sorts a part of what is due in a program up to a time. Returns whether all of it is sorted.
    pub(super) fn sort_due(&self, program: ProgramNumber, until: Timestamp) -> bool {
        self.state.draft.sort_due(program, until)
    }

    /// How long before points expire this is announced in a program, if at all.
    pub fn expiry_notice(&self, program: ProgramNumber) -> Option<ExpiryNotice> {
        self.state.draft.program(program).notice
    }

    /// Takes in that everything that was due in a program up to a time was applied.
    pub(super) fn settle(&mut self, program: ProgramNumber, until: Timestamp) {
        self.state.draft.settle(program, until);
    }

    /// Refuses to go on if something is due in a program that this write did not name as its own.
    ///
    /// # Errors
    /// [`Error::Overdue`]. The write is done if it is tried again.
    pub fn check_settled(&self, program: ProgramNumber) -> Result<(), Error> {
        let Some(next) = self.state.draft.next_due(program) else {
            return Ok(());
        };
        let now = self.state.time_in(program, self.clock_now());
        // The time of the next one may be that of points that are gone.
        if next <= now && !self.due(program, now, 1).is_empty() {
            return Err(Error::Overdue);
        }
        Ok(())
    }
}
