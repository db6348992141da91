//! Rate limits of programs, members and the partner: a token bucket for each, refilled at a steady
//! rate. All keys of a program share its bucket, so that more keys do not mean more requests.

use std::collections::HashMap;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;

use crate::config::RateLimitSettings;
use crate::domain::{Environment, MemberNumber, OrganizationNumber, ProgramNumber, Timestamp};

/// Parts that are locked separately.
const SHARDS: usize = 16;
/// The number of buckets at which a part removes those that are full again.
const SWEEP_AT: usize = 4096;
const NANOS_A_MINUTE: i64 = 60_000_000_000;

/// The requests that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Bucket {
    /// Requests with any key of a program.
    Program(ProgramNumber),
    /// Requests with any token of a member.
    Member(MemberNumber),
    /// Requests with any partner key of an environment.
    Partner(Environment),
    /// Requests that create programs of an organization.
    NewPrograms(OrganizationNumber),
}

impl Bucket {
    fn shard(self) -> usize {
        let number = match self {
            Self::Program(number) => number.0,
            Self::Member(number) => number.0,
            Self::NewPrograms(number) => number.0,
            Self::Partner(Environment::Sandbox) => 0,
            Self::Partner(Environment::Live) => 1,
        };
        usize::try_from(number.unsigned_abs() % SHARDS as u64).unwrap_or(0)
    }
}

/// The state of a caller's bucket after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// The size of the bucket.
    burst: i64,
    /// The number of further requests that are allowed now.
    remaining: i64,
    /// The Unix second at which the bucket is full again.
    reset: i64,
    /// Seconds until the next request is allowed; `None` if this one was.
    pub(super) retry_after: Option<i64>,
}

/// The buckets.
#[derive(Debug)]
pub(super) struct RateLimiter {
    settings: RateLimitSettings,
    /// When each bucket is full again, in nanoseconds since 1970.
    ///
    /// Source: the generic cell rate algorithm (ITU-T I.371), which needs this one number.
    shards: [Mutex<HashMap<Bucket, i64>>; SHARDS],
}

impl RateLimiter {
    pub(super) fn new(settings: RateLimitSettings) -> Self {
        Self {
            settings,
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Counts a request; `None` if there is no limit.
    pub(super) fn take(
        &self,
        environment: Environment,
        bucket: Bucket,
        now: impl FnOnce() -> Timestamp,
    ) -> Option<Standing> {
        let RateLimitSettings {
            per_minute,
            sandbox_per_minute,
            programs_per_minute,
        } = self.settings;
        let (per_minute, burst) = match (environment, bucket) {
            _ if per_minute == 0 => return None,
            // The burst is a whole minute's number.
            (Environment::Live, Bucket::NewPrograms(_)) => {
                (programs_per_minute, programs_per_minute)
            }
            (Environment::Live, _) => (per_minute, per_minute / 10),
            (Environment::Sandbox, Bucket::NewPrograms(_)) => return None,
            (Environment::Sandbox, _) => (sandbox_per_minute, sandbox_per_minute / 10),
        };
        if per_minute == 0 {
            return None;
        }
        let burst = i64::from(burst).max(1);
        let interval = NANOS_A_MINUTE / i64::from(per_minute);
        let now = now().as_millis().saturating_mul(1_000_000);
        let mut buckets = self.shards[bucket.shard()].lock();
        if buckets.len() >= SWEEP_AT {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry(bucket).or_insert(now);
        // A bucket fills within this time; if it seems to take longer, the clock has gone back.
        *full_at = (*full_at).min(now + burst * interval);
        let after = (*full_at).max(now) + interval;
        let over = after - now - burst * interval;
        if over <= 0 {
            *full_at = after;
        }
        let seconds = |nanos: i64| nanos.div_euclid(1_000_000_000) + 1;
        // A token that is refilled only in part does not count yet.
        let taken = (*full_at - now + interval - 1).div_euclid(interval);
        Some(Standing {
            burst,
            remaining: (burst - taken).clamp(0, burst),
            reset: seconds(*full_at - 1),
            retry_after: (over > 0).then(|| seconds(over - 1)),
        })
    }
}

impl RateLimiter {
    /// Copies the state of a program's bucket to another program, so that a reset refills nothing.
    pub(super) fn carry_over(&self, from: ProgramNumber, to: ProgramNumber) {
        let (from, to) = (Bucket::Program(from), Bucket::Program(to));
        let left = self.shards[from.shard()].lock().get(&from).copied();
        if let Some(full_at) = left {
            let mut buckets = self.shards[to.shard()].lock();
            let own = buckets.entry(to).or_insert(full_at);
            *own = (*own).max(full_at);
        }
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
            programs_per_minute: 60,
        })
    }

    /// The bucket of this number.
    fn bucket(number: i64) -> Bucket {
        Bucket::Program(ProgramNumber(number))
    }

    #[test]
    fn a_burst_is_let_in_and_then_one_at_a_time() {
        let limiter = limiter(600, 0);
        let now = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
        let take = |now| limiter.take(Environment::Live, bucket(7), || now).unwrap();
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
        // A token that is refilled in part does not count as remaining.
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
        let take = |now| limiter.take(Environment::Live, bucket(7), || now).unwrap();
        assert_eq!(take(now).remaining, 59);
        let earlier = now.saturating_sub(Duration::from_hours(1));
        // At most the wait after a burst.
        assert_eq!(take(earlier).retry_after, Some(1));
        let later = earlier.saturating_add(Duration::from_secs(3));
        assert_eq!(take(later).remaining, 29);
    }

    #[test]
    fn credentials_and_environments_are_counted_apart() {
        let limiter = limiter(10, 0);
        let now = Timestamp::EPOCH;
        let take = |environment, credential| limiter.take(environment, bucket(credential), || now);
        assert_eq!(take(Environment::Live, 1).unwrap().retry_after, None);
        assert_eq!(take(Environment::Live, 1).unwrap().retry_after, Some(6));
        assert_eq!(take(Environment::Live, 2).unwrap().retry_after, None);
        assert_eq!(take(Environment::Sandbox, 1), None);
    }

    #[test]
    fn no_limit_at_all_is_no_limit_in_the_sandbox_either() {
        let limiter = limiter(0, 100);
        assert_eq!(
            limiter.take(Environment::Sandbox, bucket(1), || Timestamp::EPOCH),
            None
        );
        assert_eq!(
            limiter.take(Environment::Live, bucket(1), || Timestamp::EPOCH),
            None
        );
    }
}
