//! What an entry does to an account, chosen before it is written.
//!
//! The fold applies whatever the log says; these functions decide what the log will say. They
//! change nothing, so a plan is for the state of the record from which it was made.

use super::moves::{Moves, Pick, Taken};
use crate::books::Record;
use crate::domain::{
    Bucket, Buckets, BurnOrder, Due, DueKind, Entry, InventoryMode, LedgerEntry, Lot, LotMove,
    LotMoves, Points, ReferenceId, Timestamp,
};

/// The dates of a new lot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LotDates {
    /// When its points expire, if ever.
    pub expires_at: Option<Timestamp>,
    /// When its points become available, if not at once.
    pub matures_at: Option<Timestamp>,
}

/// A ledger entry that can be written: its kind, its points, and what it does to the buckets and
/// the lots of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The kind.
    pub entry: Entry,
    /// The points, at least one.
    pub amount: Points,
    /// What it moves besides points that can be spent.
    pub buckets: Option<Box<Buckets>>,
}

impl Plan {
    /// The plan, with what the caller calls its purpose. Only of an account with lots.
    #[must_use]
    pub fn referring(mut self, reference: Option<ReferenceId>) -> Self {
        if let Some(buckets) = &mut self.buckets {
            buckets.reference = reference;
        }
        self
    }

    /// The plan of a hold, which ends automatically. Only of an account with lots.
    #[must_use]
    pub fn held_until(mut self, until: Timestamp) -> Self {
        if let Some(buckets) = &mut self.buckets {
            buckets.matures_at = Some(until);
        }
        self
    }

    /// The lots that it takes points from or moves, each with the points. A part that gets a
    /// number of its own has that one.
    pub fn moved_lots(&self) -> Vec<(u32, Points)> {
        let lots = self
            .buckets
            .iter()
            .filter_map(|buckets| buckets.lots.as_ref());
        let moves = lots.flat_map(LotMoves::iter);
        let parts = moves.filter_map(|moved| match moved {
            LotMove::Take { part, .. } => Some((part.number, part.amount)),
            LotMove::Shift { part, target, .. } => {
                Some((target.unwrap_or(part.number), part.amount))
            }
            LotMove::Make { .. } | LotMove::Give { .. } => None,
        });
        parts.collect()
    }

    fn new(entry: Entry, amount: i64, buckets: Buckets) -> Option<Self> {
        let amount = Points::new(amount).filter(|amount| !amount.is_zero())?;
        Some(Self {
            entry,
            amount,
            buckets: buckets.boxed(),
        })
    }

    /// The ledger entry of a member, without an offer, a redemption or a reason.
    pub fn entry_of(self, record: &Record) -> LedgerEntry {
        let participates = matches!(self.entry, Entry::Mint | Entry::Spend);
        LedgerEntry {
            entry: self.entry,
            amount: self.amount,
            member: record.number,
            asset: record.asset,
            offer: None,
            redemption: None,
            first: participates && record.asset.is_none() && !record.has_participated,
            reason: None,
            buckets: self.buckets,
        }
    }
}

impl Record {
    /// The points of a bucket that a pick admits; of an account without lots, all of them.
    pub fn points_in(&self, pick: &Pick<'_>) -> Points {
        let Some(lots) = &self.lots else {
            return match pick.bucket {
                Bucket::Available => self.wallet.available(),
                Bucket::Held => self.wallet.held,
                Bucket::Deferred => self.wallet.pending,
            };
        };
        let lots = lots.live.iter().filter(|lot| pick.takes(lot));
        Points::new(lots.map(|lot| lot.remaining.get()).sum()).unwrap_or(Points::MAX)
    }

    /// A mint of points that are available or held. `dates` are those of the new lot; `None`: the
    /// account has no lots. Available points that mature later are deferred. `None` without
    /// points, for held points that mature later, and if a date is before 1970 or the lot would
    /// expire before it matures.
    pub fn plan_mint(
        &self,
        amount: Points,
        bucket: Bucket,
        dates: Option<LotDates>,
    ) -> Option<Plan> {
        let LotDates {
            expires_at,
            matures_at,
        } = dates.unwrap_or_default();
        let bucket = match (bucket, matures_at) {
            (Bucket::Available, Some(_)) => Bucket::Deferred,
            (Bucket::Available | Bucket::Held, None) => bucket,
            _ => return None,
        };
        if [expires_at, matures_at].into_iter().any(is_early) {
            return None;
        }
        if matures_at.is_some_and(|at| expires_at.is_some_and(|end| end <= at)) {
            return None;
        }
        let in_bucket = |wanted| if bucket == wanted { amount.get() } else { 0 };
        let lots = dates.map(|_| {
            let mut moves = Moves::of(self);
            moves.make(amount, bucket, expires_at);
            moves.finish()
        });
        let buckets = Buckets {
            held: in_bucket(Bucket::Held),
            deferred: in_bucket(Bucket::Deferred),
            lots,
            expires_at,
            matures_at,
            ..Buckets::default()
        };
        Plan::new(Entry::Mint, amount.get(), buckets)
    }

    /// An entry that takes points out of the account (spend, debit, forfeit, expire, void) or moves
    /// them to another bucket (hold, release, mature). `None` if the pick has too few.
    pub fn plan(&self, entry: Entry, amount: Points, pick: &Pick<'_>) -> Option<Plan> {
        if self.points_in(pick) < amount {
            return None;
        }
        self.plan_with(entry, amount, pick)
    }

