//! The cost of a long history: start, memory, disk, credits, and reads during writes; the cost of a
//! million members; and the cost of each request as members, offers, programs and the history grow
//! ten and a hundred times.
//!
//! Run with `cargo bench --bench scale`; `-- 1` runs one round instead of three, a word selects the
//! parts whose name contains it: `start`, `memory`, `disk`, `decay`, `contention`, `million`,
//! `growth`. Server and load are pinned to one core each. docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use self::support::history::{History, Size};
use self::support::load::{Scenario, Seen, load, median_of};
use self::support::results::{Arguments, Results};
use self::support::sizes::{BASE, GROWTH, MILLION_MEMBERS, TEN_MILLION};
use self::support::{PARTNER_KEY, Server, median, megabytes};

/// The number of rounds; the tables show their medians.
const ROUNDS: usize = 3;
/// Seconds of load in a round; the second is for parts that measure only the cost of a request.
const SECONDS: u32 = 3;
const SECONDS_OF_COST: u32 = 1;
const WRITERS: u32 = 64;
const READERS: u32 = 16;
/// Members that credits and reads are spread over, where an empty server is compared with a full
/// one.
const MEMBERS: u64 = 2_000;

/// Runs a measurement a given number of times.
type Part = fn(usize, &mut Results);

fn main() {
    let arguments = Arguments::read(ROUNDS);
    if let Some([path, ..]) = arguments.part("read") {
        return println!("{}", read_once(Path::new(path)));
    }
    let mut results = Results::new("scale", &arguments);
    let parts: [(&str, Part); 7] = [
        ("start", start),
        ("memory", memory),
        ("disk", disk),
        ("decay", decay),
        ("contention", contention),
        ("million", million_members),
        ("growth", growth),
    ];
    for (name, part) in parts {
        if arguments.is_selected(name) {
            part(arguments.rounds, &mut results);
        }
    }
    results.save();
}

/// Measures the time from the start of the process to a correct summary, with ten million rows in
/// the log.
fn start(rounds: usize, results: &mut Results) {
    let history = History::of(&TEN_MILLION);
    let (_folder, path) = history.copy();
    let right = summary(&Server::open_pinned("0", &path));
    let mut times = [const { Vec::new() }; 5];
    for keeps_answers in [true, false] {
        if !keeps_answers {
            change(&path, WITHOUT_ANSWERS);
        }
        for _ in 0..rounds {
            let first = if keeps_answers { 0 } else { 2 };
            times[first].push(time_to_summary(&path, &right));
            change(&path, WITHOUT_SNAPSHOT);
            times[first + 1].push(time_to_summary(&path, &right));
            times[4].push(reading_time(&path));
            // A stop writes the next snapshot.
            let server = Server::open_pinned("0", &path);
            server.signal("TERM");
            server.wait();
        }
    }
    let [snapshot, none, snapshot_alone, none_alone, reading] = times.map(median);
    results.figure("start.snapshot", snapshot);
    results.figure("start.none", none);
    results.figure("start.snapshot-alone", snapshot_alone);
    results.figure("start.none-alone", none_alone);
    results.figure("start.reading", reading);
    let row = |name: &str, time: f64| {
        let ms = 1e3 * time;
        format!("| {name} | {ms:.0} ms | {:.2} |\n", time / reading)
    };
    let table = format!(
        "| start to a right summary, {} rows | time | of reading the rows once |\n\
         | --- | --- | --- |\n{}{}{}{}{}",
        history.rows,
        row("reading the rows once, on one connection", reading),
        row("with a snapshot", snapshot_alone),
        row("without one", none_alone),
        row(
            &format!(
                "with a snapshot and {} idempotency records",
                history.answers
            ),
            snapshot
        ),
        row("without one, and the same", none),
    );
    results.table("start", table);
}

/// docs/OPERATING.md lists these for deletion to force a full fold.
const WITHOUT_SNAPSHOT: &str =
    "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment;
     DELETE FROM book_generation; DELETE FROM book_part";

