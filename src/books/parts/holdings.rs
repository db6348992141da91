//! The form of what only some members have: points that are held or pending, and lots.

use serde::{Deserialize, Serialize};

use crate::books::{Lots, Record};
use crate::domain::{Bucket, Lot, LotState, Points, Timestamp};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredHoldings {
    held: i64,
    pending: i64,
    /// The number of lots that were ever made; 0: the account has no lots.
    made: u32,
    lots: Vec<StoredLot>,
    /// One more than the time up to which nothing is announced any more; 0: none.
    noticed_until: i64,
}

/// A lot, with numbers as distances.
#[derive(Debug, Serialize, Deserialize)]
struct StoredLot {
    /// The distance from the lot before it.
    after: u32,
    /// The distance from its origin.
    origin: u32,
    entry: u32,
    remaining: i64,
    /// One more than the time; 0: never.
    expires_at: i64,
    state: StoredState,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredState {
    Available,
    Held { by: u32, until: Option<i64> },
    Provisional { by: u32 },
    Deferred { matures_at: i64 },
}

impl StoredHoldings {
    /// What a record has; `None` if it has nothing of it.
    pub(super) fn new(record: &Record) -> Option<Self> {
        let wallet = &record.wallet;
        let (held, pending) = (wallet.held.get(), wallet.pending.get());
        if (held, pending) == (0, 0) && record.lots.is_none() {
            return None;
        }
        let mut before = 0;
        let lots = record.lots.iter().flat_map(|lots| &lots.live);
        let lots = lots.map(|lot| {
            let after = lot.number - before;
            before = lot.number;
            StoredLot::new(lot, after)
        });
        Some(Self {
            held,
            pending,
            lots: lots.collect(),
            made: record.lots.as_ref().map_or(0, |lots| lots.made),
            noticed_until: record
                .lots
                .as_ref()
                .and_then(|lots| lots.noticed_until)
                .map_or(0, |at| at.as_millis() + 1),
        })
    }

    /// Adds it to a record; `None` if a number is out of range, or the lots are not those of the
    /// wallet.
    pub(super) fn write(&self, record: &mut Record) -> Option<()> {
        record.wallet.held = Points::new(self.held)?;
        record.wallet.pending = Points::new(self.pending)?;
        if self.made == 0 {
            return self.lots.is_empty().then_some(());
        }
        let (mut before, mut sums) = (0, [0_i64; 3]);
        let mut live = Vec::with_capacity(self.lots.len());
        for stored in &self.lots {
            let lot = stored.lot(before)?;
            before = lot.number;
            let sum = &mut sums[lot.state.bucket() as usize];
            *sum = sum.checked_add(lot.remaining.get())?;
            live.push(lot);
        }
        let wallet = &record.wallet;
        let expected = [
            (Bucket::Available, wallet.available()),
            (Bucket::Held, wallet.held),
            (Bucket::Deferred, wallet.pending),
        ];
        let is_sum = |(bucket, points): (Bucket, Points)| sums[bucket as usize] == points.get();
        let fits = expected.into_iter().all(is_sum) && before <= self.made;
        (fits && live.len() <= Lot::COUNT_MAX).then_some(())?;
        record.lots = Some(Box::new(Lots {
            made: self.made,
            live,
            noticed_until: optional_time(self.noticed_until).ok()?,
        }));
        Some(())
    }
}

impl StoredLot {
    fn new(lot: &Lot, after: u32) -> Self {
        Self {
            after,
            origin: lot.number.wrapping_sub(lot.origin),
            entry: lot.entry,
            remaining: lot.remaining.get(),
            expires_at: lot.expires_at.map_or(0, |at| at.as_millis() + 1),
            state: match lot.state {
                LotState::Available => StoredState::Available,
                LotState::Held {
                    by, is_provisional, ..
                } if is_provisional => StoredState::Provisional { by },
                LotState::Held { by, until, .. } => StoredState::Held {
                    by,
                    until: until.map(Timestamp::as_millis),
                },
                LotState::Deferred { matures_at } => StoredState::Deferred {
                    matures_at: matures_at.as_millis(),
                },
            },
        }
    }

    /// The lot after the one with the number `before`; `None` if a number is out of range.
    fn lot(&self, before: u32) -> Option<Lot> {
        let number = before.checked_add(self.after).filter(|_| self.after > 0)?;
        Some(Lot {
            number,
            origin: number
                .checked_sub(self.origin)
                .filter(|origin| *origin > 0)?,
            entry: Some(self.entry).filter(|entry| *entry > 0)?,
            remaining: Points::new(self.remaining).filter(|points| !points.is_zero())?,
            expires_at: optional_time(self.expires_at).ok()?,
            state: match self.state {
                StoredState::Available => LotState::Available,
                StoredState::Held { by, until } => LotState::Held {
                    by,
                    is_provisional: false,
                    until: match until {
                        Some(until) => Some(Timestamp::parse_stored(until)?),
                        None => None,
                    },
                },
                StoredState::Provisional { by } => LotState::Held {
                    by,
                    is_provisional: true,
                    until: None,
                },
                StoredState::Deferred { matures_at } => LotState::Deferred {
                    matures_at: Timestamp::parse_stored(matures_at)?,
                },
            },
        })
    }
}

/// A time, which is stored as one more; 0: none. An error if it is out of range.
fn optional_time(stored: i64) -> Result<Option<Timestamp>, ()> {
    if stored == 0 {
        return Ok(None);
    }
    let millis = stored.checked_sub(1);
    let time = millis.and_then(Timestamp::parse_stored);
    time.map(Some).ok_or(())
}
