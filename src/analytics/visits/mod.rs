//! Who did something, and when: the number of distinct members of any window.
//!
//! Each visit has a **link** to the visit of the same member before it. A member who did something
//! in a window has exactly one visit in it whose link points before the window, or nowhere. So the
//! members of a window are a count of links below a bound, and so are those who came for the first
//! time, came back, or came back after a pause. Nothing is estimated.
//!
//! Links are in blocks, each of them a wavelet matrix, which counts in as many steps as a link has
//! bits. Blocks of one size are merged into larger ones beside the fold, so that a window of
//! millions of visits touches a few dozen of them: see [`Visits::plan_merge`].
//!
//! Sources: Muthukrishnan, "Efficient algorithms for document retrieval problems" (2002), for
//! counting distinct items by the place of each one before; Claude, Navarro and Ordóñez, "The
//! wavelet matrix" (2015), for the counts; O'Neil et al., "The log-structured merge-tree" (1996),
//! for the sizes of blocks.

mod links;
mod matrix;

use std::ops::Range;

use self::links::Links;
use super::Timeline;
use super::timeline::in_order;
use crate::domain::{ByNumber, MemberNumber};

/// The members of a window. The three parts of `members` add up to it, except that `reactivated`
/// is a part of `returning`.
///
/// ```
/// use stampcard::analytics::VisitFigures;
/// let figures = VisitFigures { visits: 9, members: 5, first: 2, reactivated: 1 };
/// assert_eq!(figures.returning(), 3);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VisitFigures {
    /// Visits in the window.
    pub visits: u64,
    /// Distinct members with a visit in the window.
    pub members: u64,
    /// Of these, those without any visit before the window.
    pub first: u64,
    /// Of these, those with a visit before the window, but none in the window of the same length
    /// directly before it.
    pub reactivated: u64,
}

impl VisitFigures {
    /// Members with a visit in the window and one before it.
    pub fn returning(&self) -> u64 {
        self.members - self.first
    }
}

/// An append-only series of (time, member).
///
/// ```
/// use stampcard::analytics::{VisitFigures, Visits};
/// use stampcard::domain::MemberNumber;
///
/// let mut visits = Visits::default();
/// for (at, member) in [(1_000, 7), (2_000, 8), (3_000, 7), (5_000, 7), (5_500, 9)] {
///     visits.push(at, MemberNumber(member));
/// }
/// // The half-open window from 3,000 to 6,000: member 7 came back, member 9 is new.
/// let expected = VisitFigures { visits: 3, members: 2, first: 1, reactivated: 0 };
/// assert_eq!(visits.figures(3_000, 6_000), expected);
/// // From 5,000 to 5,500, where the window before it, from 4,500, had nobody.
/// assert_eq!(visits.figures(5_000, 5_500).reactivated, 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visits {
    times: Timeline,
    links: Links,
    /// The link to each member's newest visit.
    newest: ByNumber<MemberNumber, u32>,
    newest_at: Option<i64>,
    /// Late visits, in any order.
    late: Vec<(i64, MemberNumber)>,
}

/// Blocks of [`Visits`] that can be merged, a step that may take seconds and needs no lock.
#[derive(Debug)]
pub struct Merge(links::Merge);

/// A merged block.
#[derive(Debug)]
pub struct Merged(links::Merged);

impl Merge {
    /// Merges the blocks.
    #[must_use]
    pub fn run(self) -> Merged {
        Merged(self.0.run())
    }
}

impl Visits {
    /// Adds a visit at `at`, in milliseconds since 1970. A late one, which only an import brings,
    /// counts once [`Visits::settle`] has merged it into its place.
    ///
    /// # Panics
    /// If there are 2^32 − 1 visits.
    pub fn push(&mut self, at: i64, member: MemberNumber) {
        if self.newest_at.is_some_and(|newest| at < newest) {
            self.late.push((at, member));
            return;
        }
        self.newest_at = Some(at);
        self.times.push(at, 1);
        let place = u32::try_from(self.links.len() + 1).expect("fewer than 2^32 visits");
        let before = self.newest.insert(member, place);
        self.links.push(before.unwrap_or(0));
    }

    /// The number of visits.
    pub fn count(&self) -> u64 {
        self.times.total().count
    }

    /// The members with a visit in the half-open window from `from` to `to`, in milliseconds since
    /// 1970.
    ///
    /// # Panics
    /// If a late visit has not been merged.
    pub fn figures(&self, from: i64, to: i64) -> VisitFigures {
        assert!(self.late.is_empty(), "visits are settled before a read");
        let [start, end] = [from, to].map(|at| self.place(at));
        if start >= end {
            return VisitFigures::default();
        }
        let before = from.saturating_sub(to.saturating_sub(from));
        let (members, first) = (
            self.linked_before(start..end, start),
            self.first(start..end),
        );
        // With no visit from `before` on: the link is below that place.
        let absent = self.linked_before(start..end, self.place(before));
        VisitFigures {
            visits: (end - start) as u64,
            members,
            first,
            reactivated: absent - first,
        }
    }

    /// Merges late visits into their places. Returns whether there were any.
    pub fn settle(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        let late = std::mem::take(&mut self.late);
        let times = self.times.entries().map(|(at, _)| at);
        let mut merged = Self::default();
        for (at, member) in in_order(times.zip(self.members()), late) {
            merged.push(at, member);
        }
        *self = merged;
        true
    }

