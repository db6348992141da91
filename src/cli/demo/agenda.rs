//! When something happens in a program of the demo: what a day has in store, and on which day a
//! booking or a question goes on.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::calendar::{Calendar, Spread, about, times_of_day};
use super::cast::Cast;
use crate::domain::Status;

/// Of all members, how many leave again; of all credits, how many are a mistake.
const LEAVING: f64 = 0.01;
const MISTAKEN: f64 = 0.002;
/// Of all bookings, about how many somebody has a question.
const ASKING: f64 = 0.12;
/// The time of day, in milliseconds, at which tiers are raised: half past three at night.
const TIERS_RAISED_AT: u64 = 12_600_000;

/// Something that moves somebody to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// An offer is ready.
    Publish(usize),
    /// Somebody joins.
    SignUp,
    /// A member opens the app.
    Visit,
    /// A member earns points.
    Earn,
    /// A member has earned a higher tier.
    Rise(usize),
    /// A credit was a mistake.
    Correct,
    /// A member wants an offer.
    Book,
    /// It is time for the next step of a booking.
    Proceed(usize),
    /// A member has a question about a booking.
    Ask,
    /// Somebody answers it.
    Answer(usize),
    /// A member goes permanently.
    Leave,
}

/// What is going to happen, as far as it is known.
#[derive(Debug)]
pub(super) struct Agenda {
    cast: &'static Cast,
    scale: f64,
    /// How the sign-ups, and everything else, are spread over the days.
    sign_ups: Spread,
    activity: Spread,
    /// The bookings that are to go a step further, by the day.
    due: BTreeMap<u32, Vec<usize>>,
    /// The bookings that somebody has asked about.
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

    /// What is going to happen on a day, each with its time of day in milliseconds.
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
        // What is not answered on the next day waits in the inbox.
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

    /// Decides on which day a booking goes its next step.
    pub(super) fn schedule(&mut self, booking: usize, status: Status, day: u32, rng: &mut Rng) {
        let most = match status {
            Status::Submitted => 1,
            Status::Purchased => 20,
            _ => 4,
        };
        let next = day + rng.u32(1..=most);
        self.due.entry(next).or_default().push(booking);
    }

    /// A question about a booking waits for an answer.
    pub(super) fn expect_answer(&mut self, booking: usize) {
        self.asked.push(booking);
    }
}
