//! What happens in a program because its time has come.

#[cfg(test)]
mod tests;

use super::ledger;
use crate::domain::{Due, ProgramNumber};
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
    wallet.map(drop).ok_or(Error::Impossible("sum of points"))
}
