//! Overload: requests that never end, a very large number of clients, a full queue. Memory stays
//! bounded, every response is correct, and the server recovers automatically.

mod hostile;
mod strangers;
mod wire;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Place, SANDBOX_KEY, Server, agent, request as ask};
use wire::{Wire, head, request};

const SUMMARY: &str = "/v1/analytics/summary";
const CREDIT: &str = "/v1/wallet/credit";
const MIB: u64 = 1 << 20;

/// Resident memory of a process, in bytes.
pub(crate) fn memory(server: &Server) -> u64 {
    status(server, "VmRSS:")
}

/// Its anonymous part, without files.
pub(crate) fn anonymous_memory(server: &Server) -> u64 {
    status(server, "RssAnon:")
}

fn status(server: &Server, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    1024 * number.trim().parse::<u64>().unwrap()
}

/// Its number of open files.
fn descriptors(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.id());
    std::fs::read_dir(folder).unwrap().count()
}

/// Starts it with these settings and a member to credit.
fn start(place: &Place, settings: &[(&str, &str)]) -> Server {
    let mut command = place.serve();
    for (name, value) in settings {
        command.env(format!("STAMPCARD_{name}"), value);
    }
    let server = place.start_as(command);
    server.set_member("ann");
    server
}

/// It responds immediately, did not panic, and everything agrees.
#[track_caller]
fn check_it_is_well(place: &Place, server: Server) {
    let asked = Instant::now();
    server.get(SUMMARY);
    server.credit("ann", 1);
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    let log = server.log();
    assert!(!log.contains("panic"), "{log}");
    server.terminate();
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

fn credit_body(amount: u64) -> String {
    json!({"externalUserID": "ann", "amount": amount}).to_string()
}

#[test]
fn a_head_that_does_not_end_is_given_up() {
    let place = Place::new();
    let server = start(&place, &[("SERVER__REQUEST_TIMEOUT", "1")]);
    let mut wires: Vec<Wire> = (0..200).map(|_| Wire::open(&server)).collect();
    for wire in &mut wires {
        wire.send("GET /v1/analytics/summary HTTP/1.1\r\nhost:")
            .unwrap();
    }
    let start = Instant::now();
    server.get(SUMMARY);
    for wire in &mut wires {
        // Some are still being sent slowly when the time is over.
        let _ = wire.send(" ");
    }
    for mut wire in wires {
        let answer = wire.read().expect("it says why");
        assert_eq!(answer.status, 408, "{answer:?}");
        assert!(wire.is_closed());
    }
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    check_it_is_well(&place, server);
}

#[test]
fn a_body_that_does_not_end_is_given_up() {
    let place = Place::new();
    let server = start(&place, &[("SERVER__REQUEST_TIMEOUT", "1")]);
    let body = credit_body(1);
    let mut wires: Vec<Wire> = (0..200).map(|_| Wire::open(&server)).collect();
    for (index, wire) in wires.iter_mut().enumerate() {
        // With a length, and in chunks.
        let start = if index % 2 == 0 {
            let length = format!("content-length: {}\r\n\r\n", body.len());
            head("POST", CREDIT, &length) + &body[..10]
        } else {
            head("POST", CREDIT, "transfer-encoding: chunked\r\n\r\na\r\n") + &body[..10]
        };
        wire.send(&start).unwrap();
    }
    let start = Instant::now();
    server.get(SUMMARY);
    for mut wire in wires {
        let answer = wire.read().expect("it says why");
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "BAD_REQUEST")
        );
        assert!(answer.body.contains("within 1 seconds"), "{}", answer.body);
        assert!(wire.is_closed(), "it waits for no rest");
    }
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(server.get(SUMMARY)["pointsMinted"], 0);
    check_it_is_well(&place, server);
}

#[test]
fn a_body_that_nobody_reads_ends_with_the_answer() {
    let place = Place::new();
    let server = start(&place, &[]);
    for path in ["/v1/wallet/credit", "/nowhere"] {
        let mut wire = Wire::open(&server);
        let refused = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer nobody\r\n\
             transfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n"
        );
        wire.send(&refused).unwrap();
        let answer = wire.read().unwrap();
        assert!(matches!(answer.status, 401 | 404), "{answer:?}");
        assert!(wire.is_closed(), "{path}: it waits for no rest");
    }
    // After a complete request in chunks, the connection stays open.
    let mut wire = Wire::open(&server);
    let body = credit_body(5);
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let whole = head("POST", CREDIT, "transfer-encoding: chunked\r\n\r\n") + &chunk;
    for _ in 0..3 {
        wire.send(&whole).unwrap();
        assert_eq!(wire.read().unwrap().status, 200);
    }
    check_it_is_well(&place, server);
}