    /// Blocks that would be counted faster as one; `None` if there are none.
    pub fn plan_merge(&self) -> Option<Merge> {
        self.links.plan_merge().map(Merge)
    }

    /// Puts a merged block instead of those that it was made of. Returns false, and changes
    /// nothing, if they are not there any more.
    pub fn accept(&mut self, merged: Merged) -> bool {
        self.links.accept(merged.0)
    }

    /// The memory that it takes on the heap, in bytes, without the newest visits of members.
    pub fn heap_bytes(&self) -> usize {
        self.times.heap_bytes() + self.links.heap_bytes()
    }

    /// The number of visits before a time.
    fn place(&self, at: i64) -> usize {
        usize::try_from(self.times.before(at).count).expect("fewer than 2^32 visits")
    }

    /// The visits of a range whose member has none from `place` on, or none at all, before it.
    fn linked_before(&self, range: Range<usize>, place: usize) -> u64 {
        // A link is a place plus one.
        let bound = u32::try_from(place + 1).expect("fewer than 2^32 visits");
        self.links.count_below(range, bound) as u64
    }

    /// The visits of a range that are a member's first.
    fn first(&self, range: Range<usize>) -> u64 {
        self.links.count_below(range, 1) as u64
    }

    /// The member of each visit, found by following each member's links.
    fn members(&self) -> Vec<MemberNumber> {
        let links: Vec<u32> = self.links.iter().collect();
        let mut members = vec![MemberNumber(0); links.len()];
        for (member, newest) in &self.newest {
            let mut link = *newest;
            while let Some(place) = link.checked_sub(1) {
                members[place as usize] = *member;
                link = links[place as usize];
            }
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// The figures by the plain list of visits.
    fn naive(visits: &[(i64, MemberNumber)], from: i64, to: i64) -> VisitFigures {
        let within = |from: i64, to: i64| -> HashSet<MemberNumber> {
            let inside = visits.iter().filter(|(at, _)| (from..to).contains(at));
            inside.map(|(_, member)| *member).collect()
        };
        let members = within(from, to);
        let ever = within(i64::MIN, from);
        let lately = within(from - (to - from), from);
        let count = |members: usize| members as u64;
        VisitFigures {
            visits: count(
                visits
                    .iter()
                    .filter(|(at, _)| (from..to).contains(at))
                    .count(),
            ),
            members: count(members.len()),
            first: count(members.difference(&ever).count()),
            reactivated: count(
                members
                    .intersection(&ever)
                    .filter(|m| !lately.contains(m))
                    .count(),
            ),
        }
    }

    /// Visits of few members at few times, so that they meet.
    fn some(len: usize) -> impl Strategy<Value = Vec<(i64, MemberNumber)>> {
        let visit = (0..60_i64, 1..9_i64).prop_map(|(at, member)| (at, MemberNumber(member)));
        prop::collection::vec(visit, 0..len)
    }

    fn visits(list: &[(i64, MemberNumber)]) -> Visits {
        let mut visits = Visits::default();
        for (at, member) in list {
            visits.push(*at, *member);
        }
        visits
    }

    proptest! {
        // The same cases each time.
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn every_window_has_the_members_of_the_plain_list(
            list in some(300),
            windows in prop::collection::vec((-1..61_i64, 0..62_i64), 1..30),
        ) {
            // In any order: most are late.
            let mut visits = visits(&list);
            visits.settle();
            prop_assert_eq!(visits.count(), list.len() as u64);
            for (from, len) in windows {
                let to = from + len;
                prop_assert_eq!(visits.figures(from, to), naive(&list, from, to));
            }
        }
    }

    /// Blocks of all sizes, before and after they are merged.
    #[test]
    fn merging_changes_no_figure() {
        let mut rng = fastrand::Rng::with_seed(21);
        let places = 0..17 * 16 * i64::try_from(links::BLOCK).unwrap() + 100;
        let end = places.end / 3;
        let list: Vec<(i64, MemberNumber)> = places
            .map(|place| (place / 3, MemberNumber(rng.i64(0..500))))
            .collect();
        let mut visits = visits(&list);
        let windows: Vec<(i64, i64)> = (0..12)
            .map(|_| (rng.i64(0..end), rng.i64(0..end)))
            .map(|(one, other)| (one.min(other), one.max(other) + 1))
            .collect();
        let figures = |visits: &Visits| -> Vec<VisitFigures> {
            let figures = |window: &(i64, i64)| visits.figures(window.0, window.1);
            windows.iter().map(figures).collect()
        };
        let before = figures(&visits);
        for ((from, to), figures) in windows.iter().zip(&before) {
            assert_eq!(*figures, naive(&list, *from, *to));
        }
        let whole = visits.clone();
        let stale = visits.plan_merge().map(Merge::run);
        let mut merges = 0;
        while let Some(merge) = visits.plan_merge() {
            assert!(visits.accept(merge.run()));
            merges += 1;
        }
        assert_eq!(merges, 17 + 1, "17 small ones, and 16 of these");
        assert!(
            stale.is_some_and(|stale| !visits.accept(stale)),
            "it came too late"
        );
        assert_eq!(figures(&visits), before);
        assert_eq!(visits, whole);
    }
}
