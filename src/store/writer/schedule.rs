//! When the next thing of each program is due, by the clock.
//!
//! The times may be too early, because the books find out what is left only when it is due. They
//! are never too late.

use std::collections::BTreeSet;

use crate::domain::{ByNumber, ProgramNumber, Timestamp};

/// The programs in which something is due some day.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    at: ByNumber<ProgramNumber, Timestamp>,
    order: BTreeSet<(Timestamp, ProgramNumber)>,
}

impl Schedule {
    /// Sets when the next thing of a program is due; `None`: never.
    pub(super) fn set(&mut self, program: ProgramNumber, at: Option<Timestamp>) {
        if let Some(before) = self.at.remove(&program) {
            self.order.remove(&(before, program));
        }
        if let Some(at) = at {
            self.at.insert(program, at);
            self.order.insert((at, program));
        }
    }

    /// When the next thing of any program is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out a program in which something is due by now.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<ProgramNumber> {
        let (at, program) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.set(program, None);
        Some(program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_come_in_the_order_of_their_times_and_each_once() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let [one, two, three] = [1, 2, 3].map(ProgramNumber);
        let mut schedule = Schedule::default();
        schedule.set(one, Some(at(30)));
        schedule.set(two, Some(at(20)));
        schedule.set(three, Some(at(40)));
        schedule.set(one, Some(at(10)));
        assert_eq!(schedule.next(), Some(at(10)));
        assert_eq!(schedule.take(at(9)), None);
        assert_eq!(schedule.take(at(20)), Some(one));
        schedule.set(two, None);
        assert_eq!(schedule.next(), Some(at(40)));
        schedule.set(two, Some(at(20)));
        assert_eq!(schedule.take(at(40)), Some(two));
        assert_eq!(schedule.take(at(40)), Some(three));
        assert_eq!(schedule.take(at(40)), None);
    }
}
