//! The only reader of the time. Everything else is told what time it is.
//!
//! The system's wall time is compared with the time since boot, sleep included. A step forward of
//! more than [`STEP_MAX`] is refused: until it is gone or accepted, the time goes on as if it had
//! not happened, and whoever asks [`Clock::refused`] takes no writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;

use crate::domain::Timestamp;

/// The longest step forward that is taken.
pub const STEP_MAX: Duration = Duration::from_hours(24);
/// A shorter step is how clocks are kept right.
const STEP_TOLD: i64 = 1000;
/// How far behind what was stamped the clock must be for a warning, in milliseconds.
const BEHIND_TOLD: i64 = 60_000;
/// Wall time and time since boot are read again if reading both took longer than this.
const READ_MILLIS_MAX: i64 = 100;
/// How often they are read again at most.
const READS_MAX: usize = 8;

/// A clock that can be shared: the system's, or one that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Arc<Mutex<Watch>>),
    Fixed(Arc<AtomicI64>),
}

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

impl Clock {
    /// The system's clock. It is taken to be right as it is now.
    pub fn system() -> Self {
        let (wall, since_boot) = read();
        Self(Source::System(Arc::new(Mutex::new(Watch::new(
            wall, since_boot,
        )))))
    }

    /// A clock that stands at `at`. Clones stand and move with it.
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.as_millis()))))
    }

    /// What time it is.
    ///
    /// # Panics
    /// If the system's clock shows a year before 0 or after 9999.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            Source::System(watch) => watched(watch, |_, now| now),
            Source::Fixed(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millis(millis).expect("the clock shows a year from 0000 to 9999")
    }

    /// [`Clock::now`] for something that is stamped with it, or with the time of what was stamped
    /// before.
    ///
    /// # Panics
    /// As [`Clock::now`].
    pub fn stamp(&self) -> Timestamp {
        let now = self.now();
        if let Source::System(watch) = &self.0 {
            watch.lock().stamped(now.as_millis());
        }
        now
    }

    /// Moves a fixed clock forward. The system's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(millis) = &self.0 {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Whether it can be set wrong, so that somebody has to look at it.
    pub fn is_systems(&self) -> bool {
        matches!(self.0, Source::System(_))
    }

    /// Takes in what is known of earlier runs: the newest time that was stamped, and a step that
    /// was refused. That step is refused still if the clock shows no earlier time than it did.
    pub fn resume(&self, newest: Option<Timestamp>, refused: Option<RefusedStep>) {
        if let Source::System(watch) = &self.0 {
            watched(watch, |watch, _| watch.resume(newest, refused));
            watched(watch, |_, _| ());
        }
    }

    /// Takes the next [`Clock::resume`]'s refused step to be right.
    pub fn accept_at_start(&self) {
        if let Source::System(watch) = &self.0 {
            watch.lock().accepts_at_start = true;
        }
    }

    /// The step that is refused now, if there is one.
    pub fn refused(&self) -> Option<RefusedStep> {
        match &self.0 {
            Source::System(watch) => watched(watch, |watch, _| watch.refused()),
            Source::Fixed(_) => None,
        }
    }

    /// Takes wall time as it is now to be right; the step that was refused, if there was one.
    pub fn accept(&self) -> Option<Duration> {
        match &self.0 {
            Source::System(watch) => watched(watch, |watch, _| watch.accept()),
            Source::Fixed(_) => None,
        }
    }

    /// What it says about itself.
    pub fn state(&self) -> ClockState {
        match &self.0 {
            Source::System(watch) => watched(watch, |watch, _| watch.state()),
            Source::Fixed(_) => ClockState::default(),
        }
    }
}

/// Looks at the system's clock, tells the log what is new, and asks something else at that moment.
fn watched<T>(watch: &Mutex<Watch>, ask: impl FnOnce(&mut Watch, i64) -> T) -> T {
    let (found, value) = {
        let mut watch = watch.lock();
        // Read within, so that looks come in the order of time.
        let (wall, since_boot) = read();
        let now = watch.look(wall, since_boot);
        let value = ask(&mut watch, now);
        (std::mem::take(&mut watch.found), value)
    };
    for found in found {
        found.tell();
    }
    value
}

