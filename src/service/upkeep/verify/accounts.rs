//! Compares the books, folded from the log, with what SQL computes from the same rows.

use std::collections::BTreeMap;

use super::compared::Compared;
use crate::books::{Books, Record};
use crate::domain::{AccountKey, AssetNumber, MemberNumber, Points, ProgramNumber, Status, Wallet};
use crate::store::audit::{self, AccountRow, FundsRow, FurtherRow};
use crate::store::{self, Connection};

/// The number of findings after which the comparison stops.
const FINDINGS_MAX: usize = 100;

/// Compares the account of every member, and the sums of every program.
pub(super) fn compare(connection: &Connection, books: &Books) -> Result<Compared, store::Error> {
    let mut compared = Compared::default();
    let mut sums: BTreeMap<i64, [i64; 4]> = BTreeMap::new();
    let mut members = 0;
    audit::accounts(connection, |row| {
        members += 1;
        compared.figures += 1;
        let sums = sums.entry(row.program).or_default();
        for (sum, total) in sums.iter_mut().zip(row.totals) {
            *sum = sum.saturating_add(total);
        }
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
        let found = totals(&books.program(ProgramNumber(program)).wallets);
        for ((what, expected), found) in TOTALS.into_iter().zip(expected).zip(found) {
            if found != expected {
                compared.findings.push(format!(
                    "program row {program}: the {what} of its members is {expected}, but its sum \
                     is {found}"
                ));
            }
        }
    }
    compare_further(connection, books, &mut compared)?;
    compare_funds(&audit::funds(connection)?, books, &mut compared);
    Ok(compared)
}

/// Compares what the wallets of programs have of the assets that are issued from them.
fn compare_funds(rows: &[FundsRow], books: &Books, compared: &mut Compared) {
    for FundsRow {
        program,
        asset,
        left,
    } in rows
    {
        compared.figures += 1;
        let found = match asset {
            None => books.program(ProgramNumber(*program)).funds,
            Some(asset) => books.asset(AssetNumber(*asset)).funds,
        };
        if found.map(Points::get) == Some(*left) || compared.findings.len() >= FINDINGS_MAX {
            continue;
        }
        let asset = asset.map_or_else(String::new, |asset| format!(" of asset row {asset}"));
        let found = found.map_or("no wallet".to_owned(), |points| points.get().to_string());
        compared.findings.push(format!(
            "program row {program}: the wallet{asset} has {found} in the books, but {left} by the \
             entries of the journal"
        ));
    }
}

/// Compares every account in a further asset, and the sums of every such asset.
fn compare_further(
    connection: &Connection,
    books: &Books,
    compared: &mut Compared,
) -> Result<(), store::Error> {
    let mut sums: BTreeMap<i64, [i64; 4]> = BTreeMap::new();
    let mut logged = 0;
    audit::further_accounts(connection, |row| {
        logged += 1;
        compared.figures += 1;
        let sums = sums.entry(row.asset).or_default();
        for (sum, total) in sums.iter_mut().zip(row.totals) {
            *sum = sum.saturating_add(total);
        }
        if compared.findings.len() < FINDINGS_MAX {
            compared.findings.extend(difference(books, &row));
        }
    })?;
    let accounts = books.further_records().count();
    if accounts != logged {
        compared.findings.push(format!(
            "the log has {logged} accounts in further assets, but the books have {accounts}"
        ));
    }
    for (asset, expected) in sums {
        compared.figures += 1;
        let found = totals(&books.asset(AssetNumber(asset)).wallets);
        if found != expected {
            compared.findings.push(format!(
                "asset row {asset}: its accounts have {expected:?} points received, spent, held and \
                 pending, but its sums are {found:?}"
            ));
        }
    }
    Ok(())
}

/// The difference between an account in a further asset and what SQL computes.
fn difference(books: &Books, row: &FurtherRow) -> Option<String> {
    let record = books.account(AccountKey {
        asset: Some(AssetNumber(row.asset)),
        member: MemberNumber(row.member),
    })?;
    let last = record.account.last.map(|seq| seq.0);
    let found = (totals(&record.wallet), record.account.entries, last);
    let (entries, newest) = row.entries;
    (found != (row.totals, entries.unsigned_abs(), newest)).then(|| {
        format!(
            "member row {}: the account in asset row {} has {found:?} in the books, but {:?} by \
             its rows",
            row.member,
            row.asset,
            (row.totals, entries, newest)
        )
    })
}

/// The numbers of [`AccountRow::totals`].
const TOTALS: [&str; 4] = [
    "number of received points",
    "number of spent points",
    "number of held points",
    "number of pending points",
];

fn totals(wallet: &Wallet) -> [i64; 4] {
    [wallet.received, wallet.spent, wallet.held, wallet.pending].map(Points::get)
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
    let folded = TOTALS.into_iter().zip(totals(&record.wallet));
    fields.extend(
        folded
            .zip(row.totals)
            .map(|((field, folded), expected)| (field, folded, expected)),
    );
    for (status, expected) in Status::ALL.into_iter().zip(row.redemptions) {
        let folded = record.redemptions.get(status).cast_signed();
        fields.push(("number of redemptions of a status", folded, expected));
    }
    fields
}