/// The idempotency records and their index.
const WITHOUT_ANSWERS: &str =
    "DELETE FROM idempotency; DELETE FROM idempotency_segment; DELETE FROM idempotency_list;
     DELETE FROM idempotency_filter";

/// Changes the database of a stopped server.
fn change(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}

fn summary(server: &Server) -> Value {
    server.client().get("/v1/analytics/summary")
}

fn time_to_summary(path: &Path, right: &Value) -> f64 {
    let start = Instant::now();
    let server = Server::open_pinned("0", path);
    assert_eq!(summary(&server), *right);
    start.elapsed().as_secs_f64()
}

/// How long one connection takes to read the rows of the log, in a process on the server's core.
fn reading_time(path: &Path) -> f64 {
    let output = Command::new("taskset")
        .args(["-c", "0"])
        .arg(std::env::current_exe().unwrap())
        .arg("read")
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

fn read_once(path: &Path) -> f64 {
    let start = Instant::now();
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT * FROM activity ORDER BY seq")
        .unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut sum = 0_i64;
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            let value = row.get_ref(column).unwrap();
            sum = sum.wrapping_add(value.as_i64_or_null().unwrap_or_default().unwrap_or(1));
        }
    }
    std::hint::black_box(sum);
    start.elapsed().as_secs_f64()
}

/// The resident memory of a server that has just started, in megabytes.
fn idle(server: &Server) -> f64 {
    std::thread::sleep(Duration::from_secs(3));
    megabytes(server.resident_bytes())
}

/// Measures the resident memory of a server without requests.
fn memory(_: usize, results: &mut Results) {
    let empty = idle(&Server::start_pinned("0"));
    let history = History::of(&TEN_MILLION);
    let (_folder, path) = history.copy();
    let with_answers = idle(&Server::open_pinned("0", &path));
    change(&path, WITHOUT_ANSWERS);
    let full = idle(&Server::open_pinned("0", &path));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let an_answer = 1e6 * (with_answers - full) / history.answers as f64;
    results.figure("memory.empty", empty);
    results.figure("memory.full", full);
    results.figure("memory.answer", an_answer);
    let table = format!(
        "| idle server | resident |\n| --- | --- |\n| empty | {empty:.1} MB |\n\
         | {} rows of the log, no idempotency records | {full:.1} MB |\n\
         | the same with {} idempotency records | {with_answers:.1} MB |\n\
         | each idempotency record | {an_answer:.2} B |\n",
        history.rows, history.answers
    );
    results.table("memory", table);
}

/// Measures sizes on the disk: of the program, and of the database per event.
fn disk(_: usize, results: &mut Results) {
    let binary = std::fs::metadata(env!("CARGO_BIN_EXE_stampcard")).unwrap();
    let binary = megabytes(binary.len());
    results.figure("disk.binary", binary);
    let history = History::of(&TEN_MILLION);
    let connection = Connection::open(&history.path).unwrap();
    // The pages of an index count for its table.
    let mut statement = connection
        .prepare(
            "SELECT coalesce(s.tbl_name, d.name) AS part, sum(d.pgsize) FROM dbstat d
             LEFT JOIN sqlite_schema s ON s.name = d.name
             WHERE d.aggregate = TRUE GROUP BY part ORDER BY 2 DESC",
        )
        .unwrap();
    let weights: Vec<(String, i64)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let total: i64 = weights.iter().map(|(_, bytes)| bytes).sum();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let per_row = |bytes: i64| bytes as f64 / history.rows as f64;
    let mut table = format!(
        "| on the disk | |\n| --- | --- |\n| the program, stripped | {binary:.1} MB |\n\
         | the database, for each of {} rows of the log | {:.1} B |\n",
        history.rows,
        per_row(total)
    );
    for (part, bytes) in weights.iter().take(6) {
        writeln!(table, "| of that, `{part}` | {:.1} B |", per_row(*bytes)).unwrap();
    }
    let of_answers = weights
        .iter()
        .filter(|(part, _)| part.starts_with("idempotency"));
    let answers: i64 = of_answers.map(|(_, bytes)| bytes).sum();
    results.figure("disk.row", per_row(total - answers));
    results.figure("disk.answers", per_row(answers));
    results.table("disk", table);
}

