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

#[rustfmt::skip]
fn targets(figures: &Figures) -> Vec<Target> {
    use Better::{Less, More};
    let http = |name| figures.http(64, name, "ratio");
    let get = |name: &str| figures.get(name);
    let ms = |name| get(name).map(|seconds| 1e3 * seconds);
    let to = |what, unit, better, must, aim, found| Target { what, unit, better, must, aim, found };
    vec![
        to("`/healthz`, 64 clients, of bare actix", "", More, 0.8, 0.9, http("/healthz")),
        to("summary, 64 clients, of bare actix", "", More, 0.8, 0.9, http("summary")),
        to("timeseries of 30 days, 64 clients, of a constant of its size", "", More, 0.6, 0.8,
            http("timeseries, 30 days")),
        to("wallet, 64 clients, of bare actix", "", More, 0.65, 0.8, http("wallet")),
        to("eligibility, 64 clients, of bare actix", "", More, 0.65, 0.8, http("eligibility")),
        to("member by id, 64 clients, of bare actix", "", More, 0.5, 0.65, http("member")),
        to("credits, 64 clients, 1,000 members, of the append sketch", "", More, 0.75, 0.9,
            get("credits.1000.64.ratio")),
        to("credits, 256 clients, 1,000 members, of the append sketch", "", More, 0.75, 0.9,
            get("credits.1000.256.ratio")),
        to("credits, 64 clients, 200,000 members and 10 M events, of the append sketch", "", More,
            0.7, 0.9, get("credits.200000.64.ratio")),
        to("credits, 256 clients, 200,000 members and 10 M events, of the append sketch", "", More,
            0.7, 0.9, get("credits.200000.256.ratio")),
        to("bytes written to the disk for a credit, 64 clients, 200,000 random members", " B", Less,
            1_600.0, 1_000.0, get("credits.200000.bytes")),
        to("the same by those of the append sketch", " ×", Less, 1.4, 1.15,
            get("credits.200000.bytes-ratio")),
        to("the same with 1,000,000 random members", " ×", Less, 1.4, 1.15,
            get("credits.1000000.bytes-ratio")),
        to("one client, p50 of a credit by the append sketch's", " ×", Less, 1.25, 1.05,
            get("credits.1000.1.p50-ratio")),
        to("credits to points in lots, 64 clients, 200,000 members, of those to a sum", "", More, 0.8,
            0.95, get("credits.lots.ratio")),
        to("reads (wallet) while writes saturate, p99 by p99 alone", " ×", Less, 2.0, 1.3,
            get("contention.wallet")),
        to("one tenant floods: another tenant's list, p99 by its quiet p99", " ×", Less, 5.0, 2.0,
            get("flood.list")),
        to("one tenant floods: another tenant's credit, p99 by its quiet p99", " ×", Less, 5.0, 2.0,
            get("flood.credit")),
        to("a million lots expire at once: another tenant's credit, p99 by its quiet p99", " ×", Less,
            5.0, 2.0, get("sweep.ratio")),
        to("a million lots expire at once: until all have", " s", Less, 10.0, 5.0,
            get("sweep.seconds")),
        to("engine, 30 buckets over 10 M events", " µs", Less, 4.8, 3.6,
            figures.engine("10M", "30 days")),
        to("engine, 8,760 hour-buckets over 10 M events", " ms", Less, 4.7, 1.0,
            figures.engine("10M", "8760 hours").map(|us| us / 1e3)),
        to("memory for each timeline entry at 10 M", " B", Less, 4.0, 3.0,
            get("engine.10M.entry")),
        to("memory for each idempotency record", " B", Less, 2.0, 2.0, get("memory.answer")),
        to("memory for each member with an account", " B", Less, 120.0, 100.0,
            get("million.account")),
        to("start to a right summary, 10 M rows and 200,000 members, with a snapshot", " ms", Less,
            250.0, 100.0, ms("start.snapshot")),
        to("idle memory, empty", " MB", Less, 24.0, 16.0, get("memory.empty")),
        to("idle memory, 10 M rows and 200,000 members, without idempotency records", " MB", Less,
            125.0, 100.0, get("memory.full")),
        to("the program, stripped, default features", " MB", Less, 30.0, 20.0, get("disk.binary")),
    ]
}

/// The capacity of one machine, for choosing one.
pub(crate) fn sizing(figures: &Figures) -> String {
    let get = |name: &str| figures.get(name);
    let http = |name, field| figures.http(64, name, field);
    let credit = |field: &str| figures.get(&format!("credits.200000.64.{field}"));
    let days_of_ten_million = |bytes_a_row: Option<f64>| bytes_a_row.map(|bytes| bytes / 100.0);
    let lines = [
        (
            "durable credits a second, 64 clients, 200,000 members and 10 M events",
            credit("rate"),
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
        ("p99 of such a credit", credit("p99"), 1, " ms"),
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
        writeln!(table, "| {what} | {} |", shown(value, digits, unit)).unwrap();
    }
    table
}

/// What a million members take, and ten million by arithmetic: everything beyond an empty server
/// ten times, a start ten times as a whole.
pub(crate) fn sizing_members(figures: &Figures) -> String {
    let get = |name: &str| figures.get(name);
    let memory = |times: f64| {
        let empty = get("memory.empty")?;
        Some(empty + times * (get("million.resident")? - empty))
    };
    let lines = [
        (
            "members and their events",
            "1,000,000 and 2,000,000".to_owned(),
            "10,000,000 and 20,000,000".to_owned(),
        ),
        (
            "resident memory",
            shown(memory(1.0), 0, " MB"),
            shown(memory(10.0), 0, " MB"),
        ),
        (
            "start with a snapshot",
            shown(get("million.start"), 2, " s"),
            shown(get("million.start").map(|start| 10.0 * start), 1, " s"),
        ),
        (
            "the file",
            shown(get("million.file").map(|file| file / 1e3), 2, " GB"),
            shown(get("million.file").map(|file| file / 100.0), 1, " GB"),
        ),
        (
            "bytes written for a credit",
            shown(get("credits.1000000.bytes"), 0, " B"),
            "–".to_owned(),
        ),
    ];
    let mut table = "| | measured | computed |\n| --- | --- | --- |\n".to_owned();
    for (what, measured, computed) in lines {
        writeln!(table, "| {what} | {measured} | {computed} |").unwrap();
    }
    table
}

fn shown(value: Option<f64>, digits: usize, unit: &str) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}{unit}"))
}
