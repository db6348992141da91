//! What is due in all programs, according to the published records.

use parking_lot::Mutex;

use super::lots::calendar::{Calendar, Dated};
use crate::domain::{AccountKey, ByNumber, Due, ProgramNumber, Timestamp};

/// The calendars of the programs in which anything was ever due.
#[derive(Debug, Default)]
pub(super) struct Agenda(ByNumber<ProgramNumber, Mutex<Calendar>>);

impl Agenda {
    /// Follows the change of the record at a place: what is no longer due some day, and what is
    /// that was not.
    pub(super) fn follow(
        &mut self,
        program: ProgramNumber,
        place: u32,
        [stale, new]: [Vec<Due>; 2],
        places: &impl Dated,
    ) {
        if stale.is_empty() && new.is_empty() {
            return;
        }
        let calendar = self.0.entry(program).or_default().get_mut();
        for due in new {
            calendar.add(due, place, places);
        }
        for due in stale {
            calendar.note_stale(due, places);
        }
    }

    /// Follows the change of how long before points expire this is announced in a program.
    pub(super) fn set_notice(&mut self, program: ProgramNumber, places: &impl Dated) {
        if let Some(calendar) = self.0.get_mut(&program) {
            calendar.get_mut().set_notice(places);
        }
    }

    /// The time before which nothing is due in a program.
    pub(super) fn next(&self, program: ProgramNumber) -> Option<Timestamp> {
        self.0.get(&program)?.lock().next()
    }

    /// The time before which nothing is due, for each program in which anything may be.
    pub(super) fn all(&self) -> impl Iterator<Item = (ProgramNumber, Timestamp)> {
        self.0
            .iter()
            .filter_map(|(program, calendar)| Some((*program, calendar.lock().next()?)))
    }

    /// Sorts a part of what is due in a program up to a time. Returns whether all of it is sorted.
    pub(super) fn sort_due(
        &self,
        program: ProgramNumber,
        until: Timestamp,
        places: &impl Dated,
    ) -> bool {
        let calendar = self.0.get(&program);
        calendar.is_none_or(|calendar| calendar.lock().sort_run(until, places))
    }

    /// What is due in a program up to a time, in order, at most `max`, except of the accounts that
    /// `skips` names.
    pub(super) fn due(
        &self,
        program: ProgramNumber,
        (until, max): (Timestamp, usize),
        places: &impl Dated,
        skips: impl Fn(AccountKey) -> bool,
    ) -> Vec<Due> {
        match self.0.get(&program) {
            Some(calendar) => calendar.lock().due(until, max, places, skips),
            None => Vec::new(),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let calendars = self.0.values().map(|calendar| calendar.lock().heap_bytes());
        self.0.capacity() * size_of::<(ProgramNumber, Mutex<Calendar>)>() + calendars.sum::<usize>()
    }
}
