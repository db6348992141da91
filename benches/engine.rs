//! Benchmark of the engine alone: the time of a query, an update and a snapshot, and the memory per
//! entry.
//!
//! The first program has a year of events: one in fifty is a sign-up, seven in ten are mints, the
//! rest are spends on twelve offers. Sizes: 1 k, 1 M and 10 M events. Then follows a partner with a
//! thousand organizations of one program each, in which a thousand members signed up and exchanged
//! one to three tokens over a year, and ten million visits of half a million members. Run with
//! `cargo bench --bench engine`; docs/BENCHMARKS.md has the results. Times are measured by
//! criterion.
#![allow(
    missing_docs,
    reason = "criterion's macros make public items without any"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it weighed"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use fastrand::Rng;
use stampcard::analytics::snapshot::{Part, SegmentId, Stored};
use stampcard::analytics::{Counters, Engine, Figures, Interval, Measure};
use stampcard::domain::{Activity, Event, MemberNumber, ProgramNumber, Tier};

use self::support::events::{
    DAY, HOUR, OFFERS, PROGRAM, START, YEAR, activity, entry, figures, window,
};
use self::support::results::{Arguments, Results};

const SIZES: [(&str, i64); 4] = [
    ("1k", 1_000),
    ("100k", 100_000),
    ("1M", 1_000_000),
    ("10M", 10_000_000),
];
/// The number of the partner's organizations, with one program each, and of the members in each.
const ORGANIZATIONS: i64 = 1_000;
const MEMBERS: i64 = 1_000;

/// Records a count for the tables.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn record_count(results: &mut Results, size: &str, what: &str, number: usize) {
    println!("{size}: {number} {what}");
    results.figure(&format!("engine.{size}.{what}"), number as f64);
}

fn answers(criterion: &mut Criterion, size: &str, engine: &Engine) {
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
                        activity(seq, START + YEAR + seq, entry(&mut rng, None))
                    })
                    .collect::<Vec<_>>()
            },
            |batch| engine.apply(&batch).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn snapshots(criterion: &mut Criterion, size: &str, figures: &Figures, results: &mut Results) {
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
    record_count(results, size, "segments", bytes);
    record_count(results, size, "state", state);
    group.bench_function("load a snapshot", |bencher| {
        bencher.iter_batched(
            || (),
            |()| Figures::restore(&capture.state, |id| segments.get(&id).cloned()).unwrap(),
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
    let mut results = Results::new("engine", &Arguments::none());
    for (size, events) in SIZES {
        let figures = figures(events);
        let (bytes, entries) = figures.program(PROGRAM).unwrap().timeline_size();
        let entries = usize::try_from(entries).unwrap();
        record_count(&mut results, size, "entries", entries);
        record_count(&mut results, size, "bytes", bytes);
        snapshots(criterion, size, &figures, &mut results);
        let engine = Engine::new(figures);
        answers(criterion, size, &engine);
        updates(criterion, size, events, &engine);
    }
    results.save();
}

/// The events of one of the partner's programs, in order of time: every member signs up with a
/// first exchange and comes back up to twice. Three exchanges in four identify the member, and half
/// of those are followed by a credit.
fn tenant(rng: &mut Rng, program: ProgramNumber) -> Vec<Activity> {
    let tier = Tier::parse("tier", "gold").unwrap();
    let mut events = Vec::new();
    for member in (1..=MEMBERS).map(MemberNumber) {
        let mut at = START + rng.i64(0..YEAR);
        let tier = tier.clone();
        events.push((
            at,
            Event::MemberCreated {
                member,
                tier,
                cause: None,
            },
        ));
        for exchange in 0..rng.u32(1..=3) {
            let identified = exchange == 0 || rng.u32(0..4) < 3;
            let credit = identified && rng.bool();
            let exchanged = Event::TokenExchanged {
                member,
                identified,
                credit,
                expires_at: None,
            };
            events.push((at, exchanged));
            at = rng.i64(at..START + YEAR);
        }
    }
    events.sort_by_key(|(at, _)| *at);
    let activities = events.into_iter().zip(1..).map(|((at, event), number)| {
        let seq = program.0 * 10 * MEMBERS + number;
        let program = Some(program);
        Activity {
            program,
            ..activity(seq, at, event)
        }
    });
    activities.collect()
}

/// The sums that the partner's routes return, over some programs and a range of time.
fn used(engine: &Engine, programs: &[ProgramNumber], (from, to): (i64, i64)) -> [u64; 4] {
    const MEASURES: [Measure; 4] = [
        Measure::Events,
        Measure::Exchanges,
        Measure::Identifications,
        Measure::Credits,
    ];
    engine.read(|figures| {
        let counters = programs
            .iter()
            .filter_map(|number| figures.program(*number));
        counters.fold([0; 4], |sums, counters| {
            let count = |measure| counters.timeline(measure).between(from, to).count;
            std::array::from_fn(|index| sums[index] + count(MEASURES[index]))
        })
    })
}

/// The figures in a row of the report of program activity.
fn row(counters: &Counters, (from, to): (i64, i64)) -> [u64; 7] {
    let totals = counters.totals();
    let sum = |measure| counters.timeline(measure).between(from, to);
    [
        sum(Measure::Events).count,
        sum(Measure::Minted).amount,
        sum(Measure::Spent).amount,
        totals.ledger_entries,
        totals.participants,
        totals.current_offers,
        counters.tier_count() as u64,
    ]
}

fn partner(criterion: &mut Criterion) {
    let mut rng = Rng::with_seed(9);
    let programs: Vec<_> = (1..=ORGANIZATIONS).map(ProgramNumber).collect();
    let mut figures = Figures::default();
    for program in &programs {
        for activity in tenant(&mut rng, *program) {
            figures.apply(&activity).unwrap();
        }
    }
    let sizes = figures.programs().map(|(_, c)| c.timeline_size());
    let (bytes, entries) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
    println!("partner: {entries} timeline entries in {bytes} bytes");
    let engine = Engine::new(figures);
    let odd = START + 100 * DAY + 12_345_678;
    let last_days = (START + YEAR - 30 * DAY, START + YEAR);
    let ranges = [
        ("30 days", last_days),
        ("an odd range of 77 days", (odd, odd + 77 * DAY + 1)),
        ("all time", (START, START + YEAR)),
    ];
    for (name, range) in ranges {
        let name = format!("partner: {name} over 1,000 organizations of 1,000 members");
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| used(&engine, black_box(&programs), range));
        });
    }
    let name = "partner: program activity of 1,000 programs of 1,000 members, 30 days";
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| -> Vec<_> {
            engine.read(|figures| {
                let counters = programs.iter().filter_map(|p| figures.program(*p));
                counters.map(|c| row(c, black_box(last_days))).collect()
            })
        });
    });
}

