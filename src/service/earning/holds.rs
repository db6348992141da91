//! Which held points an operation concerns, and how long points are held.

use std::time::Duration;

use crate::books::Record;
use crate::domain::{Invalid, Lot, ReferenceId, Refusal, Timestamp};
use crate::service::ServiceError;
use crate::store::Transaction;
use crate::store::log::AccountLog;

/// How long points are held if the request does not say it.
const HELD_FOR: Duration = Duration::from_hours(30 * 24);
/// The longest time for which points are held.
const HELD_FOR_MAX: Duration = Duration::from_hours(366 * 24);
/// The most holds that an account has at a time, points that were credited as held included. All
/// of them may have to be looked up.
const HOLDS_MAX: usize = 1_000;

/// When a hold ends automatically.
pub(super) fn until(at: Timestamp, wanted: Option<Timestamp>) -> Result<Timestamp, Invalid> {
    let Some(until) = wanted else {
        return Ok(at.saturating_add(HELD_FOR));
    };
    if until <= at || until > at.saturating_add(HELD_FOR_MAX) {
        let expected = format!("must be after {at} and at most 366 days later");
        return Err(Invalid::new("hold_until", expected));
    }
    Ok(until)
}

/// Refuses another hold in an account that has the most.
pub(super) fn check_room(record: &Record) -> Result<(), Refusal> {
    if holders(record).len() >= HOLDS_MAX {
        return Err(Refusal::TooManyHolds(HOLDS_MAX));
    }
    Ok(())
}

/// The entries that hold points for a purpose, by their numbers in the account.
pub(super) fn with_reference(
    tx: &Transaction<'_>,
    record: &Record,
    reference: &ReferenceId,
) -> Result<Vec<u32>, ServiceError> {
    let log = AccountLog::new(tx, record.number, &record.account);
    let mut found = Vec::new();
    for by in holders(record) {
        if log.get(by.into())?.reference() == Some(reference.as_str()) {
            found.push(by);
        }
    }
    Ok(found)
}

/// The entries that hold points, in order.
fn holders(record: &Record) -> Vec<u32> {
    let lots = record.lots.iter().flat_map(|lots| &lots.live);
    let mut holders: Vec<u32> = lots.filter_map(Lot::held_by).collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}
