//! Writes docs/BENCHMARKS.md and the sizing tables of docs/OPERATING.md: every table between its
//! markers, from the last results of the benchmarks. Nothing there is typed by hand.
//!
//! Run with `cargo bench --bench tables`, after the others. Tables without results are left
//! unchanged.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::path::PathBuf;

use self::support::folder;
use self::support::results::Results;
use self::support::targets::{self, Figures};

const BENCHMARKS: &str = "docs/BENCHMARKS.md";
const OPERATING: &str = "docs/OPERATING.md";
/// The sizes of the engine's benchmark, as named and as shown.
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
    for name in [
        "histories",
        "http",
        "credits",
        "flood",
        "scale",
        "streams",
        "sweep",
        "webhooks",
        "litestream",
    ] {
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
    write(
        OPERATING,
        "sizing-members",
        &targets::sizing_members(&figures),
    );
}

/// The source of a table.
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

/// The engine's tables: criterion's medians and the measured memory.
fn engine(weights: &Results, figures: &mut Figures) {
    let origin = format!(
        "`cargo bench --bench engine`, criterion's medians; {}, commit {}, {}.\n",
        weights.machine, weights.commit, weights.date
    );
    for (table, first, rows) in [
        ("engine-answers", "answer", &ANSWERS[..]),
        ("engine-work", "work", &WORK[..]),
    ] {
        let mut text = by_size(first);
        for (name, shown) in rows {
            let medians = SIZES.map(|(size, _)| (size, median(&[&format!("{size} events"), name])));
            text += &row(shown, medians.map(|(_, median)| median.map(time)));
            for (size, median) in medians {
                if let Some(median) = median {
                    figures.set(&format!("engine.{size}.{name}"), median);
                }
            }
        }
        write(BENCHMARKS, table, &format!("{text}\n{origin}"));
    }
    write(BENCHMARKS, "engine-weights", &memory_table(weights));
    if let Some(weight) = of_an_entry(weights, "10M") {
        figures.set("engine.10M.entry", weight);
    }
    let header = "| over 1,000 organizations of 1,000 members | time |\n| --- | --- |\n";
    let mut text = header.to_owned();
    for (name, shown) in PARTNER {
        text += &row(shown, [median(&[name]).map(time)]);
    }
    write(BENCHMARKS, "engine-partner", &text);
}

/// The head of a table with a column for each size.
fn by_size(first: &str) -> String {
    let [a, b, c, d] = SIZES.map(|(_, shown)| shown);
    format!(
        "| {first} | {a} events | {b} events | {c} events | {d} events |\n\
         | --- | --- | --- | --- | --- |\n"
    )
}

/// A line of a table; a missing result is a dash.
fn row<const CELLS: usize>(first: &str, cells: [Option<String>; CELLS]) -> String {
    let cells = cells.map(|cell| cell.unwrap_or_else(|| "–".to_owned()));
    format!("| {first} | {} |\n", cells.join(" | "))
}

fn memory_table(weights: &Results) -> String {
    let whole = |what: &str| SIZES.map(|(size, _)| bytes_of(weights, size, what).map(shown_whole));
    let of_an_entry = SIZES.map(|(size, _)| of_an_entry(weights, size));
    let lines = [
        row("timeline entries", whole("entries")),
        row(
            "bytes of memory an entry",
            of_an_entry.map(|w| w.map(|w| format!("{w:.2}"))),
        ),
        row("segments of a snapshot, bytes", whole("segments")),
        row("state of a snapshot, bytes", whole("state")),
    ];
    by_size("weight") + &lines.concat()
}

fn bytes_of(weights: &Results, size: &str, what: &str) -> Option<f64> {
    let name = format!("engine.{size}.{what}");
    weights.figures.get(&name).copied()
}

fn of_an_entry(weights: &Results, size: &str) -> Option<f64> {
    Some(bytes_of(weights, size, "bytes")? / bytes_of(weights, size, "entries")?)
}

fn shown_whole(number: f64) -> String {
    format!("{number:.0}")
}

/// Criterion's median in nanoseconds, if measured, of a function in a group or on its own.
fn median(benchmark: &[&str]) -> Option<f64> {
    let mut path = folder().with_file_name("criterion");
    // Criterion's folder names.
    for name in benchmark {
        let name = name.replace(':', "_");
        path.push(name.get(..64).unwrap_or(&name));
    }
    let bytes = std::fs::read(path.join("new/estimates.json")).ok()?;
    let estimates: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

/// Nanoseconds with three significant digits.
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

/// Replaces the text between the markers of a name.
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
        println!("{document} has no markers for {name}");
        return;
    };
    let after = format!("{head}{begin}\n{text}{end}{tail}");
    std::fs::write(path, after).unwrap();
}
