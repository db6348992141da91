//! Tests of the calendar, beside a model of it.

use std::collections::BTreeSet;

use super::*;
use crate::domain::MemberNumber;

/// What is due, in order, and by it whether an entry is stale.
#[derive(Default)]
struct Naive(BTreeSet<Due>);

impl Dated for Naive {
    fn key_at(&self, place: u32) -> AccountKey {
        // The order of the accounts is not that of their places.
        AccountKey {
            asset: None,
            member: MemberNumber(i64::from(place ^ 0x2aaa)),
        }
    }

    fn is_due(&self, place: u32, at: Timestamp, kind: DueKind) -> bool {
        self.0.contains(&Due::new(at, kind, self.key_at(place)))
    }

    fn notices(&self, _: u32) -> Vec<Due> {
        Vec::new()
    }
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time of this millennium")
}

/// A calendar beside its model.
#[derive(Default)]
struct Both {
    calendar: Calendar,
    naive: Naive,
}

impl Both {
    fn add(&mut self, at: i64, kind: DueKind, place: u32) {
        let at = time(at);
        let due = Due::new(at, kind, self.naive.key_at(place));
        if self.naive.0.insert(due) {
            self.calendar.add(due, place, &self.naive);
        }
    }

    fn apply(&mut self, due: Due) {
        self.naive.0.remove(&due);
        self.calendar.note_stale(due, &self.naive);
    }

    /// Compares the first things that are due up to a time, and returns them.
    fn first(&mut self, until: i64, max: usize) -> Vec<Due> {
        let until = time(until);
        let skips = |key: AccountKey| key.member.0 % 5 == 0;
        let expected: Vec<_> = (self.naive.0.iter().copied())
            .filter(|due| due.at <= until && !skips(due.account()))
            .take(max)
            .collect();
        let found = self.calendar.due(until, max, &self.naive, skips);
        assert_eq!(found, expected);
        let first = self.naive.0.first().map(|due| due.at);
        assert!(first.is_none_or(|first| self.calendar.next().is_some_and(|at| at <= first)));
        found
    }

    fn sort_run(&mut self, until: i64) -> bool {
        let until = time(until);
        self.calendar.sort_run(until, &self.naive)
    }
}

#[test]
fn long_lists_are_read_in_order_whatever_is_added_and_removed_meanwhile() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut both = Both::default();
    let kinds = [DueKind::Mature, DueKind::Expire];
    // Most of the first day is due at the same moment.
    for place in 0..16_384 {
        both.add(1000, DueKind::Expire, place);
        if place % 3 == 0 {
            both.add(
                random.i64(0..2 * DAY),
                kinds[random.usize(..2)],
                random.u32(..16_384),
            );
        }
    }
    let mut until = 1000;
    while !both.naive.0.is_empty() {
        let found = both.first(until, random.usize(1..600));
        if found.is_empty() {
            // What is left was skipped so far.
            let skipped: Vec<_> = both.naive.0.iter().copied().take(400).collect();
            for due in skipped {
                both.apply(due);
            }
            until = (until + DAY / 8).min(2 * DAY);
        }
        let applied = random.usize(..=found.len());
        for due in &found[..applied] {
            both.apply(*due);
        }
        // Points that are spent, and others that are earned, anywhere in the days.
        for _ in 0..random.usize(..8) {
            let any = both.naive.0.iter().nth(random.usize(..600)).copied();
            if let Some(due) = any {
                both.apply(due);
            }
            if until < DAY {
                let at = random.i64(0..2 * DAY);
                both.add(at, kinds[random.usize(..2)], random.u32(..16_384));
            }
        }
    }
    assert!(both.first(2 * DAY, 9).is_empty() && both.calendar.days.is_empty());
    assert_eq!(both.calendar.heap_bytes(), 0);
}

#[test]
fn a_long_list_is_sorted_in_steps() {
    let mut both = Both::default();
    for place in 0..16_000 {
        both.add(1000, DueKind::Expire, place);
    }
    both.add(DAY, DueKind::Expire, 1);
    let steps = (1..100).find(|_| both.sort_run(2 * DAY));
    assert_eq!(steps, Some(5));
    // What comes later keeps them sorted.
    both.add(999, DueKind::Mature, 2);
    both.add(1000, DueKind::Release, 3);
    assert!(both.sort_run(2 * DAY));
    both.first(2 * DAY, 20_000);
}
