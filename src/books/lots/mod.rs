//! The lots of an account: what the ledger entries of the account left of them.

pub(super) mod calendar;
pub(super) mod expiries;
mod expiring;
pub(super) mod moves;
pub(super) mod notices;
pub(super) mod packed;
pub(super) mod plan;

use std::time::Duration;

use crate::domain::{
    AccountKey, Bucket, Buckets, Due, DueKind, Entry, ExpiryNotice, LedgerEntry, Lot, LotMove,
    LotMoves, LotPart, LotState, Points, Timestamp,
};

use self::notices::Notices;
use super::ContradictionKind;

/// The smallest difference of two times.
const MILLISECOND: Duration = Duration::from_millis(1);

/// The lots of an account with points left, in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lots {
    /// The number of lots that were ever made. It is at least one in a record.
    pub made: u32,
    /// Those with points left.
    pub live: Vec<Lot>,
    /// What expires up to this time is not announced any more.
    pub noticed_until: Option<Timestamp>,
}

/// The changes of the lots of each bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) available: i64,
    pub(super) held: i64,
    pub(super) deferred: i64,
}

impl Sums {
    fn add(&mut self, bucket: Bucket, points: i64) -> Result<(), ContradictionKind> {
        let sum = match bucket {
            Bucket::Available => &mut self.available,
            Bucket::Held => &mut self.held,
            Bucket::Deferred => &mut self.deferred,
        };
        *sum = sum
            .checked_add(points)
            .ok_or(ContradictionKind::TooManyPoints)?;
        Ok(())
    }
}

/// A ledger entry, as far as the lots of its account depend on it.
pub(super) struct Posted<'a> {
    pub(super) entry: &'a LedgerEntry,
    pub(super) buckets: &'a Buckets,
    /// Its number in the account.
    pub(super) number: u64,
    pub(super) at: Timestamp,
}

impl Lots {
    /// The sum of the lots of a bucket.
    pub fn sum(&self, bucket: Bucket) -> Points {
        let lots = self.live.iter().filter(|lot| lot.state.bucket() == bucket);
        let sum = lots.map(|lot| lot.remaining.get()).sum();
        Points::new(sum).unwrap_or(Points::MAX)
    }

    /// Takes in that a time was announced at which points expire.
    pub(in crate::books) fn announced(&mut self, end: Timestamp) {
        self.noticed_until = self.noticed_until.max(Some(end));
    }

    /// Takes in that an entry was posted at a time: the notices before it were sent.
    pub(in crate::books) fn passed(&mut self, at: Timestamp, notice: ExpiryNotice) {
        let last = notice.after(at).saturating_sub(MILLISECOND);
        self.noticed_until = self.noticed_until.max(Some(last));
    }

    /// The place of a lot in the list, or where it would be.
    fn place(&self, number: u32) -> Result<usize, usize> {
        self.live.binary_search_by_key(&number, |lot| lot.number)
    }

    /// Applies the moves of a ledger entry. Returns how the lots of each bucket changed.
    pub(super) fn apply(
        &mut self,
        moves: &LotMoves,
        posted: &Posted<'_>,
    ) -> Result<Sums, ContradictionKind> {
        let by = u32::try_from(posted.number).map_err(|_| ContradictionKind::TooManyLots)?;
        let mut sums = Sums::default();
        for moved in moves.iter() {
            match moved {
                LotMove::Make {
                    number,
                    amount,
                    bucket,
                } => {
                    let lot = made(posted, by, (number, amount, bucket))?;
                    self.push(lot)?;
                    sums.add(bucket, amount.get())?;
                }
                LotMove::Take { part, from } => {
                    let lot = self.take(&part, from)?;
                    fits(may_take(posted, &lot, from))?;
                    sums.add(from, -part.amount.get())?;
                }
                LotMove::Give { part, target } => {
                    let entry = posted.entry.entry;
                    fits(matches!(entry, Entry::Refund | Entry::Reverse) && part.entry < by)?;
                    self.give(part, target)?;
                    sums.add(Bucket::Available, part.amount.get())?;
                }
                LotMove::Shift {
                    part,
                    from,
                    to,
                    target,
                } => {
                    let lot = self.take(&part, from)?;
                    let state = shifted(posted, &lot, by, to)?;
                    let is_whole = part.amount == lot.remaining;
                    let number = target.unwrap_or(lot.number);
                    fits(target.is_none() == is_whole)?;
                    self.put(Lot {
                        number,
                        remaining: part.amount,
                        state,
                        ..lot
                    })?;
                    sums.add(from, -part.amount.get())?;
                    sums.add(to, part.amount.get())?;
                }
            }
        }
        Ok(sums)
    }