/// The token exchange of one of half a million members.
fn exchange(seq: i64, at: i64, rng: &mut Rng) -> Activity {
    let event = Event::TokenExchanged {
        member: MemberNumber(rng.i64(1..=500_000)),
        identified: false,
        credit: false,
        expires_at: None,
    };
    activity(seq, at, event)
}

/// Ten million visits of half a million members over a year: the members of any window.
fn visitors(criterion: &mut Criterion) {
    const VISITS: i64 = 10_000_000;
    let mut rng = Rng::with_seed(10);
    let mut figures = Figures::default();
    for visit in 0..VISITS {
        let at = START + YEAR * visit / VISITS;
        figures.apply(&exchange(visit + 1, at, &mut rng)).unwrap();
    }
    while let Some((program, merge)) = figures.plan_merge() {
        assert!(figures.accept(program, merge.run()));
    }
    let bytes = figures.program(PROGRAM).unwrap().visits_bytes();
    let mut results = Results::new("visits", &Arguments::none());
    record_count(&mut results, "10M", "bytes", bytes);
    results.save();
    let mut group = criterion.benchmark_group("10M visits");
    let counters = figures.program(PROGRAM).unwrap();
    let moment = counters.moment();
    group.bench_function("members of a random window", |bencher| {
        let window = || {
            let ends = [0, 1].map(|_| START + rng.i64(0..YEAR));
            (ends[0].min(ends[1]), ends[0].max(ends[1]))
        };
        bencher.iter_batched(
            window,
            |(from, to)| counters.members(moment, from, to),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("apply a visit", |bencher| {
        let (mut at, mut seq) = (START + YEAR, VISITS);
        let mut rng = Rng::with_seed(11);
        bencher.iter(|| {
            (at, seq) = (at + 1, seq + 1);
            figures.apply(&exchange(seq, at, &mut rng)).unwrap();
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = engine, partner, visitors
}
criterion_main!(benches);
