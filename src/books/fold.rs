//! The fold: how a row of the log changes the record of a member and of its program.

use super::lots::Posted;
use super::programs::{self, noted};
use super::rows::{Records, Row};
use super::{Contradiction, ContradictionKind, Record};
use crate::domain::{
    Account, AccountKey, AssetNumber, Entry, Event, ExpiryNotice, LedgerEntry, MemberNumber,
    Points, ProgramNumber, RedemptionMove, Seq, Status, Tier, Timestamp, Wallet, jump_depth,
};

/// The largest number of a row.
pub(super) const NUMBER_MAX: i64 = 1 << 53;

/// Applies one row. `token_end` is when the last token of a member who signs up with this row
/// expires, if only the member's row tells.
///
/// A row that the member's record includes already changes nothing.
pub(super) fn apply(
    records: &mut impl Records,
    row: &Row<'_>,
    token_end: impl FnOnce(MemberNumber) -> Option<Timestamp>,
) -> Result<(), Contradiction> {
    let activity = row.activity;
    let Some(program) = activity.program else {
        return Ok(());
    };
    let Some(member) = member_of(&activity.event) else {
        return programs::apply(records, row, program).map_err(|kind| Contradiction {
            seq: activity.seq,
            member: None,
            kind,
        });
    };
    let contradiction = |kind| Contradiction {
        seq: activity.seq,
        member: Some(member),
        kind,
    };
    let entry = activity.event.ledger_entry();
    let is_entry = entry.is_some();
    if let Some((entry, asset)) = entry.and_then(|entry| entry.asset.map(|asset| (entry, asset))) {
        return apply_further(records, row, program, (entry, asset)).map_err(contradiction);
    }
    let before = records.record(member);
    let wallet = before
        .as_ref()
        .map_or_else(Wallet::default, |record| record.wallet);
    let is_included = before
        .as_ref()
        .is_some_and(|record| record.applied >= activity.seq);
    // Only a ledger entry changes the sums; the first member makes the program known.
    let sums = (is_entry || before.is_none()).then(|| noted(records, program, row));
    let sums = sums.transpose().map_err(contradiction)?;
    if is_included {
        if let Some(sums) = sums {
            records.put_program(program, sums);
        }
        return Ok(());
    }
    let mut record = match (&activity.event, before) {
        (Event::MemberCreated { .. }, Some(_)) => {
            return Err(contradiction(ContradictionKind::MemberKnown));
        }
        (Event::MemberCreated { tier, .. }, None) => {
            if !(0..=NUMBER_MAX).contains(&member.0) {
                return Err(contradiction(ContradictionKind::MemberUnknown));
            }
            let mut record = Record::new(member, program, records.tier_number(tier));
            record.token_expires_at = token_end(member);
            record
        }
        (_, Some(record)) if record.program == program => record,
        (_, Some(_)) => return Err(contradiction(ContradictionKind::AnotherProgram)),
        (_, None) => return Err(contradiction(ContradictionKind::MemberUnknown)),
    };
    let notice = sums.and_then(|sums| sums.notice);
    change(&mut record, row, notice, &*records).map_err(contradiction)?;
    record.applied = activity.seq;
    if let Some(sums) = sums {
        let sums = sums.shifted((wallet, record.wallet));
        let sums = sums.ok_or_else(|| contradiction(ContradictionKind::TooManyPoints))?;
        records.put_program(program, sums);
    }
    records.put(record);
    Ok(())
}

/// Applies a ledger entry of a further asset, whose account has a record of its own.
fn apply_further(
    records: &mut impl Records,
    row: &Row<'_>,
    program: ProgramNumber,
    (entry, asset): (&LedgerEntry, AssetNumber),
) -> Result<(), ContradictionKind> {
    let member = records.record(entry.member);
    let member = member.ok_or(ContradictionKind::MemberUnknown)?;
    if member.program != program {
        return Err(ContradictionKind::AnotherProgram);
    }
    let before = records.stored(AccountKey {
        asset: Some(asset),
        member: entry.member,
    });
    let mut record =
        before.unwrap_or_else(|| Record::new(member.number, program, member.tier).in_asset(asset));
    let program_record = noted(records, program, row)?;
    if record.applied < row.activity.seq {
        let wallet = record.wallet;
        post(&mut record, entry, row)?;
        record.applied = row.activity.seq;
        let sums = records.asset(asset).shifted((wallet, record.wallet));
        records.put_asset(asset, sums.ok_or(ContradictionKind::TooManyPoints)?);
        records.put(record);
    }
    records.put_program(program, program_record);
    Ok(())
}

