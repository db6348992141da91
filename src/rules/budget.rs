//! How much a rule may give.

use std::time::Duration;

use crate::domain::{Points, Timestamp};

use super::cron::Cron;
use super::draft::AssetTerms;

/// When a budget starts from zero again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Never.
    Once,
    /// Each time after a length of time has passed since the budget was created.
    Every(Duration, Timestamp),
    /// By a calendar.
    Cron(Cron),
}

impl Schedule {
    /// The first time after a time.
    pub fn after(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Once => None,
            Self::Cron(cron) => cron.after(at),
            Self::Every(every, anchor) => {
                let every = i64::try_from(every.as_millis()).ok().filter(|it| *it > 0)?;
                let passed = (at.as_millis() - anchor.as_millis())
                    .div_euclid(every)
                    .max(0);
                let next = passed.checked_add(1)?.checked_mul(every)?;
                Timestamp::from_millis(anchor.as_millis().checked_add(next)?)
            }
        }
    }
}

/// The most of an asset that a rule may credit, once or in each period of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The asset.
    pub asset: AssetTerms,
    /// The most, at least one.
    pub limit: Points,
    /// When it starts from zero again.
    pub schedule: Schedule,
}

/// What was used of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consumed {
    /// The points.
    pub points: Points,
    /// When this becomes zero, if ever.
    pub next_reset_at: Option<Timestamp>,
}

impl Budget {
    /// What is used at a time, if this was stored last: nothing from `next_reset_at` on.
    ///
    /// It may have been stored under another schedule. Then one that never resets ignores the time
    /// that was stored, and one that resets takes its next time if none was.
    pub fn consumed_at(&self, stored: Option<Consumed>, at: Timestamp) -> Consumed {
        let stored = stored.unwrap_or_default();
        let reset = stored
            .next_reset_at
            .filter(|_| self.schedule != Schedule::Once);
        let is_over = reset.is_some_and(|reset| reset <= at);
        Consumed {
            points: if is_over { Points::ZERO } else { stored.points },
            next_reset_at: reset
                .filter(|_| !is_over)
                .or_else(|| self.schedule.after(at)),
        }
    }

    /// What is used after a credit at a time; `None` if the limit does not allow it.
    pub fn with(
        &self,
        stored: Option<Consumed>,
        at: Timestamp,
        credit: Points,
    ) -> Option<Consumed> {
        let consumed = self.consumed_at(stored, at);
        let points = consumed.points.checked_add(credit)?;
        (points <= self.limit).then_some(Consumed { points, ..consumed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_counts_from_its_anchor_and_a_reset_is_half_open() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let anchor = at("2026-01-01T12:00:00Z");
        let every = Schedule::Every(Duration::from_hours(24), anchor);
        let next = |now: &str| every.after(at(now)).unwrap().to_short();
        assert_eq!(next("2026-01-01T12:00:00Z"), "2026-01-02T12:00:00Z");
        assert_eq!(next("2026-01-05T11:59:59Z"), "2026-01-05T12:00:00Z");
        assert_eq!(next("2025-01-01T00:00:00Z"), "2026-01-02T12:00:00Z");

        let asset = AssetTerms::default();
        let limit = Points::new(100).unwrap();
        let budget = Budget {
            asset,
            limit,
            schedule: every,
        };
        let points = |points| Points::new(points).unwrap();
        let first = budget.with(None, anchor, points(60)).unwrap();
        assert_eq!(budget.with(Some(first), anchor, points(41)), None);
        assert!(budget.with(Some(first), anchor, points(40)).is_some());
        let reset = at("2026-01-02T12:00:00Z");
        assert_eq!(first.next_reset_at, Some(reset));
        assert_eq!(budget.consumed_at(Some(first), reset).points, Points::ZERO);
    }

    #[test]
    fn what_was_stored_under_another_schedule_resets_by_this_one() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let (before, now) = (at("2026-11-30T12:00:00Z"), at("2026-12-01T12:00:00Z"));
        let used = |next_reset_at| Consumed {
            points: Points::new(60).unwrap(),
            next_reset_at,
        };
        let consumed = |schedule, next_reset_at| {
            let budget = Budget {
                asset: AssetTerms::default(),
                limit: Points::new(100).unwrap(),
                schedule,
            };
            budget.consumed_at(Some(used(next_reset_at)), now)
        };
        let every = Schedule::Every(Duration::from_hours(48), before);
        let cron = Schedule::Cron(Cron::parse("0 0 1 * *").unwrap());

        // Once there was no reset.
        let reset = at("2026-12-02T12:00:00Z");
        assert_eq!(consumed(every, None), used(Some(reset)));
        let month = at("2027-01-01T00:00:00Z");
        assert_eq!(consumed(cron, None), used(Some(month)));
        // Now there is none, whether the stored one is past or to come.
        for stored in [None, Some(before), Some(now), Some(reset)] {
            assert_eq!(consumed(Schedule::Once, stored), used(None));
        }
        // The same schedule keeps the time that is stored.
        assert_eq!(consumed(every, Some(reset)), used(Some(reset)));
    }
}
