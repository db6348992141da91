//! The lots of a participant's account: those with points left from the books, the others from the
//! log.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::scope::{check_asset, check_program};
use crate::books::Record;
use crate::domain::{
    Buckets, DerivedIds, DerivedKind, Entry, Invalid, InventoryMode, Lot, LotMove, LotPart, Points,
    Timestamp,
};
use crate::service::loyalty::points::NEEDS_LOTS;
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store;
use crate::store::log::{AccountLog, EntryRow};
use crate::wire::{
    AssetResponse, Cursor, ListKind, LotListResponse, LotResponse, LotStatus, PageQuery, short,
};

/// The most entries that are read for a page, half of them before its start.
const READ_MAX: u64 = 10_000;
/// The entries that are read at the time at which a lot expires, which may be behind those.
const AT_EXPIRY_MAX: u64 = 20;

/// The filter of a list of lots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotFilter {
    /// The asset.
    pub asset: Uuid,
    /// Only those of this program, which has to be the key's.
    pub program: Option<Uuid>,
    /// Only those with this status.
    pub status: Option<LotStatus>,
    /// Only those that expire before this time.
    pub expires_before: Option<Timestamp>,
    /// Only those that expire after this time.
    pub expires_after: Option<Timestamp>,
    /// Only those with this reference.
    pub reference: Option<String>,
}

/// A lot of the list.
struct Shown {
    place: Place,
    amount: Points,
    remaining: Points,
    status: LotStatus,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    matures_at: Option<Timestamp>,
}

/// A place in the list. Lots with points left come first, in the order of their numbers; then the
/// others by the entries that made them, and by their numbers, both from the highest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// The number in the account of the entry that made the lot; 0 for a lot with points left.
    entry: u32,
    lot: u32,
}

impl Place {
    fn of_cursor(cursor: Cursor) -> Self {
        let part = |bits: i64| u32::try_from(bits & i64::from(u32::MAX)).unwrap_or(0);
        Self {
            entry: part(cursor.0 >> 32),
            lot: part(cursor.0),
        }
    }

    fn cursor(self) -> Cursor {
        Cursor(i64::from(self.entry) << 32 | i64::from(self.lot))
    }
}

impl Services {
    /// A page of the lots of a participant.
    ///
    /// # Errors
    /// `not_found` if the program has no such participant or asset, `forbidden` if the filter names
    /// another program, `bad_request` if the points of the program are not in lots.
    pub async fn list_lots(
        &self,
        key: KeyPrincipal,
        id: String,
        filter: LotFilter,
        page: PageQuery,
    ) -> Result<LotListResponse, ServiceError> {
        let record = self.participant(key, &id)?;
        let program = self.directory.uuid_of(key.program)?;
        check_program(program, filter.program)?;
        check_asset(program, Some(filter.asset))?;
        self.read(key, move |connection| {
            if store::points_rules::rules(connection, key.program)?.mode == InventoryMode::Simple {
                return Err(Invalid::new("asset_id", NEEDS_LOTS).into());
            }
            let log = AccountLog::new(connection, record.number, &record.account);
            let mut search = Search {
                log: &log,
                filter,
                after: page.cursor.map(Place::of_cursor),
                most: page.limit + 1,
                found: Vec::new(),
                stopped: None,
            };
            // So far no lot has a reference.
            if search.filter.reference.is_none() {
                search.live(&record)?;
                search.used(&record)?;
            }
            let last = page::cut(&mut search.found, page.limit).map(|shown| shown.place);
            let next = last.or(search.stopped).map(Place::cursor);
            let next = next.map(|next| next.encode(ListKind::Lots, key.program.0));
            let lots = DerivedIds::new(program, DerivedKind::Lot);
            let asset = AssetResponse::id_of(program).to_string();
            let response = |shown: Shown| LotResponse {
                id: lots.id(record.number.0, shown.place.lot).to_string(),
                asset_id: asset.clone(),
                amount: shown.amount.get().to_string(),
                remaining: shown.remaining.get().to_string(),
                status: shown.status.as_str(),
                created_at: shown.created_at.to_short(),
                expires_at: short(shown.expires_at),
                matures_at: short(shown.matures_at),
                reference_id: None,
            };
            Ok(LotListResponse {
                data: search.found.into_iter().map(response).collect(),
                pagination: next.into(),
            })
        })
        .await
    }
}