#[test]
fn bodies_that_are_too_large_cost_no_memory() {
    let place = Place::new();
    let server = start(&place, &[]);
    let before = memory(&server);
    std::thread::scope(|scope| {
        for index in 0..40 {
            let server = &server;
            scope.spawn(move || {
                let mut wire = Wire::open(server);
                let megabyte = "x".repeat(1 << 20);
                if index % 2 == 0 {
                    let length = "content-length: 1000000000\r\n\r\n";
                    wire.send(&head("POST", CREDIT, length)).unwrap();
                } else {
                    let chunked = "transfer-encoding: chunked\r\n\r\n";
                    wire.send(&head("POST", CREDIT, chunked)).unwrap();
                }
                // A thousand megabytes, as far as they are accepted.
                for _ in 0..1000 {
                    let chunk = format!("100000\r\n{megabyte}\r\n");
                    if wire.send(&chunk).is_err() {
                        break;
                    }
                }
                if let Some(answer) = wire.read() {
                    assert_eq!(
                        (answer.status, answer.code().as_str()),
                        (413, "PAYLOAD_TOO_LARGE")
                    );
                }
            });
        }
    });
    let grown = memory(&server).saturating_sub(before);
    println!(
        "40 bodies of up to 1 GB: memory grew by {} kB",
        grown / 1024
    );
    assert!(grown < 64 * MIB, "{grown}");
    check_it_is_well(&place, server);
}

#[test]
fn a_long_pipeline_is_answered_in_order_and_costs_no_memory() {
    const LENGTH: usize = 20_000;
    let place = Place::new();
    let server = start(&place, &[]);
    server.get(SUMMARY);
    let before = memory(&server);
    let mut wire = Wire::open(&server);
    let mut sender = wire.stream().try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        use std::io::Write as _;
        for number in 0..LENGTH {
            // Each requests another member, so that the responses differ.
            let path = format!("/v1/members/nobody-{number}");
            let next = if number % 2 == 0 {
                request("GET", SUMMARY, "")
            } else {
                request("GET", &path, "")
            };
            sender.write_all(next.as_bytes()).unwrap();
        }
    });
    // Nothing is read until the sender blocks: the waiting data is at its maximum.
    std::thread::sleep(Duration::from_millis(1500));
    let waiting = memory(&server).saturating_sub(before);
    for number in 0..LENGTH {
        let Some(answer) = wire.read() else {
            panic!("{number} of {LENGTH} were answered: {}", server.log());
        };
        assert_eq!(
            answer.status,
            if number % 2 == 0 { 200 } else { 404 },
            "{number}"
        );
    }
    sending.join().unwrap();
    println!(
        "a pipeline of {LENGTH}: memory grew by {} kB while it waited",
        waiting / 1024
    );
    assert!(waiting < 32 * MIB, "{waiting}");
    check_it_is_well(&place, server);
}

#[test]
fn a_pipeline_whose_client_reads_late_is_answered_to_its_end() {
    // More than fits between the two, of responses that wait for nothing; then a few more, which
    // the server finds when it has stopped because the client does not read.
    const FIRST: usize = 600;
    const LATER: usize = 20;
    let place = Place::new();
    let server = start(&place, &[]);
    let window = "from=2026-01-01T00:00:00Z&to=2026-05-01T00:00:00Z";
    let path = format!("/v1/analytics/timeseries?interval=day&{window}");
    let one = head("GET", &path, "\r\n");
    let mut wire = Wire::open(&server);
    wire.send(&one.repeat(FIRST)).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    wire.send(&one.repeat(LATER)).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    for number in 0..FIRST + LATER {
        let answer = wire.read();
        let status = answer.map(|answer| answer.status);
        assert_eq!(status, Some(200), "{number}: {}", server.log());
    }
    check_it_is_well(&place, server);
}

