//! The engine compared with an oracle that shares no code with it: the events in a plain SQL table,
//! the buckets computed by another calendar library, every result a SELECT.
//!
//! Seeds that once failed are kept in `tests/engine/main.proptest-regressions` and run first.
//! `PROPTEST_CASES` raises the number of histories.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_wrap,
    reason = "a test stops at the first surprise, and its numbers are small"
)]

mod books;
mod oracle;
mod parts;
mod snapshot;

use std::collections::HashMap;

use oracle::Oracle;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use stampcard::analytics::snapshot::{Part, SegmentId, Stored};
use stampcard::analytics::{
    Counters, Engine, Figures, Interval, OfferCounters, OfferFigures, Ratings, Window,
};
use stampcard::domain::{
    Activity, Entry, Event, LedgerEntry, MemberNumber, OfferId, OfferNumber, OrganizationNumber,
    Points, ProgramNumber, Rating, RedemptionNumber, RedemptionRating, Seq, Tier, Timestamp, Units,
    Zone,
};

const PROGRAM: ProgramNumber = ProgramNumber(1);
const OFFERS: i64 = 3;
/// Zones with and without clock changes, of half hours, and far from UTC on both sides.
const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Cairo",
];

/// A step of a generated history.
#[derive(Debug, Clone)]
enum Step {
    SignUp,
    Mint(i64),
    Spend(i64, i64),
    FirstBooking(i64),
    /// A redemption of an offer is rated, or rated again.
    Rate(i64, i64, i64),
    /// The server is stopped and started with a snapshot, taken then or some steps before.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let points = prop_oneof![5 => 1..1_000_i64, 1 => 1..1_000_000_000_000_i64];
    prop_oneof![
        4 => Just(Step::SignUp),
        8 => points.clone().prop_map(Step::Mint),
        6 => (1..=OFFERS, points).prop_map(|(offer, points)| Step::Spend(offer, points)),
        3 => (1..=OFFERS).prop_map(Step::FirstBooking),
        4 => (1..=OFFERS, 1..4_i64, 0..=Rating::MAX).prop_map(|(o, n, r)| Step::Rate(o, n, r)),
        1 => Just(Step::Restart),
    ]
}

/// The time before a step, in milliseconds: none, a little, hours, weeks; and back, which only an
/// import causes.
fn gap() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => Just(0_i64),
        4 => 1..5_000_i64,
        6 => 0..20_000_000_i64,
        2 => 0..3_000_000_000_i64,
        1 => -5_000_000_000..0_i64,
    ]
}

/// A window: where it starts and ends relative to the events, its interval and zone.
#[derive(Debug, Clone)]
struct Question {
    from: prop::sample::Index,
    to: prop::sample::Index,
    shift: (i64, i64),
    interval: Interval,
    zone: &'static str,
    offer: Option<i64>,
}

fn question() -> impl Strategy<Value = Question> {
    (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        (
            -100_000_000..100_000_000_i64,
            prop_oneof![Just(0_i64), -100_000_000..100_000_000_i64],
        ),
        prop::sample::select(Interval::ALL.to_vec()),
        prop::sample::select(ZONES.to_vec()),
        prop::option::weighted(0.3, 1..=OFFERS),
    )
        .prop_map(|(from, to, shift, interval, zone, offer)| Question {
            from,
            to,
            shift,
            interval,
            zone,
            offer,
        })
}

/// The engine and the oracle, with the same events.
struct Pair {
    figures: Figures,
    oracle: Oracle,
    log: Vec<Activity>,
    snapshot: Snapshot,
}

/// The data on the disk: segments, which are only ever added to, and the last state.
#[derive(Default)]
struct Snapshot {
    segments: HashMap<SegmentId, Part>,
    state: Vec<Part>,
    stored: Stored,
    last_seq: Option<Seq>,
}

fn offer_id(number: i64) -> OfferId {
    OfferId::from_uuid(uuid::Uuid::from_u128(number.unsigned_abs().into()))
}

impl Pair {
    fn new(start: i64) -> Self {
        let mut pair = Self {
            figures: Figures::default(),
            oracle: Oracle::new(),
            log: Vec::new(),
            snapshot: Snapshot::default(),
        };
        pair.record(
            start,
            Event::ProgramCreated {
                organization: OrganizationNumber(1),
                default_tier: None,
            },
        );
        for number in 1..=OFFERS {
            let offer = OfferNumber(number);
            pair.record(
                start,
                Event::OfferCreated {
                    offer,
                    id: offer_id(number),
                    stock: None,
                },
            );
        }
        pair
    }

    fn record(&mut self, at: i64, event: Event) {
        let seq = Seq(self.log.len() as i64 + 1);
        let at = Timestamp::from_millis(at).unwrap();
        let activity = Activity {
            seq,
            at,
            program: Some(PROGRAM),
            event,
        };
        self.figures.apply(&activity).unwrap();
        self.log.push(activity);
    }

