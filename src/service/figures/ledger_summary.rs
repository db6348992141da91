//! The ledger-summary report: the assets of an organization's programs side by side. Figures of the
//! programs' points are in memory; those of further assets are sums over their ledger entries.

use std::convert::Infallible;

use uuid::Uuid;

use super::listed_assets::{Listed, listed, points};
use super::turns::compute;
use crate::analytics::{Counters, Measure};
use crate::domain::{AssetNumber, Entry, ProgramStatus, Refusal, Timestamp};
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store;
use crate::wire::{LedgerSummaryListResponse, LedgerSummaryResponse, ListKind, PageQuery};

/// The measures of points that go in and out.
const MEASURES: [Measure; 7] = [
    Measure::Minted,
    Measure::Spent,
    Measure::Refunded,
    Measure::Forfeited,
    Measure::Debited,
    Measure::Expired,
    Measure::Voided,
];

/// Points that went in and out in a period.
#[derive(Debug, Clone, Copy, Default)]
struct Flows {
    minted: i64,
    spent: i64,
    refunded: i64,
    forfeited: i64,
    debited: i64,
    expired: i64,
    voided: i64,
}

impl Flows {
    /// Those from a time, inclusive, until another, exclusive.
    fn between(counters: &Counters, from: i64, to: i64) -> Self {
        let sum = |measure: Measure| counters.timeline(measure).between(from, to).amount;
        let [minted, spent, refunded, forfeited, debited, expired, voided] =
            MEASURES.map(|measure| sum(measure).cast_signed());
        Self {
            minted,
            spent,
            refunded,
            forfeited,
            debited,
            expired,
            voided,
        }
    }

    /// Those of a further asset, from one of the three sums of its entries.
    fn of_asset(sums: &[(Entry, [i64; 3])], which: usize) -> Self {
        let mut flows = Self::default();
        for (entry, sums) in sums {
            let flow = match entry {
                Entry::Mint => &mut flows.minted,
                Entry::Spend => &mut flows.spent,
                Entry::Refund | Entry::Reverse => &mut flows.refunded,
                Entry::Forfeit => &mut flows.forfeited,
                Entry::Debit => &mut flows.debited,
                Entry::Expire => &mut flows.expired,
                Entry::Void => &mut flows.voided,
                Entry::Mature | Entry::Hold | Entry::Release | Entry::Open => continue,
            };
            *flow += sums[which];
        }
        flows
    }

    /// What is not issued, redeemed, expired or forfeited.
    fn adjustments(&self) -> i64 {
        self.refunded - self.debited - self.voided
    }

    /// The change of what all participants have.
    fn net(&self) -> i64 {
        self.minted - self.spent - self.expired - self.forfeited + self.adjustments()
    }
}

impl Services {
    /// A page of the report, oldest program first.
    ///
    /// # Errors
    /// `not_found` if the organization has no such program.
    pub async fn get_ledger_summary(
        &self,
        key: KeyPrincipal,
        program: Option<Uuid>,
        period: Option<(Timestamp, Timestamp)>,
        page: PageQuery,
    ) -> Result<LedgerSummaryListResponse, ServiceError> {
        let mut programs = self.directory.programs_of(key.organization);
        match program {
            Some(uuid) => programs.retain(|program| program.uuid == uuid),
            None => programs.retain(|program| program.status != ProgramStatus::Archived),
        }
        if program.is_some() && programs.is_empty() {
            return Err(Refusal::NotFound("program").into());
        }
        self.readership.note();
        let count = programs.len();
        if programs.iter().all(|program| !program.has_further_assets) {
            let report = move |services: &Self| {
                let shown = points(&programs, page.cursor);
                services.ledger_summary_of(key, shown, (period, page), |_| {
                    Ok::<_, Infallible>(Summed::default())
                })
            };
            let report = compute(self, &self.readers.turns(), (key, count), report).await?;
            return Ok(report.unwrap_or_else(|never| match never {}));
        }
        let services = self.clone();
        self.read(key, move |connection| {
            let shown = listed(connection, &programs, page.cursor)?;
            let of_asset = |number| {
                let sums = store::log::sums_of_asset(connection, number, millis(period))?;
                Ok::<_, store::Error>(Summed::of_asset(&sums, period.is_some()))
            };
            Ok(services.ledger_summary_of(key, shown, (period, page), of_asset)?)
        })
        .await
    }

