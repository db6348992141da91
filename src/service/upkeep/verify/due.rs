//! Checks that everything that was due was applied in time, in order, and once.

use std::collections::HashSet;

use crate::books::{Books, member_of};
use crate::domain::{
    ByNumber, Due, DueKind, Entry, Event, MemberNumber, OrganizationNumber, OrganizationStatus,
    Points, ProgramNumber, ProgramStatus, Seq, Timestamp,
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
    /// The number of ledger entries that were written because something was due.
    pub(super) rows: u64,
    pub(super) findings: Vec<String>,
}

#[derive(Debug, Default)]
struct Program {
    organization: Option<OrganizationNumber>,
    is_inactive: bool,
    /// The time of its last row.
    last: Option<Timestamp>,
    /// The points that its last row let expire: the number of the row, the member, the points and
    /// when they were due.
    expired: Option<(Seq, MemberNumber, Points, Timestamp)>,
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
            } => program.is_inactive = *status != ProgramStatus::Active,
            _ => {}
        }
        let last = program.last.replace(activity.at);
        let organization = program.organization;
        let is_active = !program.is_inactive
            && organization.is_none_or(|number| !self.inactive.contains(&number));
        let announced = announced(books, &activity.event, program.expired);
        let due = due_of(&activity.event);
        let entry = activity.event.ledger_entry();
        program.expired = due
            .filter(|due| due.kind == DueKind::Expire && due.asset.is_none())
            .zip(entry)
            .map(|(due, entry)| (activity.seq, due.member, entry.amount, due.at));
        let seq = activity.seq.0;
        for checked in [announced, notice(books, number, &activity.event)] {
            if let Err(finding) = checked {
                self.report(format!("activity {seq}: {finding}"));
            }
        }
        if let Some(due) = due {
            self.rows += u64::from(entry.is_some());
            let row = entry.map_or("activity", |_| "ledger entry");
            if activity.at != last.map_or(due.at, |last| due.at.max(last)) {
                self.report(format!(
                    "{row} {seq}: it was due at {}, and must have this time or, if that is \
                     later, the time of the row of the program before it",
                    due.at
                ));
            }
            let first = books.first_due(number, due.at);
            if first != Some(due) {
                let found = first.map_or_else(|| "nothing".to_owned(), |first| describe(&first));
                self.report(format!(
                    "{row} {seq}: {found} was due in its program, but it applies what was due for \
                     member row {} at {}",
                    due.member.0, due.at
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

    /// Ends the check after the last row.
    pub(super) fn finish(&mut self) {
        let last = self.programs.values().filter_map(|program| program.expired);
        let missing: Vec<String> = last.map(|(seq, ..)| unannounced(seq)).collect();
        for finding in missing {
            self.report(finding);
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

/// Checks that points that expired are announced by the next row of the program, and nothing else
/// is.
fn announced(
    books: &Books,
    event: &Event,
    expired: Option<(Seq, MemberNumber, Points, Timestamp)>,
) -> Result<(), String> {
    match (event, expired) {
        (
            Event::BalanceExpired {
                member,
                amount,
                at,
                balance,
            },
            Some((_, of, points, due_at)),
        ) => {
            let record = books.record(*member);
            let left = record.map(|record| record.wallet.balance());
            let is_same = (member, amount, at) == (&of, &points, &due_at) && left == Some(*balance);
            is_same.then_some(()).ok_or_else(|| {
                "it must have the member, the points, the time and the balance of the entry before \
                 it"
                .to_owned()
            })
        }
        (Event::BalanceExpired { .. }, None) => Err("no points expired before it".to_owned()),
        (_, Some((seq, ..))) => Err(unannounced(seq)),
        (_, None) => Ok(()),
    }
}

/// Checks the content of an event that announces points.
fn notice(books: &Books, program: ProgramNumber, event: &Event) -> Result<(), String> {
    let Event::WalletExpiring {
        member,
        amount,
        at,
        due_at,
        balance,
    } = event
    else {
        return Ok(());
    };
    let notice = books.program(program).notice;
    let is_same = books.record(*member).is_some_and(|record| {
        record.unannounced(*at) == Some(*amount) && record.wallet.balance() == *balance
    });
    if is_same && notice.map(|notice| notice.after(*due_at)) == Some(*at) {
        Ok(())
    } else {
        Err(
            "it must have the points that expire the notice time of the program after it was due, \
             and the balance of the entry before it"
                .to_owned(),
        )
    }
}

fn unannounced(seq: Seq) -> String {
    format!(
        "ledger entry {} has no event balance.expired after it",
        seq.0
    )
}

/// The due thing that a row applies, if it does.
fn due_of(event: &Event) -> Option<Due> {
    if let Event::WalletExpiring { member, due_at, .. } = event {
        return Some(Due {
            at: *due_at,
            kind: DueKind::Notice,
            asset: None,
            member: *member,
        });
    }
    let entry = event.ledger_entry()?;
    let kind = match entry.entry {
        Entry::Mature => DueKind::Mature,
        Entry::Expire => DueKind::Expire,
        Entry::Release => DueKind::Release,
        _ => return None,
    };
    let at = entry.buckets.as_ref()?.due_at?;
    Some(Due {
        at,
        kind,
        asset: entry.asset,
        member: entry.member,
    })
}

fn describe(due: &Due) -> String {
    let what = match due.kind {
        DueKind::Mature => "the maturity",
        DueKind::Expire => "the expiry",
        DueKind::Release => "the release",
        DueKind::Notice => "the notice",
    };
    format!(
        "{what} of points of member row {} at {}",
        due.member.0, due.at
    )
}
