//! What happens in a program because its time has come.

#[cfg(test)]
mod tests;

use super::ledger;
use crate::books::Record;
use crate::domain::{Due, DueKind, ProgramNumber, Timestamp};
use crate::store::{Error, Transaction};

/// Applies a due thing: appends its ledger entry. Does nothing if the points are gone.
pub(in crate::service) fn apply(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    due: Due,
) -> Result<(), Error> {
    let Some(record) = tx.account(due.member) else {
        return Ok(());
    };
    let Some(plan) = record.plan_due(due) else {
        return Ok(());
    };
    let at = tx.stamp_of(program, due.at);
    let entry = plan.entry_of(&record);
    let wallet = ledger::append(tx, at, &record, entry)?;
    wallet.ok_or(Error::Impossible("sum of points"))?;
    match tx.account(due.member) {
        // Points that expired while they were held were due before.
        Some(record) if due.kind == DueKind::Release => apply_overdue(tx, &record, due.at),
        _ => Ok(()),
    }
}

/// Applies what is due in an account up to a time.
pub(in crate::service) fn apply_overdue(
    tx: &mut Transaction<'_>,
    record: &Record,
    until: Timestamp,
) -> Result<(), Error> {
    for due in record.dues() {
        if due.at <= until {
            apply(tx, record.program, due)?;
        }
    }
    Ok(())
}
