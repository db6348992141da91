//! Compares the books, folded from the log, with what SQL computes from the same rows.

use std::collections::BTreeMap;

use crate::books::{Books, Record};
use crate::domain::{MemberNumber, ProgramNumber, Status};
use crate::store::audit::{self, AccountRow};
use crate::store::{self, Connection};

/// The number of findings after which the comparison stops.
const FINDINGS_MAX: usize = 100;

/// The result of a comparison.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The findings, one sentence each.
    pub(super) findings: Vec<String>,
    /// The number of compared accounts and programs.
    pub(super) figures: usize,
}

/// Compares the account of every member, and the sums of every program.
pub(super) fn compare(connection: &Connection, books: &Books) -> Result<Compared, store::Error> {
    let mut compared = Compared::default();
    let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    let mut members = 0;
    audit::accounts(connection, |row| {
        members += 1;
        compared.figures += 1;
        let sum = sums.entry(row.program).or_default();
        sum.0 = sum.0.saturating_add(row.totals.0);
        sum.1 = sum.1.saturating_add(row.totals.1);
        if compared.findings.len() < FINDINGS_MAX {
            compared.findings.extend(differences(books, &row));
        }
    })?;
    if books.len() != members {
        let logged = books.len();
        compared.findings.push(format!(
            "the log has the accounts of {logged} members, but there are {members}"
        ));
    }
    for (program, expected) in sums {
        compared.figures += 1;
        let found = books.program(ProgramNumber(program)).wallets;
        let found = (found.received.get(), found.spent.get());
        if found != expected {
            let ((received, spent), (r, s)) = (expected, found);
            compared.findings.push(format!(
                "program row {program}: its members received {received} and spent {spent}, but its \
                 sums are {r} and {s}"
            ));
        }
    }
    Ok(compared)
}

/// The differences between a member's account and what SQL computes.
fn differences(books: &Books, row: &AccountRow) -> Vec<String> {
    let member = row.member;
    let Some(record) = books.record(MemberNumber(member)) else {
        return vec![format!("member row {member}: the log does not contain it")];
    };
    fields(&record, row)
        .into_iter()
        .filter(|(_, folded, expected)| folded != expected)
        .map(|(field, folded, expected)| {
            format!(
                "member row {member}: its {field} is {folded} in the books, but {expected} by its \
                 rows"
            )
        })
        .collect()
}

/// The fields of an account: the name, the value of the books, the value by SQL.
fn fields(record: &Record, row: &AccountRow) -> Vec<(&'static str, i64, i64)> {
    let last = |seq: Option<i64>| seq.unwrap_or_default();
    let mut fields = vec![
        ("program", record.program.0, row.program),
        (
            "number of received points",
            record.wallet.received.get(),
            row.totals.0,
        ),
        (
            "number of spent points",
            record.wallet.spent.get(),
            row.totals.1,
        ),
        (
            "number of ledger entries",
            record.account.entries.cast_signed(),
            row.entries.0,
        ),
        (
            "newest ledger entry",
            last(record.account.last.map(|seq| seq.0)),
            last(row.entries.1),
        ),
        (
            "mark of participation",
            i64::from(record.has_participated),
            i64::from(row.has_participated),
        ),
    ];
    for (status, expected) in Status::ALL.into_iter().zip(row.redemptions) {
        let folded = record.redemptions.get(status).cast_signed();
        fields.push(("number of redemptions of a status", folded, expected));
    }
    fields
}