    /// Adds a new lot. Its number has to be the next one.
    fn push(&mut self, lot: Lot) -> Result<(), ContradictionKind> {
        let next = self.made.checked_add(1);
        if next != Some(lot.number) {
            return Err(ContradictionKind::LotNumber(lot.number));
        }
        if self.live.len() >= Lot::COUNT_MAX {
            return Err(ContradictionKind::TooManyLots);
        }
        self.made = lot.number;
        self.live.push(lot);
        Ok(())
    }

    /// Adds a lot that has its number already, or a new one.
    fn put(&mut self, lot: Lot) -> Result<(), ContradictionKind> {
        if lot.number > self.made {
            return self.push(lot);
        }
        match self.place(lot.number) {
            Err(place) if self.live.len() < Lot::COUNT_MAX => {
                self.live.insert(place, lot);
                Ok(())
            }
            Err(_) => Err(ContradictionKind::TooManyLots),
            Ok(_) => Err(ContradictionKind::LotNumber(lot.number)),
        }
    }

    /// Takes points out of a lot. Returns the lot as it was.
    fn take(&mut self, part: &LotPart, from: Bucket) -> Result<Lot, ContradictionKind> {
        let number = part.number;
        let unknown = |_| ContradictionKind::LotUnknown(number);
        let place = self.place(number).map_err(unknown)?;
        let lot = self.live[place];
        if lot.part(part.amount) != *part || lot.state.bucket() != from {
            return Err(ContradictionKind::LotDiffers(number));
        }
        let left = lot.remaining.checked_sub(part.amount);
        let left = left.ok_or(ContradictionKind::LotShort(number))?;
        if left.is_zero() {
            self.live.remove(place);
        } else {
            self.live[place].remaining = left;
        }
        Ok(lot)
    }

    /// Restores points of a lot.
    fn give(&mut self, part: LotPart, target: Option<u32>) -> Result<(), ContradictionKind> {
        let number = part.number;
        if number > self.made {
            return Err(ContradictionKind::LotUnknown(number));
        }
        let restored = Lot {
            number: target.unwrap_or(number),
            origin: part.origin,
            entry: part.entry,
            remaining: part.amount,
            expires_at: part.expires_at,
            state: LotState::Available,
        };
        let Ok(place) = self.place(number) else {
            fits(target.is_none())?;
            return self.put(restored);
        };
        let live = &mut self.live[place];
        let is_same = Lot {
            remaining: live.remaining,
            state: live.state,
            number,
            ..restored
        } == *live;
        if !is_same {
            return Err(ContradictionKind::LotDiffers(number));
        }
        let is_available = live.state == LotState::Available;
        fits(target.is_none() == is_available)?;
        if !is_available {
            return self.push(restored);
        }
        let sum = live.remaining.checked_add(part.amount);
        live.remaining = sum.ok_or(ContradictionKind::TooManyPoints)?;
        Ok(())
    }
}

/// Everything that is due for lots some day, in order, each once.
pub(super) fn dues(
    lots: impl Iterator<Item = Lot>,
    account: AccountKey,
    notices: Notices,
) -> Vec<Due> {
    let mut dues: Vec<Due> = lots
        .flat_map(|lot| dues_of(&lot, account, notices))
        .collect();
    dues.sort();
    dues.dedup();
    dues
}

/// The lots of an account before and after a change, without those at both ends of the two lists
/// that are the same. Most changes concern a lot or two of many.
pub(super) struct Changed<'a> {
    pub(super) was: &'a [Lot],
    pub(super) is: &'a [Lot],
    same: [&'a [Lot]; 2],
}

impl<'a> Changed<'a> {
    pub(super) fn new(was: &'a [Lot], is: &'a [Lot]) -> Self {
        let is_same = |(was, is): &(&Lot, &Lot)| was == is;
        let first = was.iter().zip(is).take_while(is_same).count();
        let (head, was) = was.split_at(first);
        let is = &is[first..];
        let both = was.iter().rev().zip(is.iter().rev());
        let last = both.take_while(is_same).count();
        let (was, tail) = was.split_at(was.len() - last);
        Self {
            was,
            is: &is[..is.len() - last],
            same: [head, tail],
        }
    }