/// The search for the lots of a page.
struct Search<'a> {
    log: &'a AccountLog<'a>,
    filter: LotFilter,
    /// The last lot of the page before.
    after: Option<Place>,
    /// One more than fit on the page, so that it is known whether others follow.
    most: usize,
    found: Vec<Shown>,
    /// Where to continue, if it ended because it had read enough.
    stopped: Option<Place>,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    /// Whether the filter admits when a lot expires.
    fn admits(&self, expires_at: Option<Timestamp>) -> bool {
        let LotFilter {
            expires_before,
            expires_after,
            ..
        } = self.filter;
        expires_before.is_none_or(|end| expires_at.is_some_and(|at| at < end))
            && expires_after.is_none_or(|start| expires_at.is_some_and(|at| at > start))
    }

    /// Finds lots with points left.
    fn live(&mut self, record: &Record) -> Result<(), store::Error> {
        let after = match self.after {
            None => 0,
            Some(Place { entry: 0, lot }) => lot,
            Some(_) => return Ok(()),
        };
        let live = record.lots.iter().flat_map(|lots| &lots.live);
        let wanted = live.filter(|lot| {
            let status = LotStatus::In(lot.state.bucket());
            lot.number > after
                && self.filter.status.is_none_or(|wanted| wanted == status)
                && self.admits(lot.expires_at)
        });
        let lots: Vec<Lot> = wanted.take(self.most).copied().collect();
        let amounts = self.amounts_of_parts(&lots)?;
        for lot in lots {
            let row = self.log.get(lot.entry.into())?;
            let mut made = new_lots(&row).into_iter();
            let made = made.find(|made| made.lot == lot.number);
            let amount = made.map(|made| made.amount);
            let amount = amount.or_else(|| amounts.get(&lot.number).copied());
            self.found.push(Shown {
                place: Place {
                    entry: 0,
                    lot: lot.number,
                },
                amount: amount.unwrap_or(lot.remaining),
                remaining: lot.remaining,
                status: LotStatus::In(lot.state.bucket()),
                created_at: row.at,
                expires_at: lot.expires_at,
                matures_at: matures_at(&row),
            });
        }
        Ok(())
    }

    /// The points that came into lots that were split from others.
    fn amounts_of_parts(&self, lots: &[Lot]) -> Result<HashMap<u32, Points>, store::Error> {
        let parts = lots.iter().filter(|lot| lot.number != lot.origin);
        let mut wanted: HashSet<u32> = parts.clone().map(|lot| lot.number).collect();
        let mut amounts = HashMap::new();
        let Some(first) = parts.map(|lot| u64::from(lot.entry)).min() else {
            return Ok(amounts);
        };
        let newest = self.log.count();
        let first = first.max(newest.saturating_sub(READ_MAX));
        self.log.back(newest, |number, row| {
            for made in new_lots(&row) {
                if wanted.remove(&made.lot) {
                    amounts.insert(made.lot, made.amount);
                }
            }
            Ok::<_, store::Error>(number > first && !wanted.is_empty())
        })?;
        Ok(amounts)
    }

    /// Finds lots whose points are used up, from the newest back.
    fn used(&mut self, record: &Record) -> Result<(), store::Error> {
        if self.is_full() || self.filter.status.is_some_and(LotStatus::is_live) {
            return Ok(());
        }
        let live = record.lots.iter().flat_map(|lots| &lots.live);
        let live: HashSet<u32> = live.map(|lot| lot.number).collect();
        let (log, newest) = (self.log, self.log.count());
        let start = match self.after {
            Some(Place { entry, .. }) if entry > 0 => newest.min(entry.into()),
            _ => newest,
        };
        // The lots that expired after the entries of this page.
        let seen = start.max(newest.saturating_sub(READ_MAX / 2));
        let mut expired = Expired {
            lots: HashSet::new(),
            is_complete: seen == start,
        };
        if newest > seen {
            log.back(newest, |number, row| {
                expired.note(&row);
                Ok::<_, store::Error>(number > seen + 1)
            })?;
        }
        let end = start.saturating_sub(READ_MAX - (newest - seen));
        log.back(start, |number, row| {
            expired.note(&row);
            let entry = u32::try_from(number).unwrap_or(u32::MAX);
            for made in new_lots(&row).into_iter().rev() {
                let was_listed = |after: Place| after.entry == entry && made.lot >= after.lot;
                let is_listed = self.after.is_some_and(was_listed) || live.contains(&made.lot);
                if !is_listed && !self.is_full() {
                    self.add_used(&expired, entry, &row, &made)?;
                }
            }
            let goes_on = number > end + 1;
            if !goes_on && end > 0 && !self.is_full() {
                self.stopped = Some(Place { entry, lot: 0 });
            }
            Ok::<_, store::Error>(goes_on && !self.is_full())
        })
    }

    /// Adds a lot that an entry made and whose points are used up, if the filter admits it.
    fn add_used(
        &mut self,
        expired: &Expired,
        entry: u32,
        row: &EntryRow,
        made: &NewLot,
    ) -> Result<(), store::Error> {
        let expires_at = match &made.part {
            Some(part) => part.expires_at,
            None => buckets(row).and_then(|buckets| buckets.expires_at),
        };
        if !self.admits(expires_at) {
            return Ok(());
        }
        let has_expired = expired.lots.contains(&made.lot)
            || (!expired.is_complete && self.expired_in_time(made.lot, expires_at)?);
        let status = if has_expired {
            LotStatus::Expired
        } else {
            LotStatus::Consumed
        };
        if self.filter.status.is_some_and(|wanted| wanted != status) {
            return Ok(());
        }
        let origin = match &made.part {
            Some(part) => Some(self.log.get(part.entry.into())?),
            None => None,
        };
        let origin = origin.as_ref().unwrap_or(row);
        self.found.push(Shown {
            place: Place {
                entry,
                lot: made.lot,
            },
            amount: made.amount,
            remaining: Points::ZERO,
            status,
            created_at: origin.at,
            expires_at,
            matures_at: matures_at(origin),
        });
        Ok(())
    }

    /// Whether a lot expired at its time, according to the entries of that time.
    fn expired_in_time(
        &self,
        lot: u32,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, store::Error> {
        let Some(expires_at) = expires_at else {
            return Ok(false);
        };
        let first = self.log.last_where(|at| at < expires_at)? + 1;
        let last = self.log.count().min(first + AT_EXPIRY_MAX - 1);
        let mut expired = Expired::default();
        for row in self.log.range(first, last)? {
            expired.note(&row);
        }
        Ok(expired.lots.contains(&lot))
    }
}

/// The lots from which points expired, according to the entries that were read.
#[derive(Default)]
struct Expired {
    lots: HashSet<u32>,
    /// Whether these were all entries from the newest back.
    is_complete: bool,
}

impl Expired {
    fn note(&mut self, row: &EntryRow) {
        let moves = buckets(row).and_then(|buckets| buckets.lots.as_ref());
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
struct NewLot {
    lot: u32,
    amount: Points,
    /// What it was split from; `None` if its points were credited by this entry.
    part: Option<LotPart>,
}

/// The lots that an entry made, in the order of their numbers.
fn new_lots(row: &EntryRow) -> Vec<NewLot> {
    let moves = buckets(row).and_then(|buckets| buckets.lots.as_ref());
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

fn buckets(row: &EntryRow) -> Option<&Buckets> {
    row.entry.buckets.as_deref()
}

/// When the points that an entry credited become available, or became so.
fn matures_at(row: &EntryRow) -> Option<Timestamp> {
    buckets(row)?.matures_at
}
