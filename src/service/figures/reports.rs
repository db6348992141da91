//! The program-activity report: the programs of an organization side by side, from memory.

use super::turns::compute;
use crate::analytics::{Counters, Measure};
use crate::domain::{ProgramNumber, ProgramStatus, Timestamp};
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store::programs::ProgramAccessRow;
use crate::wire::{
    ListKind, PageQuery, ProgramActivityListResponse, ProgramActivityResponse, decimal,
};

/// The selection of rows and of the period of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActivitySelection {
    /// Only programs whose newest ledger entry is later than this.
    pub since: Option<Timestamp>,
    /// The period, both ends included; unlimited if `None`.
    pub period: Option<(Timestamp, Timestamp)>,
}

impl Services {
    /// A page of the report, oldest program first.
    ///
    /// # Errors
    /// [`ServiceError`] if there are many programs and too many reads wait.
    pub async fn get_program_activity(
        &self,
        key: KeyPrincipal,
        selection: ActivitySelection,
        page: PageQuery,
    ) -> Result<ProgramActivityListResponse, ServiceError> {
        let programs = self.directory.count_of(key.organization);
        let report = move |services: &Self| services.program_activity_now(key, selection, page);
        compute(self, &self.readers.turns(), (key, programs), report).await
    }

    fn program_activity_now(
        &self,
        key: KeyPrincipal,
        selection: ActivitySelection,
        page: PageQuery,
    ) -> ProgramActivityListResponse {
        let after = page.cursor.map_or(0, |cursor| cursor.0);
        let programs = self.directory.programs_of(key.organization);
        let programs = programs.iter().filter(|program| {
            program.status != ProgramStatus::Archived && program.number.0 > after
        });
        let none = Counters::default();
        let mut rows: Vec<(ProgramNumber, ProgramActivityResponse)> = self.engine.read(|figures| {
            programs
                .filter_map(|program| {
                    let counters = figures.program(program.number).unwrap_or(&none);
                    let row = row(program, counters, selection)?;
                    Some((program.number, row))
                })
                .take(page.limit + 1)
                .collect()
        });
        let list = (ListKind::ProgramActivity, key.organization.0);
        let next_cursor = page::next_cursor(&mut rows, page, list, |(number, _)| number.0);
        let data = rows.into_iter().map(|(_, row)| row).collect();
        ProgramActivityListResponse {
            data,
            pagination: next_cursor.into(),
        }
    }
}

/// The row of a program; `None` if the query excludes it.
fn row(
    program: &ProgramAccessRow,
    counters: &Counters,
    selection: ActivitySelection,
) -> Option<ProgramActivityResponse> {
    let totals = counters.totals();
    let last = totals.last_entry_at;
    if selection
        .since
        .is_some_and(|since| last.is_none_or(|last| last <= since))
    {
        return None;
    }
    // The period includes both ends.
    let sum = |measure: Measure| match selection.period {
        None => counters.timeline(measure).total(),
        Some((from, to)) => counters
            .timeline(measure)
            .between(from.as_millis(), to.as_millis() + 1),
    };
    let events = sum(Measure::Events).count;
    // Every ledger entry is an event, so without events there are no entries either.
    if selection.period.is_some() && events == 0 {
        return None;
    }
    Some(ProgramActivityResponse {
        asset_count: 1 + u64::from(program.further_assets),
        event_count: events,
        journal_count: totals.ledger_entries,
        last_activity_at: last.map(Timestamp::to_short),
        program_id: program.uuid.to_string(),
        program_name: program.name.as_str().to_owned(),
        reward_count: totals.current_offers,
        // There are no earning rules.
        rule_count: program.rules.into(),
        tier_count: counters.tier_count() as u64,
        total_issued: decimal(sum(Measure::Minted).amount),
        total_redeemed: decimal(sum(Measure::Spent).amount),
        unique_participants: totals.participants,
    })
}
