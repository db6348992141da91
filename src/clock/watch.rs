//! Comparison of wall time and time since boot: which steps are accepted and which are refused.

use std::time::Duration;

use super::step::{ClockState, RefusedStep, STEP_MAX, duration, millis, refusal};
use crate::domain::Timestamp;

/// The shortest step that is logged, in milliseconds: shorter ones keep the clock right.
const STEP_LOGGED_MIN: i64 = 1000;
/// The time behind the newest stamp that is logged, in milliseconds.
const BEHIND_LOGGED_MIN: i64 = 60_000;

/// Compares wall time with the time since boot. All in milliseconds.
#[derive(Debug)]
pub(super) struct Watch {
    /// Accepted wall time minus time since boot.
    offset: i64,
    wall: i64,
    /// The refused step, if any: wall time minus accepted time.
    step: Option<i64>,
    /// The newest stamp.
    newest: Option<i64>,
    is_behind_logged: bool,
    pub(super) accepts_at_start: bool,
    taken: u64,
    refused: u64,
    accepted: u64,
    /// Changes that are not logged yet.
    pub(super) changes: Vec<Change>,
}

/// A change that is logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Taken(i64),
    Refused(i64),
    Accepted(i64),
    Gone,
    Behind(i64),
    CaughtUp,
}

impl Watch {
    pub(super) fn new(wall: i64, since_boot: i64) -> Self {
        Self {
            offset: wall - since_boot,
            wall,
            step: None,
            newest: None,
            is_behind_logged: false,
            accepts_at_start: false,
            taken: 0,
            refused: 0,
            accepted: 0,
            changes: Vec::new(),
        }
    }

    /// Compares both times and returns the accepted time.
    pub(super) fn check(&mut self, wall: i64, since_boot: i64) -> i64 {
        self.wall = wall;
        let step = wall - since_boot - self.offset;
        if step > millis(STEP_MAX) {
            if self.step.replace(step).is_none() {
                self.refused += 1;
                self.changes.push(Change::Refused(step));
            }
            return wall - step;
        }
        self.offset = wall - since_boot;
        if self.step.take().is_some() {
            self.changes.push(Change::Gone);
        }
        if step >= STEP_LOGGED_MIN {
            self.taken += 1;
            self.changes.push(Change::Taken(step));
        }
        let behind = self.behind();
        if behind > BEHIND_LOGGED_MIN && !self.is_behind_logged {
            self.is_behind_logged = true;
            self.changes.push(Change::Behind(behind));
        } else if behind == 0 && self.is_behind_logged {
            self.is_behind_logged = false;
            self.changes.push(Change::CaughtUp);
        }
        wall
    }

    pub(super) fn stamped(&mut self, at: i64) {
        self.newest = self.newest.max(Some(at));
    }

    pub(super) fn resume(&mut self, newest: Option<Timestamp>, refused: Option<RefusedStep>) {
        self.newest = self.newest.max(newest.map(Timestamp::as_millis));
        let Some(refused) = refused.filter(|refused| self.wall >= refused.shown) else {
            return;
        };
        if std::mem::take(&mut self.accepts_at_start) {
            self.accepted += 1;
            self.changes.push(Change::Accepted(refused.step));
        } else {
            // The next check refuses it again.
            self.offset -= refused.step;
        }
    }

    /// Accepts the last wall time. Returns the step that was refused, if any.
    pub(super) fn accept(&mut self) -> Option<Duration> {
        let step = self.step.take()?;
        self.offset += step;
        self.accepted += 1;
        self.changes.push(Change::Accepted(step));
        Some(duration(step))
    }

    pub(super) fn refused(&self) -> Option<RefusedStep> {
        self.step.map(|step| RefusedStep {
            shown: self.wall,
            step,
        })
    }

    /// The time by which the accepted time is behind the newest stamp.
    fn behind(&self) -> i64 {
        let accepted = self.wall - self.step.unwrap_or(0);
        self.newest.map_or(0, |newest| (newest - accepted).max(0))
    }

    pub(super) fn state(&self) -> ClockState {
        ClockState {
            behind: duration(self.behind()),
            refused: duration(self.step.unwrap_or(0)),
            steps_taken: self.taken,
            steps_refused: self.refused,
            steps_accepted: self.accepted,
        }
    }
}

