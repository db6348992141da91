//! Durable credits next to two sketches of a server that does nothing else: one that only appends,
//! and one that updates the row of a member. Rates and latencies, and the bytes that reach the
//! disk for each credit.
//!
//! Server and load are pinned to one core each. Credits go to random members, each with its own
//! Idempotency-Key. Run with `cargo bench --bench credits`; `-- 1` runs one round instead of three,
//! and a word selects the parts whose name contains it: `rates-1000`, `rates-200000`,
//! `bytes-200000`, `bytes-1000000` (by the number of members), `commits`, `lots`. The results are
//! in docs/BENCHMARKS.md.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use self::support::disk::Disk;
use self::support::floor::{Floor, Sketch, commits_per_second};
use self::support::history::{History, Size};
use self::support::load::{Scenario, Seen, load, median_of};
use self::support::results::{Arguments, Results};
use self::support::sizes::{MILLION, MILLION_MEMBERS, TEN_MILLION};
use self::support::{Server, Target, folder, median, signal};

/// The number of rounds; the tables show their medians.
const ROUNDS: usize = 3;
const SECONDS: u32 = 3;
const CLIENTS: [u32; 3] = [1, 64, 256];
/// Clients where bytes are counted.
const WRITERS: u32 = 64;
/// Histories, and the members that the credits are for.
const RATES: [(&Size, u64); 2] = [(&MILLION, 1_000), (&TEN_MILLION, 200_000)];
/// Histories whose members all receive credits, and the number of credits while bytes are counted:
/// the server saves its memory again and again meanwhile. A sketch only moves its log into its
/// file, which takes fewer.
const BYTES: [(&Size, f64); 2] = [(&TEN_MILLION, 1.2e6), (&MILLION_MEMBERS, 3e6)];
const CREDITS_OF_A_SKETCH: f64 = 6e5;
/// How often the server has to save the figures while bytes are counted.
const SNAPSHOTS_MIN: usize = 2;
const RATES_HEAD: &str = "\
| server | members | clients | credits/s | p50 | p99 | CPU a credit | of the append sketch \
| of the updating sketch |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";
const SKETCHES: [Sketch; 2] = [Sketch::Append, Sketch::Update];

fn main() {
    let arguments = Arguments::read(ROUNDS);
    let mut results = Results::new("credits", &arguments);
    let mut table = String::new();
    for (size, members) in RATES {
        if arguments.is_selected(&format!("rates-{members}")) {
            table += &rates(size, members, arguments.rounds, &mut results);
        }
    }
    if !table.is_empty() {
        results.table("credits", format!("{RATES_HEAD}{table}"));
    }
    if arguments.is_selected("commits") {
        commits(arguments.rounds, &mut results);
    }
    if arguments.is_selected("lots") {
        lots(arguments.rounds, &mut results);
    }
    match Disk::of(&folder()) {
        Some(disk) => bytes(&disk, &arguments, &mut results),
        None => println!("bytes were not counted: the databases are not on one device"),
    }
    results.save();
}

/// A server under measurement.
struct Arm {
    name: &'static str,
    target: Target,
    seen: Vec<Seen>,
}

impl Arm {
    fn new(name: &'static str, target: Target) -> Self {
        let seen = Vec::new();
        Self { name, target, seen }
    }

    /// Runs the load while the other servers are stopped, so that what a server does after its own
    /// load takes no time from another.
    fn run(&mut self, scenario: &Scenario, clients: u32, seconds: u32) {
        signal(self.target.process, "CONT");
        let seen = load(self.target, scenario, clients, seconds);
        signal(self.target.process, "STOP");
        self.seen.push(seen);
    }
}

fn credit(members: u64) -> Scenario {
    let fields = ",\"amount\":1";
    Scenario::post_member("credit", "/v1/wallet/credit", fields, members)
}

/// The three servers in turns.
fn rates(size: &Size, members: u64, rounds: usize, results: &mut Results) -> String {
    let (_folder, path) = History::of(size).copy();
    let server = Server::open_pinned("0", &path);
    let sketches = SKETCHES.map(|sketch| (sketch.name(), Floor::sketch(sketch, members)));
    let floors = sketches
        .iter()
        .map(|(name, floor)| Arm::new(name, floor.target()));
    let mut arms: Vec<Arm> = std::iter::once(Arm::new("stampcard", server.target()))
        .chain(floors)
        .collect();
    let scenario = credit(members);
    let mut table = String::new();
    for arm in &mut arms {
        arm.run(&scenario, WRITERS, SECONDS);
    }
    for clients in CLIENTS {
        for arm in &mut arms {
            arm.seen.clear();
        }
        for _ in 0..rounds {
            for arm in &mut arms {
                arm.run(&scenario, clients, SECONDS);
            }
        }
        table += &rows(members, clients, &arms, results);
    }
    table
}

