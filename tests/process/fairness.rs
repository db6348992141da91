//! One organization sends as many requests as it can; another one is hardly affected.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Place, SANDBOX_KEY, Server};

const LIVE_KEY: &str = "expys_live_0123456789abcdef0123456789abcdef";
const MEMBERS: usize = 150;
/// Connections of the flood: every other one writes, the others list.
const CONNECTIONS: usize = 64;

/// A connection that stays open.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The status of the next response.
    fn status(&mut self) -> u16 {
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if status == 0 {
                status = line.split(' ').nth(1).unwrap().parse().unwrap();
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        status
    }

    fn ask(&mut self, request: &str) -> u16 {
        self.send(request);
        self.status()
    }

    /// Whether a response has come, or a part of it.
    fn is_answered(&self) -> bool {
        let stream = self.0.get_ref();
        stream.set_nonblocking(true).unwrap();
        let is_answered = stream.peek(&mut [0]).is_ok();
        stream.set_nonblocking(false).unwrap();
        is_answered
    }
}

fn request(key: &str, method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

fn credit(key: &str) -> String {
    let body = r#"{"externalUserID":"member-0","amount":1}"#;
    request(key, "POST", "/v1/wallet/credit", body)
}

fn list(key: &str, limit: usize) -> String {
    request(key, "GET", &format!("/v1/members?limit={limit}"), "")
}

/// Members of the program of a key.
fn fill(server: &Server, key: &str) {
    let mut wire = Wire::open(server.address);
    for number in 0..MEMBERS {
        let path = format!("/v1/members/member-{number}");
        assert_eq!(wire.ask(&request(key, "PUT", &path, "{}")), 200);
    }
}

/// The 99th percentile of the times of the innocent client's credits and lists, one after the
/// other.
fn measure(server: &Server, requests: usize) -> [Duration; 2] {
    let mut wire = Wire::open(server.address);
    let asked = [credit(LIVE_KEY), list(LIVE_KEY, 20)];
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..requests {
        for (request, took) in asked.iter().zip(&mut took) {
            let begun = Instant::now();
            assert_eq!(wire.ask(request), 200);
            took.push(begun.elapsed());
        }
    }
    took.map(|mut took| {
        took.sort_unstable();
        took[took.len() * 99 / 100]
    })
}

/// Sends requests on one connection, again and again. Some get 503: that is the limit.
fn flood(server: &Server, request: &str, over: &AtomicBool, done: &AtomicUsize) {
    let mut wire = Wire::open(server.address);
    while !over.load(Ordering::Relaxed) {
        assert!(matches!(wire.ask(request), 200 | 503));
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// The innocent client's times alone, and during a flood.
fn quiet_and_flooded(requests: usize) -> [[Duration; 2]; 2] {
    let place = Place::new();
    let mut command = place.serve();
    command
        .env("STAMPCARD_BOOTSTRAP__LIVE_KEY", LIVE_KEY)
        .env("STAMPCARD_RATE_LIMIT__PER_MINUTE", "0");
    let server = place.start_as(command);
    fill(&server, SANDBOX_KEY);
    fill(&server, LIVE_KEY);
    measure(&server, 20);
    let quiet = measure(&server, requests);
    let asked = [credit(SANDBOX_KEY), list(SANDBOX_KEY, 100)];
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let flooded = std::thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (asked, server, over, done) = (&asked, &server, &over, &done);
            scope.spawn(move || flood(server, &asked[number % 2], over, done));
        }
        while done.load(Ordering::Relaxed) < 4 * CONNECTIONS {
            std::thread::yield_now();
        }
        let flooded = measure(&server, requests);
        over.store(true, Ordering::Relaxed);
        flooded
    });
    server.terminate();
    [quiet, flooded]
}

/// The number of writes that wait, with those of the server's own upkeep.
fn queued(server: &Server) -> usize {
    let metrics = server.send("GET", "/metrics", None, &Value::Null).unwrap();
    let mut lines = metrics.text.lines();
    let waiting = lines.find_map(|line| line.strip_prefix("writer_queue_writes "));
    waiting.unwrap().parse().unwrap()
}

/// Waits until something is the case, for less than the server waits for a locked file.
fn wait_until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(4));
        std::thread::yield_now();
    }
}

