//! Whether a member can earn and spend points: members are suspended and removed.

use super::ledger::post;
use crate::books::Record;
use crate::domain::{Event, Member, Refusal, Timestamp};
use crate::service::{ServiceError, events};
use crate::store::{self, Transaction};

/// The account of a member, who must not be suspended.
pub(in crate::service) fn able(record: Record) -> Result<Record, Refusal> {
    if record.is_suspended {
        return Err(Refusal::MemberSuspended);
    }
    Ok(record)
}

/// Suspends a current member, or ends that.
pub(in crate::service) fn suspend(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    before: Member,
    suspended: bool,
) -> Result<Member, ServiceError> {
    if before.suspended_at.is_some() == suspended {
        return Ok(before);
    }
    let mut member = before.clone();
    member.suspended_at = suspended.then_some(at);
    let event = Event::MemberStatusChanged {
        member: member.number,
        suspended,
    };
    member.version = events::record(tx, member.program, at, event)?;
    store::members::update(tx, &before, &member)?;
    Ok(member)
}

/// Archives a current member in the log; the row is not written yet.
pub(in crate::service) fn archive(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: &mut Member,
    retained: bool,
) -> Result<(), ServiceError> {
    if !retained {
        for record in tx.accounts_of(member.number) {
            if let Some(plan) = record.plan_forfeit_all() {
                post(tx, at, &record, plan.into())?;
            }
        }
    }
    member.archived_at = Some(at);
    member.suspended_at = None;
    store::members::end_tokens(tx, member);
    store::conversations::stop_waiting(tx, member.number)?;
    let event = Event::MemberRemoved {
        member: member.number,
        tier: member.tier.clone(),
        retained,
    };
    member.version = events::record(tx, member.program, at, event)?;
    store::removals::note(tx, member.number, retained)?;
    Ok(())
}