/// Wall time and time since boot, both in milliseconds, of the same moment.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the Clock that others have to ask"
)]
fn read() -> (i64, i64) {
    let mut before = since_boot();
    let mut reads = 0;
    loop {
        let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
        let wall = i64::try_from(nanos.div_euclid(1_000_000)).unwrap_or(i64::MAX);
        let after = since_boot();
        reads += 1;
        if after - before <= READ_MILLIS_MAX || reads == READS_MAX {
            return (wall, after);
        }
        // The thread was held up in between, so that the two do not belong together.
        before = after;
    }
}

/// Milliseconds since the machine was started, those that it slept included.
///
/// Source: `clock_gettime(2)`, `CLOCK_BOOTTIME`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// Milliseconds of some monotonic clock. Other systems may not count sleep here: on them a sleep
/// of more than a day looks like a step.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_boot() -> i64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// Compares wall time with the time since boot. All in milliseconds.
#[derive(Debug)]
struct Watch {
    /// Wall time less the time since boot, as far as it is believed.
    offset: i64,
    wall: i64,
    /// How far wall time is ahead of what is believed, while that is refused.
    step: Option<i64>,
    /// The newest time that was stamped.
    newest: Option<i64>,
    is_behind_told: bool,
    accepts_at_start: bool,
    taken: u64,
    refused: u64,
    accepted: u64,
    /// What the log has not been told yet.
    found: Vec<Found>,
}

/// What the log is told, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Taken(i64),
    Refused(i64),
    Accepted(i64),
    Gone,
    Behind(i64),
    CaughtUp,
}

impl Watch {
    fn new(wall: i64, since_boot: i64) -> Self {
        Self {
            offset: wall - since_boot,
            wall,
            step: None,
            newest: None,
            is_behind_told: false,
            accepts_at_start: false,
            taken: 0,
            refused: 0,
            accepted: 0,
            found: Vec::new(),
        }
    }

    /// Takes in what both clocks show; the time that is believed.
    fn look(&mut self, wall: i64, since_boot: i64) -> i64 {
        self.wall = wall;
        let step = wall - since_boot - self.offset;
        if step > millis(STEP_MAX) {
            if self.step.replace(step).is_none() {
                self.refused += 1;
                self.found.push(Found::Refused(step));
            }
            return wall - step;
        }
        self.offset = wall - since_boot;
        if self.step.take().is_some() {
            self.found.push(Found::Gone);
        }
        if step >= STEP_TOLD {
            self.taken += 1;
            self.found.push(Found::Taken(step));
        }
        let behind = self.behind();
        if behind > BEHIND_TOLD && !self.is_behind_told {
            self.is_behind_told = true;
            self.found.push(Found::Behind(behind));
        } else if behind == 0 && self.is_behind_told {
            self.is_behind_told = false;
            self.found.push(Found::CaughtUp);
        }
        wall
    }

    fn stamped(&mut self, at: i64) {
        self.newest = self.newest.max(Some(at));
    }

    fn resume(&mut self, newest: Option<Timestamp>, refused: Option<RefusedStep>) {
        self.newest = self.newest.max(newest.map(Timestamp::as_millis));
        let Some(refused) = refused.filter(|refused| self.wall >= refused.shown) else {
            return;
        };
        if std::mem::take(&mut self.accepts_at_start) {
            self.accepted += 1;
            self.found.push(Found::Accepted(refused.step));
        } else {
            // The next look refuses it again.
            self.offset -= refused.step;
        }
    }

    /// The believed time becomes what wall time showed last.
    fn accept(&mut self) -> Option<Duration> {
        let step = self.step.take()?;
        self.offset += step;
        self.accepted += 1;
        self.found.push(Found::Accepted(step));
        Some(duration(step))
    }

    fn refused(&self) -> Option<RefusedStep> {
        self.step.map(|step| RefusedStep {
            shown: self.wall,
            step,
        })
    }

    /// How far the believed time is behind what was stamped.
    fn behind(&self) -> i64 {
        let believed = self.wall - self.step.unwrap_or(0);
        self.newest.map_or(0, |newest| (newest - believed).max(0))
    }

    fn state(&self) -> ClockState {
        ClockState {
            behind: duration(self.behind()),
            refused: duration(self.step.unwrap_or(0)),
            steps_taken: self.taken,
            steps_refused: self.refused,
            steps_accepted: self.accepted,
        }
    }
}

