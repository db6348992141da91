//! Activity per day: programs grow, weekends and holidays are busier, a launch attracts members.

use std::time::Duration;

use fastrand::Rng;

use crate::domain::Timestamp;

/// The length of the history in days, thirteen months, without today.
const DAYS_BEFORE_TODAY: u32 = 395;
const DAY: Duration = Duration::from_hours(24);

/// The days of the history. The last one is today, up to now.
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

    /// The number of days.
    pub(super) fn days() -> u32 {
        DAYS_BEFORE_TODAY + 1
    }

    /// The start of a day, midnight UTC.
    pub(super) fn start_of(self, day: u32) -> Timestamp {
        self.first.saturating_add(DAY * day)
    }

    /// The end of the history.
    pub(super) fn now(self) -> Timestamp {
        self.now
    }

    /// The day at a share of the time from `starts`, itself a share of the history, to the end.
    pub(super) fn day_at(starts: f64, share: f64) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "shares are 0 to about 1, so this is 0 to about the number of days"
        )]
        let day = ((starts + share * (1.0 - starts)) * f64::from(DAYS_BEFORE_TODAY)) as u32;
        day
    }

    /// The spread of members' activity in a program, which doubles every two months.
    pub(super) fn activity(self, starts: f64) -> Spread {
        Spread::new(self, starts, |age| 0.03 + 0.97 * (4.5 * (age - 1.0)).exp())
    }

    /// The spread of sign-ups: many at the launch and in a campaign.
    pub(super) fn sign_ups(self, starts: f64) -> Spread {
        Spread::new(self, starts, |age| {
            let launch = 2.5 * (-40.0 * age).exp();
            let campaign = if (0.62..0.65).contains(&age) {
                1.4
            } else {
                0.0
            };
            0.5 + 0.6 * age + launch + campaign
        })
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

/// The share of each day in the total of the history.
#[derive(Debug)]
pub(super) struct Spread {
    calendar: Calendar,
    /// The day on which the program starts.
    first: u32,
    /// The activity of a program at an age from 0 to 1.
    busy: fn(f64) -> f64,
    sum: f64,
}

impl Spread {
    fn new(calendar: Calendar, starts: f64, busy: fn(f64) -> f64) -> Self {
        let mut spread = Self {
            calendar,
            first: Calendar::day_at(starts, 0.0),
            busy,
            sum: 1.0,
        };
        spread.sum = (0..Calendar::days()).map(|day| spread.share(day)).sum();
        spread
    }

    /// The share of a day. Days after the history are as busy as its end.
    pub(super) fn share(&self, day: u32) -> f64 {
        let Some(age) = day.checked_sub(self.first) else {
            return 0.0;
        };
        let length = f64::from((Calendar::days() - self.first).max(1));
        let busy = (self.busy)((f64::from(age) / length).min(1.0));
        busy * self.calendar.of_week(day) * self.calendar.of_year(day) / self.sum
    }
}

/// Rounds a number up or down at random, by its fraction.
pub(super) fn about(number: f64, rng: &mut Rng) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a size, so neither negative nor near the limit"
    )]
    let whole = (number + rng.f64()) as u32;
    whole
}

/// Times of day, in milliseconds, for a number of occasions. A share of them is at any hour, the
/// others are never at night and mostly in the early afternoon. Each has a separate part of the
/// day, because purely random times would sometimes leave long gaps.
pub(super) fn times_of_day(count: u32, at_any_hour: f64, rng: &mut Rng) -> Vec<u64> {
    const HOUR: f64 = 3_600_000.0;
    let anytime = about(f64::from(count) * at_any_hour, rng).min(count);
    let mut times = Vec::new();
    for at in 0..anytime {
        let share = (f64::from(at) + rng.f64()) / f64::from(anytime);
        times.push(24.0 * HOUR * share);
    }
    for at in 0..count - anytime {
        let share = (f64::from(at) + rng.f64()) / f64::from(count - anytime);
        // From 6 to 22 o'clock, rising until 14 and then falling.
        times.push(if share < 0.5 {
            (6.0 + 8.0 * (2.0 * share).sqrt()) * HOUR
        } else {
            (22.0 - 8.0 * (2.0 - 2.0 * share).sqrt()) * HOUR
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a day"
    )]
    times.into_iter().map(|time| time as u64).collect()
}