/// Credits on a server with a long log and many idempotency records, and on one with neither.
fn decay(rounds: usize, results: &mut Results) {
    let history = History::of(&TEN_MILLION);
    let (_folder, path) = history.copy();
    let arms = [Server::start_pinned("0"), Server::open_pinned("0", &path)];
    let mut client = arms[0].client();
    for number in 0..MEMBERS {
        let path = format!("/v1/members/m{number}");
        client.expect("PUT", &path, &json!({}), 200);
    }
    let scenario = credit(MEMBERS);
    let mut seen = [Vec::new(), Vec::new()];
    // The first turn of each is a warm-up.
    for round in 0..=rounds {
        for (server, seen) in arms.iter().zip(&mut seen) {
            let now = load(server.target(), &scenario, WRITERS, SECONDS);
            if round > 0 {
                seen.push(now);
            }
        }
    }
    let [empty, full] = [0, 1].map(|arm| median_of(&seen[arm], |seen| seen.per_second));
    let [empty_cpu, full_cpu] = [0, 1].map(|arm| median_of(&seen[arm], |seen| seen.cpu_us));
    results.figure("decay.ratio", full / empty);
    let table = format!(
        "| credits, {WRITERS} clients | credits/s | server's CPU a credit | of empty |\n\
         | --- | --- | --- | --- |\n\
         | empty | {empty:.0} | {empty_cpu:.1} µs | 1.000 |\n\
         | {} ledger entries and {} idempotency records | {full:.0} | {full_cpu:.1} µs | {:.3} |\n",
        history.entries,
        history.answers,
        full / empty
    );
    results.table("decay", table);
}

fn credit(members: u64) -> Scenario {
    let fields = ",\"amount\":1";
    Scenario::post_member("credit", "/v1/wallet/credit", fields, members)
}

fn wallet(members: u64) -> Scenario {
    Scenario::get_member("wallet", "/v1/wallet?externalUserID=m", members)
}

/// Reads alone, and the same reads during writes at full speed.
fn contention(rounds: usize, results: &mut Results) {
    let history = History::of(&TEN_MILLION);
    let (_folder, path) = history.copy();
    let server = Server::open_pinned("0", &path);
    let reads = [
        ("wallet", wallet(MEMBERS)),
        ("summary", Scenario::get("summary", "/v1/analytics/summary")),
    ];
    let mut table = String::from(
        "| reads | alone: requests/s | p50 | p99 | beside writes: requests/s | p50 | p99 \
         | p99 by p99 alone | credits/s meanwhile |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (name, scenario) in reads {
        let (mut alone, mut beside, mut writes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            alone.push(load(server.target(), &scenario, READERS, SECONDS));
            let (read, written) = std::thread::scope(|scope| {
                let credit = credit(MEMBERS);
                let target = server.target();
                let writing = scope.spawn(move || load(target, &credit, WRITERS, SECONDS + 1));
                // The writers start before the readers and end after them.
                std::thread::sleep(Duration::from_millis(500));
                let read = load(target, &scenario, READERS, SECONDS);
                (read, writing.join().unwrap())
            });
            beside.push(read);
            writes.push(written);
        }
        let part = |seen: &[Seen]| {
            let rate = median_of(seen, |seen| seen.per_second);
            let p50 = median_of(seen, |seen| seen.p50_ms);
            let p99 = median_of(seen, |seen| seen.p99_ms);
            (p99, format!("{rate:.0} | {p50:.2} ms | {p99:.2} ms"))
        };
        let ((before, alone), (after, beside)) = (part(&alone), part(&beside));
        let written = median_of(&writes, |seen| seen.per_second);
        let ratio = after / before;
        results.figure(&format!("contention.{name}"), ratio);
        writeln!(
            table,
            "| {name} | {alone} | {beside} | {ratio:.2} | {written:.0} |"
        )
        .unwrap();
    }
    results.table("contention", table);
}

