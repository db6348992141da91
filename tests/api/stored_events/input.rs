//! What is accepted as an event, and when two are the same.

use serde_json::{Value, json};

use super::{credits, event_of, send};
use crate::client::{check, number, scrip_error, with};
use crate::support::TestApp;

#[test]
fn the_same_event_is_stored_once() {
    let app = TestApp::start();
    credits(&app, "true", "10");
    let body = event_of(
        "order-1",
        &json!({"type": "purchase", "amount": 1, "list": [1]}),
    );
    let first = app.post("/v1/events", &body).expect(202);
    // Written differently.
    let other = r#"{"event_data": {"list": [1.0], "amount": 1.00, "type": "purchase"},
        "external_id": "ada", "event_timestamp": "2026-06-15T14:00:00+02:00",
        "program_id": "current", "idempotency_key": "order-1"}"#;
    let again = app
        .request("POST", "/v1/events")
        .bearer(crate::support::SANDBOX_KEY)
        .raw(other);
    assert_eq!(
        again
            .header("Content-Type", "application/json")
            .send()
            .expect(202),
        first
    );
    assert_eq!(app.balance("ada"), 10);
    for (field, value) in [
        (
            "event_data",
            json!({"type": "purchase", "amount": 2, "list": [1]}),
        ),
        ("event_timestamp", json!("2026-06-15T12:00:00.001Z")),
        ("external_id", json!("bob")),
        ("recipient_external_id", json!("bob")),
    ] {
        let mut changed = body.clone();
        changed[field] = value;
        let refused = app.post("/v1/events", &changed);
        scrip_error(refused, 409, "idempotency_conflict");
    }
    // A header may only repeat the key.
    let header = |key: &str| {
        app.request("POST", "/v1/events")
            .bearer(crate::support::SANDBOX_KEY)
            .idempotency_key(key)
            .json(&body)
            .send()
    };
    assert_eq!(header("order-1").expect(202), first);
    scrip_error(header("order-2"), 400, "bad_request");
    assert_eq!(number(&app, "SELECT count(*) FROM event"), 1);
    check(&app);
}

#[test]
fn what_is_wrong_with_an_event_is_named() {
    let app = TestApp::start();
    let right = event_of("k", &json!({"type": "x"}));
    let deep = (0..17).fold(json!(1), |inner, _| json!({"a": inner}));
    for (fields, name) in [
        (json!({"idempotency_key": ""}), "idempotency_key"),
        (
            json!({"idempotency_key": "k".repeat(256)}),
            "idempotency_key",
        ),
        (json!({"event_timestamp": "yesterday"}), "event_timestamp"),
        (json!({"event_data": [1]}), "event_data"),
        (json!({"event_data": deep}), "event_data"),
        (
            json!({"event_data": {"a": "x".repeat(16_384)}}),
            "event_data",
        ),
        (
            json!({"participant_id": "x", "external_id": null}),
            "participant_id",
        ),
        (json!({"external_id": null}), "external_id"),
        (
            json!({"participant_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"}),
            "participant_id",
        ),
        (
            json!({"recipient_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
                "recipient_external_id": "x"}),
            "recipient_external_id",
        ),
    ] {
        let refused = app.post("/v1/events", &with(right.clone(), fields.clone()));
        let message = scrip_error(refused, 400, "bad_request");
        assert!(message.contains(name), "{fields}: {message}");
    }
    let unknown = json!({"external_id": null,
        "participant_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"});
    scrip_error(
        app.post("/v1/events", &with(right.clone(), unknown)),
        404,
        "not_found",
    );
    let other = json!({"program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"});
    let refused = app.post("/v1/events", &with(right, other));
    assert!(matches!(refused.status, 403 | 404), "{}", refused.status);
    assert_eq!(number(&app, "SELECT count(*) FROM event"), 0);
    assert_eq!(number(&app, "SELECT count(*) FROM member"), 0);
}

