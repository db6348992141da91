//! The plan of a program of the demo: what happens on a day, and on which day a booking or a
//! question continues.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::calendar::{Calendar, Spread, about, times_of_day};
use super::cast::Cast;
use crate::domain::Status;

/// The share of members who leave, and of credits that are a mistake.
const LEAVING: f64 = 0.01;
const MISTAKEN: f64 = 0.002;
/// The share of bookings with a question.
const ASKING: f64 = 0.12;
/// The time of day at which tiers are raised, in milliseconds: 3:30 at night.
const TIERS_RAISED_AT: u64 = 12_600_000;

/// Something that leads to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// An offer is published.
    Publish(usize),
    /// A member joins.
    SignUp,
    /// A member opens the app.
    Visit,
    /// A member earns points.
    Earn,
    /// A member has earned a higher tier.
    Rise(usize),
    /// A credit was a mistake.
    Correct,
    /// A member redeems an offer.
    Book,
    /// A booking moves on, or is rated.
    Proceed(usize),
    /// A member has a question about a booking.
    Ask,
    /// The operator answers a question.
    Answer(usize),
    /// A member leaves.
    Leave,
}

/// The planned occasions.
#[derive(Debug)]
pub(super) struct Agenda {
    cast: &'static Cast,
    scale: f64,
    /// The spread of sign-ups, and of everything else, over the days.
    sign_ups: Spread,
    activity: Spread,
    /// The bookings that move on, by day.
    due: BTreeMap<u32, Vec<usize>>,
    /// The bookings with an open question.
    asked: Vec<usize>,
}

impl Agenda {
    pub(super) fn new(cast: &'static Cast, calendar: Calendar, scale: f64) -> Self {
        Self {
            cast,
            scale,
            sign_ups: calendar.sign_ups(cast.starts),
            activity: calendar.activity(cast.starts),
            due: BTreeMap::new(),
            asked: Vec::new(),
        }
    }

    /// The occasions of a day, each with its time of day in milliseconds.
    pub(super) fn plan(
        &mut self,
        day: u32,
        rising: Vec<usize>,
        rng: &mut Rng,
    ) -> Vec<(u64, Occasion)> {
        let cast = self.cast;
        let mut plan: Vec<_> = (0..cast.offers.len())
            .filter(|offer| Calendar::day_at(cast.starts, cast.offers[*offer].from) == day)
            .map(|offer| (0, Occasion::Publish(offer)))
            .collect();
        let rising = rising.into_iter();
        plan.extend(rising.map(|member| (TIERS_RAISED_AT, Occasion::Rise(member))));
        // Questions that are not answered on the next day stay in the inbox.
        let mut coming: Vec<Occasion> = std::mem::take(&mut self.asked)
            .into_iter()
            .filter(|_| rng.u32(0..10) > 0)
            .map(Occasion::Answer)
            .collect();
        let due = self.due.remove(&day).unwrap_or_default();
        coming.extend(due.into_iter().map(Occasion::Proceed));
        let joining = self.sign_ups.share(day) * self.scale;
        let active = self.activity.share(day) * self.scale;
        for (number, occasion) in [
            (cast.sign_ups * joining, Occasion::SignUp),
            (cast.visits * active, Occasion::Visit),
            (cast.credits * active, Occasion::Earn),
            (cast.credits * active * MISTAKEN, Occasion::Correct),
            (cast.bookings * active, Occasion::Book),
            (cast.bookings * active * ASKING, Occasion::Ask),
            (cast.sign_ups * active * LEAVING, Occasion::Leave),
        ] {
            let count = about(number, rng) as usize;
            coming.extend(std::iter::repeat_n(occasion, count));
        }
        rng.shuffle(&mut coming);
        let count = u32::try_from(coming.len()).unwrap_or(u32::MAX);
        let times = times_of_day(count, cast.at_any_hour, rng);
        plan.extend(times.into_iter().zip(coming));
        plan
    }

    /// Plans the day of a booking's next step, or of its rating.
    pub(super) fn schedule(&mut self, booking: usize, status: Status, day: u32, rng: &mut Rng) {
        let most = match status {
            Status::Submitted => 1,
            Status::Purchased => 20,
            Status::Completed => 6,
            _ => 4,
        };
        let next = day + rng.u32(1..=most);
        self.due.entry(next).or_default().push(booking);
    }

    /// Plans the answer to a question about a booking.
    pub(super) fn expect_answer(&mut self, booking: usize) {
        self.asked.push(booking);
    }
}
