//! The system clock is set while the server runs, or was set before it starts.
//!
//! A library that is preloaded into the real binary shifts wall time (tests/faults/shim.c); the
//! time since boot stays unchanged.

use std::process::Command;

use serde_json::{Value, json};
use stampcard::clock::Clock;

use crate::faults::shim;
use crate::server::{Answer, Place, SANDBOX_KEY, Server, done, request};

const PARTNER_KEY: &str = "partner_live_0123456789abcdef0123456789abcdef";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
const REFUSED: &str = "writes are stopped because the system clock";
const BEHIND: &str = "the system clock is behind the newest row";

/// Shifts wall time from the real time.
pub(crate) fn set_clock(place: &Place, seconds: i64) {
    let new = place.path("shift.new");
    std::fs::write(&new, seconds.to_string()).unwrap();
    std::fs::rename(new, place.path("shift")).unwrap();
}

/// The same command, under a clock that can be set.
fn under_clock(place: &Place, mut command: Command) -> Command {
    command
        .env("LD_PRELOAD", shim())
        .env("CLOCK_SHIFT", place.path("shift"))
        .env("STAMPCARD_BOOTSTRAP__PARTNER_LIVE_KEY", PARTNER_KEY);
    command
}

pub(crate) fn start(place: &Place) -> Server {
    place.start_as(under_clock(place, place.serve()))
}

pub(crate) fn start_accepting(place: &Place) -> Server {
    let mut command = place.serve();
    command.args(["serve", "--accept-clock"]);
    place.start_as(under_clock(place, command))
}

fn credit(server: &Server) -> Answer {
    let body = json!({"externalUserID": "ann", "amount": 10});
    server.post("/v1/wallet/credit", &body)
}

#[track_caller]
fn assert_refuses(server: &Server) {
    let refused = credit(server);
    assert_eq!(
        refused.expect(503)["error"]["code"],
        "STORAGE_UNAVAILABLE",
        "{refused:?}"
    );
    let unready = server.send("GET", "/readyz", None, &Value::Null).unwrap();
    let reason = unready.expect(503)["reason"].to_string();
    assert!(reason.contains(REFUSED), "{reason}");
    assert!(reason.contains("set forward by 365 d 0 h,"), "{reason}");
    assert!(reason.contains("stampcard clock accept"), "{reason}");
    assert!(reason.contains("--accept-clock"), "{reason}");
}

#[track_caller]
fn assert_takes_writes(server: &Server) {
    credit(server).expect(200);
    server.get("/readyz");
}

#[track_caller]
fn accept(server: &Server, key: &str) -> Answer {
    let route = ("POST", "/partner/clock/accept");
    request(
        &server.agent,
        server.address,
        key,
        route,
        None,
        &Value::Null,
    )
    .unwrap()
}

/// The value of a metric.
#[track_caller]
fn metric(server: &Server, name: &str) -> String {
    let text = server.send("GET", "/metrics", None, &Value::Null).unwrap();
    let found = text.text.lines().find_map(|line| line.strip_prefix(name));
    found.expect(name).trim().to_owned()
}

/// The number of steps that were taken, refused and accepted.
fn steps(server: &Server) -> [u64; 3] {
    ["taken", "refused", "accepted"].map(|outcome| {
        let name = format!("clock_steps_total{{outcome=\"{outcome}\"}}");
        metric(server, &name).parse().unwrap()
    })
}