#[test]
fn each_event_of_a_batch_stands_by_itself() {
    let app = TestApp::start();
    credits(&app, "event.type == 'purchase'", "event.amount");
    let good =
        |key: &str, amount: i64| event_of(key, &json!({"type": "purchase", "amount": amount}));
    let mut events = vec![good("a", 1), good("b", 20), good("a", 1), good("a", 2)];
    events.push(json!({"program_id": "current"}));
    events.push(good("c", 300));
    let batch = app
        .post("/v1/events/batch", &json!({"events": events}))
        .expect(202);
    let counts = ["total", "success_count", "error_count"].map(|name| batch[name].clone());
    assert_eq!(counts, [json!(6), json!(4), json!(2)]);
    let results = batch["results"].as_array().unwrap();
    let statuses: Vec<&str> = results
        .iter()
        .map(|it| it["status"].as_str().unwrap())
        .collect();
    let expected = [
        "accepted", "accepted", "accepted", "error", "error", "accepted",
    ];
    assert_eq!(statuses, expected);
    assert_eq!(results[0]["event"], results[2]["event"]);
    assert_eq!(results[3]["error"]["code"], "idempotency_conflict");
    assert_eq!(results[4]["error"]["code"], "bad_request");
    assert_eq!(app.balance("ada"), 321);
    for wrong in [
        json!({"events": []}),
        json!({"events": vec![json!({}); 101]}),
        json!({}),
    ] {
        scrip_error(app.post("/v1/events/batch", &wrong), 400, "bad_request");
    }
    check(&app);
}

/// Sends ten events, alternately of two participants, the last one of which happened first.
fn ten(app: &TestApp) {
    for n in 0..10 {
        let mut body = event_of(&format!("k{n}"), &json!({"n": n}));
        // The other way round.
        body["event_timestamp"] = json!(format!("2026-06-{:02}T00:00:00Z", 20 - n));
        body["external_id"] = json!(if n % 2 == 0 { "ada" } else { "bob" });
        app.post("/v1/events", &body).expect(202);
    }
}