    /// A debit that may take more than there is: first what is available, then the rest, so that
    /// the balance becomes negative.
    pub fn plan_overdraft(&self, amount: Points, order: BurnOrder) -> Option<Plan> {
        self.plan_with(Entry::Debit, amount, &Pick::all(Bucket::Available, order))
    }

    /// The forfeit of everything in all buckets; `None` if there is nothing.
    pub fn plan_forfeit_all(&self) -> Option<Plan> {
        let wallet = self.wallet;
        let amounts = [
            (Bucket::Available, wallet.available()),
            (Bucket::Held, wallet.held),
            (Bucket::Deferred, wallet.pending),
        ];
        let lots = self.lots.as_ref().map(|_| {
            let mut moves = Moves::of(self);
            for (bucket, amount) in amounts {
                moves.take(amount, &Pick::all(bucket, BurnOrder::Fifo), None);
            }
            moves.finish()
        });
        let buckets = Buckets {
            held: -wallet.held.get(),
            deferred: -wallet.pending.get(),
            lots,
            ..Buckets::default()
        };
        let amount = amounts.iter().map(|(_, amount)| amount.get()).sum();
        Plan::new(Entry::Forfeit, amount, buckets)
    }

    /// The entry of a due thing; `None` if nothing is left to be done, and of a notice.
    pub fn plan_due(&self, due: Due) -> Option<Plan> {
        let at = Some(due.at);
        let (entry, bucket) = match due.kind {
            DueKind::Mature => (Entry::Mature, Bucket::Deferred),
            DueKind::Expire => (Entry::Expire, Bucket::Available),
            DueKind::Release => (Entry::Release, Bucket::Held),
            DueKind::Notice => return None,
        };
        let admits = |lot: &Lot| match due.kind {
            DueKind::Mature => lot.matures_at() == at,
            DueKind::Expire => lot.expires_at == at,
            DueKind::Release => lot.held_until() == at,
            DueKind::Notice => false,
        };
        let pick = Pick {
            bucket,
            order: BurnOrder::Fifo,
            admits: &admits,
        };
        let mut plan = self.plan(entry, self.points_in(&pick), &pick)?;
        if let Some(buckets) = &mut plan.buckets {
            buckets.due_at = at;
        }
        Some(plan)
    }

    /// The entry that puts all points of an account without lots into lots; `None` if it has none,
    /// or has lots already, or if the date is before 1970.
    pub fn plan_open(&self, expires_at: Option<Timestamp>) -> Option<Plan> {
        if self.lots.is_some() || is_early(expires_at) {
            return None;
        }
        let (available, held) = (self.wallet.available(), self.wallet.held);
        let mut moves = Moves::of(self);
        for (amount, bucket) in [(available, Bucket::Available), (held, Bucket::Held)] {
            if !amount.is_zero() {
                moves.make(amount, bucket, expires_at);
            }
        }
        let buckets = Buckets {
            lots: Some(moves.finish()),
            expires_at,
            ..Buckets::default()
        };
        Plan::new(Entry::Open, available.get() + held.get(), buckets)
    }

    /// An entry (refund or reversal) that restores points that another entry took: the last that it
    /// took first, each to the lot from which it came. Points without a lot come into a new one; if
    /// there is a grace, also those whose time has passed.
    /// `None` if the entry did not take that many, or if they were restored before. `mode` says
    /// whether an account that has no lots yet, because it had no points, gets one now.
    pub fn plan_restore(
        &self,
        entry: Entry,
        amount: Points,
        taken: Taken<'_>,
        mode: InventoryMode,
    ) -> Option<Plan> {
        let left = taken.amount.checked_sub(taken.restored)?;
        left.checked_sub(amount)?;
        let has_lots = self.lots.is_some() || mode == InventoryMode::Lot;
        let mut expires_at = None;
        let lots = has_lots.then(|| {
            let mut moves = Moves::of(self);
            expires_at = moves.restore(amount, &taken);
            moves.finish()
        });
        let buckets = Buckets {
            lots,
            expires_at,
            target: taken.target,
            ..Buckets::default()
        };
        Plan::new(entry, amount.get(), buckets)
    }

    fn plan_with(&self, entry: Entry, amount: Points, pick: &Pick<'_>) -> Option<Plan> {
        let needs_lots = matches!(entry, Entry::Expire | Entry::Mature | Entry::Void);
        if needs_lots && self.lots.is_none() {
            return None;
        }
        let to = match entry {
            Entry::Hold => Some(Bucket::Held),
            Entry::Release | Entry::Mature => Some(Bucket::Available),
            _ => None,
        };
        let points = amount.get();
        let covered = self.points_in(pick).min(amount);
        let lots = self.lots.as_ref().map(|_| {
            let mut moves = Moves::of(self);
            moves.take(covered, pick, to);
            moves.finish()
        });
        let change = |bucket| match (pick.bucket == bucket, to == Some(bucket)) {
            (true, _) => -points,
            (_, true) => points,
            _ => 0,
        };
        let buckets = Buckets {
            held: change(Bucket::Held),
            deferred: change(Bucket::Deferred),
            uncovered: amount.checked_sub(covered)?,
            lots,
            ..Buckets::default()
        };
        Plan::new(entry, points, buckets)
    }
}

/// Whether a date is before those that a lot can have.
fn is_early(date: Option<Timestamp>) -> bool {
    date.is_some_and(|date| date < Timestamp::EPOCH)
}