    /// What is no longer due, and what is due that was not, both in order, by the notices after the
    /// change. Those that it ended are in the past, and go when their list is next reached.
    pub(super) fn dues(&self, account: AccountKey, notices: Notices) -> [Vec<Due>; 2] {
        let all = |lots: &[Lot]| dues(lots.iter().copied(), account, notices);
        let dues = [self.was, self.is].map(all);
        let [was, is] = &dues;
        let is_in = |list: &[Due], due: &Due| list.binary_search(due).is_ok();
        let mut stays: Vec<Due> = was.iter().filter(|due| is_in(is, due)).copied().collect();
        if was.len() + is.len() > 2 * stays.len() {
            // Lots that stay may have the same dates.
            let lots = self.same.into_iter().flatten();
            let same = lots.flat_map(|lot| dues_of(lot, account, notices));
            stays.extend(same.filter(|due| is_in(was, due) || is_in(is, due)));
        }
        stays.sort_unstable();
        dues.map(|mut list| {
            list.retain(|due| !is_in(&stays, due));
            list
        })
    }
}

/// Everything that is due for a lot some day.
pub(super) fn dues_of(
    lot: &Lot,
    account: AccountKey,
    notices: Notices,
) -> impl Iterator<Item = Due> + use<> {
    let matures_at = lot.matures_at();
    // A lot does not expire while it is held. If the hold ends before, it is listed all the same,
    // so that a list of what is due has it in order.
    let free_from = lot.free_from();
    let expires_at = lot.expires_at;
    let expires_at = expires_at.filter(|end| free_from.is_some_and(|from| from < *end));
    let dates = [
        (matures_at, DueKind::Mature),
        (expires_at, DueKind::Expire),
        (lot.held_until(), DueKind::Release),
        (notices.due_at(lot), DueKind::Notice),
    ];
    dates
        .into_iter()
        .filter_map(move |(at, kind)| at.map(|at| Due::new(at, kind, account)))
}

fn fits(fits: bool) -> Result<(), ContradictionKind> {
    if fits {
        Ok(())
    } else {
        Err(ContradictionKind::LotsDiffer)
    }
}

/// The lot that an entry makes.
fn made(
    posted: &Posted<'_>,
    by: u32,
    (number, remaining, bucket): (u32, Points, Bucket),
) -> Result<Lot, ContradictionKind> {
    let entry = posted.entry.entry;
    let is_new = matches!(entry, Entry::Mint | Entry::Open);
    fits(is_new || matches!(entry, Entry::Refund | Entry::Reverse))?;
    let state = match (bucket, posted.buckets.matures_at) {
        (Bucket::Available, None) => LotState::Available,
        (Bucket::Held, None) if is_new => LotState::Held {
            by,
            is_provisional: entry == Entry::Mint,
            until: None,
        },
        (Bucket::Deferred, Some(matures_at)) => LotState::Deferred { matures_at },
        _ => return Err(ContradictionKind::LotsDiffer),
    };
    Ok(Lot {
        number,
        origin: number,
        entry: by,
        remaining,
        expires_at: posted.buckets.expires_at,
        state,
    })
}

/// Whether an entry may take points out of a lot.
fn may_take(posted: &Posted<'_>, lot: &Lot, from: Bucket) -> bool {
    let entry = posted.entry.entry;
    match (entry, from) {
        (Entry::Expire, Bucket::Available) => lot.expires_at.is_some_and(|at| at <= posted.at),
        // Credits make up for a negative balance.
        (
            Entry::Spend
            | Entry::Forfeit
            | Entry::Debit
            | Entry::Mint
            | Entry::Refund
            | Entry::Reverse,
            Bucket::Available,
        )
        | (Entry::Forfeit | Entry::Debit, Bucket::Held)
        | (Entry::Forfeit, Bucket::Deferred) => true,
        (Entry::Release, Bucket::Held) => !lot.is_provisional(),
        (Entry::Void, Bucket::Held) => lot.is_provisional(),
        (Entry::Mature, _) => may_mature(posted, lot),
        _ => false,
    }
}

/// Whether the points of a lot may become available by maturing.
fn may_mature(posted: &Posted<'_>, lot: &Lot) -> bool {
    match lot.state {
        LotState::Deferred { matures_at } => matures_at <= posted.at,
        LotState::Held { is_provisional, .. } => is_provisional,
        LotState::Available => false,
    }
}

/// The state of a lot that an entry moves to another bucket.
fn shifted(
    posted: &Posted<'_>,
    lot: &Lot,
    by: u32,
    to: Bucket,
) -> Result<LotState, ContradictionKind> {
    match (posted.entry.entry, to) {
        (Entry::Hold, Bucket::Held) => Ok(LotState::Held {
            by,
            is_provisional: false,
            until: posted.buckets.matures_at,
        }),
        (Entry::Release, Bucket::Available) => {
            fits(lot.state.bucket() == Bucket::Held && !lot.is_provisional())?;
            Ok(LotState::Available)
        }
        (Entry::Mature, Bucket::Available) => {
            fits(may_mature(posted, lot))?;
            Ok(LotState::Available)
        }
        _ => Err(ContradictionKind::LotsDiffer),
    }
}
