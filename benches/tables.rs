//! Writes docs/BENCHMARKS.md and the sizing table of docs/OPERATING.md: every table between its
//! markers, from what the benchmarks found last. Nothing there is typed by hand.
//!
//! Run with `cargo bench --bench tables`, after the others. What was not measured is left as it is.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::path::{Path, PathBuf};

use self::support::folder;
use self::support::results::Results;
use self::support::targets::{self, Figures};

const BENCHMARKS: &str = "docs/BENCHMARKS.md";
const OPERATING: &str = "docs/OPERATING.md";
/// The sizes of the engine's benchmark, as they are named and as they are shown.
const SIZES: [(&str, &str); 4] = [
    ("1k", "1 k"),
    ("100k", "100 k"),
    ("1M", "1 M"),
    ("10M", "10 M"),
];
const ANSWERS: [(&str, &str); 6] = [
    ("30 days", "timeseries, 30 day-buckets"),
    ("720 hours", "timeseries, 720 hour-buckets"),
    ("8760 hours", "timeseries, 8,760 hour-buckets"),
    (
        "whole history in months",
        "timeseries, the whole history in months",
    ),
    ("summary", "summary"),
    ("offers", "figures of 12 offers"),
];
const WORK: [(&str, &str); 4] = [
    ("apply a batch of 64 mints", "counting a batch of 64 mints"),
    (
        "write a first snapshot",
        "writing a first snapshot, in memory",
    ),
    (
        "write the next snapshot",
        "writing the next one, nothing new",
    ),
    ("load a snapshot", "loading a snapshot, from memory"),
];
const PARTNER: [(&str, &str); 4] = [
    (
        "partner: 30 days over 1,000 organizations of 1,000 members",
        "partner, 30 days",
    ),
    (
        "partner: an odd range of 77 days over 1,000 organizations of 1,000 members",
        "partner, 77 days and a millisecond, from an odd time",
    ),
    (
        "partner: all time over 1,000 organizations of 1,000 members",
        "partner, all time",
    ),
    (
        "partner: program activity of 1,000 programs of 1,000 members, 30 days",
        "program activity, 30 days, 1,000 programs",
    ),
];

fn main() {
    let mut figures = Figures::default();
    for name in ["histories", "http", "scale", "streams", "webhooks"] {
        let Some(results) = Results::load(name) else {
            println!("{name} was not measured");
            continue;
        };
        for (table, text) in &results.tables {
            write(BENCHMARKS, table, &format!("{text}\n{}", origin(&results)));
        }
        figures.add(results.figures);
    }
    match Results::load("engine") {
        Some(weights) => engine(&weights, &mut figures),
        None => println!("engine was not measured"),
    }
    write(BENCHMARKS, "targets", &targets::table(&figures));
    write(OPERATING, "sizing", &targets::sizing(&figures));
}

/// Where a table comes from.
fn origin(results: &Results) -> String {
    let rounds = match results.rounds {
        1 => "one round".to_owned(),
        rounds => format!("medians of {rounds} interleaved rounds"),
    };
    format!(
        "`{}`, {rounds}; {}, commit {}, {}.\n",
        results.command, results.machine, results.commit, results.date
    )
}

/// The engine's tables: criterion's medians and what was weighed.
fn engine(weights: &Results, figures: &mut Figures) {
    let header = |first: &str| {
        let names: String = SIZES
            .iter()
            .map(|(_, shown)| format!(" {shown} events |"))
            .collect();
        format!("| {first} |{names}\n| --- | --- | --- | --- | --- |\n")
    };
    for (table, first, rows) in [
        ("engine-answers", "answer", &ANSWERS[..]),
        ("engine-work", "work", &WORK[..]),
    ] {
        let mut text = header(first);
        for (name, shown) in rows {
            text += &format!("| {shown} |");
            for (size, _) in SIZES {
                let median = median(&Path::new(&format!("{size} events")).join(name));
                text += &format!(" {} |", median.map_or("–".to_owned(), time));
                if let Some(median) = median {
                    figures.set(&format!("engine.{size}.{name}"), median);
                }
            }
            text += "\n";
        }
        let origin = format!(
            "`cargo bench --bench engine`, criterion's medians; {}, commit {}, {}.\n",
            weights.machine, weights.commit, weights.date
        );
        write(BENCHMARKS, table, &format!("{text}\n{origin}"));
    }
    let mut text = header("weight");
    let weight = |size: &str, what: &str| -> Option<f64> {
        weights
            .figures
            .get(&format!("engine.{size}.{what}"))
            .copied()
    };
    let per_entry = |size: &str| Some(weight(size, "bytes")? / weight(size, "entries")?);
    type Weight<'a> = (&'a str, &'a dyn Fn(&str) -> Option<f64>, usize);
    let rows: [Weight<'_>; 4] = [
        ("timeline entries", &|size| weight(size, "entries"), 0),
        ("bytes of memory an entry", &per_entry, 2),
        (
            "segments of a snapshot, bytes",
            &|size| weight(size, "segments"),
            0,
        ),
        (
            "state of a snapshot, bytes",
            &|size| weight(size, "state"),
            0,
        ),
    ];
    for (name, weight, digits) in rows {
        let cells: String = SIZES
            .iter()
            .map(|(size, _)| {
                let cell = weight(size).map(|weight| format!("{weight:.digits$}"));
                format!(" {} |", cell.unwrap_or_else(|| "–".to_owned()))
            })
            .collect();
        text += &format!("| {name} |{cells}\n");
    }
    write(BENCHMARKS, "engine-weights", &text);
    if let Some(weight) = per_entry("10M") {
        figures.set("engine.10M.entry", weight);
    }
    let mut text =
        "| over 1,000 organizations of 1,000 members | time |\n| --- | --- |\n".to_owned();
    for (name, shown) in PARTNER {
        let median = median(Path::new(name));
        text += &format!("| {shown} | {} |\n", median.map_or("–".to_owned(), time));
    }
    write(BENCHMARKS, "engine-partner", &text);
}

/// Criterion's median in nanoseconds, if it was measured.
fn median(benchmark: &Path) -> Option<f64> {
    let path = benchmark.join("new/estimates.json");
    let bytes = std::fs::read(folder().with_file_name("criterion").join(path)).ok()?;
    let estimates: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

/// Nanoseconds with three digits that count.
fn time(nanos: f64) -> String {
    let (value, unit) = match nanos {
        ..1e3 => (nanos, "ns"),
        ..1e6 => (nanos / 1e3, "µs"),
        _ => (nanos / 1e6, "ms"),
    };
    match value {
        ..10.0 => format!("{value:.2} {unit}"),
        ..100.0 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// Puts a text between the markers of its name.
fn write(document: &str, name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(document);
    let before = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- {name}:begin -->"),
        format!("<!-- {name}:end -->"),
    );
    let place = before.split_once(&begin).and_then(|(head, rest)| {
        let (_, tail) = rest.split_once(&end)?;
        Some((head, tail))
    });
    let Some((head, tail)) = place else {
        println!("{document} has no place for {name}");
        return;
    };
    let after = format!("{head}{begin}\n{text}{end}{tail}");
    std::fs::write(path, after).unwrap();
}
