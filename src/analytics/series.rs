//! The series that a timeseries can have.

use super::{Counters, Measure, Timeline, Window};
use crate::domain::OfferId;

/// A number for each bucket of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Series {
    /// Members who signed up.
    Signups,
    /// Points of mints, those that mature later included.
    PointsMinted,
    /// Points of spends.
    PointsSpent,
    /// Points of refunds and reversals.
    PointsRefunded,
    /// Points of forfeits.
    PointsForfeited,
    /// Points of debits.
    PointsDebited,
    /// Points that expired.
    PointsExpired,
    /// Points that were credited as held and taken back.
    PointsVoided,
    /// At the end of the bucket, the sum of all balances with what is held or matures later; may be
    /// negative.
    Outstanding,
    /// Events that reports count.
    Events,
}

impl Series {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Signups,
        Self::PointsMinted,
        Self::PointsSpent,
        Self::PointsRefunded,
        Self::PointsForfeited,
        Self::PointsDebited,
        Self::PointsExpired,
        Self::PointsVoided,
        Self::Outstanding,
        Self::Events,
    ];

    /// Whether one offer has it too.
    pub fn is_of_offers(self) -> bool {
        matches!(self, Self::Signups | Self::PointsMinted | Self::PointsSpent)
    }
}

/// The measures of points that are outstanding, and whether they add to it.
const FLOWS: [(Measure, bool); 7] = [
    (Measure::Minted, true),
    (Measure::Refunded, true),
    (Measure::Spent, false),
    (Measure::Forfeited, false),
    (Measure::Debited, false),
    (Measure::Expired, false),
    (Measure::Voided, false),
];

impl Counters {
    /// A series over the buckets of a window, for the whole program or one offer. `None` if the
    /// program has no such offer, or no offer has the series.
    pub fn series(
        &self,
        window: &Window,
        offer: Option<OfferId>,
        series: Series,
    ) -> Option<Vec<i64>> {
        let nothing = Timeline::default();
        let offer = match offer {
            None => None,
            Some(id) => Some(self.offers.iter().find(|offer| offer.id == id)?),
        };
        let (timeline, counts) = match (series, offer) {
            (Series::Signups, Some(offer)) => (&offer.signups, true),
            (Series::PointsMinted, Some(_)) => (&nothing, false),
            (Series::PointsSpent, Some(offer)) => (&offer.spent, false),
            (_, Some(_)) => return None,
            (Series::Outstanding, None) => return Some(self.outstanding(window)),
            (Series::Signups, None) => (self.timeline(Measure::Signups), true),
            (Series::Events, None) => (self.timeline(Measure::Events), true),
            (Series::PointsMinted, None) => (self.timeline(Measure::Minted), false),
            (Series::PointsSpent, None) => (self.timeline(Measure::Spent), false),
            (Series::PointsRefunded, None) => (self.timeline(Measure::Refunded), false),
            (Series::PointsForfeited, None) => (self.timeline(Measure::Forfeited), false),
            (Series::PointsDebited, None) => (self.timeline(Measure::Debited), false),
            (Series::PointsExpired, None) => (self.timeline(Measure::Expired), false),
            (Series::PointsVoided, None) => (self.timeline(Measure::Voided), false),
        };
        let mut numbers = Vec::with_capacity(window.bounds().len());
        timeline.divide(window.bounds().iter().map(|at| at.as_millis()), |sum| {
            let number = if counts { sum.count } else { sum.amount };
            numbers.push(number.cast_signed());
        });
        Some(numbers)
    }

    /// The points outstanding at the end of each bucket.
    fn outstanding(&self, window: &Window) -> Vec<i64> {
        let bounds = window.bounds();
        let mut numbers = vec![0; bounds.len().saturating_sub(1)];
        let mut before = 0;
        for (measure, adds) in FLOWS {
            let signed = |amount: u64| {
                let amount = amount.cast_signed();
                if adds { amount } else { -amount }
            };
            let timeline = self.timeline(measure);
            before += bounds
                .first()
                .map_or(0, |from| signed(timeline.before(from.as_millis()).amount));
            let mut places = numbers.iter_mut();
            timeline.divide(bounds.iter().map(|at| at.as_millis()), |sum| {
                if let Some(number) = places.next() {
                    *number += signed(sum.amount);
                }
            });
        }
        for number in &mut numbers {
            before += *number;
            *number = before;
        }
        numbers
    }
}
