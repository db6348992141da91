//! Performance targets of the server, compared with the results of the benchmarks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Results by name.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    pub(crate) fn add(&mut self, figures: BTreeMap<String, f64>) {
        self.0.extend(figures);
    }

    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// A figure of the history of a million events over HTTP.
    fn http(&self, clients: u32, name: &str, field: &str) -> Option<f64> {
        self.get(&format!("http.1M.{clients}.{name}.{field}"))
    }

    /// A time of the engine, in microseconds.
    fn engine(&self, size: &str, name: &str) -> Option<f64> {
        Some(self.get(&format!("engine.{size}.{name}"))? / 1e3)
    }
}

/// The direction in which a figure improves.
enum Better {
    More,
    Less,
}

/// A target: its subject, the required value, the desired value, the result.
struct Target {
    what: &'static str,
    unit: &'static str,
    better: Better,
    must: f64,
    aim: f64,
    found: Option<f64>,
}

/// The table of all targets.
pub(crate) fn table(figures: &Figures) -> String {
    let mut table =
        String::from("| what | must | aim | measured | |\n| --- | --- | --- | --- | --- |\n");
    for target in targets(figures) {
        table += &row(&target);
    }
    table
}

fn row(target: &Target) -> String {
    let Target {
        what,
        unit,
        better,
        must,
        aim,
        found,
    } = target;
    let Some(found) = *found else {
        return format!("| {what} | {must}{unit} | {aim}{unit} | – | not measured |\n");
    };
    let reaches = |limit: f64| match better {
        Better::More => found >= limit,
        Better::Less => found <= limit,
    };
    let verdict = match (reaches(*must), reaches(*aim)) {
        (_, true) => "aim reached",
        (true, false) => "must reached",
        (false, false) => "**not reached**",
    };
    let shown = match found {
        100.0.. => format!("{found:.0}"),
        10.0..100.0 => format!("{found:.1}"),
        1.0..10.0 => format!("{found:.2}"),
        _ => format!("{found:.3}"),
    };
    format!("| {what} | {must}{unit} | {aim}{unit} | {shown}{unit} | {verdict} |\n")
}

const DAYS: &str = "timeseries, 30 days";

#[rustfmt::skip]
fn targets(figures: &Figures) -> Vec<Target> {
    use Better::{Less, More};
    let http = |clients, name, field| figures.http(clients, name, field);
    let get = |name| figures.get(name);
    let ratio = |name, floor| Some(get(name)? / get(floor)?);
    let days = |size| figures.engine(size, "30 days");
    let to = |what, unit, better, must, aim, found| Target { what, unit, better, must, aim, found };
    vec![
        to("summary, 64 clients, of bare actix", "", More, 0.85, 0.95,
            http(64, "summary", "ratio")),
        to("timeseries of 30 days, 64 clients, of a constant body of the same size", "", More,
            0.6, 0.8, http(64, DAYS, "ratio")),
        to("engine, 30 buckets over 10 M events", " µs", Less, 50.0, 10.0, days("10M")),
        to("the same by its time at 100 k events", " ×", Less, 2.0, 1.3,
            days("10M").zip(days("100k")).map(|(long, short)| long / short)),
        to("engine, 8,760 hour-buckets over 10 M events", " ms", Less, 5.0, 1.0,
            figures.engine("10M", "8760 hours").map(|us| us / 1e3)),
        to("memory for each timeline entry at 10 M", " B", Less, 4.0, 3.0,
            get("engine.10M.entry")),
        to("durable credits, 64 clients, of the sketch", "", More, 0.8, 1.1,
            http(64, "credit", "ratio")),
        to("durable credits, 256 clients, of the sketch", "", More, 0.8, 1.1,
            http(256, "credit", "ratio")),
        to("eligibility, 64 clients, of bare actix", "", More, 0.4, 0.6,
            http(64, "eligibility", "ratio")),
        to("wallet, 64 clients, of bare actix", "", More, 0.4, 0.6,
            http(64, "wallet", "ratio")),
        to("member by id, 64 clients, of bare actix", "", More, 0.4, 0.6,
            http(64, "member", "ratio")),
        to("one client, p50 of a credit by the sketch's", " ×", Less, 1.25, 1.05,
            http(1, "credit", "p50-ratio")),
        to("the figures' share of a write's cost", " %", Less, 5.0, 1.0, share(figures)),
        to("decay: credits/s with 10 M rows and idempotency records, of empty", "", More, 0.7, 0.9,
            get("decay.ratio")),
        to("reads (wallet) while writes saturate, p99 by p99 alone", " ×", Less, 3.0, 1.5,
            get("contention.wallet")),
        to("start to a right summary, 10 M rows, with a snapshot", " ms", Less, 250.0, 80.0,
            get("start.snapshot").map(|seconds| 1e3 * seconds)),
        to("the same without, by reading the rows once", " ×", Less, 1.5, 1.1,
            ratio("start.none", "start.reading")),
        to("idle memory, empty", " MB", Less, 24.0, 16.0, get("memory.empty")),
        to("idle memory, 10 M rows, without idempotency records", " MB", Less, 96.0, 56.0,
            get("memory.full")),
        to("memory for each idempotency record", " B", Less, 2.0, 2.0, get("memory.answer")),
        to("the program with the dashboard, stripped", " MB", Less, 25.0, 15.0,
            get("disk.binary")),
    ]
}

/// The share of the engine in the cost of a credit.
fn share(figures: &Figures) -> Option<f64> {
    let counting = figures.engine("1M", "apply a batch of 64 mints")? / 64.0;
    Some(100.0 * counting / figures.http(64, "credit", "cpu")?)
}

/// The capacity of one machine, for choosing one.
pub(crate) fn sizing(figures: &Figures) -> String {
    let get = |name: &str| figures.get(name);
    let http = |name, field| figures.http(64, name, field);
    let days_of_ten_million = |bytes_a_row: Option<f64>| bytes_a_row.map(|bytes| bytes / 100.0);
    let lines = [
        (
            "durable credits a second, 64 clients",
            http("credit", "rate"),
            0,
            "",
        ),
        (
            "redemptions and cancellations a second",
            http("redeem, or cancel that", "rate"),
            0,
            "",
        ),
        (
            "token exchanges a second",
            http("token exchange", "rate"),
            0,
            "",
        ),
        ("wallets read a second", http("wallet", "rate"), 0, ""),
        ("summaries a second", http("summary", "rate"), 0, ""),
        (
            "90 % reads and 10 % credits, requests a second",
            http("mixed, 90 % reads", "rate"),
            0,
            "",
        ),
        (
            "p99 of a credit, 64 clients",
            http("credit", "p99"),
            1,
            " ms",
        ),
        (
            "the file, for 10 M rows of the log",
            days_of_ten_million(get("disk.row")),
            2,
            " GB",
        ),
        (
            "and for idempotency records, if most writes of a day have keys, for 10 M rows",
            days_of_ten_million(get("disk.answers")),
            2,
            " GB",
        ),
        ("memory, empty", get("memory.empty"), 0, " MB"),
        ("memory, 10 M rows of the log", get("memory.full"), 0, " MB"),
        (
            "start with a snapshot, 10 M rows",
            get("start.snapshot"),
            2,
            " s",
        ),
        ("start without one", get("start.none"), 2, " s"),
    ];
    let mut table = "| one core for the server | |\n| --- | --- |\n".to_owned();
    for (what, value, digits, unit) in lines {
        let value = value.map_or("–".to_owned(), |value| format!("{value:.digits$}{unit}"));
        writeln!(table, "| {what} | {value} |").unwrap();
    }
    table
}
