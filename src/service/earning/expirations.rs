//! The expiration schedule: when the points of programs expire, from memory.

use jiff::ToSpan as _;
use jiff::civil::Date;
use uuid::Uuid;

use crate::books::{Books, Expiries, LotSum};
use crate::domain::{Invalid, InventoryMode, PointsRules, ProgramStatus, Refusal, Timestamp, Zone};
use crate::service::figures::listed_assets::{Listed, listed};
use crate::service::loyalty::points::NEEDS_LOTS;
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store;
use crate::store::programs::ProgramAccessRow;
use crate::wire::{
    AssetResponse, ExpirationBucketResponse, ExpirationScheduleListResponse,
    ExpirationScheduleResponse, ListKind, PageQuery,
};

/// The most buckets of an asset.
const BUCKETS_MAX: usize = 1_000;

/// The length of a bucket, by the calendar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Granularity {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    #[default]
    Month,
}

impl Granularity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// The first day of the one with a day.
    fn start(self, day: Date) -> Option<Date> {
        match self {
            Self::Day => Some(day),
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(since_monday.days()).ok()
            }
            Self::Month => Some(day.first_of_month()),
        }
    }

    /// The first day of the next one.
    fn next(self, first: Date) -> Option<Date> {
        let length = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
        };
        first.checked_add(length).ok()
    }
}

/// What the schedule shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpirationSelection {
    /// A time in the first bucket.
    pub from: Timestamp,
    /// A time in the last bucket.
    pub to: Timestamp,
    /// The length of the buckets.
    pub granularity: Granularity,
    /// Only this program of the organization.
    pub program: Option<Uuid>,
    /// Only this asset.
    pub asset: Option<Uuid>,
}

impl Services {
    /// When the points of the organization's programs expire.
    ///
    /// # Errors
    /// `not_found` if the selection names no program or asset of the organization, `bad_request` if
    /// the points of the one that it names are not in lots, or if there are too many buckets.
    pub async fn get_expiration_schedule(
        &self,
        key: KeyPrincipal,
        selection: ExpirationSelection,
        page: PageQuery,
    ) -> Result<ExpirationScheduleListResponse, ServiceError> {
        let programs = self.directory.programs_of(key.organization);
        let programs = selected(&programs, selection)?;
        let is_named = selection.program.is_some() || selection.asset.is_some();
        let after = page.cursor;
        let (books, clock) = (self.books.clone(), self.clock.clone());
        self.readership.note();
        self.read(key, move |connection| {
            let mut rows = Vec::new();
            let (mut has_asset, mut has_any) = (false, false);
            for listed in listed(connection, &programs, after)? {
                if rows.len() > page.limit {
                    break;
                }
                if selection.asset.is_some_and(|asset| asset != listed.id()) {
                    continue;
                }
                has_asset = true;
                let asset = listed.asset.as_ref().map(|(number, _)| *number);
                let rules = store::points_rules::rules(connection, listed.program.number, asset)?;
                if rules.mode == InventoryMode::Simple {
                    continue;
                }
                has_any = true;
                let bounds = bounds(&rules.zone, selection)?;
                let ahead = store::sandbox::ahead(connection, listed.program.number)?;
                let now = clock.now().saturating_add(ahead);
                let row = row(&listed, &rules, &bounds, &books.read(), now);
                rows.push((listed.place(), row));
            }
            if selection.asset.is_some() && !has_asset {
                return Err(Refusal::NotFound("asset").into());
            }
            if is_named && !has_any && after.is_none() {
                let field = match selection.asset {
                    Some(_) => "asset_id",
                    None => "program_id",
                };
                return Err(Invalid::new(field, NEEDS_LOTS).into());
            }
            let list = (ListKind::ExpirationSchedule, key.organization.0);
            let next = page::next_cursor(&mut rows, page, list, |(place, _)| *place);
            Ok(ExpirationScheduleListResponse {
                data: rows.into_iter().map(|(_, row)| row).collect(),
                pagination: next.into(),
            })
        })
        .await
    }
}

