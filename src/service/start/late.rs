//! A start long after the last row. If something would be due, the clock has to be accepted:
//! nothing tells whether the server was off or the clock is wrong.

use std::time::Duration;

use crate::books::Books;
use crate::clock::{Clock, RefusedStep};
use crate::domain::{ByNumber, ProgramNumber, Timestamp};
use crate::store::{self, Connection};

/// The longest pause after which what is due is applied without a question.
const PAUSE_MAX: Duration = Duration::from_hours(35 * 24);

/// The step of the clock that is refused at a start, if something would be due by a clock that is
/// far ahead of the newest row. `ahead` is how far the programs are ahead of the clock.
pub(super) fn refused(
    clock: &Clock,
    connection: &Connection,
    newest: Option<Timestamp>,
    (books, ahead): (&Books, &ByNumber<ProgramNumber, Duration>),
) -> Result<Option<RefusedStep>, store::Error> {
    let now = clock.now();
    let pause = newest.map_or(Duration::ZERO, |newest| now.since(newest));
    if !clock.is_systems() || pause <= PAUSE_MAX {
        return Ok(None);
    }
    let mut until = ByNumber::default();
    for (program, at) in books.next_dues() {
        let own_now = now.saturating_add(ahead.get(&program).copied().unwrap_or_default());
        let is_active = || store::programs::active_tenant(connection, program);
        if at <= own_now && is_active()?.is_some() {
            until.insert(program, own_now);
        }
    }
    let due = books.count_due(|program| until.get(&program).copied());
    if due == 0 {
        return Ok(None);
    }
    tracing::error!(
        days = pause.as_secs() / 86_400,
        due,
        "the newest row is more than 35 days older than the system clock, and points of members \
         would expire or mature, or be announced: writes are stopped; if the clock is right, start \
         with `--accept-clock`"
    );
    Ok(Some(RefusedStep {
        shown: now.as_millis(),
        step: i64::try_from(pause.as_millis()).unwrap_or(i64::MAX),
    }))
}