    fn step(&mut self, at: i64, step: &Step) {
        match *step {
            Step::SignUp => {
                let tier = Tier::parse("tier", "gold").unwrap();
                self.record(
                    at,
                    Event::MemberCreated {
                        member: MemberNumber(1),
                        tier,
                        cause: None,
                    },
                );
                self.oracle.insert(at, "signup", None, 1);
            }
            Step::Mint(points) => {
                self.ledger(at, Entry::Mint, points, None);
                self.oracle.insert(at, "mint", None, points);
            }
            Step::Spend(offer, points) => {
                self.ledger(at, Entry::Spend, points, Some(offer));
                self.oracle.insert(at, "spend", Some(offer), points);
            }
            Step::FirstBooking(offer) => {
                let event = Event::RedemptionCreated {
                    member: MemberNumber(1),
                    offer: OfferNumber(offer),
                    redemption: RedemptionNumber(1),
                    charged: Points::ZERO,
                    quantity: Units::ONE,
                    first: true,
                };
                self.record(at, event);
                self.oracle.insert(at, "booking", Some(offer), 1);
            }
            Step::Rate(offer, number, rating) => self.rate(at, offer, number, rating),
            Step::Restart => self.restart(),
        }
    }

    /// Rates the redemption of an offer with this number.
    fn rate(&mut self, at: i64, offer: i64, number: i64, rating: i64) {
        let redemption = offer * 10 + number;
        let replaced = self.oracle.rate(offer, redemption, rating);
        self.record(
            at,
            Event::RedemptionRated(RedemptionRating {
                member: MemberNumber(1),
                offer: OfferNumber(offer),
                redemption: RedemptionNumber(redemption),
                replaced: replaced.and_then(Rating::new),
                rating: Rating::new(rating).unwrap(),
                comment: None,
            }),
        );
    }

    fn ledger(&mut self, at: i64, entry: Entry, points: i64, offer: Option<i64>) {
        self.record(
            at,
            Event::of_entry(LedgerEntry {
                entry,
                amount: Points::new(points).unwrap(),
                member: MemberNumber(1),
                asset: None,
                offer: offer.map(OfferNumber),
                redemption: offer.map(|_| RedemptionNumber(1)),
                first: false,
                reason: None,
                buckets: None,
            }),
        );
    }

    /// Starts from the snapshot on the disk and the newer rows, which must give the previous state;
    /// then takes the next snapshot.
    fn restart(&mut self) {
        self.figures.settle();
        if self.snapshot.last_seq.is_some() {
            let segments = &self.snapshot.segments;
            let fetch = |id| segments.get(&id).cloned();
            let (mut restored, stored) =
                Figures::restore(&self.snapshot.state, fetch).expect("a good snapshot");
            for activity in self
                .log
                .iter()
                .filter(|a| Some(a.seq) > self.snapshot.last_seq)
            {
                restored.apply(activity).unwrap();
            }
            restored.settle();
            self.snapshot.stored = stored;
            self.same_answers(&restored);
            self.figures = restored;
        }
        self.take_snapshot();
    }

    fn take_snapshot(&mut self) {
        // Late events have moved blocks; then everything is stored again, as after an import.
        let is_import = self.log.windows(2).any(|pair| pair[1].at < pair[0].at);
        if is_import {
            self.snapshot = Snapshot::default();
        }
        let capture = self.figures.capture(&self.snapshot.stored).unwrap();
        self.snapshot
            .segments
            .extend(capture.segments.iter().cloned());
        self.snapshot.state.clone_from(&capture.state);
        self.snapshot.last_seq = Some(capture.last_seq);
        self.snapshot.stored.note(capture);
    }

    fn same_answers(&self, other: &Figures) {
        let counters = |figures: &Figures| figures.program(PROGRAM).unwrap().clone();
        let (mine, others) = (counters(&self.figures), counters(other));
        assert_eq!(mine.totals(), others.totals());
        assert_eq!(mine.last_seq(), others.last_seq());
        let figures = |counters: &Counters| -> Vec<OfferFigures> {
            counters
                .offers()
                .iter()
                .map(OfferCounters::figures)
                .collect()
        };
        assert_eq!(figures(&mine), figures(&others));
        let days = Window::divide(
            Timestamp::from_millis(-10_000_000_000).unwrap(),
            Timestamp::from_millis(3_000_000_000_000).unwrap(),
            Interval::Month,
            &Zone::UTC,
        )
        .unwrap();
        for offer in [None, Some(offer_id(1)), Some(offer_id(3))] {
            assert_eq!(
                mine.timeseries(&days, offer),
                others.timeseries(&days, offer)
            );
        }
    }
}

