//! The engine alone: how long an answer, an update and a snapshot take, and what an entry weighs.
//!
//! One program with a year of events: one in fifty a sign-up, seven in ten a mint, the rest spends
//! on twelve offers. Sizes: 1 k, 1 M and 10 M events. Run with `cargo bench --bench engine`.
#![allow(
    missing_docs,
    reason = "criterion's macros make public items without any"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it weighed"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use fastrand::Rng;
use stampcard::analytics::snapshot::{Part, SegmentId, Stored};
use stampcard::analytics::{Engine, Figures, Interval, Window, Zone};
use stampcard::domain::{
    Activity, Entry, Event, LedgerEntry, MemberNumber, OfferId, OfferNumber, OrganizationNumber,
    Points, ProgramNumber, RedemptionNumber, Seq, Tier, Timestamp,
};

const SIZES: [(&str, i64); 3] = [("1k", 1_000), ("1M", 1_000_000), ("10M", 10_000_000)];
const PROGRAM: ProgramNumber = ProgramNumber(1);
const OFFERS: i64 = 12;
/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;
const YEAR: i64 = 365 * 86_400_000;

fn activity(seq: i64, at: i64, event: Event) -> Activity {
    let at = Timestamp::from_millis(at).unwrap();
    Activity {
        seq: Seq(seq),
        at,
        program: Some(PROGRAM),
        event,
    }
}

fn entry(rng: &mut Rng, entry: Entry, offer: Option<i64>) -> Event {
    Event::Ledger(LedgerEntry {
        entry,
        amount: Points::new(rng.i64(1..=500)).unwrap(),
        member: MemberNumber(rng.i64(1..=100_000)),
        offer: offer.map(OfferNumber),
        redemption: offer.map(|_| RedemptionNumber(1)),
        first: false,
        previous: None,
        reason: None,
    })
}

/// The events of a year, one after the other.
fn history(events: i64) -> impl Iterator<Item = Activity> {
    let mut rng = Rng::with_seed(7);
    let tier = Tier::parse("tier", "gold").unwrap();
    let organization = OrganizationNumber(1);
    let first = activity(1, START, Event::ProgramCreated { organization });
    let offers = (1..=OFFERS).map(|number| {
        let id = OfferId::from_uuid(uuid::Uuid::from_u128(number.unsigned_abs().into()));
        activity(
            1 + number,
            START,
            Event::OfferCreated {
                offer: OfferNumber(number),
                id,
            },
        )
    });
    let mut at = START;
    let rest = (1..=events).map(move |number| {
        // Gaps as of independent customers: exponential around the mean.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "dice"
        )]
        let gap = (-(1.0 - rng.f64()).ln() * (YEAR / events) as f64) as i64;
        at += gap;
        let event = match rng.u32(0..50) {
            0 => Event::MemberCreated {
                member: MemberNumber(number),
                tier: tier.clone(),
            },
            1..=35 => entry(&mut rng, Entry::Mint, None),
            _ => {
                let offer = rng.i64(1..=OFFERS);
                entry(&mut rng, Entry::Spend, Some(offer))
            }
        };
        activity(1 + OFFERS + number, at, event)
    });
    std::iter::once(first).chain(offers).chain(rest)
}

fn figures(events: i64) -> Figures {
    let mut figures = Figures::default();
    history(events).for_each(|activity| figures.apply(&activity));
    figures
}

/// A window of so many intervals, at an odd millisecond.
fn window(interval: Interval, length: i64) -> Window {
    let from = START + 3 * 86_400_000 + 12_345_678;
    let at = |millis| Timestamp::from_millis(millis).unwrap();
    Window::divide(at(from), at(from + length), interval, &Zone::UTC).unwrap()
}

fn answers(criterion: &mut Criterion, size: &str, engine: &Engine) {
    const HOUR: i64 = 3_600_000;
    let windows = [
        ("30 days", window(Interval::Day, 30 * 24 * HOUR)),
        ("720 hours", window(Interval::Hour, 720 * HOUR)),
        ("8760 hours", window(Interval::Hour, 8760 * HOUR)),
        ("whole history in months", window(Interval::Month, YEAR)),
    ];
    let mut group = criterion.benchmark_group(format!("{size} events"));
    for (name, window) in &windows {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| engine.timeseries(PROGRAM, black_box(window), None));
        });
    }
    group.bench_function("summary", |bencher| {
        bencher.iter(|| engine.summary(PROGRAM));
    });
    group.bench_function("offers", |bencher| {
        bencher.iter(|| engine.offers(PROGRAM));
    });
    group.finish();
}

fn updates(criterion: &mut Criterion, size: &str, events: i64, engine: &Engine) {
    let mut group = criterion.benchmark_group(format!("{size} events"));
    let mut seq = 1 + OFFERS + events;
    let mut rng = Rng::with_seed(8);
    group.bench_function("apply a batch of 64 mints", |bencher| {
        bencher.iter_batched(
            || {
                (0..64)
                    .map(|_| {
                        seq += 1;
                        activity(seq, START + YEAR + seq, entry(&mut rng, Entry::Mint, None))
                    })
                    .collect::<Vec<_>>()
            },
            |batch| engine.apply(&batch),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn snapshots(criterion: &mut Criterion, size: &str, figures: &Figures) {
    let mut group = criterion.benchmark_group(format!("{size} events"));
    group.sample_size(10);
    group.bench_function("write a first snapshot", |bencher| {
        bencher.iter(|| figures.capture(&Stored::default()));
    });
    let capture = figures.capture(&Stored::default()).unwrap();
    let segments: HashMap<SegmentId, Part> = capture.segments.iter().cloned().collect();
    let bytes: usize = capture
        .segments
        .iter()
        .map(|(_, part)| part.bytes.len())
        .sum();
    let state: usize = capture.state.iter().map(|part| part.bytes.len()).sum();
    println!("{size} events: {bytes} bytes of segments, {state} bytes of state");
    group.bench_function("load a snapshot", |bencher| {
        bencher.iter_batched(
            || segments.clone(),
            |segments| Figures::restore(&capture.state, segments).unwrap(),
            BatchSize::PerIteration,
        );
    });
    let mut stored = Stored::default();
    stored.note(capture.clone());
    group.bench_function("write the next snapshot", |bencher| {
        bencher.iter(|| figures.capture(&stored));
    });
    group.finish();
}

fn engine(criterion: &mut Criterion) {
    for (size, events) in SIZES {
        let figures = figures(events);
        let (bytes, entries) = figures.program(PROGRAM).unwrap().timeline_size();
        #[allow(clippy::cast_precision_loss, reason = "shown with two decimals")]
        let per_entry = bytes as f64 / entries as f64;
        println!("{size} events: {entries} timeline entries, {per_entry:.2} bytes each");
        snapshots(criterion, size, &figures);
        let engine = Engine::new(figures);
        answers(criterion, size, &engine);
        updates(criterion, size, events, &engine);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = engine
}
criterion_main!(benches);
