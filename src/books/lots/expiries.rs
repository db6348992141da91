//! When the points of a program expire: sums that follow every change of a record.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Changed;
use crate::domain::{Bucket, Lot, Timestamp};

/// The length of a quarter of an hour. The clocks of all time zones differ by whole quarters.
const QUARTER: i64 = 900_000;

/// Points, and the number of lots that they are in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LotSum {
    /// The points.
    pub points: i64,
    /// The lots.
    pub lots: i64,
}

impl LotSum {
    fn of(lot: &Lot) -> Self {
        Self {
            points: lot.remaining.get(),
            lots: 1,
        }
    }

    fn add(&mut self, other: Self, sign: i64) {
        self.points += sign * other.points;
        self.lots += sign * other.lots;
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        self.add(other, 1);
        self
    }
}

/// The points of a program in lots, by the quarter of an hour in which they expire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expiries {
    quarters: BTreeMap<i32, LotSum>,
    never: LotSum,
    total: LotSum,
    /// Points that are held, by the time at which they would have expired: a lot does not expire
    /// while it is held.
    held: BTreeMap<Timestamp, i64>,
    /// The number of accounts with points in lots.
    accounts: u64,
}

impl Expiries {
    /// Follows the change of the lots of an account, which had some and has some now, or not.
    pub(in crate::books) fn follow(&mut self, [had, has]: [bool; 2], changed: &Changed<'_>) {
        self.accounts += u64::from(has);
        self.accounts -= u64::from(had);
        let (mut was, mut is) = (changed.was.iter().peekable(), changed.is.iter().peekable());
        loop {
            match (was.peek(), is.peek()) {
                (Some(before), Some(after)) if before == after => {
                    was.next();
                    is.next();
                }
                (Some(before), Some(after)) if before.number > after.number => {
                    self.count(after, 1);
                    is.next();
                }
                (Some(before), _) => {
                    self.count(before, -1);
                    was.next();
                }
                (None, Some(after)) => {
                    self.count(after, 1);
                    is.next();
                }
                (None, None) => return,
            }
        }
    }

    fn count(&mut self, lot: &Lot, sign: i64) {
        let sum = LotSum::of(lot);
        self.total.add(sum, sign);
        let Some(at) = lot.expires_at else {
            self.never.add(sum, sign);
            return;
        };
        let quarter = self.quarters.entry(quarter(at)).or_default();
        quarter.add(sum, sign);
        if *quarter == LotSum::default() {
            self.quarters.remove(&self::quarter(at));
        }
        if lot.state.bucket() == Bucket::Held {
            let held = self.held.entry(at).or_default();
            *held += sign * sum.points;
            if *held == 0 {
                self.held.remove(&at);
            }
        }
    }

    /// The points that expire from a time until before another. Both are at the start of a quarter
    /// of an hour.
    pub fn between(&self, times: Range<Timestamp>) -> LotSum {
        let range = quarter(times.start)..quarter(times.end);
        sum(self.quarters.range(range))
    }

    /// The points that expire before a time, which is at the start of a quarter of an hour.
    pub fn before(&self, at: Timestamp) -> LotSum {
        sum(self.quarters.range(..quarter(at)))
    }

    /// The points that expire at a time, which is at the start of a quarter of an hour, or later.
    pub fn since(&self, at: Timestamp) -> LotSum {
        sum(self.quarters.range(quarter(at)..))
    }

    /// The points that never expire.
    pub fn never(&self) -> LotSum {
        self.never
    }

    /// All points in lots.
    pub fn total(&self) -> LotSum {
        self.total
    }

    /// The points that would have expired by a time, but are held.
    pub fn overdue_held(&self, now: Timestamp) -> i64 {
        self.held.range(..=now).map(|(_, points)| points).sum()
    }

    /// The number of accounts with points in lots.
    pub fn accounts(&self) -> u64 {
        self.accounts
    }

    /// The memory that it takes, in bytes, about.
    pub(in crate::books) fn heap_bytes(&self) -> usize {
        // The nodes of a tree are two thirds full.
        self.quarters.len() * size_of::<(i32, LotSum)>() * 3 / 2
            + self.held.len() * size_of::<(Timestamp, i64)>() * 3 / 2
    }
}

fn quarter(at: Timestamp) -> i32 {
    i32::try_from(at.as_millis().div_euclid(QUARTER)).unwrap_or(i32::MAX)
}

fn sum<'a>(quarters: impl Iterator<Item = (&'a i32, &'a LotSum)>) -> LotSum {
    quarters.fold(LotSum::default(), |sum, (_, more)| sum.plus(*more))
}