#[test]
fn thousands_of_idle_connections_leave_it_quick() {
    const CONNECTIONS: usize = 4000;
    let place = Place::new();
    let server = start(&place, &[("SERVER__KEEP_ALIVE", "3600")]);
    let before = memory(&server);
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut wire = Wire::open(&server);
        wire.send(&request("GET", "/healthz", "")).unwrap();
        assert_eq!(wire.read().unwrap().status, 200);
        wires.push(wire);
    }
    let grown = memory(&server).saturating_sub(before);
    let mut slowest = Duration::ZERO;
    for _ in 0..200 {
        let asked = Instant::now();
        server.get(SUMMARY);
        slowest = slowest.max(asked.elapsed());
    }
    println!(
        "{CONNECTIONS} idle connections: {} kB, {} bytes each; slowest summary beside them {slowest:?}",
        grown / 1024,
        grown / CONNECTIONS as u64
    );
    assert!(grown < 128 * MIB && slowest < Duration::from_secs(1));
    drop(wires);
    let start = Instant::now();
    while descriptors(&server) > 100 {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{}",
            descriptors(&server)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    check_it_is_well(&place, server);
}

#[test]
fn it_survives_running_out_of_descriptors() {
    let place = Place::new();
    let mut limited = std::process::Command::new("sh");
    let inner = place.serve();
    limited.arg("-c").arg("ulimit -n 200; exec \"$0\" \"$@\"");
    limited
        .arg(inner.get_program())
        .args(inner.get_args())
        .env_clear();
    for (name, value) in inner.get_envs() {
        limited.env(name, value.unwrap());
    }
    limited.current_dir(inner.get_current_dir().unwrap());
    let server = place.start_as(limited);
    server.set_member("ann");
    // An open connection is served throughout.
    let mut early = Wire::open(&server);
    let mut wires: Vec<Wire> = (0..400).map(|_| Wire::open(&server)).collect();
    std::thread::sleep(Duration::from_millis(300));
    for amount in 1..=20 {
        early
            .send(&request("POST", CREDIT, &credit_body(amount)))
            .unwrap();
        let answer = early.read().unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    // The others wait to be accepted: the other descriptors are reserved for the database and
    // webhooks.
    assert!(descriptors(&server) >= 100, "{}", descriptors(&server));
    wires.clear();
    let start = Instant::now();
    loop {
        let asked = Wire::try_open(&server).ok().and_then(|mut wire| {
            wire.send(&request("GET", SUMMARY, "")).ok()?;
            wire.read()
        });
        if asked.is_some_and(|answer| answer.status == 200) {
            break;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{}",
            server.log()
        );
    }
    println!(
        "out of descriptors: new connections again after {:?}",
        start.elapsed()
    );
    check_it_is_well(&place, server);
}

#[test]
fn streams_that_nobody_reads_hold_little_of_the_log() {
    const EVENTS: usize = 400;
    const STREAMS: usize = 20;
    let place = Place::new();
    let server = start(&place, &[]);
    let attributes = json!({"long": "x".repeat(16_000)});
    for number in 0..EVENTS {
        let body = json!({"tier": format!("tier-{number}"), "attributes": attributes});
        let answer = server.send("PUT", "/v1/members/ann", None, &body).unwrap();
        answer.expect(200);
    }
    let before = memory(&server);
    let resume = head("GET", "/v1/activity/stream", "last-event-id: 0\r\n\r\n");
    let wires: Vec<Wire> = (0..STREAMS)
        .map(|_| {
            let mut wire = Wire::open(&server);
            wire.send(&resume).unwrap();
            wire
        })
        .collect();
    // All of them have begun to read the log.
    std::thread::sleep(Duration::from_secs(2));
    let grown = memory(&server).saturating_sub(before);
    println!(
        "{STREAMS} streams resumed at the first of {EVENTS} events of 16 kB, and not read: memory \
         grew by {} kB",
        grown / 1024
    );
    assert!(grown < 32 * MIB, "{grown}");
    drop(wires);
    check_it_is_well(&place, server);
}

#[test]
fn a_full_queue_refuses_at_once_and_recovers_by_itself() {
    const CLIENTS: usize = 24;
    let place = Place::new();
    // The server's own writes, such as a snapshot, take a place in the queue too.
    let server = start(&place, &[("DATABASE__QUEUE_MAX", "4")]);
    let other = place.sqlite();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = AtomicUsize::new(0);
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (server, refused) = (&server, &refused);
                scope.spawn(move || {
                    let mut wire = Wire::open(server);
                    let body = credit_body(1);
                    let more = format!(
                        "idempotency-key: full-{number}\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    wire.send(&head("POST", CREDIT, &more)).unwrap();
                    let answer = wire.read().unwrap();
                    if answer.status == 503 {
                        assert!(answer.header("retry-after").is_some(), "{answer:?}");
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                    (answer.status, answer.code())
                })
            })
            .collect();
        let start = Instant::now();
        // All except the one that is being written, those in its transaction, and those that wait.
        while refused.load(Ordering::SeqCst) < CLIENTS / 2 {
            assert!(
                start.elapsed() < Duration::from_secs(4),
                "{refused:?} were refused"
            );
            std::thread::yield_now();
        }
        println!(
            "{} of {CLIENTS} refused after {:?}",
            CLIENTS / 2,
            start.elapsed()
        );
        server.get(SUMMARY);
        other.execute_batch("ROLLBACK").unwrap();
        asking
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let overloaded = |(status, code): &&(u16, String)| *status == 503 && code == "OVERLOADED";
    let count = answers.iter().filter(overloaded).count();
    assert!(count >= CLIENTS / 2, "{answers:?}");
    let done = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(done + count, CLIENTS, "{answers:?}");
    // The refused request had no effect; it succeeds when it is repeated later.
    assert_eq!(server.get(SUMMARY)["pointsMinted"], done);
    for number in 0..CLIENTS {
        let body = json!({"externalUserID": "ann", "amount": 1});
        let key = format!("full-{number}");
        server
            .send("POST", CREDIT, Some(&key), &body)
            .unwrap()
            .expect(200);
    }
    assert_eq!(server.get(SUMMARY)["pointsMinted"], CLIENTS);
    check_it_is_well(&place, server);
}

#[test]
fn more_clients_than_it_can_serve_get_right_answers_or_503() {
    const CLIENTS: usize = 300;
    const STALL_MAX: Duration = Duration::from_secs(3);
    let place = Place::new();
    let server = start(&place, &[("DATABASE__QUEUE_MAX", "64")]);
    let other = place.sqlite();
    let mut stalls = 0;
    let before = memory(&server);
    let (done, refused, over) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    let slowest = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (server, done, refused, over) = (&server, &done, &refused, &over);
                scope.spawn(move || {
                    let agent = agent();
                    let body = json!({"externalUserID": "ann", "amount": 1});
                    let mut slowest = Duration::ZERO;
                    while !over.load(Ordering::Relaxed) {
                        let asked = Instant::now();
                        let route = ("POST", CREDIT);
                        let address = server.address;
                        let answer = ask(&agent, address, SANDBOX_KEY, route, None, &body).unwrap();
                        slowest = slowest.max(asked.elapsed());
                        let count = match answer.status {
                            200 => done,
                            503 => refused,
                            _ => panic!("{answer:?}"),
                        };
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    slowest
                })
            })
            .collect();
        // Simulates a disk that stalls from time to time, each time until the queue is full:
        // however fast the server is compared with its clients, there are more requests than it can
        // serve.
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(4) {
            std::thread::sleep(Duration::from_millis(100));
            if other.execute_batch("BEGIN IMMEDIATE").is_err() {
                continue;
            }
            let (stalled, so_far) = (Instant::now(), refused.load(Ordering::Relaxed));
            while refused.load(Ordering::Relaxed) == so_far && stalled.elapsed() < STALL_MAX {
                std::thread::sleep(Duration::from_millis(1));
            }
            other.execute_batch("ROLLBACK").unwrap();
            stalls += 1;
        }
        over.store(true, Ordering::Relaxed);
        let slowest = threads.into_iter().map(|thread| thread.join().unwrap());
        slowest.max().unwrap()
    });
    let grown = memory(&server).saturating_sub(before);
    let (done, refused) = (done.into_inner(), refused.into_inner());
    println!(
        "{CLIENTS} clients for 4 s at a queue of 64, {stalls} stalls: {done} done, {refused} \
         refused, slowest {slowest:?}, memory grew by {} kB",
        grown / 1024
    );
    assert!(done > 0 && refused > 0, "{done} {refused}");
    assert!(slowest < Duration::from_secs(10) && grown < 64 * MIB);
    assert_eq!(server.get(SUMMARY)["pointsMinted"], Value::from(done));
    check_it_is_well(&place, server);
}
