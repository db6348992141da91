//! What only some members have, beside their packed records: redemptions, points that are held or
//! pending, and lots.

use super::Record;
use super::lots::Lots;
use super::lots::packed::PackedLots;
use super::small::U56;
use crate::domain::{Lot, Points, Status, StatusCounts, Timestamp};

/// The redemptions of a member by status, and where the holdings are.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    counts: [u32; Status::ALL.len()],
    /// One more than the place of the holdings in their list; 0: none.
    holdings: u32,
}

/// What a member has besides points that can be spent.
#[derive(Debug, Clone, Default)]
struct Holdings {
    held: U56,
    pending: U56,
    lots: PackedLots,
}

/// What a side says about a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OfMember {
    pub(super) redemptions: StatusCounts,
    pub(super) held: Points,
    pub(super) pending: Points,
    pub(super) lots: Option<Box<Lots>>,
}

/// The sides of all members that have one. Places count from 1; 0 is that of members without.
#[derive(Debug, Default)]
pub(super) struct Sides {
    all: Vec<Side>,
    holdings: Vec<Holdings>,
    /// The memory that all lots take, in bytes.
    lot_bytes: usize,
}

impl Sides {
    pub(super) fn get(&self, place: u32) -> OfMember {
        let mut of_member = OfMember::default();
        let Some(side) = element(&self.all, place) else {
            return of_member;
        };
        for (status, count) in Status::ALL.into_iter().zip(side.counts) {
            of_member.redemptions.add(status, u64::from(count));
        }
        if let Some(holdings) = element(&self.holdings, side.holdings) {
            let points = |points: U56| Points::new(points.signed()).unwrap_or(Points::MAX);
            of_member.held = points(holdings.held);
            of_member.pending = points(holdings.pending);
            of_member.lots = holdings.lots.lots().map(Box::new);
        }
        of_member
    }

    /// The lots with points left.
    pub(super) fn lots(&self, place: u32) -> impl Iterator<Item = Lot> {
        let lots = self.packed_lots(place);
        lots.into_iter().flat_map(PackedLots::iter)
    }

    /// What expires up to this time is not announced any more.
    pub(super) fn noticed_until(&self, place: u32) -> Option<Timestamp> {
        self.packed_lots(place)?.noticed_until()
    }

    fn packed_lots(&self, place: u32) -> Option<&PackedLots> {
        let side = element(&self.all, place)?;
        element(&self.holdings, side.holdings).map(|holdings| &holdings.lots)
    }

    /// Writes what a record has; returns the place, which is that of before if there was one.
    pub(super) fn put(&mut self, place: u32, record: &Record) -> u32 {
        let wallet = &record.wallet;
        let has_holdings =
            record.lots.is_some() || !wallet.held.is_zero() || !wallet.pending.is_zero();
        if place == 0 && !has_holdings && record.redemptions.total() == 0 {
            return 0;
        }
        let count = |status| u32::try_from(record.redemptions.get(status)).unwrap_or(u32::MAX);
        let before = element(&self.all, place).map_or(0, |side| side.holdings);
        let mut holdings = before;
        if has_holdings || before > 0 {
            let new = Holdings {
                held: U56::of(wallet.held.get()),
                pending: U56::of(wallet.pending.get()),
                lots: record
                    .lots
                    .as_deref()
                    .map(PackedLots::new)
                    .unwrap_or_default(),
            };
            let freed = element(&self.holdings, before).map_or(0, |old| old.lots.heap_bytes());
            self.lot_bytes = self.lot_bytes + new.lots.heap_bytes() - freed;
            holdings = put(&mut self.holdings, before, new);
        }
        let side = Side {
            counts: Status::ALL.map(count),
            holdings,
        };
        put(&mut self.all, place, side)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.all.capacity() * size_of::<Side>()
            + self.holdings.capacity() * size_of::<Holdings>()
            + self.lot_bytes
    }
}

fn element<T>(list: &[T], place: u32) -> Option<&T> {
    list.get(usize::try_from(place.checked_sub(1)?).ok()?)
}

/// Replaces the element at a place, or adds one; returns its place.
fn put<T>(list: &mut Vec<T>, place: u32, value: T) -> u32 {
    let index = usize::try_from(place)
        .ok()
        .and_then(|place| place.checked_sub(1));
    if let Some(element) = index.and_then(|index| list.get_mut(index)) {
        *element = value;
        return place;
    }
    list.push(value);
    u32::try_from(list.len()).expect("there are fewer than 2^32")
}
