//! The only reader of the time. Everything else is told what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use time::OffsetDateTime;

use crate::domain::Timestamp;

/// A clock that can be shared: the system's, or one that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `at`. Clones stand and move with it.
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at.as_millis()))))
    }

    /// What time it is.
    ///
    /// # Panics
    /// If the system's clock shows a year after 9999.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock that others have to ask"
    )]
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            Source::System => {
                let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
                i64::try_from(nanos.div_euclid(1_000_000)).unwrap_or(i64::MAX)
            }
            Source::Fixed(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millis(millis).expect("the clock shows a year from 0000 to 9999")
    }

    /// Moves a fixed clock forward. The system's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(millis) = &self.0 {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }
}
