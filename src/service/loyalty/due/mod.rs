//! What happens in a program because its time has come.

#[cfg(test)]
mod tests;

use super::ledger;
use crate::books::{Plan, Record};
use crate::domain::{
    Due, DueKind, Entry, Event, ExpiryNotice, LedgerEntry, ProgramNumber, Reason, Timestamp,
};
use crate::service::events;
use crate::store::log::AccountLog;
use crate::store::{Error, Transaction};

/// Applies a due thing: appends its ledger entry, and the event of points that expired or will.
/// Does nothing if the points are gone.
pub(in crate::service) fn apply(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    due: Due,
) -> Result<(), Error> {
    let Some(record) = tx.account_in(due.account()) else {
        return Ok(());
    };
    if due.kind == DueKind::Notice {
        return announce(tx, &record, due.at);
    }
    let Some(plan) = record.plan_due(due) else {
        return Ok(());
    };
    let at = tx.stamp_of(program, due.at);
    let (member, amount) = (record.number, plan.amount);
    let entry = LedgerEntry {
        reason: reason_of_credit(tx, &record, &plan)?,
        ..plan.entry_of(&record)
    };
    let wallet = ledger::append(tx, at, &record, entry)?;
    let wallet = wallet.map_err(|_| Error::Impossible("sum of points"))?;
    // Nobody but this server hears of further assets.
    if due.kind == DueKind::Expire && due.asset.is_none() {
        let event = Event::BalanceExpired {
            member,
            amount,
            at: due.at,
            balance: wallet.balance(),
        };
        events::record(tx, program, at, event)?;
    }
    match tx.account_in(due.account()) {
        // Points that expired while they were held were due before.
        Some(record) if due.kind == DueKind::Release => apply_overdue(tx, &record, due.at, None),
        _ => Ok(()),
    }
}

/// Announces the points of an account that expire the notice time of its program after a time.
fn announce(tx: &mut Transaction<'_>, record: &Record, due_at: Timestamp) -> Result<(), Error> {
    let Some(notice) = tx.expiry_notice(record.program) else {
        return Ok(());
    };
    let end = notice.after(due_at);
    let Some(amount) = record.unannounced(end) else {
        return Ok(());
    };
    let event = Event::WalletExpiring {
        member: record.number,
        amount,
        at: end,
        due_at,
        balance: record.wallet.balance(),
    };
    let at = tx.stamp_of(record.program, due_at);
    events::record(tx, record.program, at, event)?;
    Ok(())
}

/// Applies what has matured, expired or been released in an account up to a time, and sends the
/// notices of such a length. Without one, those that are due come later.
pub(in crate::service) fn apply_overdue(
    tx: &mut Transaction<'_>,
    record: &Record,
    until: Timestamp,
    notice: Option<ExpiryNotice>,
) -> Result<(), Error> {
    for due in record.dues(notice) {
        if due.at <= until {
            apply(tx, record.program, due)?;
        }
    }
    Ok(())
}

/// The reason of the credit whose points become available. None if they are of several credits.
fn reason_of_credit(
    tx: &Transaction<'_>,
    record: &Record,
    plan: &Plan,
) -> Result<Option<Reason>, Error> {
    let lots = plan.buckets.iter().filter_map(|it| it.lots.as_ref());
    let parts = lots.flat_map(|lots| lots.iter().filter_map(|moved| moved.part()));
    let mut credits = parts.map(|part| part.entry);
    match credits.next() {
        Some(first) if plan.entry == Entry::Mature && credits.all(|credit| credit == first) => {
            let log = AccountLog::new(tx, record.number, &record.account);
            Ok(log.get(first.into())?.entry.reason)
        }
        _ => Ok(None),
    }
}