#[test]
fn a_queue_that_the_sandbox_fills_has_room_for_a_live_organization_and_serves_it_soon() {
    const CLIENTS: usize = 20;
    /// Half of the queue.
    const SHARE: usize = 8;
    /// All others but the one that the writer is at, unless that is the server's own upkeep.
    const REFUSED: RangeInclusive<usize> = CLIENTS - SHARE - 1..=CLIENTS - SHARE;
    let place = Place::new();
    let mut command = place.serve();
    command
        .env("STAMPCARD_BOOTSTRAP__LIVE_KEY", LIVE_KEY)
        .env("STAMPCARD_DATABASE__QUEUE_MAX", "16");
    let server = place.start_as(command);
    for key in [LIVE_KEY, SANDBOX_KEY] {
        let member = request(key, "PUT", "/v1/members/member-0", "{}");
        assert_eq!(Wire::open(server.address).ask(&member), 200);
    }
    // The time that each has used counts, and the live one's first write may have been slow.
    let mut wire = Wire::open(server.address);
    for _ in 0..100 {
        assert_eq!(wire.ask(&credit(SANDBOX_KEY)), 200);
    }
    let other = place.sqlite();
    let newest = "SELECT max(seq) FROM activity";
    let newest: i64 = other.query_row(newest, [], |row| row.get(0)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut flood: Vec<Wire> = (0..CLIENTS).map(|_| Wire::open(server.address)).collect();
    for wire in &mut flood {
        wire.send(&credit(SANDBOX_KEY));
    }
    // One that is late would find room afterwards.
    wait_until(|| REFUSED.contains(&flood.iter().filter(|wire| wire.is_answered()).count()));
    let waiting = queued(&server);
    let mut innocent = Wire::open(server.address);
    innocent.send(&credit(LIVE_KEY));
    wait_until(|| queued(&server) > waiting);
    // Perhaps that was one of the server's own.
    std::thread::sleep(Duration::from_millis(100));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(innocent.status(), 200);
    let refused = flood.iter_mut().filter_map(|wire| match wire.status() {
        200 => None,
        status => Some(status),
    });
    let refused: Vec<u16> = refused.collect();
    assert!(refused.iter().all(|status| *status == 503), "{refused:?}");
    assert!(REFUSED.contains(&refused.len()), "{refused:?}");
    let before = "SELECT count(*) FROM activity WHERE seq > ?1 AND seq < (
        SELECT a.seq FROM activity a JOIN program p ON p.id = a.program_id
            JOIN organization o ON o.id = p.organization_id
        WHERE a.seq > ?1 AND o.environment = 'live')";
    let before: u32 = other.query_row(before, [newest], |row| row.get(0)).unwrap();
    // In the order of arrival it would be all nine of them.
    assert!(before < 6, "{before} came first");
    server.terminate();
}

/// A series that takes as long as many small responses.
fn long_series(key: &str) -> String {
    let query = "from=2025-01-01&to=2026-01-01&interval=hour";
    request(key, "GET", &format!("/v1/analytics/timeseries?{query}"), "")
}

/// The median time of some requests, one after the other.
fn middle(wire: &mut Wire, request: &str, times: usize) -> Duration {
    let mut took: Vec<_> = (0..times)
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(wire.ask(request), 200);
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[times / 2]
}

#[test]
fn beside_many_long_series_another_organization_is_served_soon() {
    const SERIES: usize = 200;
    let place = Place::new();
    let mut command = place.serve();
    command
        .env("STAMPCARD_BOOTSTRAP__LIVE_KEY", LIVE_KEY)
        .env("STAMPCARD_RATE_LIMIT__PER_MINUTE", "0")
        // Each response is a megabyte, and this machine reads them when it can.
        .env("STAMPCARD_SERVER__BUFFERED_BYTES_MAX", "1073741824")
        .env("STAMPCARD_SERVER__BUFFERED_BYTES_EACH_MAX", "1073741824")
        .env("STAMPCARD_SERVER__WORKERS", "2");
    let server = place.start_as(command);
    let mut innocent = Wire::open(server.address);
    let member = request(LIVE_KEY, "PUT", "/v1/members/member-0", "{}");
    assert_eq!(innocent.ask(&member), 200);
    let small = [
        credit(LIVE_KEY),
        request(LIVE_KEY, "GET", "/v1/analytics/summary", ""),
    ];
    let quiet = small
        .each_ref()
        .map(|asked| middle(&mut innocent, asked, 15));
    let long = long_series(SANDBOX_KEY);
    let alone = middle(&mut Wire::open(server.address), &long, 5);
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let beside = std::thread::scope(|scope| {
        for _ in 0..SERIES {
            scope.spawn(|| flood(&server, &long, &over, &done));
        }
        while done.load(Ordering::Relaxed) < 20 {
            std::thread::yield_now();
        }
        let beside = small
            .each_ref()
            .map(|asked| middle(&mut innocent, asked, 15));
        over.store(true, Ordering::Relaxed);
        beside
    });
    // In one queue with the others, it would wait for a hundred of them.
    for (quiet, beside) in quiet.into_iter().zip(beside) {
        let most = 10 * quiet + 15 * alone;
        assert!(
            beside <= most,
            "{beside:?}; alone {quiet:?}, a long one {alone:?}"
        );
    }
    server.terminate();
}

/// The documented limit, for the release build on an otherwise idle machine.
#[test]
#[ignore = "takes a machine of its own: cargo test --release --test process -- --ignored fairness"]
fn beside_a_flood_the_innocents_p99_is_at_most_five_times_its_own() {
    let [quiet, flooded] = quiet_and_flooded(2000);
    for (quiet, flooded) in quiet.into_iter().zip(flooded) {
        let most = (5 * quiet).max(Duration::from_millis(5));
        assert!(flooded <= most, "{flooded:?} beside {quiet:?}");
    }
}
