//! The series that a timeseries can have.

use std::collections::{HashMap, HashSet};

use super::{Counters, Deed, Measure, Sum, Timeline, Window};
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
    /// Members who did something.
    ActiveMembers,
    /// Members with points that were credited, or that became available where they were deferred.
    EarningMembers,
    /// Members who created a redemption.
    RedeemingMembers,
}

impl Series {
    /// All of them.
    pub const ALL: [Self; 13] = [
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
        Self::ActiveMembers,
        Self::EarningMembers,
        Self::RedeemingMembers,
    ];

    /// Whether one offer has it too.
    pub fn is_of_offers(self) -> bool {
        matches!(self, Self::Signups | Self::PointsMinted | Self::PointsSpent)
    }

    /// Whether it has distinct members.
    pub fn is_of_members(self) -> bool {
        self.deed().is_some()
    }

    /// The measures that these series are computed from.
    pub fn measures(series: &[Self]) -> HashSet<Measure> {
        let mut measures = HashSet::new();
        for one in series {
            match one.measure() {
                Some((measure, _)) => _ = measures.insert(measure),
                None if *one == Self::Outstanding => {
                    measures.extend(FLOWS.map(|(measure, _)| measure));
                }
                None => {}
            }
        }
        measures
    }

    /// The kind of visits whose distinct members are counted, if the series has members. The engine
    /// counts them apart, because it takes longer.
    pub(super) fn deed(self) -> Option<Deed> {
        match self {
            Self::ActiveMembers => Some(Deed::Any),
            Self::EarningMembers => Some(Deed::Earning),
            Self::RedeemingMembers => Some(Deed::Redemption),
            _ => None,
        }
    }

    /// The measure, and whether the series has the number of its entries, not their points; `None`
    /// if it takes several, or has members.
    fn measure(self) -> Option<(Measure, bool)> {
        match self {
            Self::Signups => Some((Measure::Signups, true)),
            Self::PointsMinted => Some((Measure::Minted, false)),
            Self::PointsSpent => Some((Measure::Spent, false)),
            Self::PointsRefunded => Some((Measure::Refunded, false)),
            Self::PointsForfeited => Some((Measure::Forfeited, false)),
            Self::PointsDebited => Some((Measure::Debited, false)),
            Self::PointsExpired => Some((Measure::Expired, false)),
            Self::PointsVoided => Some((Measure::Voided, false)),
            Self::Events => Some((Measure::Events, true)),
            Self::Outstanding
            | Self::ActiveMembers
            | Self::EarningMembers
            | Self::RedeemingMembers => None,
        }
    }
}

/// The measures of points that are outstanding, and the sign with which they are added.
const FLOWS: [(Measure, i64); 7] = [
    (Measure::Minted, 1),
    (Measure::Refunded, 1),
    (Measure::Spent, -1),
    (Measure::Forfeited, -1),
    (Measure::Debited, -1),
    (Measure::Expired, -1),
    (Measure::Voided, -1),
];

/// The numbers of a measure in the buckets of a window.
struct Flow {
    /// The points before the window.
    before: i64,
    /// The entries and the points in each bucket.
    buckets: Vec<Sum>,
}

impl Flow {
    fn of(timeline: &Timeline, window: &Window) -> Self {
        let bounds = window.bounds();
        let from = bounds.first().map_or(i64::MIN, |from| from.as_millis());
        let mut buckets = Vec::with_capacity(bounds.len());
        let times = bounds.iter().map(|at| at.as_millis());
        timeline.divide(times, |sum| buckets.push(sum));
        Self {
            before: timeline.before(from).amount.cast_signed(),
            buckets,
        }
    }

    fn counts(&self) -> Vec<i64> {
        self.numbers(|sum| sum.count)
    }

    fn amounts(&self) -> Vec<i64> {
        self.numbers(|sum| sum.amount)
    }

    fn numbers(&self, number: fn(&Sum) -> u64) -> Vec<i64> {
        let numbers = self.buckets.iter().map(number);
        numbers.map(u64::cast_signed).collect()
    }
}

impl Counters {
    /// Several series over the buckets of a window, for the whole program or one offer. `None` if
    /// the program has no such offer, or no offer has one of the series. Each timeline is divided
    /// once at most. Series of members are empty here.
    pub(super) fn series(
        &self,
        window: &Window,
        offer: Option<OfferId>,
        series: &[Series],
    ) -> Option<Vec<Vec<i64>>> {
        let Some(id) = offer else {
            return Some(self.series_of_program(window, series));
        };
        let offer = self.offers.iter().find(|offer| offer.id == id)?;
        let nothing = Timeline::default();
        let of_offer = |series: &Series| match series {
            Series::Signups => Some(Flow::of(&offer.signups, window).counts()),
            Series::PointsMinted => Some(Flow::of(&nothing, window).amounts()),
            Series::PointsSpent => Some(Flow::of(&offer.spent, window).amounts()),
            _ => None,
        };
        series.iter().map(of_offer).collect()
    }

    fn series_of_program(&self, window: &Window, series: &[Series]) -> Vec<Vec<i64>> {
        let flows: HashMap<Measure, Flow> = Series::measures(series)
            .into_iter()
            .map(|measure| (measure, Flow::of(self.timeline(measure), window)))
            .collect();
        let of_program = |series: &Series| match series.measure() {
            Some((measure, true)) => flows[&measure].counts(),
            Some((measure, false)) => flows[&measure].amounts(),
            None if *series == Series::Outstanding => outstanding(&flows, window),
            None => Vec::new(),
        };
        series.iter().map(of_program).collect()
    }
}

/// The points outstanding at the end of each bucket.
fn outstanding(flows: &HashMap<Measure, Flow>, window: &Window) -> Vec<i64> {
    let mut numbers = vec![0; window.bounds().len().saturating_sub(1)];
    let mut before = 0;
    for (measure, sign) in FLOWS {
        let flow = &flows[&measure];
        before += sign * flow.before;
        for (number, sum) in numbers.iter_mut().zip(&flow.buckets) {
            *number += sign * sum.amount.cast_signed();
        }
    }
    for number in &mut numbers {
        before += *number;
        *number = before;
    }
    numbers
}