/// The time of the newest row, in milliseconds.
fn newest(place: &Place) -> i64 {
    let sql = "SELECT at FROM activity ORDER BY seq DESC LIMIT 1";
    place.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// How far the newest row is from the true time, in seconds.
fn newest_from_now(place: &Place) -> i64 {
    (newest(place) - Clock::system().now().as_millis()) / 1000
}

/// The same in seconds.
#[track_caller]
fn seconds(server: &Server, name: &str) -> f64 {
    metric(server, name).parse().unwrap()
}

fn count(server: &Server, text: &str) -> usize {
    server.log().matches(text).count()
}

/// Stops a server and checks its database.
#[track_caller]
fn stop(place: &Place, server: Server) {
    server.terminate();
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn a_clock_a_year_ahead_stops_writes_until_it_is_set_back() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    credit(&server).expect(200);
    assert_eq!(metric(&server, "clock_behind_seconds"), "0.0");
    assert_eq!(metric(&server, "clock_refused_seconds"), "0.0");
    assert_eq!(steps(&server), [0; 3]);
    let body = json!({"externalUserID": "ann"});
    let token = server.post("/v1/auth/exchange", &body).expect(200);
    set_clock(&place, YEAR);
    assert_refuses(&server);
    assert_refuses(&server);
    // Reads continue, and so does a token that would have expired long ago.
    let token = token["accessToken"].as_str().unwrap();
    let wallet = ("GET", "/v1/wallet");
    let wallet = request(
        &server.agent,
        server.address,
        token,
        wallet,
        None,
        &Value::Null,
    );
    assert_eq!(wallet.unwrap().expect(200)["balance"], 10);
    assert_eq!(server.get("/v1/analytics/summary")["pointsMinted"], 10);
    let refused = seconds(&server, "clock_refused_seconds");
    assert!((refused - 31_536_000.0).abs() < 2.0, "{refused}");
    assert_eq!(metric(&server, "writer_is_writable"), "0");
    set_clock(&place, 0);
    assert_takes_writes(&server);
    assert!(newest_from_now(&place).abs() < 60);
    assert_eq!(steps(&server), [0, 1, 0]);
    assert_eq!(count(&server, REFUSED), 1, "{}", server.log());
    stop(&place, server);
}

#[test]
fn a_step_is_noticed_although_nobody_asks_and_can_be_accepted() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    set_clock(&place, YEAR);
    server.wait_for_log(REFUSED);
    accept(&server, SANDBOX_KEY).expect(403);
    assert_refuses(&server);
    let accepted = accept(&server, PARTNER_KEY).expect(200);
    assert_eq!(accepted["accepted"], true);
    assert_takes_writes(&server);
    assert!((newest_from_now(&place) - YEAR).abs() < 60);
    let again = accept(&server, PARTNER_KEY).expect(200);
    assert_eq!(
        (&again["accepted"], &again["stepMs"]),
        (&json!(false), &json!(0))
    );
    // The same through the command line.
    set_clock(&place, 2 * YEAR);
    assert_refuses(&server);
    let mut command = place.command(&["clock", "accept", "--url"]);
    command
        .arg(format!("http://{}", server.address))
        .env("STAMPCARD_KEY", PARTNER_KEY);
    let ended = place.run(command);
    assert!(done(&ended).stdout.starts_with("accepted: "), "{ended:?}");
    assert_takes_writes(&server);
    assert_eq!(steps(&server), [0, 2, 2]);
    stop(&place, server);
}

#[test]
fn a_clock_two_hours_ahead_is_taken_and_told() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    set_clock(&place, 2 * HOUR);
    assert_takes_writes(&server);
    assert!((newest_from_now(&place) - 2 * HOUR).abs() < 60);
    assert_eq!(steps(&server), [1, 0, 0]);
    let told = "the system clock was set forward; the new time is accepted";
    assert_eq!(count(&server, told), 1, "{}", server.log());
    stop(&place, server);
}

#[test]
fn time_stands_still_until_a_clock_that_was_set_back_has_caught_up() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    credit(&server).expect(200);
    let before = newest(&place);
    set_clock(&place, -HOUR);
    for _ in 0..3 {
        assert_takes_writes(&server);
        assert_eq!(newest(&place), before);
    }
    // Data that belongs to no program is written, too.
    let body = json!({"name": "Another program"});
    server.post("/v1/programs", &body).expect(201);
    server.live_a_little();
    let behind = seconds(&server, "clock_behind_seconds");
    assert!((3500.0..=3600.5).contains(&behind), "{behind}");
    server.wait_for_log(BEHIND);
    assert_eq!(count(&server, BEHIND), 1, "{}", server.log());
    set_clock(&place, 0);
    assert_takes_writes(&server);
    assert!(newest(&place) > before);
    assert_eq!(metric(&server, "clock_behind_seconds"), "0.0");
    stop(&place, server);
}