/// The lines of the table for a number of clients. The first server is the one that is compared.
fn rows(members: u64, clients: u32, arms: &[Arm], results: &mut Results) -> String {
    let mut table = String::new();
    let rate = |arm: &Arm| median_of(&arm.seen, |seen| seen.per_second);
    let p50 = |arm: &Arm| median_of(&arm.seen, |seen| seen.p50_ms);
    let (append, update) = (&arms[1], &arms[2]);
    for (index, arm) in arms.iter().enumerate() {
        let cpu = median_of(&arm.seen, |seen| seen.cpu_us);
        let p99 = median_of(&arm.seen, |seen| seen.p99_ms);
        let (of_append, of_update) = (rate(arm) / rate(append), rate(arm) / rate(update));
        writeln!(
            table,
            "| {} | {members} | {clients} | {:.0} | {:.2} ms | {p99:.2} ms | {cpu:.1} µs \
             | {of_append:.3} | {of_update:.3} |",
            arm.name,
            rate(arm),
            p50(arm),
        )
        .unwrap();
        if index == 0 {
            let figures = [
                ("rate", rate(arm)),
                ("p99", p99),
                ("ratio", of_append),
                ("p50-ratio", p50(arm) / p50(append)),
            ];
            for (field, value) in figures {
                results.figure(&format!("credits.{members}.{clients}.{field}"), value);
            }
        }
    }
    table
}

fn commits(rounds: usize, results: &mut Results) {
    let (_, members) = RATES[0];
    let rate = median((0..rounds).map(|_| commits_per_second(members)).collect());
    results.table(
        "commits",
        format!(
            "Bare SQLite, the two rows of the append sketch, 256 credits a commit with \
             `synchronous=FULL`: {rate:.0} credits/s.\n"
        ),
    );
}

const LOTS_HEAD: &str = "\
| points are kept | members | clients | credits/s | p50 | p99 | CPU a credit | rate by that of a sum |
| --- | --- | --- | --- | --- | --- | --- | --- |
";

/// Credits to points that are kept in lots, next to points that are kept as a sum, in turns.
fn lots(rounds: usize, results: &mut Results) {
    let (size, members) = RATES[1];
    let servers = [(); 2].map(|()| {
        let (folder, path) = History::of(size).copy();
        (Server::open_pinned("0", &path), folder)
    });
    convert(&servers[1].0);
    let names = ["as a sum", "in lots"];
    let mut arms: Vec<Arm> = names
        .iter()
        .zip(&servers)
        .map(|(name, (server, _))| Arm::new(name, server.target()))
        .collect();
    let scenario = credit(members);
    for round in 0..=rounds {
        for arm in &mut arms {
            arm.run(&scenario, WRITERS, SECONDS);
            // The first round warms up.
            if round == 0 {
                arm.seen.clear();
            }
        }
    }
    let rate = |arm: &Arm| median_of(&arm.seen, |seen| seen.per_second);
    let mut table = LOTS_HEAD.to_owned();
    for arm in &arms {
        let of = |field: fn(&Seen) -> f64| median_of(&arm.seen, field);
        writeln!(
            table,
            "| {} | {members} | {WRITERS} | {:.0} | {:.2} ms | {:.2} ms | {:.1} µs | {:.3} |",
            arm.name,
            rate(arm),
            of(|seen| seen.p50_ms),
            of(|seen| seen.p99_ms),
            of(|seen| seen.cpu_us),
            rate(arm) / rate(&arms[0]),
        )
        .unwrap();
    }
    results.figure("credits.lots.ratio", rate(&arms[1]) / rate(&arms[0]));
    results.table("credits-lots", table);
    for (server, _) in &servers {
        signal(server.target().process, "CONT");
    }
}

