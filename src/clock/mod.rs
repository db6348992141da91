//! The only reader of the time. Everything else is told what time it is.
//!
//! The system's wall time is compared with the time since boot, sleep included. A step forward of
//! more than [`STEP_MAX`] is refused: until it is gone or accepted, the time goes on as if it had
//! not happened, and no writes are taken ([`Clock::refused`]).

mod step;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;

pub use self::step::{ClockState, RefusedStep, STEP_MAX, refusal};
use self::watch::Watch;
use crate::domain::Timestamp;

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
