//! Checks that everything that was due was applied in time, in order, and once.

use std::collections::HashSet;

use crate::books::{Books, member_of};
use crate::domain::{
    ByNumber, Due, DueKind, Entry, Event, LedgerEntry, OrganizationNumber, OrganizationStatus,
    ProgramNumber, ProgramStatus, Timestamp,
};
use crate::store::LoggedRow;

/// The most findings.
const FINDINGS_MAX: usize = 100;

/// Reads the rows of the log in order, each with the books before it.
#[derive(Debug, Default)]
pub(super) struct DueCheck {
    programs: ByNumber<ProgramNumber, Program>,
    /// The organizations that are not active.
    inactive: HashSet<OrganizationNumber>,
    /// The number of rows that were written because something was due.
    pub(super) rows: u64,
    pub(super) findings: Vec<String>,
}

#[derive(Debug, Default)]
struct Program {
    organization: Option<OrganizationNumber>,
    is_archived: bool,
    /// The time of its last row.
    last: Option<Timestamp>,
}

impl DueCheck {
    pub(super) fn row(&mut self, books: &Books, row: &LoggedRow) {
        let activity = &row.activity;
        self.status(&activity.event);
        let Some(number) = activity.program else {
            return;
        };
        let program = self.programs.entry(number).or_default();
        match &activity.event {
            Event::ProgramCreated { organization, .. } => {
                program.organization = Some(*organization);
            }
            Event::ProgramChanged {
                status: Some(status),
                ..
            } => program.is_archived = *status == ProgramStatus::Archived,
            _ => {}
        }
        let last = program.last.replace(activity.at);
        let organization = program.organization;
        let is_active = !program.is_archived
            && organization.is_none_or(|number| !self.inactive.contains(&number));
        let seq = activity.seq.0;
        if let Some((due, entry)) = due_of(&activity.event) {
            self.rows += 1;
            if activity.at != last.map_or(due.at, |last| due.at.max(last)) {
                self.report(format!(
                    "ledger entry {seq}: it was due at {}, and must have this time or, if that is \
                     later, the time of the row of the program before it",
                    due.at
                ));
            }
            let first = books.first_due(number, due.at);
            if first != Some(due) {
                let found = first.map_or_else(|| "nothing".to_owned(), |first| describe(&first));
                let entry = entry.member.0;
                self.report(format!(
                    "ledger entry {seq}: {found} was due in its program, but it applies what was \
                     due for member row {entry} at {}",
                    due.at
                ));
            }
        } else if is_active
            && member_of(&activity.event).is_some()
            && last.is_some_and(|last| last < activity.at)
            && let Some(first) = books.first_due(number, activity.at)
        {
            self.report(format!(
                "activity {seq}: {} was due before it, but was not applied",
                describe(&first)
            ));
        }
    }

    fn status(&mut self, event: &Event) {
        if let Event::OrganizationCreated {
            organization,
            status: to,
            ..
        }
        | Event::OrganizationChanged {
            organization, to, ..
        } = event
        {
            if *to == OrganizationStatus::Active {
                self.inactive.remove(organization);
            } else {
                self.inactive.insert(*organization);
            }
        }
    }

    fn report(&mut self, finding: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// The due thing that a row applies, if it does.
fn due_of(event: &Event) -> Option<(Due, &LedgerEntry)> {
    let entry = event.ledger_entry()?;
    let kind = match entry.entry {
        Entry::Mature => DueKind::Mature,
        Entry::Expire => DueKind::Expire,
        Entry::Release => DueKind::Release,
        _ => return None,
    };
    let at = entry.buckets.as_ref()?.due_at?;
    let due = Due {
        at,
        kind,
        member: entry.member,
    };
    Some((due, entry))
}

fn describe(due: &Due) -> String {
    let what = match due.kind {
        DueKind::Mature => "the maturity",
        DueKind::Expire => "the expiry",
        DueKind::Release => "the release",
    };
    format!(
        "{what} of points of member row {} at {}",
        due.member.0, due.at
    )
}
