//! Visits compared with the plain list of them, and with what is stored of them.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::links::BLOCK;
use super::stored::Place;
use super::*;

const DEEDS: [Deed; 2] = [Deed::Any, Deed::Exchange];

/// Visits, each an exchange, with their timelines.
#[derive(Debug, Clone, Default, PartialEq)]
struct Visited {
    visits: Visits,
    timelines: [Timeline; Measure::ALL.len()],
}

type Visit = (i64, MemberNumber);

/// The figures by the plain list of visits.
fn naive(visits: &[Visit], from: i64, to: i64) -> Comings {
    let within = |from: i64, to: i64| -> HashSet<MemberNumber> {
        let inside = visits.iter().filter(|(at, _)| (from..to).contains(at));
        inside.map(|(_, member)| *member).collect()
    };
    let members = within(from, to);
    let ever = within(i64::MIN, from);
    let lately = within(from - (to - from), from);
    let came_back = members
        .intersection(&ever)
        .filter(|member| !lately.contains(member));
    Comings {
        members: members.len() as u64,
        first: members.difference(&ever).count() as u64,
        reactivated: came_back.count() as u64,
    }
}

impl Visited {
    fn of(list: &[Visit]) -> Self {
        let mut visited = Self::default();
        visited.extend(list);
        visited
    }

    fn extend(&mut self, list: &[Visit]) {
        for (at, member) in list {
            for deed in DEEDS {
                self.timelines[deed.measure() as usize].push(*at, 1);
            }
            self.visits.push(&DEEDS, *at, *member, &self.timelines);
        }
    }

    fn settle(&mut self) {
        self.visits.settle(&self.timelines);
        for timeline in &mut self.timelines {
            timeline.settle();
        }
    }

    fn at(&self, extent: Extent, from: i64, to: i64) -> Comings {
        let window = Window { from, to, extent };
        let times = |deed: Deed| &self.timelines[deed.measure() as usize];
        let comings = self.visits.comings(Deed::Any, times(Deed::Any), window);
        for deed in DEEDS {
            let members = self.visits.members(deed, times(deed), window);
            assert_eq!(members, comings.members);
        }
        let others = self.visits.members(Deed::Mint, times(Deed::Mint), window);
        assert_eq!(others, 0);
        comings
    }

    fn figures(&self, from: i64, to: i64) -> Comings {
        self.at(self.visits.extent(), from, to)
    }

    /// Does all that makes counting faster, and returns the number of steps.
    fn tidy(&mut self) -> usize {
        let mut steps = 0;
        while let Some(merge) = self.visits.plan_merge() {
            assert!(self.visits.accept(merge.run()));
            steps += 1;
        }
        steps
    }
}

/// Visits of few members at few times, so that they meet.
fn some(len: usize) -> impl Strategy<Value = Vec<Visit>> {
    let visit = (0..60_i64, 1..9_i64).prop_map(|(at, member)| (at, MemberNumber(member)));
    prop::collection::vec(visit, 0..len)
}

/// Visits in order, three at a time of any of 500 members.
fn many(count: usize) -> Vec<Visit> {
    let mut rng = fastrand::Rng::with_seed(21);
    let places = 0..i64::try_from(count).unwrap();
    places
        .map(|place| (place / 3, MemberNumber(rng.i64(0..500))))
        .collect()
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
        tidies in any::<bool>(),
        windows in prop::collection::vec((-1..61_i64, 0..62_i64), 1..30),
    ) {
        // In any order: most are late.
        let mut visits = Visited::of(&list);
        visits.settle();
        if tidies {
            visits.tidy();
        }
        prop_assert_eq!(visits.visits.count(Deed::Any), list.len());
        for (from, len) in windows {
            let to = from + len;
            prop_assert_eq!(visits.figures(from, to), naive(&list, from, to));
        }
    }
}

/// Blocks of all sizes, before and after they are closed and merged.
#[test]
fn merging_changes_no_figure() {
    let list = many(17 * 16 * BLOCK + 100);
    let end = list.last().unwrap().0;
    let mut rng = fastrand::Rng::with_seed(22);
    let windows: Vec<(i64, i64)> = (0..12)
        .map(|_| (rng.i64(0..end), rng.i64(0..end)))
        .map(|(one, other)| (one.min(other), one.max(other) + 1))
        .collect();
    let mut visits = Visited::of(&list);
    let figures = |visits: &Visited| -> Vec<Comings> {
        let figures = |window: &(i64, i64)| visits.figures(window.0, window.1);
        windows.iter().map(figures).collect()
    };
    let before = figures(&visits);
    for ((from, to), figures) in windows.iter().zip(&before) {
        assert_eq!(*figures, naive(&list, *from, *to));
    }
    let whole = visits.clone();
    let stale = visits.visits.plan_merge().map(Merge::run);
    assert!(visits.tidy() > 2);
    assert!(
        stale.is_some_and(|stale| !visits.visits.accept(stale)),
        "it came too late"
    );
    assert_eq!(figures(&visits), before);
    assert!(visits == whole);
    let bytes = visits.visits.heap_bytes();
    assert!((500 * 32..list.len() * 20).contains(&bytes), "{bytes}");
}