/// What depends on the number of members, measured on one history.
struct Populated {
    members: u64,
    events: u64,
    /// From the start of the process to a summary, in seconds.
    start: f64,
    /// Resident memory without idempotency records, of that the books, and the file, in megabytes.
    resident: f64,
    books: f64,
    file: f64,
    /// Rates and latencies by request.
    seen: Vec<(String, Seen)>,
}

impl Populated {
    fn measure(size: &Size, rounds: usize) -> Self {
        let history = History::of(size);
        let (_folder, path) = history.copy();
        let file = megabytes(std::fs::metadata(&path).unwrap().len());
        let right = summary(&Server::open_pinned("0", &path));
        let start = (0..rounds)
            .map(|_| time_to_summary(&path, &right))
            .collect();
        let server = Server::open_pinned("0", &path);
        let requests = [
            wallet(history.members),
            Scenario::get_member("member", "/v1/members/m", history.members),
            credit(history.members),
        ];
        let seen = requests.into_iter().map(|scenario| {
            let load = || load(server.target(), &scenario, WRITERS, SECONDS);
            load();
            let mut seen: Vec<Seen> = (0..rounds).map(|_| load()).collect();
            seen.sort_by(|a, b| a.p50_ms.total_cmp(&b.p50_ms));
            let middle = seen[(seen.len() - 1) / 2];
            (scenario.name, middle)
        });
        let seen = seen.collect();
        server.signal("TERM");
        server.wait();
        change(&path, WITHOUT_ANSWERS);
        let server = Server::open_pinned("0", &path);
        let resident = idle(&server);
        let books = server.gauge("books_bytes") / 1e6;
        Self {
            members: history.members,
            events: size.events,
            start: median(start),
            resident,
            books,
            file,
            seen,
        }
    }
}

/// Compares a million members with 200,000.
fn million_members(rounds: usize, results: &mut Results) {
    let [some, many] =
        [&TEN_MILLION, &MILLION_MEMBERS].map(|size| Populated::measure(size, rounds));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let account = |of: &Populated| 1e6 * of.books / of.members as f64;
    results.figure("million.start", many.start);
    results.figure("million.resident", many.resident);
    results.figure("million.file", many.file);
    results.figure("million.account", account(&many));
    let mut table = format!(
        "| members | {} | {} |\n| --- | --- | --- |\n",
        some.members, many.members
    );
    let mut line = |what: &str, value: fn(&Populated) -> String| {
        writeln!(table, "| {what} | {} | {} |", value(&some), value(&many)).unwrap();
    };
    line("events", |found| found.events.to_string());
    line("start to a right summary, with a snapshot", |found| {
        format!("{:.0} ms", 1e3 * found.start)
    });
    line("resident memory, no idempotency records", |found| {
        format!("{:.1} MB", found.resident)
    });
    line("of that, the books", |found| {
        format!("{:.1} MB", found.books)
    });
    line("the file", |found| format!("{:.0} MB", found.file));
    for ((name, some), (_, many)) in some.seen.iter().zip(&many.seen) {
        let [some, many] = [some, many].map(|seen| {
            format!(
                "{:.0}/s, {:.2} and {:.2} ms",
                seen.per_second, seen.p50_ms, seen.p99_ms
            )
        });
        writeln!(
            table,
            "| {name}, {WRITERS} clients: rate, p50 and p99 | {some} | {many} |"
        )
        .unwrap();
    }
    writeln!(
        table,
        "| memory for each account | {:.1} B | {:.1} B |",
        account(&some),
        account(&many)
    )
    .unwrap();
    results.table("million", table);
}

