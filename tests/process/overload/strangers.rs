//! Limits on what any client that reaches the port can do, and on what one client can do to the
//! others; an innocent client is served meanwhile.

use std::time::{Duration, Instant};

use serde_json::json;

use super::wire::{Wire, head, request};
use super::{CREDIT, MIB, SUMMARY, anonymous_memory, check_it_is_well, credit_body, start};
use crate::server::{Place, SANDBOX_KEY, Server, agent};

pub(super) const LIVE_KEY: &str = "expys_live_0123456789abcdef0123456789abcdef";

/// The path of the dashboard's script, the largest of its files.
fn script(server: &Server) -> String {
    let page = text(server, "/");
    let start = page.find("/assets/").unwrap();
    let paths = page[start..].split("/assets/").skip(1);
    let names = paths.map(|rest| rest.split(['"']).next().unwrap());
    let script = names.into_iter().find(|name| name.ends_with("/page.js"));
    format!("/assets/{}", script.unwrap())
}

fn text(server: &Server, path: &str) -> String {
    let url = format!("http://{}{path}", server.address);
    let mut answer = agent().get(&url).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

/// The value of a metric, with its labels.
fn metric(server: &Server, name: &str) -> u64 {
    let metrics = text(server, "/metrics");
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("{name} in {metrics}"));
    value.parse().unwrap()
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The longest of fifty requests of an innocent client.
fn slowest(server: &Server) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        server.get(SUMMARY);
        slowest = slowest.max(asked.elapsed());
    }
    slowest
}

#[test]
fn answers_that_nobody_reads_cost_little_memory_and_end() {
    const CONNECTIONS: usize = 250;
    let place = Place::new();
    let server = start(&place, &[("SERVER__WRITE_TIMEOUT", "2")]);
    let script = script(&server);
    for path in [
        script.as_str(),
        "/docs/swagger-ui-bundle.js",
        "/openapi.json",
    ] {
        let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        // The first request for the unpacked file unpacks it.
        let mut first = Wire::open(&server);
        first.send(&ask).unwrap();
        assert_eq!(first.read_bytes().unwrap().0, 200, "{path}");
        let before = anonymous_memory(&server);
        let cut = metric(&server, "http_connections_cut_total{reason=\"unread\"}");
        let mut wires: Vec<Wire> = (0..CONNECTIONS)
            .map(|_| {
                let mut wire = Wire::open_narrow(&server);
                // More than the system's buffers accept from the server.
                wire.send(&ask.repeat(10)).unwrap();
                wire
            })
            .collect();
        let slowest = slowest(&server);
        let grown = anonymous_memory(&server).saturating_sub(before);
        println!(
            "{path}, unread by {CONNECTIONS}: memory grew by {} kB; slowest summary {slowest:?}",
            grown / 1024
        );
        assert!(grown < 64 * MIB, "{path}: {grown}");
        assert!(slowest < Duration::from_secs(10), "{path}: {slowest:?}");
        wait_until("they are cut off", || {
            metric(&server, "http_connections_cut_total{reason=\"unread\"}")
                >= cut + CONNECTIONS as u64
        });
        let is_cut = |wire: &mut Wire| (0..10).any(|_| wire.ends_early());
        assert!(wires.iter_mut().all(is_cut), "{path}");
    }
    check_it_is_well(&place, server);
}

#[test]
fn answers_that_one_credential_does_not_read_have_a_bound() {
    const CONNECTIONS: usize = 60;
    let place = Place::new();
    let bound = [
        ("SERVER__BUFFERED_BYTES_EACH_MAX", "2097152"),
        ("SERVER__WRITE_TIMEOUT", "60"),
        ("BOOTSTRAP__LIVE_KEY", LIVE_KEY),
    ];
    let server = start(&place, &bound);
    // 8,760 hours are about half a megabyte.
    let window = "from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&interval=hour";
    let ask = head("GET", &format!("/v1/analytics/timeseries?{window}"), "\r\n");
    let wires: Vec<Wire> = (0..CONNECTIONS)
        .map(|_| {
            let mut wire = Wire::open_narrow(&server);
            wire.send(&ask).unwrap();
            wire
        })
        .collect();
    wait_until("some are cut off", || {
        metric(&server, "http_connections_cut_total{reason=\"unread\"}") >= 30
    });
    let held = metric(&server, "http_buffered_bytes");
    assert!(held <= 2 * MIB, "{held}");
    // Another credential has a separate share.
    let mut other = Wire::open(&server);
    other.send(&ask.replace(SANDBOX_KEY, LIVE_KEY)).unwrap();
    assert_eq!(other.read().unwrap().status, 200);
    drop(wires);
    wait_until("all memory is released", || {
        metric(&server, "http_buffered_bytes") == 0
    });
    check_it_is_well(&place, server);
}

