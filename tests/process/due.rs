//! Points whose date comes: after a pause, when the server is killed meanwhile, and when the disk
//! fails. The lots are written into the file of a stopped server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stampcard::clock::Clock;

use crate::lots::{POINTS, insert};
use crate::server::{Place, Server, done};
use crate::{clock, faults};

/// More than fit into a slice; fewer than the entries after which one stores a hash.
const MEMBERS: usize = 3_000;
const PATIENCE: Duration = Duration::from_mins(2);
const DAY: i64 = 86_400;

/// A database with lots that expire after this time; they did already if it is negative.
fn place(members: usize, seconds: i64) -> Place {
    let place = Place::new();
    place.start().terminate();
    let now = Clock::system().now().as_millis();
    insert(&place.sqlite(), members, now, now + seconds * 1000);
    place
}

/// Waits until the server is ready; returns the status before, if it was not at once.
#[track_caller]
fn ready(server: &Server) -> Option<String> {
    let mut before = None;
    let begun = Instant::now();
    loop {
        let answer = server.send("GET", "/readyz", None, &Value::Null).unwrap();
        if answer.status == 200 {
            return before;
        }
        before = Some(answer.text);
        assert!(begun.elapsed() < PATIENCE, "{before:?} {}", server.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The number of lots that expired.
fn expired(place: &Place) -> usize {
    let sql = "SELECT count(*) FROM activity WHERE entry = 6 AND actor = 5";
    let count: u32 = place.sqlite().query_row(sql, [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

#[track_caller]
fn wait_for(place: &Place, server: &Server, count: usize) {
    let begun = Instant::now();
    while expired(place) < count {
        assert!(
            begun.elapsed() < PATIENCE,
            "{}: {}",
            expired(place),
            server.log()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Every lot expired, once and in time.
#[track_caller]
fn check(place: &Place, server: Server) {
    assert_eq!(expired(place), MEMBERS);
    let wallet = server.get("/v1/wallet?externalUserID=m7");
    assert_eq!(
        (&wallet["balance"], &wallet["amountSpent"]),
        (&json!(0), &json!(POINTS))
    );
    server.terminate();
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let text = format!("{MEMBERS} ledger entries were due and came in time");
    assert!(format!("{verified:?}").contains(&text), "{verified:?}");
}

#[test]
fn what_became_due_while_the_server_was_off_is_applied_before_it_is_ready() {
    let place = place(MEMBERS, -3600);
    let server = place.start();
    let before = ready(&server).expect("it was not ready at once");
    assert!(
        before.contains("what became due while the server was stopped"),
        "{before}"
    );
    check(&place, server);
}

#[test]
fn a_kill_between_slices_applies_nothing_twice_and_nothing_too_late() {
    let place = place(MEMBERS, -3600);
    let mut between = 0;
    for round in 0..3 {
        let server = place.start();
        wait_for(&place, &server, round * MEMBERS / 6 + 1);
        server.kill();
        between += usize::from((1..MEMBERS).contains(&expired(&place)));
    }
    assert!(between > 0, "no kill came between two slices");
    let server = place.start();
    ready(&server);
    check(&place, server);
}

#[test]
fn what_a_lost_commit_applied_is_applied_again_once() {
    let place = place(MEMBERS, -3600);
    let server = faults::start(&place);
    faults::set_fault(&place, "sync=EIO");
    server.wait_for_log("a commit failed");
    let wallet = server.get("/v1/wallet?externalUserID=m2999");
    assert_eq!(wallet["balance"], POINTS, "reads go on");
    faults::set_fault(&place, "");
    ready(&server);
    wait_for(&place, &server, MEMBERS);
    check(&place, server);
}

#[test]
fn a_sweep_goes_on_by_itself_after_the_clock_was_set_wrong_meanwhile() {
    let place = place(MEMBERS, -3600);
    clock::set_clock(&place, 0);
    let server = clock::start(&place);
    wait_for(&place, &server, 1);
    clock::set_clock(&place, 365 * DAY);
    server.wait_for_log("the system clock was set forward");
    clock::set_clock(&place, 0);
    ready(&server);
    wait_for(&place, &server, MEMBERS);
    check(&place, server);
}

#[test]
fn a_start_more_than_35_days_later_asks_only_if_something_would_be_due() {
    let place = place(1, 10 * DAY);
    let shifted = |days: i64, accepts: bool| {
        clock::set_clock(&place, days * DAY);
        if accepts {
            clock::start_accepting(&place)
        } else {
            clock::start(&place)
        }
    };
    let refused = |server: Server| {
        let answer = server.send("GET", "/readyz", None, &Value::Null).unwrap();
        assert_eq!(answer.status, 503, "{}", answer.text);
        let body = json!({"externalUserID": "m1", "amount": 1});
        server.post("/v1/wallet/credit", &body).expect(503);
        assert_eq!(expired(&place), 0);
        server.wait_for_log("points of members would expire or mature, or be announced");
        server.terminate();
    };
    refused(shifted(36, false));
    // It is still refused at the next start.
    let server = shifted(36, false);
    let answer = server.send("GET", "/readyz", None, &Value::Null).unwrap();
    assert_eq!(
        (answer.status, expired(&place)),
        (503, 0),
        "{}",
        answer.text
    );
    server.terminate();
    let server = shifted(36, true);
    ready(&server);
    assert_eq!(expired(&place), 1);
    server.terminate();
    // Nothing is due any more.
    let server = shifted(80, false);
    assert_eq!(ready(&server), None);
    server.terminate();
    done(&place.verify());
}