/// Measures the cost of a request while one quantity grows. The three servers alternate.
fn growth(rounds: usize, results: &mut Results) {
    let mut table = String::from(
        "| what grows | request | base | × 10 | × 100 | × 100 by base | |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (what, [ten, hundred]) in &GROWTH {
        let mut grown = [&BASE, ten, hundred].map(Grown::open);
        for _ in 0..rounds {
            grown.iter_mut().for_each(Grown::measure);
        }
        let [base, ten, hundred] = grown.map(Grown::costs);
        for (((name, base), (_, ten)), (_, hundred)) in base.into_iter().zip(ten).zip(hundred) {
            let ratio = hundred / base;
            results.figure(&format!("growth.{what}.{name}"), ratio);
            writeln!(
                table,
                "| {what} | {name} | {base:.1} µs | {ten:.1} µs | {hundred:.1} µs | {ratio:.2} \
                 | {} |",
                shape(base, ten, hundred)
            )
            .unwrap();
        }
    }
    results.table("growth", table);
}

/// Describes the curve through three points, each ten times as far out as the one before. A linear
/// cost also has a constant part, so the last step decides.
fn shape(base: f64, ten: f64, hundred: f64) -> &'static str {
    let (first, second) = (ten - base, hundred - ten);
    if hundred < 1.3 * base {
        "flat"
    } else if second < 3.0 * first.max(0.1 * base) {
        "logarithmic"
    } else if second < 30.0 * first.max(0.05 * base) {
        "linear"
    } else {
        "worse than linear"
    }
}

/// A server on a history of a given size, and the measured cost of each kind of request.
struct Grown {
    server: Server,
    scenarios: Vec<Scenario>,
    seen: Vec<Vec<Seen>>,
    _folder: tempfile::TempDir,
}

impl Grown {
    fn open(size: &Size) -> Self {
        let history = History::of(size);
        let (folder, path) = history.copy();
        let scenarios = requests(&history);
        Self {
            server: Server::open_pinned("0", &path),
            seen: vec![Vec::new(); scenarios.len()],
            scenarios,
            _folder: folder,
        }
    }

    fn measure(&mut self) {
        for (scenario, seen) in self.scenarios.iter().zip(&mut self.seen) {
            let target = self.server.target();
            seen.push(load(target, scenario, READERS, SECONDS_OF_COST));
        }
    }

    /// Microseconds of processor time, by the name of the request.
    fn costs(self) -> Vec<(String, f64)> {
        let names = self.scenarios.into_iter().map(|scenario| scenario.name);
        let costs = self
            .seen
            .iter()
            .map(|seen| median_of(seen, |seen| seen.cpu_us));
        names.zip(costs).collect()
    }
}

fn requests(history: &History) -> Vec<Scenario> {
    let (from, to) = (history.day(100).to_string(), history.day(130).to_string());
    let series = format!("/v1/analytics/timeseries?from={from}&to={to}&interval=day");
    let days = format!("startDate={}&endDate={}", &from[..10], &to[..10]);
    let partner = format!("/partner/analytics?{days}");
    let members = history.members;
    let eligibility = "/v1/eligibility?externalUserID=m";
    let redemptions = "/v1/redemptions?limit=20&externalUserID=m";
    let ledger = "/v1/wallet/transactions?limit=20&externalUserID=m";
    vec![
        Scenario::get("summary", "/v1/analytics/summary"),
        Scenario::get("timeseries, 30 days", &series),
        Scenario::get("offers", "/v1/analytics/offers"),
        Scenario::get("program activity", "/v1/reports/program-activity"),
        Scenario::get_with("partner analytics", &partner, PARTNER_KEY),
        Scenario::get_member("member", "/v1/members/m", members),
        wallet(members),
        Scenario::get_member("eligibility", eligibility, members),
        Scenario::get("20 members", "/v1/members?limit=20"),
        Scenario::get_member("20 redemptions of a member", redemptions, members),
        Scenario::get_member("20 ledger entries of a member", ledger, members),
        credit(members),
        Scenario::post_member("token exchange", "/v1/auth/exchange", "", members),
    ]
}
