//! The whole server over HTTP, beside two floors in the same run: a bare actix server that looks at
//! the Authorization header and answers a constant body, and a bare loop of durable commits.
//!
//! Server and load are pinned to a core each, and scenarios take turns in every round, so that a
//! ratio compares moments that lie close together. The load is wrk's (Debian: `wrk`), on loopback.
//! Run with `cargo bench --bench http`; `-- 1` makes one round instead of three, a word runs the
//! scenarios whose name has it. docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::json;

use self::support::{KEY, Server, median};

const ROUNDS: usize = 3;
const SECONDS: u32 = 3;
const CLIENTS: [u32; 3] = [1, 64, 256];
/// Members that the scenarios on members draw from.
const MEMBERS: usize = 2_000;
/// Commits of the bare loop, and rows in each: what a full batch of the server writes.
const COMMITS: usize = 60;
const ROWS: usize = 256;

/// Something that is asked over and over.
struct Scenario {
    name: &'static str,
    /// A script for wrk that sets up the request.
    script: String,
}

impl Scenario {
    fn get(name: &'static str, path: &str) -> Self {
        let script = format!(
            "wrk.headers['Authorization'] = 'Bearer {KEY}'\nwrk.path = '{path}'\n\
             wrk.method = 'GET'\n"
        );
        Self { name, script }
    }

    /// A path with a member in it, another one each time.
    fn get_member(name: &'static str, path: &str) -> Self {
        let script = format!(
            "wrk.headers['Authorization'] = 'Bearer {KEY}'\nlocal n = 0\n\
             request = function()\n n = (n + 7919) % {MEMBERS}\n\
             return wrk.format('GET', '{path}' .. n)\nend\n"
        );
        Self { name, script }
    }

    /// A write for one member after the other, each with an Idempotency-Key of its own.
    fn post_member(name: &'static str, path: &str, fields: &str) -> Self {
        let script = format!(
            "math.randomseed(os.time())\nlocal run = math.random(1, 1000000000)\nlocal n = 0\n\
             request = function()\n n = n + 1\n\
             local body = string.format('{{\"externalUserID\":\"m%d\"{fields}}}', n % {MEMBERS})\n\
             local headers = {{['Authorization'] = 'Bearer {KEY}', \
             ['Content-Type'] = 'application/json', \
             ['Idempotency-Key'] = run .. '-' .. tostring({{}}) .. n}}\n\
             return wrk.format('POST', '{path}', headers, body)\nend\n"
        );
        Self { name, script }
    }
}

/// What wrk saw.
#[derive(Debug, Clone, Copy)]
struct Seen {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "floor") {
        return serve_floor();
    }
    let rounds = arguments.iter().find_map(|word| word.parse().ok());
    let word = arguments
        .iter()
        .find(|word| !word.starts_with('-') && word.parse::<usize>().is_err());
    let floor = Floor::start();
    let server = Server::start_pinned("0");
    furnish(&server);
    let mut scenarios = scenarios();
    if let Some(word) = word {
        scenarios.retain(|scenario| scenario.name.contains(word.as_str()));
    }
    let bare = Scenario::get("bare actix", "/");
    println!(
        "| answer | clients | requests/s | p50 | p99 | of bare actix |\n|---|---|---|---|---|---|"
    );
    for clients in CLIENTS {
        let mut bare_seen = Vec::new();
        let mut seen: Vec<Vec<Seen>> = scenarios.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds.unwrap_or(ROUNDS) {
            bare_seen.push(load(floor.address, &bare, clients));
            for (scenario, seen) in scenarios.iter().zip(&mut seen) {
                seen.push(load(server.address, scenario, clients));
            }
        }
        let bare_rate = median_of(&bare_seen, |seen| seen.per_second);
        print_row("bare actix", clients, &bare_seen, bare_rate);
        for (scenario, seen) in scenarios.iter().zip(&seen) {
            print_row(scenario.name, clients, seen, bare_rate);
        }
    }
    let commits = (0..rounds.unwrap_or(ROUNDS)).map(|_| commits_per_second());
    println!(
        "\nbare SQLite, {ROWS} rows a commit, synchronous=FULL: {:.0} rows/s",
        median(commits.collect())
    );
    println!("resident: {:.1} MB", megabytes(server.resident_bytes()));
}

fn scenarios() -> Vec<Scenario> {
    let series = |interval: &str, from: &str| {
        format!("/v1/analytics/timeseries?from={from}&to=2026-12-01T00:00:00Z&interval={interval}")
    };
    vec![
        Scenario::get("summary", "/v1/analytics/summary"),
        Scenario::get("offers", "/v1/analytics/offers"),
        Scenario::get(
            "timeseries, 30 days",
            &series("day", "2026-11-01T07:13:11.123Z"),
        ),
        Scenario::get(
            "timeseries, 720 hours",
            &series("hour", "2026-11-01T07:13:11.123Z"),
        ),
        Scenario::get(
            "timeseries, 24 months",
            &series("month", "2024-12-01T07:13:11.123Z"),
        ),
        Scenario::get("program activity", "/v1/reports/program-activity"),
        Scenario::get_member("member", "/v1/members/m"),
        Scenario::get_member("wallet", "/v1/wallet?externalUserID=m"),
        Scenario::get_member("eligibility", "/v1/eligibility?externalUserID=m"),
        Scenario::post_member("credit", "/v1/wallet/credit", ",\"amount\":1"),
        Scenario::post_member("exchange", "/v1/auth/exchange", ""),
    ]
}

