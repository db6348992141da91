//! Workloads of the engine alone, on one thread: the number of instructions is the same every time.
//!
//! One program with 100,000 events of a year.

use std::collections::HashMap;
use std::hint::black_box;

use fastrand::Rng;
use stampcard::analytics::snapshot::{Part, SegmentId, Stored};
use stampcard::analytics::{Engine, Figures, Interval};
use stampcard::domain::Activity;

use crate::figures::Group;
use crate::support::events::{
    HOUR, OFFERS, PROGRAM, START, YEAR, activity, entry, figures, window,
};
use crate::{Workload, callgrind};

const EVENTS: i64 = 100_000;
const BATCH: usize = 64;

/// An operation that can be repeated.
type Step = Box<dyn FnMut()>;

/// Prepares a given number of steps. The preparation is the same for n and for 2n steps, so that it
/// is not part of the difference.
type Prepare = fn(usize) -> Step;

const WORKLOADS: [(&str, usize, Prepare); 8] = [
    ("apply-64-mints", 200, |most| apply(most, None)),
    ("apply-64-spends", 200, |most| apply(most, Some(1))),
    ("timeseries-30-days", 200, |_| {
        timeseries(Interval::Day, 30 * 24)
    }),
    ("timeseries-720-hours", 50, |_| {
        timeseries(Interval::Hour, 720)
    }),
    ("timeseries-8760-hours", 5, |_| {
        timeseries(Interval::Hour, 8760)
    }),
    ("summary", 2_000, |_| summary()),
    ("snapshot-write", 10, |_| snapshot_write()),
    ("snapshot-load", 10, |_| snapshot_load()),
];

/// Each workload runs in a separate process: this program, started as `workload NAME COUNT`.
pub(crate) fn workloads<'a>() -> Vec<Workload<'a>> {
    let workload = |(name, count, _): (&'static str, usize, Prepare)| Workload {
        group: Group::Engine,
        name,
        count,
        run: Box::new(move |count| instructions(name, count)),
    };
    WORKLOADS.into_iter().map(workload).collect()
}

fn instructions(name: &str, count: usize) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("counts");
    let status = callgrind::command(&std::env::current_exe().unwrap(), &counts)
        .args(["workload", name, &count.to_string()])
        .status();
    assert!(status.unwrap().success(), "{name} failed");
    callgrind::total(&counts)
}

/// Runs one workload a given number of times.
pub(crate) fn run(name: &str, count: usize) {
    let mut workloads = WORKLOADS.iter();
    let (_, once, prepare) = workloads.find(|(known, ..)| *known == name).unwrap();
    let mut step = prepare(2 * once);
    for _ in 0..count {
        step();
    }
}

fn history() -> Figures {
    figures(EVENTS)
}

fn apply(most: usize, offer: Option<i64>) -> Step {
    let engine = Engine::new(history());
    let mut rng = Rng::with_seed(8);
    let mut number = 1 + OFFERS + EVENTS;
    let batches: Vec<Vec<Activity>> = (0..most)
        .map(|_| {
            let activities = (0..BATCH).map(|_| {
                number += 1;
                // Times after the end of the history, some milliseconds apart.
                activity(
                    number,
                    START + 2 * YEAR + 7 * number,
                    entry(&mut rng, offer),
                )
            });
            activities.collect()
        })
        .collect();
    let mut next = 0;
    Box::new(move || {
        engine.apply(&batches[next]).unwrap();
        next += 1;
    })
}

fn timeseries(interval: Interval, hours: i64) -> Step {
    let engine = Engine::new(history());
    let window = window(interval, hours * HOUR);
    Box::new(move || {
        black_box(engine.timeseries(PROGRAM, black_box(&window), None));
    })
}

fn summary() -> Step {
    let engine = Engine::new(history());
    Box::new(move || {
        black_box(engine.summary(black_box(PROGRAM)));
    })
}

fn snapshot_write() -> Step {
    let figures = history();
    Box::new(move || {
        black_box(figures.capture(&Stored::default()));
    })
}

fn snapshot_load() -> Step {
    let capture = history().capture(&Stored::default()).unwrap();
    let segments: HashMap<SegmentId, Part> = capture.segments.iter().cloned().collect();
    Box::new(move || {
        let restored = Figures::restore(&capture.state, |id| segments.get(&id).cloned());
        black_box(restored.unwrap());
    })
}
