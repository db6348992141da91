//! How a row of the log changes the record of its program.
//!
//! What the wallet of a program has of an asset is a sum over the entries of the program's journal,
//! each of which counts once: those up to [`ProgramRecord::last_entry`] are included.

use super::rows::{Records, Row};
use super::{AssetRecord, ContradictionKind, ProgramRecord};
use crate::domain::{AssetNumber, Event, ExpiryNotice, IssuancePolicy, Points, ProgramNumber};

/// Applies a row that is about no member.
pub(super) fn apply(
    records: &mut impl Records,
    row: &Row<'_>,
    program: ProgramNumber,
) -> Result<(), ContradictionKind> {
    set_notice(records, program, &row.activity.event);
    match &row.activity.event {
        Event::AssetCreated {
            asset,
            policy: IssuancePolicy::Prefunded,
            ..
        } => begin(records, program, Some(*asset)),
        Event::AssetChanged {
            asset: None,
            policy: IssuancePolicy::Prefunded,
            ..
        } => begin(records, program, None),
        Event::ProgramFunded(_) | Event::ProgramBurned(_) => {
            let record = noted(records, program, row)?;
            records.put_program(program, record);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes in how long before points expire this is announced in a program, if an event tells.
fn set_notice(records: &mut impl Records, program: ProgramNumber, event: &Event) {
    if let Event::ProgramChanged {
        expiry_notice: Some(days),
        ..
    } = event
    {
        let mut sums = records.program(program);
        let notice = ExpiryNotice::new(*days);
        if std::mem::replace(&mut sums.notice, notice) != notice {
            records.put_program(program, sums);
        }
    }
}

/// The record of a program with the place of an entry of its journal, which takes its points from
/// the wallet of the program if that is where its asset is issued. Takes the newest, so that it may
/// be repeated.
pub(super) fn noted(
    records: &mut impl Records,
    program: ProgramNumber,
    row: &Row<'_>,
) -> Result<ProgramRecord, ContradictionKind> {
    let mut record = records.program(program);
    let seq = Some(row.activity.seq);
    if row.activity.event.kind().is_journaled() && record.last_entry < seq {
        record.last_entry = seq;
        record.head = row.hash;
        if row.starts_chain {
            record.chain_start = seq;
        }
        pay(records, &mut record, &row.activity.event)?;
    }
    Ok(record)
}

/// Takes in that an asset is credited from the wallet of a program, which begins empty. A row may
/// say it again.
fn begin(
    records: &mut impl Records,
    program: ProgramNumber,
    asset: Option<AssetNumber>,
) -> Result<(), ContradictionKind> {
    let mut record = records.program(program);
    if let Some(asset) = asset {
        let mut sums = records.asset(asset);
        if sums.funds.is_none() {
            sums.funds = Some(Points::ZERO);
            records.put_asset(asset, sums);
        }
    } else if record.funds.is_none() {
        if record.last_entry.is_some() {
            return Err(ContradictionKind::IssuedBefore);
        }
        record.funds = Some(Points::ZERO);
        records.put_program(program, record);
    }
    Ok(())
}

/// Applies an entry of the journal to the wallet of its program, whose record this is.
fn pay(
    records: &mut impl Records,
    program: &mut ProgramRecord,
    event: &Event,
) -> Result<(), ContradictionKind> {
    let (asset, change, balance) = match (event.ledger_entry(), event.funding()) {
        (Some(entry), _) => (entry.asset, -entry.issued(), None),
        (None, Some((funding, change))) => (funding.asset, change, Some(funding.balance)),
        (None, None) => return Ok(()),
    };
    let sums = match asset {
        None => program.points(),
        Some(asset) => records.asset(asset),
    };
    let Some(funds) = sums.funds else {
        return balance.map_or(Ok(()), |_| Err(ContradictionKind::NotPrefunded));
    };
    let left = funds.get() + change;
    let left = Points::new(left).ok_or(match left {
        ..0 => ContradictionKind::FundsShort,
        _ => ContradictionKind::TooManyPoints,
    })?;
    if balance.is_some_and(|balance| balance != left) {
        return Err(ContradictionKind::FundsDiffer);
    }
    match asset {
        None => program.funds = Some(left),
        Some(asset) => {
            let funds = Some(left);
            records.put_asset(asset, AssetRecord { funds, ..sums });
        }
    }
    Ok(())
}