/// What comes after the moment at which an answer began is not in it.
#[test]
fn an_answer_is_of_one_moment() {
    let list = many(3_000);
    let (before, after) = list.split_at(2_000);
    let mut visits = Visited::of(before);
    let extent = visits.visits.extent();
    let expected = visits.figures(100, 900);
    visits.extend(after);
    visits.tidy();
    assert_eq!(visits.at(extent, 100, 900), expected);
    assert_ne!(visits.figures(100, 900), expected);
}

/// What is on the disk.
#[derive(Default)]
struct Disk {
    segments: BTreeMap<Place, Vec<u8>>,
    stored: Option<StoredVisits>,
    state: Option<VisitState>,
}

impl Disk {
    /// Saves and returns the number of bytes of segments that were written.
    fn save(&mut self, visits: &Visits) -> usize {
        let parts = visits.draft(self.stored.as_ref()).finish();
        let bytes = parts.segments.iter().map(|(_, bytes)| bytes.len()).sum();
        let last = self.state.clone();
        if let Some(last) = last {
            self.segments.extend(parts.segments.iter().cloned());
            // A crash before the state is written costs nothing.
            assert!(self.load(last).is_some());
        }
        self.segments.extend(parts.segments);
        self.segments.retain(|(code, number), _| {
            let mut deleted = parts.deleted.iter();
            !deleted.any(|(of, before)| of == code && number < before)
        });
        self.stored = Some(parts.stored);
        self.state = Some(parts.state);
        bytes
    }

    fn load(&self, state: VisitState) -> Option<(Visits, StoredVisits)> {
        let fetch = |place| self.segments.get(&place).cloned().ok_or(());
        Visits::restore(state, fetch).ok().flatten()
    }
}

#[test]
fn what_is_stored_is_restored_and_stored_once() {
    let list = many(60 * 16 * BLOCK);
    let mut rng = fastrand::Rng::with_seed(23);
    let (mut visits, mut disk) = (Visited::default(), Disk::default());
    let (mut rest, mut written) = (list.as_slice(), 0);
    while !rest.is_empty() {
        let (next, later) = rest.split_at(rng.usize(1..3_000).min(rest.len()));
        rest = later;
        visits.extend(next);
        if rng.bool() {
            visits.tidy();
        } else {
            while let Some(merge) = visits.visits.plan_close() {
                assert!(visits.visits.accept(merge.run()));
            }
        }
        written += disk.save(&visits.visits);
        assert_eq!(disk.save(&visits.visits), 0, "nothing is new");
        let (restored, stored) = disk.load(disk.state.clone().unwrap()).unwrap();
        assert!(restored == visits.visits);
        let next = restored.draft(Some(&stored)).finish();
        assert_eq!(next.segments, []);
        assert_eq!(Some(next.state), disk.state);
        if rng.u8(0..4) == 0 {
            // A start.
            (visits.visits, disk.stored) = (restored, Some(stored));
        }
    }
    visits.tidy();
    disk.save(&visits.visits);
    let kept: usize = disk.segments.values().map(Vec::len).sum();
    // Two kinds, of 16 bits for each visit.
    assert!(kept < 2 * list.len() * 17 / 8 + 30_000, "{kept} bytes");
    assert!(written < 10 * kept, "{written} bytes for {kept}");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let mut visits = Visited::of(&many(40 * BLOCK + 5));
    visits.tidy();
    let mut disk = Disk::default();
    disk.save(&visits.visits);
    let state = disk.state.clone().unwrap();
    assert!(disk.load(state.clone()).is_some());
    for (place, bytes) in disk.segments.clone() {
        let cut = bytes[..bytes.len() - 1].to_vec();
        for damage in [Vec::new(), cut, vec![255; bytes.len()]] {
            disk.segments.insert(place, damage);
            assert!(disk.load(state.clone()).is_none(), "{place:?}");
        }
        disk.segments.remove(&place);
        assert!(disk.load(state.clone()).is_none(), "{place:?}");
        disk.segments.insert(place, bytes);
    }
    // Newest visits of a later moment.
    let (mut later, mut other) = (visits.clone(), Disk::default());
    later.extend(&[(1 << 40, MemberNumber(1))]);
    other.save(&later.visits);
    disk.segments.extend(other.segments);
    assert!(disk.load(state).is_none());
}
