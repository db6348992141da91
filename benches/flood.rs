//! One tenant sends lists, searches, writes and new programs as fast as the server answers them:
//! what another tenant's lists and credits take, compared with a quiet server.
//!
//! The flood is wrk with 64 clients on a program with ten million events and 200,000 members, on
//! the second core with the lowest priority. The other tenant is a process on the same core that
//! sends a list and a credit in turn over one connection. Nothing limits the rate.
//!
//! Run with `cargo bench --bench flood`; `-- 1` runs one round instead of three.
//! docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use self::support::history::History;
use self::support::load::{Scenario, command, per_second};
use self::support::results::{Arguments, Results};
use self::support::sizes::TEN_MILLION;
use self::support::{Client, PARTNER_KEY, Server, median, signal};

const ROUNDS: usize = 3;
/// Requests of each kind in a round.
const REQUESTS: usize = 500;
const WARM_UP: usize = 50;
const MEMBERS: usize = 150;
const FLOODING: u32 = 64;
/// Longer than any round; the flood is ended with a signal.
const SECONDS_MAX: u32 = 3_600;
/// The kinds of requests that are measured.
const KINDS: [&str; 2] = ["list", "credit"];

fn main() {
    let arguments = Arguments::read(ROUNDS);
    if let Some([address, key]) = arguments.part("other-tenant") {
        return be_the_other_tenant(address.parse().unwrap(), key);
    }
    let mut results = Results::new("flood", &arguments);
    let history = History::of(&TEN_MILLION);
    let (_folder, path) = history.copy();
    let mut server = Server::pinned("0");
    server.env("STAMPCARD_LIMITS__PROGRAMS_EACH_MAX", "0");
    let server = Server::open(server, &path);
    let key = another_tenant(&server);
    let (mut quiet, mut flooded, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        quiet.push(times(&server, &key));
        let (during, rate) = flood(&server, history.members, || times(&server, &key));
        flooded.push(during);
        rates.push(rate);
    }
    let mut table = String::from(
        "| another tenant's | quiet: p50 | p99 | during the flood: p50 | p99 | p99 by quiet p99 |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for (index, kind) in KINDS.iter().enumerate() {
        let of = |rounds: &[[Times; 2]], field: fn(&Times) -> f64| {
            median(rounds.iter().map(|times| field(&times[index])).collect())
        };
        let [quiet, flooded] =
            [&quiet, &flooded].map(|rounds| (of(rounds, |t| t.p50), of(rounds, |t| t.p99)));
        let ratio = flooded.1 / quiet.1;
        results.figure(&format!("flood.{kind}"), ratio);
        writeln!(
            table,
            "| {kind} | {:.2} ms | {:.2} ms | {:.2} ms | {:.2} ms | {ratio:.2} |",
            quiet.0, quiet.1, flooded.0, flooded.1
        )
        .unwrap();
    }
    writeln!(
        table,
        "\nThe flood got {:.0} answers per second.",
        median(rates)
    )
    .unwrap();
    results.table("flood", table);
    results.save();
}

/// Creates an organization with its own program and members, and returns its key.
fn another_tenant(server: &Server) -> String {
    let body = json!({"name": "Another tenant", "tier": "paid"});
    let mut partner = server.client_with(PARTNER_KEY);
    let created = partner.expect("POST", "/partner/organizations", &body, 201);
    let key = created["apiKey"].as_str().unwrap().to_owned();
    let mut client = server.client_with(&key);
    for number in 0..MEMBERS {
        client.expect("PUT", &format!("/v1/members/m{number}"), &json!({}), 200);
    }
    key
}

/// Runs some work during a flood, and returns the rate of the flood, too.
fn flood<T>(server: &Server, members: u64, work: impl FnOnce() -> T) -> (T, f64) {
    let scenario = Scenario::flood(members);
    let (_folder, load) = command(server.target(), &scenario, FLOODING, SECONDS_MAX);
    let flooding = niced(&load).stdout(Stdio::piped()).spawn().unwrap();
    // The queues fill within moments.
    std::thread::sleep(Duration::from_secs(2));
    let result = work();
    (result, end(flooding))
}

/// The same command with the lowest priority, so that the measuring process runs first.
fn niced(load: &Command) -> Command {
    let mut command = Command::new("nice");
    command
        .args(["-n", "19"])
        .arg(load.get_program())
        .args(load.get_args());
    command
}

/// Ends wrk, which prints its results, and returns its rate.
fn end(flooding: Child) -> f64 {
    signal(flooding.id(), "INT");
    let output = flooding.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("Socket errors: connect"), "{text}");
    per_second(&text)
}

/// Latencies of one kind of request, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Times {
    p50: f64,
    p99: f64,
}

/// The latencies that the other tenant saw, in a process on the second core.
fn times(server: &Server, key: &str) -> [Times; 2] {
    let output = Command::new("taskset")
        .args(["-c", "1"])
        .arg(std::env::current_exe().unwrap())
        .args(["other-tenant", &server.address.to_string(), key])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers = text
        .split_whitespace()
        .map(|number| number.parse().unwrap());
    let numbers: Vec<f64> = numbers.collect();
    [0, 2].map(|first| Times {
        p50: numbers[first],
        p99: numbers[first + 1],
    })
}

fn be_the_other_tenant(address: SocketAddr, key: &str) {
    let mut client = Client::connect(address, key);
    let mut took = [const { Vec::new() }; 2];
    for number in 0..WARM_UP + REQUESTS {
        let body = format!(r#"{{"externalUserID":"m{}","amount":1}}"#, number % MEMBERS);
        let requests = [
            ("GET", "/v1/members?limit=20", ""),
            ("POST", "/v1/wallet/credit", &*body),
        ];
        for ((method, path, body), took) in requests.into_iter().zip(&mut took) {
            let start = Instant::now();
            let (status, answer) = client.send(method, path, body);
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(answer));
            if number >= WARM_UP {
                took.push(1e3 * start.elapsed().as_secs_f64());
            }
        }
    }
    for mut took in took {
        took.sort_by(f64::total_cmp);
        println!("{} {}", took[REQUESTS / 2], took[REQUESTS * 99 / 100]);
    }
}