impl Change {
    pub(super) fn log(self) {
        match self {
            Self::Taken(step) => tracing::warn!(
                step_seconds = step / 1000,
                "the system clock was set forward; the new time is accepted"
            ),
            Self::Refused(step) => {
                tracing::error!(step_seconds = step / 1000, "{}", refusal(duration(step)));
            }
            Self::Accepted(step) => tracing::warn!(
                step_seconds = step / 1000,
                "the step of the system clock was accepted; writes continue"
            ),
            Self::Gone => tracing::warn!("the system clock was set back; writes continue"),
            Self::Behind(behind) => tracing::warn!(
                behind_seconds = behind / 1000,
                "the system clock is behind the newest row; rows get the time of the row before \
                 them until it has caught up"
            ),
            Self::CaughtUp => tracing::info!("the system clock has caught up with the newest row"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1000;
    const HOUR: i64 = 3600 * SECOND;
    const DAY: i64 = 24 * HOUR;
    const START: i64 = 1_800_000_000_000;

    fn changes(watch: &mut Watch) -> Vec<Change> {
        std::mem::take(&mut watch.changes)
    }

    /// A watch that began when the machine had been on for a second.
    fn watch() -> Watch {
        Watch::new(START, SECOND)
    }

    #[test]
    fn time_that_passes_is_no_step() {
        let mut watch = watch();
        // A month asleep: the time since boot counts it.
        assert_eq!(
            watch.check(START + 30 * DAY, SECOND + 30 * DAY),
            START + 30 * DAY
        );
        // What keeps a clock right.
        assert_eq!(
            watch.check(START + 30 * DAY + 999, SECOND + 30 * DAY),
            START + 30 * DAY + 999
        );
        assert_eq!(changes(&mut watch), []);
        assert_eq!(watch.state(), ClockState::default());
    }

    #[test]
    fn a_step_of_a_day_is_taken_and_a_longer_one_is_not() {
        let mut watch = watch();
        assert_eq!(watch.check(START + DAY, SECOND), START + DAY);
        assert_eq!(changes(&mut watch), [Change::Taken(DAY)]);
        // As if nothing had happened, however often it is looked at.
        let far = START + 2 * DAY + 1;
        assert_eq!(watch.check(far, SECOND), START + DAY);
        assert_eq!(
            watch.check(far + HOUR, SECOND + HOUR),
            START + DAY + HOUR,
            "time goes on"
        );
        assert_eq!(changes(&mut watch), [Change::Refused(DAY + 1)]);
        let state = watch.state();
        assert_eq!(state.refused, duration(DAY + 1));
        assert_eq!((state.steps_taken, state.steps_refused), (1, 1));
        assert_eq!(watch.refused().unwrap().shown, far + HOUR);
    }

    #[test]
    fn a_refused_step_ends_when_it_is_gone_or_accepted() {
        let mut watch = watch();
        assert_eq!(watch.accept(), None);
        watch.check(START + 400 * DAY, SECOND);
        assert_eq!(
            watch.check(START + HOUR, SECOND + HOUR),
            START + HOUR,
            "set right again"
        );
        assert_eq!(
            changes(&mut watch),
            [Change::Refused(400 * DAY), Change::Gone],
            "and what is left of it is no step"
        );
        watch.check(START + 400 * DAY, SECOND + HOUR);
        assert_eq!(watch.accept(), Some(duration(400 * DAY - HOUR)));
        assert_eq!(
            watch.check(START + 400 * DAY, SECOND + HOUR),
            START + 400 * DAY
        );
        assert_eq!(watch.state().refused, Duration::ZERO);
        assert_eq!(watch.state().steps_accepted, 1);
    }

    #[test]
    fn a_step_back_is_told_once_until_the_clock_has_caught_up() {
        let mut watch = watch();
        watch.stamped(START);
        watch.check(START - 60 * SECOND, SECOND);
        assert_eq!(watch.state().behind, duration(60 * SECOND));
        assert_eq!(changes(&mut watch), [], "a minute is no news");
        watch.check(START - HOUR, SECOND);
        watch.check(START - HOUR, SECOND);
        assert_eq!(changes(&mut watch), [Change::Behind(HOUR)]);
        watch.stamped(START - HOUR);
        watch.check(START - HOUR + SECOND, 2 * SECOND);
        assert_eq!(watch.state().behind, duration(HOUR - SECOND));
        watch.check(START + SECOND, 2 * SECOND + HOUR);
        assert_eq!(changes(&mut watch), [Change::CaughtUp]);
        assert_eq!(watch.state().behind, Duration::ZERO);
        assert_eq!(watch.state().steps_taken, 0);
    }

    #[test]
    fn a_start_goes_on_with_what_was_refused_before_it() {
        let refused = RefusedStep {
            shown: START,
            step: 400 * DAY,
        };
        let resumed = |wall, accepts| {
            let mut watch = Watch::new(wall, SECOND);
            watch.accepts_at_start = accepts;
            watch.resume(None, Some(refused));
            let now = watch.check(wall, SECOND);
            (now, changes(&mut watch))
        };
        let late = START + HOUR;
        assert_eq!(
            resumed(late, false),
            (late - 400 * DAY, vec![Change::Refused(400 * DAY)])
        );
        assert_eq!(
            resumed(late, true),
            (late, vec![Change::Accepted(400 * DAY)])
        );
        // It was set right while the server was stopped.
        let right = START - 400 * DAY + HOUR;
        assert_eq!(resumed(right, false), (right, vec![]));
        assert_eq!(resumed(right, true), (right, vec![]));
    }

    #[test]
    fn a_start_before_the_newest_row_is_behind() {
        let mut watch = watch();
        watch.resume(Timestamp::from_millis(START + DAY), None);
        assert_eq!(watch.check(START, SECOND), START);
        assert_eq!(changes(&mut watch), [Change::Behind(DAY)]);
    }
}
