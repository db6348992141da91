//! The lots of a participant's account: those with points left from the books, the others from the
//! log.

mod entries;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use self::entries::{Expired, NewLot, buckets, matures_at, new_lots};
use super::scope::{asset, check_program};
use crate::books::Record;
use crate::domain::{Invalid, InventoryMode, Lot, LotStatus, Points, Refusal, Timestamp};
use crate::service::loyalty::points::NEEDS_LOTS;
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store;
use crate::store::log::{AccountLog, EntryRow};
use crate::wire::{Cursor, ListKind, LotListResponse, LotResponse, PageQuery, short};

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

impl LotFilter {
    /// Whether it admits when a lot expires.
    fn admits(&self, expires_at: Option<Timestamp>) -> bool {
        let (end, start) = (self.expires_before, self.expires_after);
        end.is_none_or(|end| expires_at.is_some_and(|at| at < end))
            && start.is_none_or(|start| expires_at.is_some_and(|at| at > start))
    }

    /// Whether it admits a reference.
    fn admits_reference(&self, reference: Option<&str>) -> bool {
        let wanted = self.reference.as_deref();
        wanted.is_none() || wanted == reference
    }
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
    reference: Option<String>,
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
        let member = self.participant(key, &id)?.number;
        let program = self.directory.uuid_of(key.program)?;
        check_program(program, filter.program)?;
        let books = self.books.clone();
        self.read(key, move |connection| {
            let asset = asset(connection, (key.program, program), filter.asset)?;
            let rules = store::points_rules::rules(connection, key.program, asset.number)?;
            if rules.mode == InventoryMode::Simple {
                return Err(Invalid::new("asset_id", NEEDS_LOTS).into());
            }
            let record = books.read().account(asset.account(member));
            let record = record.ok_or(Refusal::NotFound("participant"))?;
            let log = AccountLog::new(connection, record.number, &record.account);
            let mut search = Search {
                log: &log,
                filter,
                after: page.cursor.map(Place::of_cursor),
                most: page.limit + 1,
                found: Vec::new(),
                stopped: None,
                looked_up: HashMap::new(),
            };
            search.live(&record)?;
            if search.stopped.is_none() {
                search.used(&record)?;
            }
            let last = page::cut(&mut search.found, page.limit).map(|shown| shown.place);
            let next = last.or(search.stopped).map(Place::cursor);
            let next = next.map(|next| next.encode(ListKind::Lots, key.program.0));
            let (lots, scale) = (asset.lots(), asset.scale);
            let response = |shown: Shown| LotResponse {
                id: lots.id(record.number.0, shown.place.lot).to_string(),
                asset_id: asset.id.to_string(),
                amount: scale.show_points(shown.amount),
                remaining: scale.show_points(shown.remaining),
                status: shown.status.as_str(),
                created_at: shown.created_at.to_short(),
                expires_at: short(shown.expires_at),
                matures_at: short(shown.matures_at),
                reference_id: shown.reference,
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
    /// The references of entries that were looked up, by their numbers in the account.
    looked_up: HashMap<u32, Option<String>>,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    /// Whether as many entries were looked up for a filter by reference as may be: each takes a
    /// number of rows that grows with the logarithm of all entries.
    fn has_looked_up_enough(&self) -> bool {
        let steps = 2 * u64::from(self.log.count().max(1).ilog2()) + 3;
        let looked_up = self.looked_up.len() as u64;
        self.filter.reference.is_some() && looked_up >= READ_MAX / steps
    }

    /// The reference of the entry with a number in the account.
    fn reference(&mut self, entry: u32) -> Result<Option<String>, store::Error> {
        if let Some(reference) = self.looked_up.get(&entry) {
            return Ok(reference.clone());
        }
        let reference = self.log.get(entry.into())?.reference().map(str::to_owned);
        self.looked_up.insert(entry, reference.clone());
        Ok(reference)
    }

    /// Finds lots with points left.
    fn live(&mut self, record: &Record) -> Result<(), store::Error> {
        let after = match self.after {
            None => 0,
            Some(Place { entry: 0, lot }) => lot,
            Some(_) => return Ok(()),
        };
        let live = record.lots.iter().flat_map(|lots| &lots.live);
        let filter = self.filter.clone();
        let wanted = live.filter(|lot| {
            let status = LotStatus::In(lot.state.bucket());
            lot.number > after
                && filter.status.is_none_or(|wanted| wanted == status)
                && filter.admits(lot.expires_at)
        });
        let lots = self.referring(wanted.copied())?;
        let amounts = self.amounts_of_parts(&lots)?;
        for (lot, reference) in lots {
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
                reference,
            });
        }
        Ok(())
    }

    /// The first lots of a list that have a reference that the filter admits, as many as are
    /// wanted. That of a held lot is what holds it, that of another what credited its points.
    fn referring(
        &mut self,
        lots: impl Iterator<Item = Lot>,
    ) -> Result<Vec<(Lot, Option<String>)>, store::Error> {
        let mut referring = Vec::new();
        let mut last = 0;
        for lot in lots {
            if referring.len() >= self.most {
                break;
            }
            if self.has_looked_up_enough() {
                self.stopped = Some(Place {
                    entry: 0,
                    lot: last,
                });
                break;
            }
            last = lot.number;
            let reference = self.reference(lot.held_by().unwrap_or(lot.entry))?;
            if self.filter.admits_reference(reference.as_deref()) {
                referring.push((lot, reference));
            }
        }
        Ok(referring)
    }

    /// The points that came into lots that were split from others.
    fn amounts_of_parts(
        &self,
        lots: &[(Lot, Option<String>)],
    ) -> Result<HashMap<u32, Points>, store::Error> {
        let lots = lots.iter().map(|(lot, _)| lot);
        let parts = lots.filter(|lot| lot.number != lot.origin);
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
            let goes_on = number > end + 1 && !self.has_looked_up_enough();
            if !goes_on && number > 1 && !self.is_full() {
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
        if !self.filter.admits(expires_at) {
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
        let reference = match &made.part {
            Some(part) => self.reference(part.entry)?,
            None => row.reference().map(str::to_owned),
        };
        if !self.filter.admits_reference(reference.as_deref()) {
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
            reference,
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
