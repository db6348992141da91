//! A million lots of one program expire at the same millisecond: what another tenant's credits take
//! meanwhile, compared with a quiet server, and how long it takes until nothing is due any more.
//!
//! The server and the other tenant, which sends one credit after another over one connection, share
//! two cores. The program is in the sandbox: its time is moved to when the lots expire.
//!
//! Run with `cargo bench --bench sweep`; `-- 1` runs one round instead of three.
//! docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

#[path = "../tests/support/lots.rs"]
mod lots;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use stampcard::clock::Clock;

use self::support::results::{Arguments, Results};
use self::support::{PARTNER_KEY, Server, folder, median};

const ROUNDS: usize = 3;
const LOTS: usize = 1_000_000;
/// When the lots expire, after the start of the benchmark, in milliseconds.
const EXPIRE_AFTER: i64 = 30 * 86_400_000;
const QUIET: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);
const APPLIED: &str = "due_applied_total{kind=\"expire\"}";
const OVERDUE: &str = "due_overdue_seconds";

fn main() {
    let arguments = Arguments::read(ROUNDS);
    let mut results = Results::new("sweep", &arguments);
    let (_folder, database) = database();
    let rounds: Vec<_> = (0..arguments.rounds).map(|_| round(&database)).collect();
    let of = |field: fn(&Round) -> f64| median(rounds.iter().map(field).collect());
    let ratio = of(|round| round.sweeping.p99 / round.quiet.p99);
    let seconds = of(|round| round.seconds);
    let table = format!(
        "| another tenant's credits | p50 | p99 | longest |\n| --- | --- | --- | --- |\n{}{}\n\
         The p99 during the sweep is {ratio:.2} times the quiet one. The sweep takes \
         {seconds:.1} s.\n",
        line("quiet", &rounds, |round| &round.quiet),
        line("during the sweep", &rounds, |round| &round.sweeping),
    );
    results.figure("sweep.ratio", ratio);
    results.figure("sweep.seconds", seconds);
    results.table("sweep", table);
    results.save();
}

/// The line of the table for some of the credits.
fn line(name: &str, rounds: &[Round], credits: fn(&Round) -> &Times) -> String {
    let of = |field: fn(&Times) -> f64| {
        let times = rounds.iter().map(|round| field(credits(round)));
        median(times.collect())
    };
    let (p50, p99) = (of(|times| times.p50), of(|times| times.p99));
    let max = of(|times| times.max);
    format!("| {name} | {p50:.2} ms | {p99:.2} ms | {max:.1} ms |\n")
}

/// A database whose first program has the lots.
fn database() -> (tempfile::TempDir, PathBuf) {
    let server = Server::on_a_new_database(Command::new(env!("CARGO_BIN_EXE_stampcard")));
    let folder = server.stop();
    let path = folder.path().join("bench.db");
    let now = Clock::system().now().as_millis();
    let connection = rusqlite::Connection::open(&path).unwrap();
    lots::insert(&connection, LOTS, now, now + EXPIRE_AFTER);
    drop(connection);
    // The first start takes longer, and saves the books. The first entry after a commit takes time
    // for each entry in it; no server ever commits that many.
    let server = Server::open(Command::new(env!("CARGO_BIN_EXE_stampcard")), &path);
    let credit = json!({"externalUserID": "m1", "amount": 1});
    let mut client = server.client();
    client.expect("POST", "/v1/wallet/credit", &credit, 200);
    server.signal("TERM");
    server.wait();
    (folder, path)
}

/// The latencies of credits, in milliseconds.
struct Times {
    p50: f64,
    p99: f64,
    max: f64,
}

/// The results of a round.
struct Round {
    quiet: Times,
    sweeping: Times,
    /// From the request that moves the time until nothing is due.
    seconds: f64,
}

/// Lets the lots of a copy of the database expire.
fn round(database: &Path) -> Round {
    let copy = tempfile::tempdir_in(folder()).unwrap();
    let path = copy.path().join("bench.db");
    std::fs::copy(database, &path).unwrap();
    // Pages that are not on the disk yet would be written during a measurement.
    std::fs::File::open(&path).unwrap().sync_all().unwrap();
    let server = Server::open(Command::new(env!("CARGO_BIN_EXE_stampcard")), &path);
    let key = another_tenant(&server);
    let for_a_time = |time: Duration| {
        let begun = Instant::now();
        credits(&server, &key, || begun.elapsed() < time)
    };
    for_a_time(WARM_UP);
    let quiet = for_a_time(QUIET);
    let is_over = AtomicBool::new(false);
    let (seconds, sweeping) = std::thread::scope(|scope| {
        let sweep = scope.spawn(|| {
            let seconds = sweep(&server);
            is_over.store(true, Ordering::Relaxed);
            seconds
        });
        let sweeping = credits(&server, &key, || !is_over.load(Ordering::Relaxed));
        (sweep.join().unwrap(), sweeping)
    });
    println!(
        "quiet p99 {:.2} ms, beside the sweep p50 {:.2}, p99 {:.2} ms, ratio {:.2}, longest \
         {:.1} ms; the sweep took {seconds:.2} s",
        quiet.p99,
        sweeping.p50,
        sweeping.p99,
        sweeping.p99 / quiet.p99,
        sweeping.max,
    );
    Round {
        quiet,
        sweeping,
        seconds,
    }
}

/// Creates an organization with a member, and returns its key.
fn another_tenant(server: &Server) -> String {
    let body = json!({"name": "Another tenant", "tier": "paid"});
    let mut partner = server.client_with(PARTNER_KEY);
    let created = partner.expect("POST", "/partner/organizations", &body, 201);
    let key = created["apiKey"].as_str().unwrap().to_owned();
    let mut client = server.client_with(&key);
    client.expect("PUT", "/v1/members/zoe", &json!({}), 200);
    key
}

/// Sends one credit after another as long as `goes_on`.
fn credits(server: &Server, key: &str, goes_on: impl Fn() -> bool) -> Times {
    let mut client = server.client_with(key);
    let mut took = Vec::new();
    while goes_on() {
        let body = r#"{"externalUserID":"zoe","amount":1}"#;
        let begun = Instant::now();
        let (status, answer) = client.send("POST", "/v1/wallet/credit", body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(answer));
        took.push(1e3 * begun.elapsed().as_secs_f64());
    }
    took.sort_by(f64::total_cmp);
    Times {
        p50: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
        max: took[took.len() - 1],
    }
}

/// Moves the program's time to when the lots expire. Returns after how many seconds all have.
fn sweep(server: &Server) -> f64 {
    let begun = Instant::now();
    let body = json!({"advanceSeconds": EXPIRE_AFTER / 1000}).to_string();
    let (status, _) = server.client().send("POST", "/v1/sandbox/clock", &body);
    // The server answers sooner if it takes longer than ten seconds.
    assert!(status == 200 || status == 202, "{status}");
    while server.gauge(OVERDUE) > 0.0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a million")]
    let lots = LOTS as f64;
    assert!(server.gauge(APPLIED) >= lots, "not every lot expired");
    seconds
}