/// The number of cases, and the same ones each time, unless `PROPTEST_CASES` requests others.
fn config(cases: u32) -> ProptestConfig {
    let defaults = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return defaults;
    }
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        ..defaults
    }
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn every_answer_is_that_of_sql(
        start in 946_684_800_000..1_893_456_000_000_i64,
        steps in prop::collection::vec((gap(), step()), 1..150),
        questions in prop::collection::vec(question(), 1..6),
    ) {
        let mut pair = Pair::new(start);
        let mut at = start;
        let mut times = vec![start];
        for (gap, step) in &steps {
            at += gap;
            times.push(at);
            pair.step(at, step);
        }
        let counters = pair.figures.program(PROGRAM).unwrap();
        for (number, offer) in (1..).zip(counters.offers()) {
            let Ratings { count, sum } = offer.figures().ratings;
            let average = offer.figures().ratings.average_hundredths();
            prop_assert_eq!((count, sum, average), pair.oracle.ratings(number));
        }
        for question in &questions {
            let from = question.from.get(&times) + question.shift.0;
            let to = question.to.get(&times) + question.shift.1;
            let zone = Zone::parse(question.zone).unwrap();
            let divided = Window::divide(
                Timestamp::from_millis(from).unwrap(),
                Timestamp::from_millis(to).unwrap(),
                question.interval,
                &zone,
            );
            let expected = oracle::bounds(from, to, question.interval.as_str(), question.zone);
            let Some(expected) = expected else {
                prop_assert!(divided.is_err());
                continue;
            };
            let window = divided.unwrap();
            let bounds: Vec<i64> = window.bounds().iter().map(|at| at.as_millis()).collect();
            prop_assert_eq!(&bounds, &expected);
            let buckets = counters.timeseries(&window, question.offer.map(offer_id)).unwrap();
            let answers: Vec<_> =
                buckets.iter().map(|b| (b.signups, b.minted, b.spent)).collect();
            let expected = pair.oracle.buckets(&bounds, question.offer);
            prop_assert_eq!(answers, expected);
        }
    }
}

proptest! {
    #![proptest_config(config(250))]

    #[test]
    fn the_parts_of_a_window_sum_to_the_whole(
        steps in prop::collection::vec((gap(), step()), 1..300),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let start = 1_700_000_000_000;
        let mut pair = Pair::new(start);
        let mut at = start;
        let mut bounds = vec![-10_000_000_000, 3_000_000_000_000];
        let mut times = vec![start];
        for (gap, step) in &steps {
            at += gap;
            times.push(at);
            pair.step(at, step);
        }
        bounds.extend(cuts.iter().map(|cut| cut.get(&times)));
        bounds.sort_unstable();
        bounds.dedup();
        let engine = Engine::new(pair.figures.clone());
        let ask = |from: i64, to: i64, offer: Option<OfferId>| {
            let at = |millis| Timestamp::from_millis(millis).unwrap();
            let window = Window::divide(at(from), at(to), Interval::Month, &Zone::UTC).unwrap();
            let buckets = engine.timeseries(PROGRAM, &window, offer).value.unwrap();
            buckets.iter().fold((0, 0, 0), |sum, bucket| {
                (sum.0 + bucket.signups, sum.1 + bucket.minted, sum.2 + bucket.spent)
            })
        };
        let add = |a: (u64, u64, u64), b: (u64, u64, u64)| (a.0 + b.0, a.1 + b.1, a.2 + b.2);
        let whole = ask(bounds[0], *bounds.last().unwrap(), None);
        let parts = bounds.windows(2).map(|pair| ask(pair[0], pair[1], None)).fold((0, 0, 0), add);
        prop_assert_eq!(whole, parts);
        let totals = engine.summary(PROGRAM).value;
        prop_assert_eq!(whole, (totals.members, totals.minted, totals.spent));
        let offers = engine.offers(PROGRAM).value;
        let spent: u64 = offers.iter().map(|offer| offer.spent).sum();
        prop_assert_eq!(spent, totals.spent);
        for offer in offers {
            let (signups, minted, spent) = ask(bounds[0], *bounds.last().unwrap(), Some(offer.id));
            prop_assert_eq!((signups, minted, spent), (offer.signups, 0, offer.spent));
        }
    }

    #[test]
    fn a_flipped_bit_in_a_snapshot_is_noticed(
        steps in prop::collection::vec((gap(), step()), 100..300),
        part in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let mut pair = Pair::new(1_700_000_000_000);
        let mut at = 1_700_000_000_000;
        for (gap, step) in &steps {
            at += gap;
            pair.step(at, step);
        }
        pair.figures.settle();
        let mut capture = pair.figures.capture(&Stored::default()).unwrap();
        let parts = capture.segments.len() + capture.state.len();
        let index = part.index(parts);
        let damaged = match index.checked_sub(capture.segments.len()) {
            None => &mut capture.segments[index].1,
            Some(index) => &mut capture.state[index],
        };
        let bit = bit.index(damaged.bytes.len() * 8);
        damaged.bytes[bit / 8] ^= 1 << (bit % 8);
        let segments: HashMap<_, _> = capture.segments.iter().cloned().collect();
        let fetch = |id| segments.get(&id).cloned();
        prop_assert!(Figures::restore(&capture.state, fetch).is_err());
    }
}