/// Puts the points of a server's program into lots, and waits until all are.
fn convert(server: &Server) {
    let mut client = server.client();
    let body = json!({"to": "LOT", "expiry": {"after": "P12M"}});
    client.expect("POST", "/v1/assets/default/convert", &body, 200);
    let body = json!({"expiry": {"after": "P12M"}});
    client.expect("PATCH", "/v1/programs/current", &body, 200);
    while client.get("/v1/assets/default")["converting"] == json!(true) {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What was counted under the load of a server.
struct Written {
    seen: Seen,
    /// Bytes for each credit, by the counter of the device and by that of the process.
    of_device: f64,
    of_process: f64,
}

const BYTES_HEAD: &str = "\
| server | members | credits | credits/s | snapshots meanwhile | bytes a credit \
| of the append sketch | by the counter of the process |
| --- | --- | --- | --- | --- | --- | --- | --- |
";

fn bytes(disk: &Disk, arguments: &Arguments, results: &mut Results) {
    // A quick look counts less.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let part = arguments.rounds.min(ROUNDS) as f64 / ROUNDS as f64;
    let (mut table, mut background) = (String::new(), Vec::new());
    for (size, credits) in BYTES {
        if arguments.is_selected(&format!("bytes-{}", size.members)) {
            table += &bytes_of(disk, size, part, part * credits, &mut background, results);
        }
    }
    if table.is_empty() {
        return;
    }
    let background = median(background) / 1e3;
    let table = format!(
        "{BYTES_HEAD}{table}\nThe device wrote {background:.0} kB in the last second before each \
         load (median).\n"
    );
    results.table("credit-bytes", table);
}

/// Counts what the three servers write for the members of a history, one after the other, and
/// returns the lines of the table.
fn bytes_of(
    disk: &Disk,
    size: &Size,
    part: f64,
    credits: f64,
    background: &mut Vec<f64>,
    results: &mut Results,
) -> String {
    let members = size.members;
    let scenario = credit(members);
    let sketches = SKETCHES.map(|sketch| {
        let floor = Floor::sketch(sketch, members);
        background.push(disk.settle());
        let written = count(disk, floor.target(), &scenario, part * CREDITS_OF_A_SKETCH);
        (sketch.name(), written)
    });
    let (_folder, path) = History::of(size).copy();
    let server = Server::open_pinned("0", &path);
    background.push(disk.settle());
    let (ours, snapshots) =
        with_snapshots(&server, || count(disk, server.target(), &scenario, credits));
    assert!(snapshots >= SNAPSHOTS_MIN, "{snapshots} snapshots");
    let append = sketches[0].1.of_device;
    let line = |name: &str, snapshots: &str, written: &Written| {
        format!(
            "| {name} | {members} | {:.0} | {:.0} | {snapshots} | {:.0} | {:.2} | {:.0} |\n",
            written.seen.requests,
            written.seen.per_second,
            written.of_device,
            written.of_device / append,
            written.of_process
        )
    };
    results.figure(&format!("credits.{members}.bytes"), ours.of_device);
    results.figure(
        &format!("credits.{members}.bytes-ratio"),
        ours.of_device / append,
    );
    let [append, update] = sketches.map(|(name, written)| line(name, "–", &written));
    line("stampcard", &snapshots.to_string(), &ours) + &append + &update
}

/// Sends about the given number of credits, and counts from a quiet moment to a quiet moment, so
/// that what a server still writes afterwards is included. The load is one run, because a pause
/// would let a server move its log into its file early.
fn count(disk: &Disk, target: Target, scenario: &Scenario, credits: f64) -> Written {
    let rate = load(target, scenario, WRITERS, SECONDS).per_second;
    disk.settle();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some minutes"
    )]
    let seconds = (credits / rate).ceil() as u32;
    let before = (disk.written(), target.written_bytes());
    let seen = load(target, scenario, WRITERS, seconds);
    disk.settle();
    let after = (disk.written(), target.written_bytes());
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = |before: u64, after: u64| (after - before) as f64 / seen.requests;
    Written {
        seen,
        of_device: each(before.0, after.0),
        of_process: each(before.1, after.1),
    }
}

/// Returns how often the server saved the figures during some work, too.
fn with_snapshots<T>(server: &Server, work: impl FnOnce() -> T) -> (T, usize) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen = HashSet::new();
            while !is_over.load(Ordering::Relaxed) {
                seen.insert(server.gauge("snapshot_seq").to_bits());
                std::thread::sleep(Duration::from_millis(500));
            }
            seen.len() - 1
        });
        let result = work();
        is_over.store(true, Ordering::Relaxed);
        (result, watching.join().unwrap())
    })
}