/// The numbers of the events that a query lists, page by page.
fn pages(app: &TestApp, query: &str) -> Vec<i64> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get(&format!("/v1/events?limit=3{query}{cursor}"))
            .expect(200);
        let numbers = page["data"].as_array().unwrap().iter();
        found.extend(numbers.map(|event| event["event_data"]["n"].as_i64().unwrap()));
        match page["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[test]
fn events_are_listed_page_by_page_in_any_order() {
    let app = TestApp::start();
    credits(&app, "event.n == 3", "1");
    let debit = json!({"type": "DEBIT", "asset_id": "default", "amount": "5"});
    let failing = super::rule(
        &app,
        json!({"condition": "event.n > 7", "actions": [debit]}),
    );
    ten(&app);
    let pages = |query: &str| pages(&app, query);
    let down: Vec<i64> = (0..10).rev().collect();
    assert_eq!(pages(""), down);
    assert_eq!(pages("&sort_dir=asc"), (0..10).collect::<Vec<_>>());
    assert_eq!(
        pages("&sort_by=event_timestamp"),
        (0..10).collect::<Vec<_>>()
    );
    assert_eq!(pages("&sort_by=event_timestamp&sort_dir=asc"), down);
    assert_eq!(
        pages("&sort_by=status&sort_dir=asc"),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    );
    assert_eq!(pages("&sort_by=status"), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    // A page that ends with the last completed one.
    let exact = app
        .get("/v1/events?limit=8&sort_by=status&sort_dir=asc")
        .expect(200);
    assert_eq!(exact["pagination"]["has_more"], true);
    assert_eq!(pages("&status=FAILED"), [9, 8]);
    assert_eq!(pages("&status=PENDING"), Vec::<i64>::new());
    assert_eq!(pages("&external_id=bob"), [9, 7, 5, 3, 1]);
    assert_eq!(pages("&external_id=nobody"), Vec::<i64>::new());
    assert_eq!(pages(&format!("&rule_id={failing}")), [9, 8]);
    assert_eq!(
        pages(&format!("&rule_id={failing}&sort_by=event_timestamp")),
        [8, 9]
    );
    let window = "&event_from=2026-06-13T00:00:00Z&event_to=2026-06-15T00:00:00Z";
    assert_eq!(pages(window), [7, 6, 5]);
    assert_eq!(pages("&event_type=SYSTEM"), Vec::<i64>::new());
    let ada = app.get("/v1/participants?external_id=ada").expect(200);
    let id = ada["data"][0]["id"].as_str().unwrap();
    assert_eq!(pages(&format!("&participant_id={id}")), [8, 6, 4, 2, 0]);
    let own = app
        .get(&format!(
            "/v1/participants/{id}/events?limit=2&status=FAILED"
        ))
        .expect(200);
    assert_eq!(own["data"][0]["event_data"]["n"], 8);
    assert_eq!(own["pagination"]["has_more"], false);
    for wrong in [
        "sort_by=x",
        "status=x",
        "event_type=x",
        "rule_id=x",
        "limit=0",
    ] {
        scrip_error(app.get(&format!("/v1/events?{wrong}")), 400, "bad_request");
    }
    check(&app);
}

#[test]
fn events_are_counted_and_what_they_cause_is_not() {
    let app = TestApp::start();
    credits(&app, "true", "10");
    let count = |app: &TestApp| -> Value {
        app.get("/v1/reports/program-activity").expect(200)["data"][0]["event_count"].clone()
    };
    assert_eq!(count(&app), 0);
    send(&app, "a", &json!({"type": "x"}));
    // A sign-up and a credit happened besides.
    assert_eq!(count(&app), 1);
    let app = app.restart();
    assert_eq!(count(&app), 1);
    crate::client::credit(&app, "ada", 5);
    assert_eq!(count(&app), 2);
    check(&app);
}

#[test]
fn a_participant_of_an_event_is_active() {
    let app = TestApp::start();
    send(&app, "a", &json!({"type": "x"}));
    send(&app, "b", &json!({"type": "x"}));
    let window = "from=2026-06-15T00:00:00Z&to=2026-06-16T00:00:00Z";
    let figures = |app: &TestApp| {
        app.get(&format!("/v1/analytics/members?{window}"))
            .expect(200)
    };
    let found = figures(&app);
    assert_eq!(found["active"], 1);
    let by = json!({"mint": 0, "redemption": 0, "exchange": 0, "event": 1});
    assert_eq!(found["activeBy"], by);
    check(&app);
    let app = app.restart();
    assert_eq!(figures(&app), found);
}

#[test]
fn a_program_can_refuse_events_of_unknown_participants() {
    let app = TestApp::start();
    let set = |what: &str| {
        let body = json!({"on_unknown_participant": what});
        let shown = app.patch("/v1/programs/current", &body).expect(200);
        assert_eq!(shown["on_unknown_participant"], what);
    };
    set("REJECT");
    let body = event_of("a", &json!({"type": "x"}));
    scrip_error(app.post("/v1/events", &body), 404, "not_found");
    app.member("ada", 0);
    let mut for_other = body.clone();
    for_other["recipient_external_id"] = json!("bob");
    scrip_error(app.post("/v1/events", &for_other), 404, "not_found");
    // The key is still free.
    app.post("/v1/events", &body).expect(202);
    set("CREATE");
    for_other["idempotency_key"] = json!("b");
    app.post("/v1/events", &for_other).expect(202);
    assert_eq!(number(&app, "SELECT count(*) FROM member"), 2);
    let bad = json!({"on_unknown_participant": "ASK"});
    scrip_error(app.patch("/v1/programs/current", &bad), 400, "bad_request");
    check(&app);
}

#[test]
fn an_event_of_an_erased_participant_is_known_by_its_key_alone() {
    let app = TestApp::start();
    credits(&app, "true", "10");
    let body = event_of(
        "order-1",
        &json!({"type": "purchase", "who": "ada@example.com"}),
    );
    let first = app.post("/v1/events", &body).expect(202);
    app.delete("/v1/members/ada?erase=true").expect(200);
    let again = app.post("/v1/events", &body).expect(202);
    assert_eq!(again["id"], first["id"]);
    assert_eq!(again["idempotency_key"], json!(null));
    let shown = super::get(&app, &again);
    assert_eq!(shown["event_data"], json!(null));
    assert_eq!(number(&app, "SELECT count(*) FROM event"), 1);
    assert_eq!(number(&app, "SELECT count(*) FROM member"), 1);
    let left = "SELECT count(*) FROM log_text WHERE text LIKE '%ada@example.com%'";
    assert_eq!(number(&app, left), 0);
    check(&app);
}

#[test]
fn a_batch_for_another_program_has_an_error_for_each_event() {
    let app = TestApp::start();
    let mut body = event_of("a", &json!({"type": "x"}));
    body["program_id"] = json!("0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4");
    let batch = json!({"events": [body.clone(), body]});
    let answer = app.post("/v1/events/batch", &batch).expect(202);
    assert_eq!(answer["error_count"], 2);
    assert_eq!(answer["results"][1]["error"]["code"], "forbidden");
}
