//! The process is killed while it stores events and makes the effects of rules happen: an event is
//! there with all of its effects, or not at all, and an acknowledged one is there.

use serde_json::{Value, json};

use crate::faults::shim;
use crate::server::{Place, Server};

/// Kills of the long form.
const KILLS: u64 = 200;

/// A rule of each kind of effect: points, a counter, a tag and an attribute, for an event with odd
/// numbers; an event whose number is divisible by 5 fails after all of them.
fn rules(server: &Server) {
    let effects = json!([
        {"type": "CREDIT", "asset_id": "default", "amount": "event.n"},
        {"type": "COUNTER", "key": "odd", "value": "1"},
        {"type": "SET_ATTRIBUTE", "key": "last", "value": "event.name"},
        {"type": "CREDIT", "asset_id": "default", "amount": "1"},
    ]);
    let debit = json!([{"type": "DEBIT", "asset_id": "default", "amount": "1000000"}]);
    for (condition, actions) in [("event.n % 2 == 1", effects), ("event.n % 5 == 0", debit)] {
        let body = json!({"program_id": "current", "name": condition, "condition": condition,
            "actions": actions});
        server.post("/v1/rules", &body).expect(201);
    }
}

fn event(n: u64) -> Value {
    json!({
        "program_id": "current",
        "idempotency_key": format!("event-{n}"),
        "event_timestamp": "2026-06-15T12:00:00Z",
        "event_data": {"n": n, "name": format!("name {n}")},
        "external_id": "ann",
    })
}

/// The points and the number of changes of state that an event brings.
fn effects(n: u64) -> (u64, u64) {
    if n % 2 == 1 && !n.is_multiple_of(5) {
        (n + 1, 2)
    } else {
        (0, 0)
    }
}

/// Sends events until the server dies before the call `number`, or 12 are acknowledged. Returns
/// how many were.
fn send_until_killed(place: &Place, number: u64) -> u64 {
    let mut command = place.serve();
    command
        .env("LD_PRELOAD", shim())
        .env("FAULT_CONTROL", place.path("fault"))
        .env("FAULT_COUNT", place.path("calls"));
    let mut server = place.start_as(command);
    std::fs::write(place.path("fault"), format!("kill {number}")).unwrap();
    for n in 1..=12 {
        let Ok(answer) = server.send("POST", "/v1/events", None, &event(n)) else {
            server.wait();
            return n - 1;
        };
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
    server.kill();
    12
}

/// Kills a server before a call, and checks what is there afterwards. Returns the number of calls.
#[track_caller]
fn kill_and_check(origin: &Place, number: u64) -> u64 {
    let place = Place::new();
    std::fs::copy(origin.database(), place.database()).unwrap();
    let acknowledged = send_until_killed(&place, number);
    let calls = std::fs::metadata(place.path("calls")).map_or(0, |file| file.len());
    let what = format!("killed before call {number}");
    let server = place.start();
    let page = server.get("/v1/events?limit=200&sort_dir=asc");
    let events = page["data"].as_array().unwrap();
    let numbers: Vec<u64> = events
        .iter()
        .map(|it| it["event_data"]["n"].as_u64().unwrap())
        .collect();
    let stored = numbers.len() as u64;
    assert!(
        stored == acknowledged || stored == acknowledged + 1,
        "{what}: {numbers:?}"
    );
    assert_eq!(numbers, (1..=stored).collect::<Vec<_>>(), "{what}");
    let connection = place.sqlite();
    let caused = "SELECT coalesce(sum(amount) FILTER (WHERE entry IS NOT NULL), 0),
            count(*) FILTER (WHERE kind = 37)
        FROM activity WHERE rule_version IS NOT NULL
            AND cause_seq = (SELECT e.seq FROM event e JOIN log_text t ON t.seq = e.seq
                WHERE t.part = 3 AND t.text = ?1)";
    for n in numbers {
        let key = format!("event-{n}");
        let found: (i64, i64) = connection
            .query_row(caused, [key], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        let found = (found.0.unsigned_abs(), found.1.unsigned_abs());
        assert_eq!(found, effects(n), "{what}: event {n}");
        let status = &events[usize::try_from(n).unwrap() - 1]["status"];
        let expected = if n % 5 == 0 { "FAILED" } else { "COMPLETED" };
        assert_eq!(status, expected, "{what}: event {n}");
    }
    // What was not acknowledged is sent again, and then everything is there once.
    for n in 1..=12 {
        server.post("/v1/events", &event(n)).expect(202);
    }
    let wallet = server.get("/v1/wallet?externalUserID=ann");
    let all: u64 = (1..=12).map(|n| effects(n).0).sum();
    assert_eq!(wallet["balance"], all, "{what}");
    server.terminate();
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{what}: {verified:?}");
    calls
}

fn origin() -> Place {
    let place = Place::new();
    let server = place.start();
    rules(&server);
    server.terminate();
    place
}

#[test]
fn a_kill_leaves_an_event_with_all_of_its_effects_or_without_it() {
    let origin = origin();
    let calls = kill_and_check(&origin, u64::MAX >> 33);
    assert!(calls > 20, "{calls} calls");
    for number in (2..calls).step_by(usize::try_from(calls / 10).unwrap()) {
        kill_and_check(&origin, number);
    }
}

/// `EVENT_KILLS=1000 cargo test --test process events:: -- --ignored`.
#[test]
#[ignore = "make kills"]
fn hundreds_of_kills_leave_no_event_without_its_effects() {
    let kills = std::env::var("EVENT_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let origin = origin();
    let calls = kill_and_check(&origin, u64::MAX >> 33);
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..kills {
        kill_and_check(&origin, rng.u64(1..=calls));
    }
    println!("{kills} kills at {calls} calls");
}
