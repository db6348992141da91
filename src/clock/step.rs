//! Steps of the system clock: their limit, their state and the message about a refused one.

use std::time::Duration;

/// The longest step forward that is accepted automatically.
pub const STEP_MAX: Duration = Duration::from_hours(24);

/// A refused step of the system clock, as it is stored for the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedStep {
    /// The wrong time that the clock showed, in Unix milliseconds.
    pub shown: i64,
    /// The length of the step, in milliseconds.
    pub step: i64,
}

impl RefusedStep {
    /// The length of the step.
    pub fn length(self) -> Duration {
        duration(self.step)
    }
}

/// The state of a clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockState {
    /// The time by which wall time is behind the newest stamp.
    pub behind: Duration,
    /// The step that is refused now; zero if none is.
    pub refused: Duration,
    /// Steps forward that were accepted automatically.
    pub steps_taken: u64,
    /// Steps forward that were refused.
    pub steps_refused: u64,
    /// Steps forward that were accepted after they had been refused.
    pub steps_accepted: u64,
}

/// The message that explains why writes are stopped while a step is refused, and what to do.
pub fn refusal(step: Duration) -> String {
    // Rounded, because each time is truncated to a millisecond.
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
