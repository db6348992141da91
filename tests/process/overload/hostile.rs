//! Attacks one after the other, and an innocent client of another tenant during each: its waiting
//! times are compared with those without an attack, in the same run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::strangers::LIVE_KEY;
use super::wire::{Wire, head, request};
use super::{CREDIT, MIB, SUMMARY, anonymous_memory, check_it_is_well, credit_body, start};
use crate::server::{Place, SANDBOX_KEY, Server, agent};

/// A repeated attack; runs until it is stopped.
type Attack = fn(&Server, &AtomicBool);

const ATTACKS: [(&str, Attack); 7] = [
    ("answers that nobody reads", unread_answers),
    ("heads that do not end", unfinished_heads),
    ("streams without number", streams),
    ("offers of other protocols", offers),
    ("what is no HTTP", garbage),
    ("a sandbox that writes", writes),
    ("a sandbox that searches", searches),
];
/// The maximum number of connections of an attack.
const CONNECTIONS: usize = 1000;

fn unread_answers(server: &Server, stop: &AtomicBool) {
    let plain = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n";
    hold_connections(server, stop, |_| {
        let mut wire = Wire::open_narrow(server);
        let _ = wire.send(plain);
        wire
    });
}

fn unfinished_heads(server: &Server, stop: &AtomicBool) {
    let long = format!("GET / HTTP/1.1\r\nx-long: {}", "x".repeat(100_000));
    let later = request("GET", "/healthz", "") + "G";
    hold_connections(server, stop, |number| {
        let mut wire = Wire::open(server);
        let _ = wire.send(if number % 2 == 0 { &long } else { &later });
        wire
    });
}

fn streams(server: &Server, stop: &AtomicBool) {
    let ask = head("GET", "/v1/activity/stream", "last-event-id: 0\r\n\r\n");
    hold_connections(server, stop, |_| {
        let mut wire = Wire::open_narrow(server);
        let _ = wire.send(&ask);
        wire
    });
}

fn offers(server: &Server, stop: &AtomicBool) {
    let body = credit_body(1);
    let length = body.len();
    let offer = format!(
        "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let offer = head("POST", CREDIT, &offer);
    repeat(stop, || {
        let mut wire = Wire::open(server);
        let _ = wire.send(&offer);
        let _ = wire.read();
    });
}

fn garbage(server: &Server, stop: &AtomicBool) {
    repeat(stop, || {
        let mut wire = Wire::open(server);
        let _ = wire.send_bytes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        let _ = wire.read();
    });
}

fn writes(server: &Server, stop: &AtomicBool) {
    let credit = request("POST", CREDIT, &credit_body(1));
    keep_asking(server, stop, &credit);
}

fn searches(server: &Server, stop: &AtomicBool) {
    let search = request("GET", "/v1/members?search=member&limit=100", "");
    keep_asking(server, stop, &search);
}

/// Opens a large number of connections, and holds them.
fn hold_connections(server: &Server, stop: &AtomicBool, open: impl Fn(usize) -> Wire) {
    let mut wires = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if wires.len() < CONNECTIONS {
            wires.push(open(wires.len()));
        } else {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    drop(wires);
    let _ = server;
}

/// Runs a function on several threads.
fn repeat(stop: &AtomicBool, attack: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    attack();
                }
            });
        }
    });
}

/// Sends the same request on many connections, one at a time on each.
fn keep_asking(server: &Server, stop: &AtomicBool, ask: &str) {
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let mut wire = Wire::open(server);
                while !stop.load(Ordering::Relaxed) {
                    if wire.send(ask).is_err() || wire.read().is_none() {
                        wire = Wire::open(server);
                    }
                }
            });
        }
    });
}

/// An innocent client's requests at intervals, for a while: the 99th percentile.
fn innocent(server: &Server, span: Duration) -> Duration {
    let mut took = Vec::new();
    let mut wire = Wire::open(server);
    let credit = request("POST", CREDIT, &credit_body(1)).replace(SANDBOX_KEY, LIVE_KEY);
    let asks = [SUMMARY, "/v1/members?limit=20"]
        .map(|path| request("GET", path, "").replace(SANDBOX_KEY, LIVE_KEY));
    let start = Instant::now();
    while start.elapsed() < span {
        for ask in asks.iter().chain([&credit]) {
            let asked = Instant::now();
            wire.send(ask).unwrap();
            let answer = wire.read().expect("an innocent client is answered");
            assert_eq!(answer.status, 200, "{answer:?}");
            took.push(asked.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the long form is run for"
)]
/// Runs every attack for `span`; an innocent client may wait `floor` however long it waits alone.
fn run_attacks(span: Duration, floor: Duration) {
    let place = Place::new();
    let settings = [
        ("BOOTSTRAP__LIVE_KEY", LIVE_KEY),
        ("RATE_LIMIT__PER_MINUTE", "0"),
        ("SERVER__WRITE_TIMEOUT", "2"),
        ("SERVER__REQUEST_TIMEOUT", "2"),
        ("LOG__LEVEL", "warn"),
    ];
    let server = start(&place, &settings);
    for number in 0..300 {
        let path = format!("/v1/members/member-{number}");
        server
            .send("PUT", &path, None, &json!({}))
            .unwrap()
            .expect(200);
    }
    let url = format!("http://{}/v1/members/ann", server.address);
    let put = agent()
        .put(&url)
        .header("authorization", format!("Bearer {LIVE_KEY}"));
    let answer = put.send_json(Value::Object(serde_json::Map::new()));
    assert_eq!(answer.unwrap().status(), 200);
    let quiet = innocent(&server, span);
    println!("quiet: p99 {quiet:?}");
    for (name, attack) in ATTACKS {
        let before = anonymous_memory(&server);
        let stop = AtomicBool::new(false);
        let (beside, memory) = std::thread::scope(|scope| {
            scope.spawn(|| attack(&server, &stop));
            let beside = innocent(&server, span);
            let memory = anonymous_memory(&server);
            stop.store(true, Ordering::Relaxed);
            (beside, memory)
        });
        let grown = memory.saturating_sub(before);
        println!("{name}: p99 {beside:?}, memory grew by {} kB", grown / 1024);
        assert!(grown < 320 * MIB, "{name}: {grown}");
        assert!(
            beside <= floor.max(5 * quiet),
            "{name}: {beside:?} for {quiet:?}"
        );
    }
    check_it_is_well(&place, server);
}

/// The short form shows that no client is locked out, on a machine with other load. Its waiting
/// times are not meaningful.
#[test]
fn an_innocent_client_is_served_beside_every_attack() {
    run_attacks(Duration::from_millis(500), Duration::from_secs(30));
}

/// The long form, for an otherwise idle machine: `make hostile`.
#[test]
#[ignore = "takes minutes, and needs a quiet machine"]
fn an_innocent_client_hardly_notices_any_attack() {
    run_attacks(Duration::from_secs(10), Duration::from_millis(5));
}
