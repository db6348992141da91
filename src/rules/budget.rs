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
    /// What is used at a time, if this was stored last under this schedule: nothing from
    /// `next_reset_at` on.
    pub fn consumed_at(&self, stored: Option<Consumed>, at: Timestamp) -> Consumed {
        let is_over = |stored: &Consumed| stored.next_reset_at.is_some_and(|reset| reset <= at);
        let current = stored.filter(|stored| !is_over(stored));
        current.unwrap_or_else(|| Consumed {
            points: Points::ZERO,
            next_reset_at: self.schedule.after(at),
        })
    }

    /// What is stored when this budget replaces another one of the same asset: what was used stays,
    /// and becomes zero when this schedule says so.
    pub fn replacing(&self, old: &Self, stored: Option<Consumed>, at: Timestamp) -> Consumed {
        let consumed = old.consumed_at(stored, at);
        if old.schedule == self.schedule {
            return consumed;
        }
        Consumed {
            next_reset_at: self.schedule.after(at),
            ..consumed
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
    fn a_budget_that_replaces_another_one_resets_by_its_own_schedule() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let (anchor, now) = (at("2026-11-30T12:00:00Z"), at("2026-12-01T18:00:00Z"));
        let full = Points::new(100).unwrap();
        let budget = |schedule| Budget {
            asset: AssetTerms::default(),
            limit: full,
            schedule,
        };
        let every = |hours| Schedule::Every(Duration::from_hours(hours), anchor);
        let cron = Schedule::Cron(Cron::parse("0 0 1 * *").unwrap());
        for (old, new, reset) in [
            (Schedule::Once, cron, Some("2027-01-01T00:00:00Z")),
            (Schedule::Once, every(48), Some("2026-12-02T12:00:00Z")),
            (every(720), every(24), Some("2026-12-02T12:00:00Z")),
            (every(24), every(24), Some("2026-12-02T12:00:00Z")),
            (every(24), Schedule::Once, None),
        ] {
            let (old, new) = (budget(old), budget(new));
            // A credit used all of it.
            let stored = old.with(None, at("2026-12-01T13:00:00Z"), full);
            let kept = new.replacing(&old, stored, now);
            let reset = reset.map(at);
            let expected = Consumed {
                points: full,
                next_reset_at: reset,
            };
            assert_eq!(kept, expected, "{old:?} {new:?}");
            // Nothing is credited until then, so that nothing else is stored.
            let later = reset.unwrap_or(at("2030-01-01T00:00:00Z"));
            let left = new.consumed_at(Some(kept), later).points;
            let expected = if reset.is_some() { Points::ZERO } else { full };
            assert_eq!(left, expected, "{old:?} {new:?}");
        }
        // What the old schedule has reset already is not kept.
        let (old, new) = (budget(every(24)), budget(cron));
        let stored = old.with(None, anchor, full);
        assert_eq!(new.replacing(&old, stored, now).points, Points::ZERO);
    }
}