/// The programs that a selection admits.
fn selected(
    programs: &[ProgramAccessRow],
    selection: ExpirationSelection,
) -> Result<Vec<ProgramAccessRow>, Refusal> {
    let mut programs: Vec<ProgramAccessRow> = programs.to_vec();
    if let Some(uuid) = selection.program {
        programs.retain(|program| program.uuid == uuid);
        if programs.is_empty() {
            return Err(Refusal::NotFound("program"));
        }
    }
    if let Some(asset) = selection.asset {
        programs.retain(|program| AssetResponse::number_of(program.uuid, asset).is_some());
        if programs.is_empty() {
            return Err(Refusal::NotFound("asset"));
        }
    }
    if selection.program.is_none() && selection.asset.is_none() {
        programs.retain(|program| program.status != ProgramStatus::Archived);
    }
    Ok(programs)
}

/// The bounds of the buckets in a time zone.
fn bounds(zone: &Zone, selection: ExpirationSelection) -> Result<Vec<Timestamp>, Invalid> {
    let ExpirationSelection {
        from,
        to,
        granularity,
        ..
    } = selection;
    let resolve = |day: Date| zone.resolve(day.at(0, 0, 0, 0));
    let outside = |field| Invalid::new(field, "must be in the years 1970 to 9998");
    let first = zone
        .shown_at(from)
        .and_then(|shown| granularity.start(shown.date()));
    let mut day = first.ok_or_else(|| outside("from"))?;
    let mut bounds = vec![resolve(day).ok_or_else(|| outside("from"))?];
    while bounds.last().is_none_or(|last| *last <= to) {
        if bounds.len() > BUCKETS_MAX {
            let expected = format!("must be at most {BUCKETS_MAX} buckets after from");
            return Err(Invalid::new("to", expected));
        }
        day = granularity.next(day).ok_or_else(|| outside("to"))?;
        let bound = resolve(day).ok_or_else(|| outside("to"))?;
        // A day that a zone skipped has no length.
        if bounds.last() != Some(&bound) {
            bounds.push(bound);
        }
    }
    Ok(bounds)
}

fn row(
    listed: &Listed<'_>,
    rules: &PointsRules,
    bounds: &[Timestamp],
    books: &Books,
    now: Timestamp,
) -> ExpirationScheduleResponse {
    let sums = listed.sums(books);
    let nothing = Expiries::default();
    let expiries = match &listed.asset {
        None => books.expiries(listed.program.number),
        Some((number, _)) => books.expiries_of_asset(*number),
    };
    let expiries = expiries.unwrap_or(&nothing);
    let scale = listed.scale();
    let outstanding = sums.wallets.total() + sums.overdrawn;
    // Points from before a conversion that are not in lots yet.
    let unopened = LotSum {
        points: outstanding - expiries.total().points,
        lots: sums.holders.cast_signed() - expiries.accounts().cast_signed(),
    };
    let opening = rules.opening_expires_at;
    let unopened_in = |is_in: &dyn Fn(Timestamp) -> bool| {
        let is_in = opening.is_some_and(is_in);
        if is_in { unopened } else { LotSum::default() }
    };
    let (first, last) = (bounds[0], bounds[bounds.len() - 1]);
    let buckets = bounds.windows(2).map(|pair| {
        let (start, end) = (pair[0], pair[1]);
        let sum = expiries.between(start..end);
        let sum = sum.plus(unopened_in(&|at| (start..end).contains(&at)));
        ExpirationBucketResponse {
            bucket_start: start.to_short(),
            bucket_end: end.to_short(),
            amount: scale.show(sum.points),
            lot_count: sum.lots,
        }
    });
    let before = expiries.before(first).plus(unopened_in(&|at| at < first));
    let after = expiries.since(last).plus(unopened_in(&|at| at >= last));
    let never = match opening {
        None => expiries.never().plus(unopened),
        Some(_) => expiries.never(),
    };
    ExpirationScheduleResponse {
        asset_id: listed.id().to_string(),
        asset_name: listed.name().to_owned(),
        asset_symbol: listed.symbol().to_owned(),
        scale: scale.decimals(),
        buckets: buckets.collect(),
        expiring_before_window: scale.show(before.points),
        expiring_after_window: scale.show(after.points),
        never_expiring: scale.show(never.points),
        total_outstanding: scale.show(outstanding),
        overdue_held: scale.show(expiries.overdue_held(now)),
        overdrawn: scale.show(sums.overdrawn),
    }
}