#[test]
fn a_restart_does_not_accept_what_was_refused() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    set_clock(&place, YEAR);
    assert_refuses(&server);
    stop(&place, server);
    let server = start(&place);
    assert_refuses(&server);
    server.terminate();
    let server = start_accepting(&place);
    assert_takes_writes(&server);
    server.terminate();
    let server = start(&place);
    assert_takes_writes(&server);
    // Corrected while the server is stopped, a refused step is over.
    set_clock(&place, 2 * YEAR);
    assert_refuses(&server);
    server.terminate();
    set_clock(&place, YEAR + HOUR);
    let server = start(&place);
    assert_takes_writes(&server);
    // It can be accepted on the file of a stopped server as well.
    set_clock(&place, 2 * YEAR + HOUR);
    assert_refuses(&server);
    server.terminate();
    let accepting = place.on_database(&["clock", "accept"]);
    let ended = place.run(under_clock(&place, accepting));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let server = start(&place);
    assert_takes_writes(&server);
    stop(&place, server);
}

#[test]
fn a_file_that_nobody_used_for_long_simply_starts() {
    let place = Place::new();
    let server = start(&place);
    server.live_a_little();
    server.terminate();
    set_clock(&place, 400 * DAY);
    let server = start(&place);
    assert_takes_writes(&server);
    assert!((newest_from_now(&place) - 400 * DAY).abs() < 60);
    assert_eq!(count(&server, "clock"), 0, "{}", server.log());
    stop(&place, server);
}

#[test]
fn a_start_before_the_newest_row_is_told_and_time_stands_still() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    server.terminate();
    let before = newest(&place);
    set_clock(&place, -DAY);
    let server = start(&place);
    assert_eq!(count(&server, BEHIND), 1, "{}", server.log());
    assert_takes_writes(&server);
    assert_eq!(newest(&place), before);
    assert!(seconds(&server, "clock_behind_seconds") > 86_000.0);
    stop(&place, server);
}

#[test]
fn a_sandbox_program_that_is_ahead_is_no_wrong_clock() {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    let body = json!({"advanceSeconds": YEAR});
    server.post("/v1/sandbox/clock", &body).expect(200);
    assert_takes_writes(&server);
    assert!((newest_from_now(&place) - YEAR).abs() < 60);
    server.terminate();
    let server = start(&place);
    assert_takes_writes(&server);
    assert_eq!(metric(&server, "clock_behind_seconds"), "0.0");
    assert_eq!(steps(&server), [0; 3]);
    assert_eq!(count(&server, "the system clock"), 0, "{}", server.log());
    server.terminate();
    // Its rows are not too late for an import either.
    done(&place.run_on_database(&["export", "all.ndjson"]));
    let other = place.command(&["import", "all.ndjson", "--database", "other.db"]);
    done(&place.run(other));
}

#[test]
fn an_import_refuses_rows_later_than_the_clock_and_verify_asks_no_clock() {
    let place = Place::new();
    set_clock(&place, 2 * HOUR);
    let server = start(&place);
    server.live_a_little();
    server.terminate();
    done(&place.verify());
    done(&place.run_on_database(&["export", "all.ndjson"]));
    let import = || place.command(&["import", "all.ndjson", "--database", "other.db"]);
    let ended = place.run(import());
    let refusal = ended.refusal();
    assert!(
        refusal.contains("line 3: organization.created_at"),
        "{refusal}"
    );
    assert!(
        refusal.contains("no later than this machine's clock"),
        "{refusal}"
    );
    done(&place.run(under_clock(&place, import())));
}
