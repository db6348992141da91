//! What ledger entries say about lots.

use std::collections::HashSet;

use crate::domain::{Buckets, Entry, LotMove, LotPart, Points, Timestamp};
use crate::store::log::EntryRow;

/// The lots from which points expired, according to the entries that were read.
#[derive(Default)]
pub(super) struct Expired {
    pub(super) lots: HashSet<u32>,
    /// Whether these were all entries from the newest back.
    pub(super) is_complete: bool,
}

impl Expired {
    pub(super) fn note(&mut self, row: &EntryRow) {
        let moves = row.lots();
        if let Some(moves) = moves.filter(|_| row.entry.entry == Entry::Expire) {
            let taken = moves.iter().filter_map(|moved| match moved {
                LotMove::Take { part, .. } => Some(part.number),
                _ => None,
            });
            self.lots.extend(taken);
        }
    }
}

/// A lot that an entry made.
pub(super) struct NewLot {
    pub(super) lot: u32,
    pub(super) amount: Points,
    /// What it was split from; `None` if its points were credited by this entry.
    pub(super) part: Option<LotPart>,
}

/// The lots that an entry made, in the order of their numbers.
pub(super) fn new_lots(row: &EntryRow) -> Vec<NewLot> {
    let moves = row.lots();
    let moves = moves.iter().flat_map(|moves| moves.iter());
    let made = moves.filter_map(|moved| match moved {
        LotMove::Make { number, amount, .. } => Some(NewLot {
            lot: number,
            amount,
            part: None,
        }),
        LotMove::Give { part, target } | LotMove::Shift { part, target, .. } => {
            target.map(|lot| NewLot {
                lot,
                amount: part.amount,
                part: Some(part),
            })
        }
        LotMove::Take { .. } => None,
    });
    made.collect()
}

pub(super) fn buckets(row: &EntryRow) -> Option<&Buckets> {
    row.entry.buckets.as_deref()
}

/// When the points that an entry credited become available, or became so.
pub(super) fn matures_at(row: &EntryRow) -> Option<Timestamp> {
    buckets(row)?.matures_at
}