#[test]
fn every_head_of_a_connection_has_its_time() {
    let place = Place::new();
    let timeouts = [
        ("SERVER__REQUEST_TIMEOUT", "1"),
        ("SERVER__KEEP_ALIVE", "2"),
    ];
    let server = start(&place, &timeouts);
    let whole = request("GET", "/healthz", "");
    // A byte of the next head with the request before it, and after its response.
    let mut together = Wire::open(&server);
    together.send(&(whole.clone() + "G")).unwrap();
    assert_eq!(together.read().unwrap().status, 200);
    let mut later = Wire::open(&server);
    later.send(&whole).unwrap();
    assert_eq!(later.read().unwrap().status, 200);
    later.send("G").unwrap();
    // A head that arrives byte by byte is not given more time.
    let mut dripping = Wire::open(&server);
    dripping.send(&whole).unwrap();
    assert_eq!(dripping.read().unwrap().status, 200);
    let dripped = Instant::now();
    while dripping.send("G").is_ok() {
        assert!(dripped.elapsed() < Duration::from_secs(8), "it goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
    let waited = Instant::now();
    assert_eq!(later.read().expect("it says why").status, 408);
    assert!(later.is_closed() && together.is_closed());
    assert!(waited.elapsed() < Duration::from_secs(8));
    assert!(metric(&server, "http_connections_cut_total{reason=\"slow_head\"}") >= 2);
    check_it_is_well(&place, server);
}

#[test]
fn requests_that_do_not_end_hold_a_bounded_memory() {
    const CONNECTIONS: usize = 300;
    let place = Place::new();
    let server = start(&place, &[]);
    let before = anonymous_memory(&server);
    let header = format!("GET / HTTP/1.1\r\nx-long: {}", "x".repeat(100_000));
    let body = head("POST", CREDIT, "content-length: 250000\r\n\r\n") + &"1".repeat(200_000);
    let mut wires = Vec::new();
    for start in [&header, &body] {
        for _ in 0..CONNECTIONS {
            let mut wire = Wire::open(&server);
            // Some are refused before all of the request is sent.
            let _ = wire.send(start);
            wires.push(wire);
        }
    }
    wait_until("the bound is reached", || {
        metric(&server, "http_connections_cut_total{reason=\"unfinished\"}") >= 300
    });
    let grown = anonymous_memory(&server).saturating_sub(before);
    println!(
        "{} unfinished: memory grew by {} kB",
        wires.len(),
        grown / 1024
    );
    assert!(grown < 64 * MIB, "{grown}");
    server.get(SUMMARY);
    drop(wires);
    wait_until("all memory is released", || {
        metric(&server, "http_buffered_bytes") == 0
    });
    check_it_is_well(&place, server);
}

#[test]
fn a_credential_has_so_many_streams_and_another_has_its_own() {
    let place = Place::new();
    let bound = [
        ("SERVER__STREAMS_EACH_MAX", "5"),
        // A stream ends when a heartbeat cannot be sent.
        ("SERVER__STREAM_HEARTBEAT", "1"),
        ("BOOTSTRAP__LIVE_KEY", LIVE_KEY),
    ];
    let server = start(&place, &bound);
    let ask = head("GET", "/v1/activity/stream", "\r\n");
    let open = |ask: &str| {
        let mut wire = Wire::open(&server);
        wire.send(ask).unwrap();
        let status = wire.read_head().unwrap();
        (wire, status)
    };
    let mut streams: Vec<_> = (0..5).map(|_| open(&ask)).collect();
    assert!(streams.iter().all(|(_, status)| *status == 200));
    let mut refused = Wire::open(&server);
    refused.send(&ask).unwrap();
    let answer = refused.read().unwrap();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "RATE_LIMITED")
    );
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    let (_other, status) = open(&ask.replace(SANDBOX_KEY, LIVE_KEY));
    assert_eq!(status, 200);
    // A member's tokens count together, apart from the key.
    let exchange = json!({"externalUserID": "ann"});
    let conversation = "/v1/conversations?externalUserID=ann";
    let token = || {
        let answer = server.post("/v1/auth/exchange", &exchange);
        answer.expect(200)["accessToken"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let listed = server.get(conversation);
    let id = listed["conversations"][0]["id"].as_str().unwrap();
    let path = format!("/v1/conversations/{id}/stream");
    let as_member = || head("GET", &path, "\r\n").replace(SANDBOX_KEY, &token());
    let members: Vec<_> = (0..5).map(|_| open(&as_member())).collect();
    assert!(members.iter().all(|(_, status)| *status == 200));
    assert_eq!(open(&as_member()).1, 429);
    // A stream that ends makes room.
    streams.pop();
    wait_until("there is room again", || open(&ask).1 == 200);
    drop((streams, members));
    check_it_is_well(&place, server);
}

#[test]
fn an_offer_of_another_protocol_is_ignored_and_the_end_is_said() {
    let place = Place::new();
    let server = start(&place, &[]);
    let body = credit_body(1);
    let length = body.len();
    let h2c = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n";
    let socket = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZQ==\r\n\
                  sec-websocket-version: 13\r\n";
    let lone = "upgrade: websocket\r\n";
    let mut credited = 0;
    for offer in [h2c, socket, lone] {
        for (method, path, end) in [
            ("GET", SUMMARY, "\r\n".to_owned()),
            (
                "POST",
                CREDIT,
                format!("content-length: {length}\r\n\r\n{body}"),
            ),
            (
                "POST",
                CREDIT,
                format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
            ),
        ] {
            let mut wire = Wire::open(&server);
            let asked = Instant::now();
            wire.send(&head(method, path, &format!("{offer}{end}")))
                .unwrap();
            let answer = wire.read().unwrap_or_else(|| panic!("{offer}{method}"));
            assert_eq!(answer.status, 200, "{offer}{answer:?}");
            assert_eq!(
                answer.header("connection"),
                Some("close"),
                "{offer}{answer:?}"
            );
            assert!(
                asked.elapsed() < Duration::from_secs(2),
                "{:?}",
                asked.elapsed()
            );
            assert!(wire.is_closed(), "{offer}");
            credited += u64::from(method == "POST");
        }
    }
    assert_eq!(server.get(SUMMARY)["pointsMinted"], credited);
    check_it_is_well(&place, server);
}

#[test]
fn what_is_no_http_is_counted_and_not_logged() {
    let place = Place::new();
    let server = start(&place, &[]);
    // The first bytes of TLS, of SSH, of another HTTP, and worse.
    let garbage: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\x00\x01 HTTP/9.9\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
    ];
    for number in 0..400 {
        let mut wire = Wire::open(&server);
        let _ = wire.send_bytes(garbage[number % garbage.len()]);
        if let Some(answer) = wire.read() {
            assert_eq!(answer.status, 400);
        }
    }
    assert!(metric(&server, "http_connections_cut_total{reason=\"malformed\"}") >= 300);
    let log = server.log();
    let mut lines = log.lines();
    let loud = lines.find(|line| line.contains("ERROR") || line.contains("WARN"));
    assert_eq!(loud, None);
    check_it_is_well(&place, server);
}

#[test]
fn every_labelled_counter_is_there_from_the_start() {
    let place = Place::new();
    let server = place.start();
    for name in [
        "webhook_attempts_total{outcome=\"dead\"}",
        "webhook_attempts_total{outcome=\"delivered\"}",
        "http_connections_cut_total{reason=\"unread\"}",
        "http_requests_total{method=\"POST\",route=\"/v1/wallet/credit\",status=\"500\"}",
        "http_requests_total{method=\"POST\",route=\"/v1/wallet/credit\",status=\"503\"}",
    ] {
        assert_eq!(metric(&server, name), 0, "{name}");
    }
    server.terminate();
}

#[test]
fn connections_have_a_bound_and_the_next_one_waits() {
    let place = Place::new();
    let bound = [
        ("SERVER__CONNECTIONS_MAX", "20"),
        ("SERVER__WORKERS", "2"),
        ("SERVER__KEEP_ALIVE", "2"),
    ];
    let server = start(&place, &bound);
    let mut wires: Vec<Wire> = (0..30).map(|_| Wire::open(&server)).collect();
    for wire in &mut wires {
        wire.send(&request("GET", "/healthz", "")).unwrap();
    }
    // The last ones are served once the first ones have been idle for too long.
    for wire in &mut wires {
        assert_eq!(wire.read().unwrap().status, 200);
    }
    check_it_is_well(&place, server);
}