/// The member whose record an event changes, if it changes one.
pub fn member_of(event: &Event) -> Option<MemberNumber> {
    match event {
        Event::MemberCreated { member, .. }
        | Event::MemberTierChanged { member, .. }
        | Event::MemberRemoved { member, .. }
        | Event::MemberRestored { member, .. }
        | Event::MemberErased { member, .. }
        | Event::MemberChanged { member }
        | Event::MemberStatusChanged { member, .. }
        | Event::RedemptionCreated { member, .. }
        | Event::TokenExchanged { member, .. }
        | Event::WalletExpiring { member, .. } => Some(*member),
        Event::WalletCredited(entry) | Event::WalletDebited(entry) | Event::WalletMoved(entry) => {
            Some(entry.member)
        }
        Event::RedemptionOpen(moved)
        | Event::RedemptionAwaitingVendor(moved)
        | Event::RedemptionAwaitingCustomer(moved)
        | Event::RedemptionPurchased(moved)
        | Event::RedemptionCompleted(moved)
        | Event::RedemptionCanceled(moved) => Some(moved.member),
        Event::MessageCreated { .. }
        | Event::RedemptionChanged { .. }
        | Event::RedemptionRated(_)
        | Event::RedemptionReturned(_)
        | Event::OfferCreated { .. }
        | Event::OfferChanged { .. }
        | Event::OfferArchived { .. }
        | Event::ProgramCreated { .. }
        | Event::ProgramChanged { .. }
        | Event::AssetChanged { .. }
        | Event::AssetCreated { .. }
        | Event::OrganizationCreated { .. }
        | Event::OrganizationChanged { .. }
        | Event::WebhookCreated { .. }
        | Event::WebhookChanged { .. }
        | Event::TermsPublished { .. }
        | Event::OrgPointsLow { .. }
        | Event::OrgPointsPurchased { .. }
        | Event::BalanceExpired { .. }
        | Event::ProgramFunded(_)
        | Event::ProgramBurned(_)
        | Event::PoolChanged { .. }
        | Event::PoolFunded { .. }
        | Event::PoolDrawn { .. }
        | Event::PoolReturned { .. }
        | Event::EventStored(_)
        | Event::StateChanged(_)
        | Event::RuleChanged { .. }
        | Event::BudgetReset { .. }
        | Event::TermsAccepted { .. }
        | Event::InterestCreated { .. }
        | Event::InterestChanged { .. } => None,
    }
}

/// Changes a record as the event of a row does. Its program announces points that expire by this
/// notice, if the row is a ledger entry.
fn change(
    record: &mut Record,
    row: &Row<'_>,
    notice: Option<ExpiryNotice>,
    records: &impl Records,
) -> Result<(), ContradictionKind> {
    let seq = row.activity.seq;
    let set_tier = |record: &mut Record, tier: &Tier| record.tier = records.tier_number(tier);
    match &row.activity.event {
        Event::MemberCreated { .. } | Event::MemberErased { .. } | Event::MemberChanged { .. } => {
            record.version = seq;
        }
        Event::MemberTierChanged { to, .. } => {
            set_tier(record, to);
            record.version = seq;
        }
        Event::MemberStatusChanged { suspended, .. } => {
            record.is_suspended = *suspended;
            record.version = seq;
        }
        Event::MemberRemoved { .. } => remove(record, row),
        Event::MemberRestored { tier, .. } => {
            record.is_archived = false;
            set_tier(record, tier);
            record.version = seq;
        }
        Event::TokenExchanged { expires_at, .. } => {
            record.token_expires_at = record.token_expires_at.max(*expires_at);
        }
        Event::WalletCredited(entry) | Event::WalletDebited(entry) | Event::WalletMoved(entry) => {
            post(record, entry, row)?;
            pass(record, entry, row.activity.at, notice);
        }
        Event::WalletExpiring { at, .. } => announce(record, *at)?,
        Event::RedemptionCreated { .. } => record.redemptions.add(Status::Submitted, 1),
        Event::RedemptionOpen(moved)
        | Event::RedemptionAwaitingVendor(moved)
        | Event::RedemptionAwaitingCustomer(moved)
        | Event::RedemptionPurchased(moved)
        | Event::RedemptionCompleted(moved)
        | Event::RedemptionCanceled(moved) => shift(record, moved)?,
        Event::MessageCreated { .. }
        | Event::RedemptionChanged { .. }
        | Event::RedemptionRated(_)
        | Event::RedemptionReturned(_)
        | Event::OfferCreated { .. }
        | Event::OfferChanged { .. }
        | Event::OfferArchived { .. }
        | Event::ProgramCreated { .. }
        | Event::ProgramChanged { .. }
        | Event::AssetChanged { .. }
        | Event::AssetCreated { .. }
        | Event::OrganizationCreated { .. }
        | Event::OrganizationChanged { .. }
        | Event::WebhookCreated { .. }
        | Event::WebhookChanged { .. }
        | Event::TermsPublished { .. }
        | Event::OrgPointsLow { .. }
        | Event::OrgPointsPurchased { .. }
        | Event::BalanceExpired { .. }
        | Event::ProgramFunded(_)
        | Event::ProgramBurned(_)
        | Event::PoolChanged { .. }
        | Event::PoolFunded { .. }
        | Event::PoolDrawn { .. }
        | Event::PoolReturned { .. }
        | Event::EventStored(_)
        | Event::StateChanged(_)
        | Event::RuleChanged { .. }
        | Event::BudgetReset { .. }
        | Event::TermsAccepted { .. }
        | Event::InterestCreated { .. }
        | Event::InterestChanged { .. } => {}
    }
    Ok(())
}

