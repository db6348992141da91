//! The ledger-summary report: the points of an organization's programs side by side, from memory.

use uuid::Uuid;

use super::turns::compute;
use crate::analytics::{Counters, Measure};
use crate::books::ProgramRecord;
use crate::domain::{ProgramStatus, Refusal, Timestamp};
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store::programs::ProgramAccessRow;
use crate::wire::{
    AssetResponse, LedgerSummaryListResponse, LedgerSummaryResponse, ListKind, PageQuery,
};

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
#[derive(Debug, Clone, Copy)]
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
        let report =
            move |services: &Self| services.ledger_summary_now(key, &programs, period, page);
        compute(self, &self.readers.turns(), (key, count), report).await
    }

    fn ledger_summary_now(
        &self,
        key: KeyPrincipal,
        programs: &[ProgramAccessRow],
        period: Option<(Timestamp, Timestamp)>,
        page: PageQuery,
    ) -> LedgerSummaryListResponse {
        let after = page.cursor.map_or(0, |cursor| cursor.0);
        let programs = programs.iter().filter(|program| program.number.0 > after);
        let none = Counters::default();
        // The books before the figures, in the order in which a batch is published: otherwise each
        // thread could wait for the other. Holding both shows them after the same row.
        let books = self.books.read();
        let mut rows: Vec<_> = self.engine.read(|figures| {
            programs
                .map(|program| {
                    let counters = figures.program(program.number).unwrap_or(&none);
                    let record = books.program(program.number);
                    (program.number, row(program, counters, record, period))
                })
                .take(page.limit + 1)
                .collect()
        });
        drop(books);
        let list = (ListKind::LedgerSummary, key.organization.0);
        let next = page::next_cursor(&mut rows, page, list, |(number, _)| number.0);
        LedgerSummaryListResponse {
            data: rows.into_iter().map(|(_, row)| row).collect(),
            pagination: next.into(),
        }
    }
}

fn row(
    program: &ProgramAccessRow,
    counters: &Counters,
    record: ProgramRecord,
    period: Option<(Timestamp, Timestamp)>,
) -> LedgerSummaryResponse {
    let ever = Flows::between(counters, i64::MIN, i64::MAX);
    let whole = LedgerSummaryResponse {
        asset_id: AssetResponse::id_of(program.uuid).to_string(),
        asset_name: program.currency.name.as_str().to_owned(),
        asset_symbol: program.currency.symbol.as_str().to_owned(),
        current_balance: ever.net().to_string(),
        participant_count: record.holders,
        total_issued: (ever.minted - ever.debited - ever.voided).to_string(),
        total_redeemed: (ever.spent - ever.refunded).to_string(),
        total_expired: ever.expired.to_string(),
        total_forfeited: ever.forfeited.to_string(),
        ..LedgerSummaryResponse::default()
    };
    let Some((from, to)) = period else {
        return whole;
    };
    // The period includes both ends.
    let (from, to) = (from.as_millis(), to.as_millis() + 1);
    let (before, within) = (
        Flows::between(counters, i64::MIN, from),
        Flows::between(counters, from, to),
    );
    let text = |points: i64| Some(points.to_string());
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