    /// The page of the report that begins with the first of these assets.
    fn ledger_summary_of<E>(
        &self,
        key: KeyPrincipal,
        mut shown: Vec<Listed<'_>>,
        (period, page): (Option<(Timestamp, Timestamp)>, PageQuery),
        of_asset: impl Fn(AssetNumber) -> Result<Summed, E>,
    ) -> Result<LedgerSummaryListResponse, E> {
        shown.truncate(page.limit + 1);
        let none = Counters::default();
        // The books before the figures, in the order in which a batch is published: otherwise each
        // thread could wait for the other. Holding both shows points after the same row.
        let books = self.books.read();
        let in_memory: Vec<_> = self.engine.read(|figures| {
            let sums = shown.iter().map(|listed| {
                let flows = listed.asset.is_none().then(|| {
                    let counters = figures.program(listed.program.number);
                    Summed::of_points(counters.unwrap_or(&none), period)
                });
                (listed.sums(&books).holders, flows)
            });
            sums.collect()
        });
        drop(books);
        let mut rows = Vec::new();
        for (listed, (holders, flows)) in shown.iter().zip(in_memory) {
            let flows = match (flows, &listed.asset) {
                (None, Some((number, _))) => of_asset(*number)?,
                (flows, _) => flows.unwrap_or_default(),
            };
            rows.push((listed.place(), row(listed, holders, &flows)));
        }
        let list = (ListKind::LedgerSummary, key.organization.0);
        let next = page::next_cursor(&mut rows, page, list, |(place, _)| *place);
        Ok(LedgerSummaryListResponse {
            data: rows.into_iter().map(|(_, row)| row).collect(),
            pagination: next.into(),
        })
    }
}

/// The first millisecond of a period, which includes both its ends, and the one after it.
fn millis(period: Option<(Timestamp, Timestamp)>) -> (i64, i64) {
    period.map_or((0, 0), |(from, to)| (from.as_millis(), to.as_millis() + 1))
}

/// What went in and out ever, and before and in a period if there is one.
#[derive(Debug, Default)]
struct Summed {
    ever: Flows,
    of_period: Option<(Flows, Flows)>,
}

impl Summed {
    fn of_points(counters: &Counters, period: Option<(Timestamp, Timestamp)>) -> Self {
        let between = |from, to| Flows::between(counters, from, to);
        let (from, to) = millis(period);
        Self {
            ever: between(i64::MIN, i64::MAX),
            of_period: period.map(|_| (between(i64::MIN, from), between(from, to))),
        }
    }

    fn of_asset(sums: &[(Entry, [i64; 3])], has_period: bool) -> Self {
        let flows = |which| Flows::of_asset(sums, which);
        Self {
            ever: flows(0),
            of_period: has_period.then(|| (flows(1), flows(2))),
        }
    }
}

fn row(listed: &Listed<'_>, holders: u64, flows: &Summed) -> LedgerSummaryResponse {
    let (ever, scale) = (flows.ever, listed.scale());
    let whole = LedgerSummaryResponse {
        asset_id: listed.id().to_string(),
        asset_name: listed.name().to_owned(),
        asset_symbol: listed.symbol().to_owned(),
        current_balance: scale.show(ever.net()),
        participant_count: holders,
        total_issued: scale.show(ever.minted - ever.debited - ever.voided),
        total_redeemed: scale.show(ever.spent - ever.refunded),
        total_expired: scale.show(ever.expired),
        total_forfeited: scale.show(ever.forfeited),
        ..LedgerSummaryResponse::default()
    };
    let Some((before, within)) = flows.of_period else {
        return whole;
    };
    let text = |points: i64| Some(scale.show(points));
    LedgerSummaryResponse {
        opening_balance: text(before.net()),
        closing_balance: text(before.net() + within.net()),
        period_issued: text(within.minted),
        period_redeemed: text(within.spent),
        period_expired: text(within.expired),
        period_forfeited: text(within.forfeited),
        other_adjustments_net: text(within.adjustments()),
        ..whole
    }
}
