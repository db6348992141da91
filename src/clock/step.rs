//! Steps of the system clock: how long one may be, and what is said of one that is refused.

use std::time::Duration;

/// The longest step forward that is taken.
pub const STEP_MAX: Duration = Duration::from_hours(24);

/// A step of the system clock that was refused, as it is kept for the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedStep {
    /// What wrong time the clock showed, in Unix milliseconds.
    pub shown: i64,
    /// How far it had been set forward, in milliseconds.
    pub step: i64,
}

impl RefusedStep {
    /// How far the clock had been set forward.
    pub fn length(self) -> Duration {
        duration(self.step)
    }
}

/// What a clock says about itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockState {
    /// How far wall time is behind the newest time that was stamped.
    pub behind: Duration,
    /// The step that is refused now; zero if there is none.
    pub refused: Duration,
    /// Steps forward that were taken.
    pub steps_taken: u64,
    /// Steps forward that were refused.
    pub steps_refused: u64,
    /// Steps forward that were accepted after they had been refused.
    pub steps_accepted: u64,
}

/// Why nothing is written while a step is refused, and how to go on.
pub fn refusal(step: Duration) -> String {
    // Rounded: what each clock shows is cut to a millisecond.
    let hours = (step.as_secs() + 1800) / 3600;
    format!(
        "writes are stopped because the system clock was set forward by {} d {} h, more than \
         24 hours: set it right, or accept it with `stampcard clock accept` or with \
         `--accept-clock` at the next start",
        hours / 24,
        hours % 24
    )
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
