//! A slice: a limited number of the due things of a program, which are applied at once.

use std::time::{Duration, Instant};

use super::times::ApplyDue;
use super::transaction::Transaction;
use crate::domain::{Actor, DueKind, ProgramNumber, Timestamp};
use crate::store::Error;

/// The most due things in a slice.
const SLICE_DUE: usize = 1000;
/// How long a slice may take.
const SLICE_TIME: Duration = Duration::from_millis(5);
/// How long it may take while a write waits.
const SHARED_SLICE_TIME: Duration = Duration::from_millis(1);
/// How many due things are listed at a time.
const LISTED_DUE: usize = 250;

/// This many due things are worth a savepoint, in which their rows are inserted one by one.
const MANY_DUE: usize = 16;

/// What a slice applied.
pub(super) struct Slice {
    /// How many, by kind.
    pub(super) applied: [usize; DueKind::ALL.len()],
    /// Whether more may be due.
    pub(super) has_more: bool,
}

/// Applies what is due in a program up to a time, in order, at most a slice.
pub(super) fn apply_slice(
    tx: &mut Transaction<'_>,
    apply: ApplyDue,
    (program, until): (ProgramNumber, Timestamp),
    is_awaited: impl Fn() -> bool,
) -> Result<Slice, Error> {
    let begun = Instant::now();
    let mut slice = Slice {
        applied: Default::default(),
        has_more: true,
    };
    let mut left = SLICE_DUE;
    tx.act_as(Actor::Scheduler);
    while !tx.sort_due(program, until) {
        if is_long(begun.elapsed(), &is_awaited) {
            return Ok(slice);
        }
    }
    loop {
        let due = tx.due(program, until, left.min(LISTED_DUE));
        if due.is_empty() {
            tx.settle(program, until);
            slice.has_more = false;
            return Ok(slice);
        }
        if due.len() >= MANY_DUE {
            // The slice would not know how long rows take that are inserted at its end.
            tx.insert_immediately();
        }
        let before = tx.next_seq();
        for due in due {
            apply(tx, program, due)?;
            slice.applied[usize::from(due.kind.number() - 1)] += 1;
            left -= 1;
            if left == 0 || is_long(begun.elapsed(), &is_awaited) {
                return Ok(slice);
            }
        }
        if tx.next_seq() == before {
            return Err(Error::Impossible("due thing, which changes nothing"));
        }
    }
}

/// Whether a slice that took so long ends. It goes on while nobody waits, because each costs a
/// commit.
fn is_long(took: Duration, is_awaited: impl Fn() -> bool) -> bool {
    took >= SLICE_TIME || took >= SHARED_SLICE_TIME && is_awaited()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_short_only_while_a_write_waits() {
        let is_long = |micros, is_awaited| is_long(Duration::from_micros(micros), || is_awaited);
        assert!(!is_long(999, true) && is_long(1000, true));
        assert!(!is_long(4999, false) && is_long(5000, false));
    }
}