fn remove(record: &mut Record, row: &Row<'_>) {
    record.is_archived = true;
    record.is_suspended = false;
    record.token_epoch += 1;
    // Of version 0.1.0, the member's row tells what remained after the removal.
    if !row.is_given {
        record.token_expires_at = None;
    }
    record.version = row.activity.seq;
}

fn shift(record: &mut Record, moved: &RedemptionMove) -> Result<(), ContradictionKind> {
    let counts = &mut record.redemptions;
    counts
        .shift(moved.from, moved.to)
        .ok_or(ContradictionKind::StatusEmpty(moved.from))
}

fn post(record: &mut Record, entry: &LedgerEntry, row: &Row<'_>) -> Result<(), ContradictionKind> {
    let change = entry.change();
    let before = record.wallet;
    let Some(wallet) = before.changed(change) else {
        let has_less = before.held.get() < -change.held || before.pending.get() < -change.pending;
        return Err(if has_less {
            ContradictionKind::BucketNegative
        } else {
            ContradictionKind::TooManyPoints
        });
    };
    let uncovered = entry
        .buckets
        .as_ref()
        .map_or(0, |buckets| buckets.uncovered.get());
    if change.balance() < 0 && (wallet.balance() < 0 || uncovered > 0) {
        if uncovered == 0 {
            return Err(ContradictionKind::BalanceNegative);
        }
        if uncovered != -change.balance() - before.available().get() {
            return Err(ContradictionKind::Uncovered);
        }
    }
    record.wallet = wallet;
    record.account = extended(&record.account, row.activity.seq, row.jump);
    record.has_participated |= matches!(entry.entry, Entry::Mint | Entry::Spend);
    if record.lots.is_some() || entry.buckets.is_some() {
        move_lots(record, before, entry, row.activity.at)?;
    }
    Ok(())
}

/// Takes in that a time was announced at which points expire.
fn announce(record: &mut Record, end: Timestamp) -> Result<(), ContradictionKind> {
    let lots = record.lots.as_mut();
    lots.ok_or(ContradictionKind::Unannounceable)?
        .announced(end);
    Ok(())
}

/// Takes in that the notices before a ledger entry were sent. Points that are put into lots were
/// there before it, and are still to be announced.
fn pass(record: &mut Record, entry: &LedgerEntry, at: Timestamp, notice: Option<ExpiryNotice>) {
    if let (Some(lots), Some(notice)) = (&mut record.lots, notice)
        && entry.entry != Entry::Open
    {
        let due_at = entry.buckets.as_ref().and_then(|buckets| buckets.due_at);
        lots.passed(due_at.unwrap_or(at), notice);
    }
}

/// Applies what a ledger entry does to lots. The account is the one after the entry, except for its
/// lots; the wallet was `before`.
fn move_lots(
    record: &mut Record,
    before: Wallet,
    entry: &LedgerEntry,
    at: Timestamp,
) -> Result<(), ContradictionKind> {
    let buckets = entry.buckets.as_deref();
    let Some((buckets, moves)) = buckets.and_then(|it| it.lots.as_ref().map(|lots| (it, lots)))
    else {
        return match record.lots {
            Some(_) => Err(ContradictionKind::LotsMissing),
            None => Ok(()),
        };
    };
    let posted = Posted {
        entry,
        buckets,
        number: record.account.entries,
        at,
    };
    // All points of an account with lots are in lots, except what makes its balance negative.
    let in_lots = |wallet: Wallet| {
        let all = [wallet.available(), wallet.held, wallet.pending];
        all.map(Points::get)
    };
    let was = record.lots.as_ref().map_or([0; 3], |_| in_lots(before));
    let mut lots = record.lots.take().unwrap_or_default();
    let sums = lots.apply(moves, &posted)?;
    let is = in_lots(record.wallet);
    let fits = [sums.available, sums.held, sums.deferred] == [0, 1, 2].map(|i| is[i] - was[i]);
    let opens = entry.entry != Entry::Open || entry.amount.get() == sums.available + sums.held;
    if !fits || !opens {
        return Err(ContradictionKind::LotsDiffer);
    }
    record.lots = (lots.made > 0).then_some(lots);
    Ok(())
}

/// The account with one more entry, whose jump its row tells: [`Account::extended`] without a
/// look-up.
fn extended(account: &Account, last: Seq, jump: Option<Seq>) -> Account {
    let is_next = jump_depth(account.entries + 1) == account.entries;
    Account {
        last: Some(last),
        jump,
        far: account.jump.filter(|_| is_next),
        entries: account.entries + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_folded_as_it_was_written() {
        let mut jumps: Vec<Option<Seq>> = Vec::new();
        let (mut written, mut folded) = (Account::default(), Account::default());
        for number in 1..=500_i64 {
            let jump_of = |seq: Seq| Ok::<_, ()>(jumps[usize::try_from(seq.0).unwrap() - 1]);
            written = written.extended(jump_of).unwrap();
            written.last = Some(Seq(number));
            jumps.push(written.jump);
            folded = extended(&folded, Seq(number), written.jump);
            assert_eq!(folded, written, "{number}");
        }
    }
}