impl Found {
    fn tell(self) {
        match self {
            Self::Taken(step) => tracing::warn!(
                step_seconds = step / 1000,
                "the system clock was set forward; the new time is taken"
            ),
            Self::Refused(step) => {
                tracing::error!(step_seconds = step / 1000, "{}", refusal(duration(step)));
            }
            Self::Accepted(step) => tracing::warn!(
                step_seconds = step / 1000,
                "the step of the system clock was accepted; writes go on"
            ),
            Self::Gone => tracing::warn!("the system clock was set back; writes go on"),
            Self::Behind(behind) => tracing::warn!(
                behind_seconds = behind / 1000,
                "the system clock is behind the newest row; rows get the time of the row before \
                 them until it has caught up"
            ),
            Self::CaughtUp => tracing::info!("the system clock has caught up with the newest row"),
        }
    }
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

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1000;
    const HOUR: i64 = 3600 * SECOND;
    const DAY: i64 = 24 * HOUR;
    const START: i64 = 1_800_000_000_000;

    fn found(watch: &mut Watch) -> Vec<Found> {
        std::mem::take(&mut watch.found)
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
            watch.look(START + 30 * DAY, SECOND + 30 * DAY),
            START + 30 * DAY
        );
        // What keeps a clock right.
        assert_eq!(
            watch.look(START + 30 * DAY + 999, SECOND + 30 * DAY),
            START + 30 * DAY + 999
        );
        assert_eq!(found(&mut watch), []);
        assert_eq!(watch.state(), ClockState::default());
    }

    #[test]
    fn a_step_of_a_day_is_taken_and_a_longer_one_is_not() {
        let mut watch = watch();
        assert_eq!(watch.look(START + DAY, SECOND), START + DAY);
        assert_eq!(found(&mut watch), [Found::Taken(DAY)]);
        // As if nothing had happened, however often it is looked at.
        let far = START + 2 * DAY + 1;
        assert_eq!(watch.look(far, SECOND), START + DAY);
        assert_eq!(
            watch.look(far + HOUR, SECOND + HOUR),
            START + DAY + HOUR,
            "time goes on"
        );
        assert_eq!(found(&mut watch), [Found::Refused(DAY + 1)]);
        let state = watch.state();
        assert_eq!(state.refused, duration(DAY + 1));
        assert_eq!((state.steps_taken, state.steps_refused), (1, 1));
        assert_eq!(watch.refused().unwrap().shown, far + HOUR);
    }

    #[test]
    fn a_refused_step_ends_when_it_is_gone_or_accepted() {
        let mut watch = watch();
        assert_eq!(watch.accept(), None);
        watch.look(START + 400 * DAY, SECOND);
        assert_eq!(
            watch.look(START + HOUR, SECOND + HOUR),
            START + HOUR,
            "set right again"
        );
        assert_eq!(
            found(&mut watch),
            [Found::Refused(400 * DAY), Found::Gone],
            "and what is left of it is no step"
        );
        watch.look(START + 400 * DAY, SECOND + HOUR);
        assert_eq!(watch.accept(), Some(duration(400 * DAY - HOUR)));
        assert_eq!(
            watch.look(START + 400 * DAY, SECOND + HOUR),
            START + 400 * DAY
        );
        assert_eq!(watch.state().refused, Duration::ZERO);
        assert_eq!(watch.state().steps_accepted, 1);
    }

    #[test]
    fn a_step_back_is_told_once_until_the_clock_has_caught_up() {
        let mut watch = watch();
        watch.stamped(START);
        watch.look(START - 60 * SECOND, SECOND);
        assert_eq!(watch.state().behind, duration(60 * SECOND));
        assert_eq!(found(&mut watch), [], "a minute is no news");
        watch.look(START - HOUR, SECOND);
        watch.look(START - HOUR, SECOND);
        assert_eq!(found(&mut watch), [Found::Behind(HOUR)]);
        watch.stamped(START - HOUR);
        watch.look(START - HOUR + SECOND, 2 * SECOND);
        assert_eq!(watch.state().behind, duration(HOUR - SECOND));
        watch.look(START + SECOND, 2 * SECOND + HOUR);
        assert_eq!(found(&mut watch), [Found::CaughtUp]);
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
            let now = watch.look(wall, SECOND);
            (now, found(&mut watch))
        };
        let late = START + HOUR;
        assert_eq!(
            resumed(late, false),
            (late - 400 * DAY, vec![Found::Refused(400 * DAY)])
        );
        assert_eq!(
            resumed(late, true),
            (late, vec![Found::Accepted(400 * DAY)])
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
        assert_eq!(watch.look(START, SECOND), START);
        assert_eq!(found(&mut watch), [Found::Behind(DAY)]);
    }
}
