//! Turns by surplus round robin: in each, so much time may be used.

use std::collections::VecDeque;

use crate::domain::ByNumber;

/// Time that an organization, or a program within it, may use in a turn, in nanoseconds.
pub(super) const QUANTUM: i64 = 250_000;
/// The most that somebody may owe of rounds to come, in nanoseconds.
pub(super) const DEBT_MAX: i64 = 1_000_000_000;

/// What waits of one who takes turns.
pub(super) trait Line: Default {
    fn is_empty(&self) -> bool;
}

impl<T> Line for VecDeque<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

/// One who takes turns.
#[derive(Debug, Default)]
pub(super) struct Turner<L> {
    pub(super) line: L,
    /// What is left of the turn; below zero: what is owed.
    credit: i64,
    /// The round in which the line became empty.
    left_in: u64,
}

/// Those who take turns. It costs the same however many they are.
#[derive(Debug, Default)]
pub(super) struct Rounds<L> {
    /// Those who have something waiting. The first has its turn.
    pub(super) ring: VecDeque<i64>,
    pub(super) all: ByNumber<i64, Turner<L>>,
    round: u64,
    /// Turns until the round is over.
    turns_left: usize,
}

impl<L: Line> Rounds<L> {
    /// The line of somebody who is about to get something into it.
    pub(super) fn join(&mut self, who: i64) -> &mut L {
        let turner = self.all.entry(who).or_default();
        if turner.line.is_empty() {
            let passed = i64::try_from(self.round - turner.left_in).unwrap_or(i64::MAX);
            let paid = passed.saturating_mul(QUANTUM);
            turner.credit = turner.credit.saturating_add(paid).min(0);
            self.ring.push_back(who);
        }
        &mut turner.line
    }

    /// Whose turn it is, of those who may have one.
    pub(super) fn next(&mut self, may: impl Fn(i64) -> bool) -> Option<i64> {
        let mut refused = 0;
        loop {
            let who = *self.ring.front()?;
            if !may(who) {
                refused += 1;
                if refused >= self.ring.len() {
                    return None;
                }
                self.ring.rotate_left(1);
                continue;
            }
            let turner = self.all.get_mut(&who)?;
            if turner.credit <= 0 {
                turner.credit += QUANTUM;
            }
            if turner.credit > 0 {
                return Some(who);
            }
            self.end_turn();
            refused = 0;
        }
    }

    /// The next has its turn.
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

    /// Something was taken out of the line of whoever has its turn.
    pub(super) fn took(&mut self, who: i64) {
        let Some(turner) = self.all.get_mut(&who) else {
            return;
        };
        if !turner.line.is_empty() {
            return;
        }
        // What is left of a turn is not saved up; what is owed stays.
        turner.credit = turner.credit.min(0);
        turner.left_in = self.round;
        self.ring.pop_front();
        self.count_turn();
        if self.ring.is_empty() {
            // Nobody waited for what they used.
            self.all.clear();
        }
    }

    /// Takes what a piece cost off whoever it was for.
    pub(super) fn charge(&mut self, who: i64, cost: i64) {
        let Some(turner) = self.all.get_mut(&who) else {
            return;
        };
        turner.credit = (turner.credit - cost).max(-DEBT_MAX);
        if turner.credit <= 0 && self.ring.front() == Some(&who) {
            self.end_turn();
        }
    }
}
