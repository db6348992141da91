//! The moves of an entry, as they are chosen and put together.

use std::fmt;

use crate::books::Record;
use crate::domain::{
    Bucket, BurnOrder, Lot, LotMove, LotMoves, LotPart, LotState, Points, RedemptionTarget,
    Timestamp,
};

/// The points of an account that may be chosen.
#[derive(Clone, Copy)]
pub struct Pick<'a> {
    /// Their bucket.
    pub bucket: Bucket,
    /// The order in which lots are used.
    pub order: BurnOrder,
    /// Whether a lot may be used. An account without lots has nothing to choose from.
    pub admits: &'a dyn Fn(&Lot) -> bool,
}

impl fmt::Debug for Pick<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pick({:?}, {:?})", self.bucket, self.order)
    }
}

impl Pick<'_> {
    /// All points of a bucket.
    pub fn all(bucket: Bucket, order: BurnOrder) -> Self {
        Self {
            bucket,
            order,
            admits: &|_| true,
        }
    }

    pub(super) fn takes(&self, lot: &Lot) -> bool {
        lot.state.bucket() == self.bucket && (self.admits)(lot)
    }

    /// The lots that may be used, in the order in which they are.
    fn lots(&self, record: &Record) -> Vec<Lot> {
        let live = record.lots.iter().flat_map(|lots| &lots.live);
        let mut lots: Vec<Lot> = live.filter(|lot| self.takes(lot)).copied().collect();
        lots.sort_by_key(|lot| {
            let expiry = match self.order {
                BurnOrder::Fifo => None,
                BurnOrder::SoonestExpiry => Some((lot.expires_at.is_none(), lot.expires_at)),
            };
            // Of points that are held, those that were held first.
            (expiry, lot.held_by(), lot.origin, lot.number)
        });
        lots
    }
}

/// An entry whose points are restored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken<'a> {
    /// The points that it took.
    pub amount: Points,
    /// The lots that it took them from, if the account had lots then.
    pub lots: Option<&'a LotMoves>,
    /// The points of it that were restored before.
    pub restored: Points,
    /// The life of points whose time has passed; `None`: they are restored as they were.
    pub grace: Option<Grace>,
    /// The account that its points went to.
    pub target: RedemptionTarget,
}

/// The life of points that are restored after their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// When they are restored.
    pub at: Timestamp,
    /// When they expire then.
    pub expires_at: Timestamp,
}

/// The moves of an entry.
pub(super) struct Moves<'a> {
    record: &'a Record,
    /// The points by which the balance is negative.
    owed: i64,
    /// The number of the newest lot.
    made: u32,
    list: Vec<LotMove>,
}

