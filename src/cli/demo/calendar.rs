//! How busy a day is: programs grow, weekends and holidays are busier, and a launch draws people.

use std::time::Duration;

use fastrand::Rng;

use crate::domain::Timestamp;

/// How long the history is, beside the part of today that is over: thirteen months.
const DAYS_BEFORE_TODAY: u32 = 395;
const DAY: Duration = Duration::from_hours(24);

/// The days of the history. The last one is today, as far as it has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    first: Timestamp,
    now: Timestamp,
}

impl Calendar {
    /// The history that ends now.
    pub(super) fn until(now: Timestamp) -> Self {
        let today = now.as_millis().rem_euclid(86_400_000).unsigned_abs();
        let midnight = now.saturating_sub(Duration::from_millis(today));
        let first = midnight.saturating_sub(DAY * DAYS_BEFORE_TODAY);
        Self { first, now }
    }

    /// How many days there are.
    pub(super) fn days() -> u32 {
        DAYS_BEFORE_TODAY + 1
    }

    /// The midnight (UTC) that a day begins with.
    pub(super) fn start_of(self, day: u32) -> Timestamp {
        self.first.saturating_add(DAY * day)
    }

    /// When the history ends.
    pub(super) fn now(self) -> Timestamp {
        self.now
    }

    /// The day on which a share of the time from `starts` (a share of the whole) is over.
    pub(super) fn day_at(starts: f64, share: f64) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "shares are 0 to 1, so this is 0 to the number of days"
        )]
        let day = ((starts + share * (1.0 - starts)) * f64::from(DAYS_BEFORE_TODAY)) as u32;
        day
    }

    /// What share of all that members do in a program falls on each day.
    pub(super) fn activity(self, starts: f64) -> Vec<f64> {
        self.shares(starts, |age| 0.12 + 0.88 * age.powf(1.3))
    }

    /// What share of the sign-ups falls on each day: many at the launch and in a campaign.
    pub(super) fn sign_ups(self, starts: f64) -> Vec<f64> {
        self.shares(starts, |age| {
            let launch = 2.5 * (-40.0 * age).exp();
            let campaign = if (0.62..0.65).contains(&age) {
                1.4
            } else {
                0.0
            };
            0.5 + 0.6 * age + launch + campaign
        })
    }

    /// The shares that follow from how busy a program of an age, 0 to 1, is.
    fn shares(self, starts: f64, busy: impl Fn(f64) -> f64) -> Vec<f64> {
        let first = Self::day_at(starts, 0.0);
        let length = f64::from((Self::days() - first).max(1));
        let weights: Vec<f64> = (0..Self::days())
            .map(|day| match day.checked_sub(first) {
                Some(age) => busy(f64::from(age) / length) * self.of_week(day) * self.of_year(day),
                None => 0.0,
            })
            .collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }

    fn of_week(self, day: u32) -> f64 {
        let days = self.start_of(day).as_millis().div_euclid(86_400_000);
        // The first of January 1970 was a Thursday.
        match (days + 3).rem_euclid(7) {
            0 | 1 => 0.75,
            4 => 1.2,
            5 => 1.5,
            6 => 1.3,
            _ => 0.9,
        }
    }

    fn of_year(self, day: u32) -> f64 {
        match self.start_of(day).month().rem_euclid(12) {
            11 => 1.35,
            6 | 7 => 1.2,
            0 | 1 => 0.8,
            _ => 1.0,
        }
    }
}

/// About so many, as a whole number: what is left of the fraction is a matter of luck.
pub(super) fn about(number: f64, rng: &mut Rng) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a size, so neither negative nor near the limit"
    )]
    let whole = (number + rng.f64()) as u32;
    whole
}

/// A time of day in milliseconds: never at night, mostly in the early afternoon.
pub(super) fn time_of_day(rng: &mut Rng) -> u64 {
    const OPEN: u64 = 6 * 3_600_000;
    const HALF: u64 = 8 * 3_600_000;
    OPEN + rng.u64(0..HALF) + rng.u64(0..HALF)
}
