//! A program that holds the database's write lock stops writes and nothing else: the figures come
//! from memory.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Answer, Place, Server};

const FIGURES: [&str; 3] = [
    "/v1/analytics/summary",
    "/v1/analytics/offers",
    "/v1/analytics/timeseries?from=2020-01-01&to=2100-01-01&interval=month",
];

fn figures(server: &Server) -> [Value; 3] {
    FIGURES.map(|path| server.get(path))
}

fn credit(server: &Server, idempotency_key: &str) -> Answer {
    let body = json!({"externalUserID": "ann", "amount": 5});
    server
        .send("POST", "/v1/wallet/credit", Some(idempotency_key), &body)
        .unwrap()
}

fn minted(server: &Server) -> u64 {
    server.get(FIGURES[0])["pointsMinted"].as_u64().unwrap()
}

#[test]
fn the_figures_are_answered_while_writes_wait_for_the_database() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    let before = figures(&server);
    let other = place.sqlite();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| credit(&server, "once"));
        let start = Instant::now();
        // Half a second: enough for the credit to arrive, and to see that it does not return.
        let mut rounds = 0;
        while start.elapsed() < Duration::from_millis(500) {
            let asked = Instant::now();
            assert_eq!(
                figures(&server),
                before,
                "nothing that was not acknowledged"
            );
            let took = asked.elapsed();
            assert!(took < Duration::from_secs(2), "{took:?}");
            rounds += 1;
        }
        assert!(rounds >= 3, "only {rounds} rounds of answers");
        assert!(!waiting.is_finished(), "acknowledged without being written");
        other.execute_batch("ROLLBACK").unwrap();
        let answer = waiting.join().unwrap();
        // If the lock was held for longer than the writer waits, the client was told to try again.
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
    });
    retry_until_done(&server, "once");
    assert_eq!(minted(&server), 205, "the credit acted once");
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

/// The writer gives up after five seconds; the figures continue, and so do writes once they can.
#[test]
fn the_figures_are_answered_while_writes_are_refused() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    let before = figures(&server);
    let other = place.sqlite();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let answer = credit(&server, "late");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(figures(&server), before);
    other.execute_batch("ROLLBACK").unwrap();
    retry_until_done(&server, "late");
    assert_eq!(minted(&server), 205);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

/// Repeats a credit until it is acknowledged, as a client does.
#[track_caller]
fn retry_until_done(server: &Server, idempotency_key: &str) {
    let start = Instant::now();
    loop {
        let answer = credit(server, idempotency_key);
        if answer.status == 200 {
            return;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(start.elapsed() < Duration::from_secs(30), "{answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