impl<'a> Moves<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            record,
            owed: (-record.wallet.balance()).max(0),
            made: record.lots.as_ref().map_or(0, |lots| lots.made),
            list: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> LotMoves {
        LotMoves::new(&self.list)
    }

    /// The number of a new lot.
    fn next(&mut self) -> u32 {
        self.made = self.made.saturating_add(1);
        self.made
    }

    /// The points of an amount that make up for a negative balance.
    fn repaid(&mut self, amount: Points) -> Points {
        let repaid = self.owed.min(amount.get());
        self.owed -= repaid;
        Points::new(repaid).unwrap_or(Points::ZERO)
    }

    fn push_take(&mut self, part: LotPart, from: Bucket) {
        if !part.amount.is_zero() {
            self.list.push(LotMove::Take { part, from });
        }
    }

    /// Makes a lot. Points that become available first make up for a negative balance.
    pub(super) fn make(&mut self, amount: Points, bucket: Bucket, expires_at: Option<Timestamp>) {
        let number = self.next();
        self.list.push(LotMove::Make {
            number,
            amount,
            bucket,
        });
        if bucket == Bucket::Available {
            let repaid = self.repaid(amount);
            let entry = u32::try_from(self.record.account.entries + 1).unwrap_or(u32::MAX);
            let part = LotPart {
                number,
                origin: number,
                entry,
                amount: repaid,
                expires_at,
                matures_at: None,
            };
            self.push_take(part, bucket);
        }
    }

    /// Takes points, or moves them to another bucket. Points that become available first make up
    /// for a negative balance.
    pub(super) fn take(&mut self, amount: Points, pick: &Pick<'_>, to: Option<Bucket>) {
        let (from, mut left) = (pick.bucket, amount);
        let mut repaid = match to {
            Some(Bucket::Available) => self.repaid(amount),
            _ => Points::ZERO,
        };
        for lot in pick.lots(self.record) {
            if left.is_zero() {
                return;
            }
            let points = lot.remaining.min(left);
            left = difference(left, points);
            let Some(to) = to else {
                self.push_take(lot.part(points), from);
                continue;
            };
            let taken = repaid.min(points);
            repaid = difference(repaid, taken);
            self.push_take(lot.part(taken), from);
            let shifted = difference(points, taken);
            if !shifted.is_zero() {
                let is_part = shifted < difference(lot.remaining, taken);
                let target = is_part.then(|| self.next());
                let part = lot.part(shifted);
                self.list.push(LotMove::Shift {
                    part,
                    from,
                    to,
                    target,
                });
            }
        }
    }

    /// Restores points of an entry. Returns when those expire that come into a new lot.
    pub(super) fn restore(&mut self, amount: Points, taken: &Taken<'_>) -> Option<Timestamp> {
        let parts = taken.lots.iter().flat_map(|moves| moves.iter());
        let parts = parts.filter_map(|moved| match moved {
            LotMove::Take { part, .. } => Some(part),
            _ => None,
        });
        let parts: Vec<LotPart> = parts.collect();
        let in_lots: i64 = parts.iter().map(|part| part.amount.get()).sum();
        let without = Points::new(taken.amount.get() - in_lots).unwrap_or(Points::ZERO);
        let (mut skipped, mut left) = (taken.restored, amount);
        // The points of one part that are restored now.
        let mut next = |points: Points| {
            let skip = skipped.min(points);
            skipped = difference(skipped, skip);
            let now = left.min(difference(points, skip));
            left = difference(left, now);
            now
        };
        let without = next(without);
        let parts: Vec<LotPart> = parts
            .into_iter()
            .rev()
            .map(|part| LotPart {
                amount: next(part.amount),
                matures_at: None,
                ..part
            })
            .filter(|part| !part.amount.is_zero())
            .collect();
        if !without.is_zero() {
            self.make(without, Bucket::Available, None);
        }
        let is_late = |part: &LotPart| {
            let grace = taken.grace.filter(|_| without.is_zero());
            grace.is_some_and(|grace| part.expires_at.is_some_and(|end| end <= grace.at))
        };
        let (late, parts): (Vec<LotPart>, Vec<LotPart>) = parts.into_iter().partition(is_late);
        let late: i64 = late.iter().map(|part| part.amount.get()).sum();
        let late = Points::new(late).filter(|late| !late.is_zero());
        let expires_at = late.zip(taken.grace).map(|(late, grace)| {
            self.make(late, Bucket::Available, Some(grace.expires_at));
            grace.expires_at
        });
        let mut given: Vec<LotPart> = parts.into_iter().map(|part| self.give(part)).collect();
        given.sort_by_key(|part| (part.origin, part.number));
        for part in given {
            let amount = self.repaid(part.amount);
            self.push_take(LotPart { amount, ..part }, Bucket::Available);
        }
        expires_at
    }

    /// Gives points back to their lot, or to a new one if the lot is not available. Returns them as
    /// those of the lot that has them now.
    fn give(&mut self, part: LotPart) -> LotPart {
        let mut live = self.record.lots.iter().flat_map(|lots| &lots.live);
        let is_busy = live.any(|lot| lot.number == part.number && lot.state != LotState::Available);
        let target = is_busy.then(|| self.next());
        self.list.push(LotMove::Give { part, target });
        LotPart {
            number: target.unwrap_or(part.number),
            ..part
        }
    }
}

/// The difference of points, of which the second are never more.
fn difference(from: Points, points: Points) -> Points {
    from.checked_sub(points).unwrap_or(Points::ZERO)
}
