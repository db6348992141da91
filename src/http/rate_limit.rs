//! How many requests a credential may make: a bucket of tokens for each, filled at a steady rate.

use std::collections::HashMap;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;

use crate::config::RateLimitSettings;
use crate::domain::{Environment, Timestamp};

/// Parts that are locked apart.
const SHARDS: usize = 16;
/// Credentials that a part remembers before it forgets those that have their whole burst again.
const SWEEP_AT: usize = 4096;
const NANOS_A_MINUTE: i64 = 60_000_000_000;

/// What stands for a credential.
pub(super) type Fingerprint = u64;

/// Where a credential stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// The most requests at once.
    burst: i64,
    /// How many more would be let in now.
    remaining: i64,
    /// The Unix second at which the whole burst is there again.
    reset: i64,
    /// Seconds until one more is let in; `None`: this one was.
    pub(super) retry_after: Option<i64>,
}

/// The buckets.
#[derive(Debug)]
pub(super) struct RateLimiter {
    settings: RateLimitSettings,
    /// When each bucket is full again, in nanoseconds since 1970.
    ///
    /// Source: the generic cell rate algorithm (ITU-T I.371), which needs this one number.
    shards: [Mutex<HashMap<Fingerprint, i64>>; SHARDS],
}

impl RateLimiter {
    pub(super) fn new(settings: RateLimitSettings) -> Self {
        Self {
            settings,
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Counts a request of a credential; `None` where there is no limit.
    pub(super) fn take(
        &self,
        environment: Environment,
        credential: Fingerprint,
        now: impl FnOnce() -> Timestamp,
    ) -> Option<Standing> {
        let per_minute = match environment {
            _ if self.settings.per_minute == 0 => 0,
            Environment::Live => self.settings.per_minute,
            Environment::Sandbox => self.settings.sandbox_per_minute,
        };
        if per_minute == 0 {
            return None;
        }
        let burst = i64::from(per_minute / 10).max(1);
        let interval = NANOS_A_MINUTE / i64::from(per_minute);
        let now = now().as_millis().saturating_mul(1_000_000);
        let shard = usize::try_from(credential % SHARDS as u64).unwrap_or(0);
        let mut buckets = self.shards[shard].lock();
        if buckets.len() >= SWEEP_AT {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry(credential).or_insert(now);
        // No bucket takes longer to be full: if one seems to, the clock went back since.
        *full_at = (*full_at).min(now + burst * interval);
        let after = (*full_at).max(now) + interval;
        let over = after - now - burst * interval;
        if over <= 0 {
            *full_at = after;
        }
        let seconds = |nanos: i64| nanos.div_euclid(1_000_000_000) + 1;
        // A request that is filled up again only in part is none yet.
        let taken = (*full_at - now + interval - 1).div_euclid(interval);
        Some(Standing {
            burst,
            remaining: (burst - taken).clamp(0, burst),
            reset: seconds(*full_at - 1),
            retry_after: (over > 0).then(|| seconds(over - 1)),
        })
    }
}

impl Standing {
    /// Says it in headers, as Scrip's documents name them.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let mut put = |name: &'static str, number: i64| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
        };
        put("x-ratelimit-limit", self.burst);
        put("x-ratelimit-remaining", self.remaining);
        put("x-ratelimit-reset", self.reset);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limiter(per_minute: u32, sandbox_per_minute: u32) -> RateLimiter {
        RateLimiter::new(RateLimitSettings {
            per_minute,
            sandbox_per_minute,
        })
    }

    #[test]
    fn a_burst_is_let_in_and_then_one_at_a_time() {
        let limiter = limiter(600, 0);
        let now = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
        let take = |now| limiter.take(Environment::Live, 7, || now).unwrap();
        for left in (0..60).rev() {
            let standing = take(now);
            assert_eq!((standing.remaining, standing.retry_after), (left, None));
        }
        let refused = take(now);
        assert_eq!((refused.remaining, refused.retry_after), (0, Some(1)));
        assert_eq!(refused.reset, now.as_millis() / 1000 + 6);
        // A tenth of a second is one request at 600 a minute.
        let later = now.saturating_add(Duration::from_millis(100));
        assert_eq!(take(later).retry_after, None);
        assert!(take(later).retry_after.is_some());
        // What is filled up in part is not said to be left.
        let between = later.saturating_add(Duration::from_millis(150));
        assert_eq!(
            (take(between).remaining, take(between).retry_after),
            (0, Some(1))
        );
        let full = later.saturating_add(Duration::from_secs(7));
        assert_eq!(take(full).remaining, 59);
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        let limiter = limiter(600, 0);
        let now = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
        let take = |now| limiter.take(Environment::Live, 7, || now).unwrap();
        assert_eq!(take(now).remaining, 59);
        let earlier = now.saturating_sub(Duration::from_hours(1));
        // As after a burst, and no longer.
        assert_eq!(take(earlier).retry_after, Some(1));
        let later = earlier.saturating_add(Duration::from_secs(3));
        assert_eq!(take(later).remaining, 29);
    }

    #[test]
    fn credentials_and_environments_are_counted_apart() {
        let limiter = limiter(10, 0);
        let now = Timestamp::EPOCH;
        let take = |environment, credential| limiter.take(environment, credential, || now);
        assert_eq!(take(Environment::Live, 1).unwrap().retry_after, None);
        assert_eq!(take(Environment::Live, 1).unwrap().retry_after, Some(6));
        assert_eq!(take(Environment::Live, 2).unwrap().retry_after, None);
        assert_eq!(take(Environment::Sandbox, 1), None);
    }

    #[test]
    fn no_limit_at_all_is_no_limit_in_the_sandbox_either() {
        let limiter = limiter(0, 100);
        assert_eq!(
            limiter.take(Environment::Sandbox, 1, || Timestamp::EPOCH),
            None
        );
        assert_eq!(
            limiter.take(Environment::Live, 1, || Timestamp::EPOCH),
            None
        );
    }
}
