//! The contents of the log, and secrets that must never be in it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::Place;

#[test]
fn no_secret_is_ever_logged() {
    let place = Place::new();
    let mut command = place.serve();
    command
        .env("STAMPCARD_LOG__LEVEL", "trace")
        .env("STAMPCARD_LOG__SLOW_REQUEST", "0");
    let server = place.start_as(command);
    server.live_a_little();
    let body = json!({"externalUserID": "ann", "email": "ann@example.com"});
    let sent = server.send("POST", "/v1/auth/exchange", Some("idem-4711"), &body);
    let grant = sent.unwrap().expect(200);
    let token = grant["accessToken"].as_str().unwrap();
    let answer = crate::server::request(
        &server.agent,
        server.address,
        token,
        ("GET", "/v1/wallet"),
        None,
        &Value::Null,
    );
    answer.unwrap().expect(200);
    let mut secrets = vec![token, "idem-4711", "ann@example.com"];
    let printed = server.printed.join(" ");
    let keys = printed.split_whitespace().filter(|word| word.contains('_'));
    secrets.extend(keys);
    assert_eq!(secrets.len(), 3 + 4, "{printed}");
    server.signal("TERM");
    server.wait_for_log("stopping");
    let log = server.log();
    assert!(log.lines().count() > 10, "it does log: {log}");
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn json_logs_are_one_object_a_line() {
    let place = Place::new();
    let mut command = place.serve();
    command
        .env("STAMPCARD_LOG__FORMAT", "json")
        .env("STAMPCARD_LOG__SLOW_REQUEST", "0");
    let mut server = place.start_as(command);
    server.live_a_little();
    let answer = server.post("/v1/wallet/credit", &json!({"amount": "\"\n"}));
    answer.expect(422);
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
    let log = server.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    assert!(lines.iter().all(Value::is_object), "{log}");
    let line = lines
        .iter()
        .find(|line| line["request_id"] == answer.request_id.as_str())
        .expect("the request is in the log");
    assert_eq!(line["status"], 422);
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["route"], "/v1/wallet/credit");
    assert!(line["duration_ms"].is_u64() && line["timestamp"].is_string());
}

#[test]
fn a_slow_request_is_logged_under_its_id_and_a_quick_one_is_not() {
    let place = Place::new();
    for (limit, is_logged) in [("0", true), ("60000", false)] {
        let mut command = place.serve();
        command
            .env("STAMPCARD_LOG__LEVEL", "info")
            .env("STAMPCARD_LOG__SLOW_REQUEST", limit);
        let server = place.start_as(command);
        let path = "/v1/members/somebody?includeArchived=true";
        let answer = server.send("GET", path, None, &Value::Null).unwrap();
        answer.expect(404);
        assert!(answer.request_id.starts_with("req_"));
        server.signal("TERM");
        server.wait_for_log("stopping");
        let log = server.log();
        assert_eq!(log.contains(&answer.request_id), is_logged, "{log}");
        // The route, not the path: a path can name a person.
        assert!(!log.contains("somebody"), "{log}");
    }
}

/// A reader that holds the write-ahead log makes it grow until writes are refused.
#[test]
fn a_failed_request_is_logged_under_its_id_with_its_cause() {
    let place = Place::new();
    let mut command = place.serve();
    command.env("STAMPCARD_DATABASE__WAL_BYTES_MAX", (1 << 20).to_string());
    let server = place.start_as(command);
    server.set_member("ann");
    let reader = place.sqlite();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM member;")
        .unwrap();
    let body = json!({"externalUserID": "ann", "amount": 1});
    let refused = (0..2000)
        .map(|_| server.post("/v1/wallet/credit", &body))
        .find(|answer| answer.status != 200)
        .expect("the log cannot grow for ever");
    let error = refused.expect(503);
    assert_eq!(error["error"]["code"], "STORAGE_UNAVAILABLE");
    assert!(
        !refused.text.to_lowercase().contains("wal"),
        "{}",
        refused.text
    );
    // Reads continue.
    assert!(server.get("/v1/analytics/summary")["pointsMinted"].as_u64() > Some(10));
    let log = server.log();
    assert!(log.contains(&refused.request_id), "{log}");
    let ready = || {
        server
            .send("GET", "/readyz", None, &Value::Null)
            .unwrap()
            .status
    };
    assert_eq!(ready(), 503);
    // Writes work again automatically once the reader is gone, and the log says so before the next
    // one.
    reader.execute_batch("ROLLBACK").unwrap();
    let start = Instant::now();
    while ready() != 200 {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{}",
            server.log()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    server.credit("ann", 1);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

/// A number of removals that no version writes contradicts the code's invariants: it overflows.
#[test]
fn a_panic_is_one_line_of_the_log_and_the_server_goes_on() {
    let place = Place::new();
    let mut command = place.serve();
    command.env("STAMPCARD_LOG__FORMAT", "json");
    let server = place.start_as(command);
    server.set_member("ann");
    let damage = format!("UPDATE member SET token_epoch = {}", i64::MAX);
    place.sqlite().execute(&damage, []).unwrap();
    let remove = || {
        let sent = server.send("DELETE", "/v1/members/ann", None, &Value::Null);
        sent.unwrap()
    };
    let answer = remove();
    answer.expect(500);
    remove().expect(500);
    server.credit("ann", 1);
    server.get("/v1/analytics/summary");
    let log = server.log();
    let lines = log.lines().map(serde_json::from_str::<Value>);
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().expect(&log);
    let said = |line: &&Value| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("panicked: attempt to add with overflow")
    };
    let panics: Vec<&Value> = lines.iter().filter(said).collect();
    assert_eq!(panics.len(), 2, "{log}");
    for panic in panics {
        assert_eq!(panic["level"], "ERROR");
        let at = panic["at"].as_str().unwrap();
        assert!(at.starts_with("src/store/tables/members/mod.rs:"), "{at}");
    }
    let failed = lines
        .iter()
        .find(|line| line["request_id"] == answer.request_id);
    assert_eq!(failed.unwrap()["status"], 500);
}
