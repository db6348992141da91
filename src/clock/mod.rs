//! The clock: the only code that reads the system's time.
//!
//! The system's wall time is compared with the time since boot, which includes sleep. A step
//! forward of more than [`STEP_MAX`] is refused: until it is undone or accepted, the time continues
//! as if it had not happened, and writes are refused ([`Clock::refused`]).

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

/// Both times are read again if reading them took longer than this.
const READ_MILLIS_MAX: i64 = 100;
/// The most times that they are read.
const READS_MAX: usize = 8;

/// A clock that can be shared: the system's, or a fixed one that changes only if it is advanced.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Arc<Mutex<Watch>>),
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock. Its current time is taken to be right.
    pub fn system() -> Self {
        let (wall, since_boot) = read();
        Self(Source::System(Arc::new(Mutex::new(Watch::new(
            wall, since_boot,
        )))))
    }

    /// A fixed clock that shows `at`. Clones show the same time.
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.as_millis()))))
    }

    /// The current time.
    ///
    /// # Panics
    /// If the system's clock shows a year before 0 or after 9999.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            Source::System(watch) => checked(watch, |_, now| now),
            Source::Fixed(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millis(millis).expect("the clock shows a year from 0000 to 9999")
    }

    /// Notes that something was stamped with a time that this clock showed.
    pub fn stamped(&self, at: Timestamp) {
        if let Source::System(watch) = &self.0 {
            watch.lock().stamped(at.as_millis());
        }
    }

    /// Advances a fixed clock. The system's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(millis) = &self.0 {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Whether it is the system's clock, which can be set wrong and must be watched.
    pub fn is_systems(&self) -> bool {
        matches!(self.0, Source::System(_))
    }

    /// Resumes the state of earlier runs: the newest time that was stamped, and a refused step. The
    /// step is still refused unless the clock shows an earlier time than it did then.
    pub fn resume(&self, newest: Option<Timestamp>, refused: Option<RefusedStep>) {
        if let Source::System(watch) = &self.0 {
            checked(watch, |watch, _| watch.resume(newest, refused));
            checked(watch, |_, _| ());
        }
    }

    /// Accepts the refused step of the next [`Clock::resume`].
    pub fn accept_at_start(&self) {
        if let Source::System(watch) = &self.0 {
            watch.lock().accepts_at_start = true;
        }
    }

    /// The step that is refused now, if any.
    pub fn refused(&self) -> Option<RefusedStep> {
        match &self.0 {
            Source::System(watch) => checked(watch, |watch, _| watch.refused()),
            Source::Fixed(_) => None,
        }
    }

    /// Accepts the current wall time. Returns the step that was refused, if any.
    pub fn accept(&self) -> Option<Duration> {
        match &self.0 {
            Source::System(watch) => checked(watch, |watch, _| watch.accept()),
            Source::Fixed(_) => None,
        }
    }

    /// The state of the clock.
    pub fn state(&self) -> ClockState {
        match &self.0 {
            Source::System(watch) => checked(watch, |watch, _| watch.state()),
            Source::Fixed(_) => ClockState::default(),
        }
    }
}

/// Checks the system's clock, calls `ask` at that moment and logs what changed.
fn checked<T>(watch: &Mutex<Watch>, ask: impl FnOnce(&mut Watch, i64) -> T) -> T {
    let (changes, value) = {
        let mut watch = watch.lock();
        // Read under the lock, so that checks are in the order of time.
        let (wall, since_boot) = read();
        let now = watch.check(wall, since_boot);
        let value = ask(&mut watch, now);
        (std::mem::take(&mut watch.changes), value)
    };
    for change in changes {
        change.log();
    }
    value
}

/// Wall time and time since boot at the same moment, both in milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that all other code uses"
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
        // The thread was suspended in between, so the two are not of the same moment.
        before = after;
    }
}

/// Milliseconds since the machine was started, including sleep.
///
/// Source: `clock_gettime(2)`, `CLOCK_BOOTTIME`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// Milliseconds of a monotonic clock. It may not include sleep: then a sleep of more than a day
/// looks like a step.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_boot() -> i64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
}