/// Members with points, and offers.
fn furnish(server: &Server) {
    let mut client = server.client();
    client.expect("PUT", "/v1/members/ann", &json!({}), 200);
    for number in 0..MEMBERS {
        client.expect("PUT", &format!("/v1/members/m{number}"), &json!({}), 200);
    }
    for price in 1..=12 {
        let body = json!({"title": format!("Offer {price}"), "pointsPrice": price});
        client.expect("POST", "/v1/offers", &body, 201);
    }
    support::credits_per_second(server, 64, std::time::Duration::from_secs(3));
}

fn print_row(name: &str, clients: u32, seen: &[Seen], bare_rate: f64) {
    let rate = median_of(seen, |seen| seen.per_second);
    println!(
        "| {name} | {clients} | {rate:.0} | {:.2} ms | {:.2} ms | {:.3} |",
        median_of(seen, |seen| seen.p50_ms),
        median_of(seen, |seen| seen.p99_ms),
        rate / bare_rate
    );
}

fn median_of(seen: &[Seen], field: impl Fn(&Seen) -> f64) -> f64 {
    median(seen.iter().map(field).collect())
}

/// Puts a server under load from the second core.
fn load(address: SocketAddr, scenario: &Scenario, clients: u32) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("scenario.lua");
    std::fs::write(&script, &scenario.script).unwrap();
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "--latency", "-t1"])
        .args([format!("-c{clients}"), format!("-d{SECONDS}s")])
        .arg("-s")
        .arg(&script)
        .arg(format!("http://{address}"))
        .output()
        .expect("wrk and taskset are installed");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("Non-2xx"), "{}: {text}", scenario.name);
    Seen {
        per_second: field(&text, "Requests/sec:").parse().unwrap(),
        p50_ms: milliseconds(field(&text, "50%")),
        p99_ms: milliseconds(field(&text, "99%")),
    }
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(name));
    line.unwrap_or_else(|| panic!("wrk said no {name}: {text}"))
        .split_whitespace()
        .nth(1)
        .unwrap()
}

/// Reads `1.23ms`, `456.00us` or `1.20s`.
fn milliseconds(text: &str) -> f64 {
    let number = |end: &str| text.strip_suffix(end)?.parse::<f64>().ok();
    number("us")
        .map(|us| us / 1e3)
        .or_else(|| number("ms"))
        .or_else(|| number("s").map(|s| s * 1e3))
        .unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Rows a second that SQLite makes durable with nothing around it: three small statements a row, as
/// a credit has, and a commit for as many rows as share one in the server.
fn commits_per_second() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("floor.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE member (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
             CREATE TABLE ledger (seq INTEGER PRIMARY KEY, member INTEGER, amount INTEGER);
             CREATE TABLE answer (key INTEGER PRIMARY KEY, body BLOB);
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
             INSERT INTO member SELECT i, 0 FROM n;",
        )
        .unwrap();
    let start = Instant::now();
    let mut number = 0_i64;
    for _ in 0..COMMITS {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..ROWS {
            number += 1;
            let member = number % 2000;
            let run = |sql: &str, values: (i64, i64)| {
                connection
                    .prepare_cached(sql)
                    .unwrap()
                    .execute(values)
                    .unwrap();
            };
            run(
                "UPDATE member SET balance = balance + ?2 WHERE id = ?1",
                (member, 1),
            );
            run(
                "INSERT INTO ledger (member, amount) VALUES (?1, ?2)",
                (member, 1),
            );
            run(
                "INSERT INTO answer (key, body) VALUES (?1, zeroblob(?2))",
                (number, 80),
            );
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rows = (COMMITS * ROWS) as f64;
    rows / start.elapsed().as_secs_f64()
}

/// The bare server, which is this program started anew.
struct Floor {
    child: Child,
    address: SocketAddr,
}

impl Floor {
    fn start() -> Self {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(std::env::current_exe().unwrap())
            .arg("floor")
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset is installed");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            address: line.trim().parse().unwrap(),
        }
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve_floor() {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| App::new().default_service(web::to(answer)))
            .workers(1)
            .bind("127.0.0.1:0")
            .unwrap();
        println!("{}", server.addrs()[0]);
        std::io::stdout().flush().unwrap();
        server.run().await.unwrap();
    });
}

async fn answer(request: HttpRequest) -> HttpResponse {
    let expected = request
        .headers()
        .get(AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().ends_with(KEY.as_bytes()));
    if !expected {
        return HttpResponse::Unauthorized().finish();
    }
    HttpResponse::Ok()
        .content_type("application/json")
        .body(CONSTANT)
}

/// As long as a summary.
const CONSTANT: &str = r#"{"memberCount":2000,"pointsMinted":123456,"pointsSpent":65432,"completionRate":0.5,"redemptions":{"submitted":1,"open":2,"awaiting_vendor":3,"awaiting_customer":4,"purchased":5,"completed":6,"canceled":7,"total":28},"activeMembers":2000,"pointsRefunded":1,"pointsForfeited":2,"pointsDebited":3}"#;
