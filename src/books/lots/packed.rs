//! The packed form of lots: 32 bytes each, and as many for each entry that holds points for a time.

use super::super::small::{U48, U56};
use super::Lots;
use crate::domain::{Lot, LotState, Points, Timestamp};

/// A packed [`Lot`], or, after all lots, until when an entry holds points.
#[derive(Debug, Clone, Copy, Default)]
struct PackedLot {
    number: [u8; 4],
    origin: [u8; 4],
    entry: [u8; 4],
    remaining: U56,
    /// One more than the time; 0: never.
    expires_at: U48,
    /// Of a deferred lot when it matures, of a held one the entry that holds it.
    detail: U48,
    state: u8,
}

const AVAILABLE: u8 = 0;
const HELD: u8 = 1;
const PROVISIONAL: u8 = 2;
const DEFERRED: u8 = 3;
/// Not a lot: `entry` holds points until `detail`.
const UNTIL: u8 = 4;

impl PackedLot {
    fn new(lot: &Lot) -> Self {
        let (state, detail) = match lot.state {
            LotState::Available => (AVAILABLE, 0),
            LotState::Held {
                by, is_provisional, ..
            } => {
                let state = if is_provisional { PROVISIONAL } else { HELD };
                (state, i64::from(by))
            }
            LotState::Deferred { matures_at } => (DEFERRED, matures_at.as_millis()),
        };
        Self {
            number: lot.number.to_le_bytes(),
            origin: lot.origin.to_le_bytes(),
            entry: lot.entry.to_le_bytes(),
            remaining: U56::of(lot.remaining.get()),
            expires_at: U48::of(lot.expires_at.map_or(0, |at| at.as_millis() + 1)),
            detail: U48::of(detail),
            state,
        }
    }

    /// Until when an entry holds points.
    fn until(by: u32, until: Timestamp) -> Self {
        Self {
            entry: by.to_le_bytes(),
            detail: U48::of(until.as_millis()),
            state: UNTIL,
            ..Self::default()
        }
    }

    /// The lot, after which `further` says until when entries hold points.
    fn lot(&self, further: &[Self]) -> Lot {
        let by = u32::try_from(self.detail.get()).unwrap_or(u32::MAX);
        let time = |millis| Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH);
        let until = || {
            let place = further.binary_search_by_key(&by, |row| u32::from_le_bytes(row.entry));
            place.ok().map(|place| time(further[place].detail.signed()))
        };
        let end = self.expires_at.signed();
        Lot {
            number: u32::from_le_bytes(self.number),
            origin: u32::from_le_bytes(self.origin),
            entry: u32::from_le_bytes(self.entry),
            remaining: Points::new(self.remaining.signed()).unwrap_or(Points::MAX),
            expires_at: (end > 0).then(|| time(end - 1)),
            state: match self.state {
                AVAILABLE => LotState::Available,
                DEFERRED => LotState::Deferred {
                    matures_at: time(self.detail.signed()),
                },
                state => LotState::Held {
                    by,
                    is_provisional: state == PROVISIONAL,
                    until: until(),
                },
            },
        }
    }
}

/// The packed lots of an account.
#[derive(Debug, Clone, Default)]
pub(in crate::books) struct PackedLots {
    made: u32,
    /// One more than the time; 0: none.
    noticed_until: U48,
    live: Box<[PackedLot]>,
}

impl PackedLots {
    pub(in crate::books) fn new(lots: &Lots) -> Self {
        let untils = lots
            .live
            .iter()
            .filter_map(|lot| lot.held_by().zip(lot.held_until()));
        let mut untils: Vec<(u32, Timestamp)> = untils.collect();
        untils.sort_unstable();
        untils.dedup();
        let untils = untils.into_iter().map(|(by, at)| PackedLot::until(by, at));
        let live = lots.live.iter().map(PackedLot::new);
        Self {
            made: lots.made,
            noticed_until: U48::of(lots.noticed_until.map_or(0, |at| at.as_millis() + 1)),
            live: live.chain(untils).collect(),
        }
    }

    /// The lots; `None` if none was ever made.
    pub(in crate::books) fn lots(&self) -> Option<Lots> {
        (self.made > 0).then(|| Lots {
            made: self.made,
            live: self.iter().collect(),
            noticed_until: self.noticed_until(),
        })
    }

    /// What expires up to this time is not announced any more.
    pub(in crate::books) fn noticed_until(&self) -> Option<Timestamp> {
        let millis = self.noticed_until.signed().checked_sub(1);
        millis.and_then(Timestamp::parse_stored)
    }

    /// The lots with points left.
    pub(in crate::books) fn iter(&self) -> impl Iterator<Item = Lot> {
        let count = self.live.partition_point(|row| row.state != UNTIL);
        let (lots, further) = self.live.split_at(count);
        lots.iter().map(|lot| lot.lot(further))
    }

    pub(in crate::books) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_takes_32_bytes_and_comes_back_unchanged() {
        assert_eq!(size_of::<PackedLot>(), 32);
        let last = Timestamp::parse("9999-12-31T23:59:59.999Z").unwrap();
        let states = [
            LotState::Available,
            LotState::Held {
                by: u32::MAX,
                is_provisional: false,
                until: Some(last),
            },
            LotState::Held {
                by: 2,
                is_provisional: false,
                until: Some(Timestamp::EPOCH),
            },
            LotState::Held {
                by: 3,
                is_provisional: true,
                until: None,
            },
            LotState::Deferred { matures_at: last },
            LotState::Deferred {
                matures_at: Timestamp::EPOCH,
            },
        ];
        let ends = [None, Some(Timestamp::EPOCH), Some(last)];
        let lots = states.into_iter().flat_map(|state| {
            ends.map(|expires_at| Lot {
                number: u32::MAX,
                origin: 1,
                entry: u32::MAX - 1,
                remaining: Points::MAX,
                expires_at,
                state,
            })
        });
        let lots = Lots {
            made: u32::MAX,
            live: lots.collect(),
            noticed_until: None,
        };
        for noticed_until in ends {
            let lots = Lots {
                noticed_until,
                ..lots.clone()
            };
            assert_eq!(PackedLots::new(&lots).lots(), Some(lots));
        }
        assert_eq!(PackedLots::default().lots(), None);
    }
}
