//! Turns by surplus round robin: each may use a fixed amount of time.

use std::collections::VecDeque;

use crate::domain::ByNumber;

/// Time that an organization, or a program within it, may use in a turn, in nanoseconds.
pub(super) const QUANTUM: i64 = 250_000;
/// The most time that a participant may owe to later rounds, in nanoseconds.
pub(super) const DEBT_MAX: i64 = 1_000_000_000;

/// The line of a participant.
pub(super) trait Line: Default {
    fn is_empty(&self) -> bool;
}

impl<T> Line for VecDeque<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

/// A participant that takes turns.
#[derive(Debug, Default)]
pub(super) struct Turner<L> {
    pub(super) line: L,
    /// The time that is left of the turn, in nanoseconds; negative if time is owed.
    credit: i64,
    /// The round in which the line became empty.
    left_in: u64,
}

/// Participants that take turns. The cost of a turn does not depend on their number.
#[derive(Debug, Default)]
pub(super) struct Rounds<L> {
    /// The participants whose line is not empty. The first is served next.
    pub(super) ring: VecDeque<i64>,
    pub(super) all: ByNumber<i64, Turner<L>>,
    round: u64,
    /// Turns until the round ends.
    turns_left: usize,
}

impl<L: Line> Rounds<L> {
    /// The line of a participant, which is about to get an item.
    pub(super) fn join(&mut self, number: i64) -> &mut L {
        let turner = self.all.entry(number).or_default();
        if turner.line.is_empty() {
            let passed = i64::try_from(self.round - turner.left_in).unwrap_or(i64::MAX);
            let paid = passed.saturating_mul(QUANTUM);
            turner.credit = turner.credit.saturating_add(paid).min(0);
            self.ring.push_back(number);
        }
        &mut turner.line
    }

    /// The participant that has the next turn, among those that `may` admits.
    pub(super) fn next(&mut self, may: impl Fn(i64) -> bool) -> Option<i64> {
        let mut refused = 0;
        loop {
            let number = *self.ring.front()?;
            if !may(number) {
                refused += 1;
                if refused >= self.ring.len() {
                    return None;
                }
                self.ring.rotate_left(1);
                continue;
            }
            let turner = self.all.get_mut(&number)?;
            if turner.credit <= 0 {
                turner.credit += QUANTUM;
            }
            if turner.credit > 0 {
                return Some(number);
            }
            self.end_turn();
            refused = 0;
        }
    }

    /// Passes the turn to the next participant.
    fn end_turn(&mut self) {
        self.ring.rotate_left(1);
        self.count_turn();
    }

    fn count_turn(&mut self) {
        self.turns_left = self.turns_left.saturating_sub(1);
        if self.turns_left == 0 {
            self.round += 1;
            self.turns_left = self.ring.len();
            if self.all.len() > 2 * self.ring.len() + 64 {
                let round = self.round;
                self.all.retain(|_, turner| {
                    let passed = i64::try_from(round - turner.left_in).unwrap_or(i64::MAX);
                    !turner.line.is_empty() || turner.credit + passed.saturating_mul(QUANTUM) < 0
                });
            }
        }
    }

    /// Records that an item was taken from the line of the participant that is served next.
    pub(super) fn took(&mut self, number: i64) {
        let Some(turner) = self.all.get_mut(&number) else {
            return;
        };
        if !turner.line.is_empty() {
            return;
        }
        // Time that is left of a turn is not saved up; time that is owed stays.
        turner.credit = turner.credit.min(0);
        turner.left_in = self.round;
        self.ring.pop_front();
        self.count_turn();
        if self.ring.is_empty() {
            // No participant had to wait for the time that others used.
            self.all.clear();
        }
    }

    /// Charges the cost of an item to the participant that it was for.
    pub(super) fn charge(&mut self, number: i64, cost: i64) {
        let Some(turner) = self.all.get_mut(&number) else {
            return;
        };
        turner.credit = (turner.credit - cost).max(-DEBT_MAX);
        if turner.credit <= 0 && self.ring.front() == Some(&number) {
            self.end_turn();
        }
    }
}
