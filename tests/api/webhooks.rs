use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    call, catalogue, column, deliveries, delivery, get_as, names, post_as, post_once, program,
    until, webhook,
};
use crate::support::receiver::{Answer, Received, Receiver};
use crate::support::{LIVE_KEY, TestApp};

const WEBHOOKS: &str = "/v1/webhooks";
/// No server listens on this port.
const NOWHERE: &str = "http://127.0.0.1:9/hook";

#[test]
fn a_new_webhook_shows_its_secret_once() {
    let app = TestApp::start();
    let body = json!({"url": NOWHERE, "events": ["wallet.credited", "member.created"]});
    let made = app.post(WEBHOOKS, &body).expect(201);
    assert_eq!(
        names(&made),
        [
            "createdAt",
            "environment",
            "events",
            "id",
            "signingSecret",
            "url",
            "version"
        ]
    );
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("wh_"), "{id}");
    assert_eq!(made["url"], NOWHERE);
    assert_eq!(made["events"], body["events"], "in the order given");
    assert_eq!(made["environment"], "SANDBOX");
    assert_eq!(made["createdAt"], "2026-06-15T12:00:00.000Z");
    let secret = made["signingSecret"].as_str().unwrap();
    let random = secret.strip_prefix("whsec_").unwrap();
    assert!(random.len() >= 48, "at least 192 bits");
    assert!(random.chars().all(|c| c.is_ascii_hexdigit()));

    let listed = app.get(WEBHOOKS);
    assert!(!listed.text().contains(random));
    let listed = listed.expect(200);
    assert_eq!(names(&listed), ["data"]);
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("signingSecret");
    shown["disabledAt"] = Value::Null;
    assert_eq!(listed["data"], json!([shown]));

    let other = app.post(WEBHOOKS, &body).expect(201);
    assert_ne!(other["signingSecret"], made["signingSecret"]);
}

#[test]
fn webhooks_are_listed_newest_first_and_stay_listed_when_deleted() {
    let app = TestApp::start();
    let [first, second] = [(); 2].map(|()| {
        app.clock.advance(Duration::from_secs(1));
        webhook(&app, NOWHERE, &["member.created"])
    });
    app.clock.advance(Duration::from_secs(1));
    let deleted = app.delete(&first.path("")).expect(200);
    assert_eq!(deleted, json!({"id": first.id, "ok": true}));
    // The same request again leaves the same state.
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.delete(&first.path("")).expect(200), deleted);
    let listed = app.get(WEBHOOKS).expect(200);
    assert_eq!(column(&listed["data"], "id"), [&*second.id, &first.id]);
    assert_eq!(listed["data"][0]["disabledAt"], Value::Null);
    assert_eq!(listed["data"][1]["disabledAt"], "2026-06-15T12:00:03.000Z");
}

#[test]
fn a_program_has_ten_webhooks_at_a_time() {
    let app = TestApp::start();
    let all = [(); 10].map(|()| webhook(&app, NOWHERE, &["member.created"]));
    let body = json!({"url": NOWHERE, "events": ["member.created"]});
    let refused = app.post(WEBHOOKS, &body);
    assert_eq!(
        refused.expect_error(422, "WEBHOOK_LIMIT_REACHED"),
        "a program has at most 10 active webhooks; delete one first"
    );
    // Every program and environment has its own.
    let live = json!({"url": "https://1.1.1.1/", "events": ["member.created"]});
    post_as(&app, LIVE_KEY, WEBHOOKS, &live).expect(201);
    let (_, key) = program(&app, crate::support::SANDBOX_KEY, "Another");
    post_as(&app, &key, WEBHOOKS, &body).expect(201);
    app.delete(&all[4].path("")).expect(200);
    app.post(WEBHOOKS, &body).expect(201);
    app.post(WEBHOOKS, &body)
        .expect_error(422, "WEBHOOK_LIMIT_REACHED");
}

#[test]
fn what_cannot_be_listened_to_is_refused_by_name() {
    let app = TestApp::start();
    for (events, code, message) in [
        (
            json!([]),
            "VALIDATION",
            "events must name at least one event",
        ),
        (Value::Null, "VALIDATION", "events is required"),
        (
            json!("member.created"),
            "VALIDATION",
            "events must be a list",
        ),
        (json!([1]), "VALIDATION", "events[0] must be a string"),
        (
            json!(["member.created", "wallet.credited", "member.created"]),
            "VALIDATION",
            "events must name each event once; member.created is repeated",
        ),
        (
            json!(["member.created", "member.renamed"]),
            "WEBHOOK_EVENT_UNKNOWN",
            "events[1] must be an event of the catalogue: member.created, ",
        ),
        (json!(["*"]), "WEBHOOK_EVENT_UNKNOWN", "events[0] "),
        (
            json!(["Member.Created"]),
            "WEBHOOK_EVENT_UNKNOWN",
            "events[0] ",
        ),
        (json!([""]), "WEBHOOK_EVENT_UNKNOWN", "events[0] "),
        // Events that the same API names elsewhere, which this server does not have.
        (
            json!(["org.points.high"]),
            "WEBHOOK_EVENT_UNKNOWN",
            "events[0] ",
        ),
        (
            json!(["offer.created"]),
            "WEBHOOK_EVENT_UNKNOWN",
            "events[0] ",
        ),
        (
            json!(["webhook.test"]),
            "WEBHOOK_EVENT_UNKNOWN",
            "events[0] ",
        ),
    ] {
        let mut body = json!({"url": NOWHERE, "events": events});
        if events.is_null() {
            body.as_object_mut().unwrap().remove("events");
        }
        let refused = app.post(WEBHOOKS, &body).expect_error(422, code);
        assert!(refused.starts_with(message), "{body}: {refused}");
    }
    let many: Vec<_> = (0..101).map(|number| number.to_string()).collect();
    let body = json!({"url": NOWHERE, "events": many});
    app.post(WEBHOOKS, &body).expect_error(422, "VALIDATION");
    let no_url = json!({"events": ["member.created"]});
    let refused = app.post(WEBHOOKS, &no_url).expect_error(422, "VALIDATION");
    assert!(refused.starts_with("url is required"), "{refused}");
    assert_eq!(app.get(WEBHOOKS).expect(200), json!({"data": []}));
    webhook(&app, NOWHERE, &catalogue());
}

#[test]
fn a_lost_answer_brings_the_same_secret_and_no_second_webhook() {
    let app = TestApp::start();
    let body = json!({"url": NOWHERE, "events": ["member.created"]});
    let first = post_once(&app, "k", WEBHOOKS, &body);
    let second = post_once(&app, "k", WEBHOOKS, &body);
    assert_eq!(first.status, 201);
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let listed = app.get(WEBHOOKS).expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    // No idempotency record is saved for an unusable address: it may be corrected under the same
    // key.
    let bad = json!({"url": "ftp://example.com/", "events": ["member.created"]});
    post_once(&app, "l", WEBHOOKS, &bad).expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
    post_once(&app, "l", WEBHOOKS, &body).expect(201);
}

#[test]
fn another_programs_webhook_does_not_exist() {
    let app = TestApp::start();
    let mine = webhook(&app, NOWHERE, &["member.created"]);
    let tried = app.post(&mine.path("/test"), &Value::Null).expect(200);
    let redeliver = format!("/deliveries/{}/redeliver", tried["id"].as_str().unwrap());
    let (_, neighbour) = program(&app, crate::support::SANDBOX_KEY, "Another");
    for key in [&*neighbour, LIVE_KEY] {
        assert_eq!(get_as(&app, key, WEBHOOKS).expect(200), json!({"data": []}));
        for (method, rest) in [
            ("DELETE", ""),
            ("GET", "/deliveries"),
            ("POST", "/test"),
            ("POST", &redeliver),
        ] {
            let refused = call(&app, key, method, &mine.path(rest), &Value::Null);
            let message = refused.expect_error(404, "NOT_FOUND");
            assert_eq!(message, "no such webhook");
        }
    }
    for id in [
        "wh_1",
        "wh_",
        "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
        "x",
    ] {
        let path = format!("{WEBHOOKS}/{id}/deliveries");
        app.get(&path).expect_error(404, "NOT_FOUND");
    }
    assert_eq!(
        app.get(WEBHOOKS).expect(200)["data"][0]["disabledAt"],
        Value::Null
    );
}

#[test]
fn a_test_is_sent_once_and_looks_like_an_event() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|_| Answer::Status(500));
    let hook = webhook(&app, &receiver.url("/hook"), &["member.created"]);
    let shown = app.post(&hook.path("/test"), &Value::Null).expect(200);
    assert_eq!(
        names(&shown),
        [
            "attempts",
            "createdAt",
            "durationMs",
            "error",
            "eventID",
            "id",
            "lastAttemptAt",
            "nextAttemptAt",
            "responseStatus",
            "status",
            "type",
        ]
    );
    assert_eq!(shown["type"], "webhook.test");
    assert_eq!(shown["status"], "pending");
    assert_eq!(shown["eventID"], Value::Null);
    let came = receiver.wait_for(1).remove(0);
    assert_eq!(came.event(), "webhook.test");
    assert_eq!(came.delivery(), shown["id"]);
    assert!(came.is_signed_with(&hook.secret));
    let body = came.json();
    assert_eq!(
        names(&body),
        ["createdAt", "data", "environment", "id", "type"]
    );
    assert_eq!(body["type"], "webhook.test");
    assert_eq!(body["data"], json!({"webhookID": hook.id}));
    // It is not retried, and it is no event.
    let ended = delivery(&app, &hook, |newest| newest["status"] == "dead");
    assert_eq!(ended["nextAttemptAt"], Value::Null);
    assert_eq!(ended["responseStatus"], 500);
    assert_eq!(
        ended["error"],
        "the receiver answered 500 Internal Server Error"
    );
    let report = app.get("/v1/reports/program-activity").expect(200);
    assert_eq!(report["data"][0]["event_count"], 0);

    receiver.answer(|_| Answer::Status(204));
    let second = app.post(&hook.path("/test"), &Value::Null).expect(200);
    assert_ne!(second["id"], shown["id"]);
    let is_delivered = |row: &Value| row["id"] == second["id"] && row["status"] == "delivered";
    until(|| deliveries(&app, &hook).into_iter().find(is_delivered));
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn a_delivery_can_be_sent_again_whatever_became_of_it() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    app.member("ada", 0);
    let first = delivery(&app, &hook, |newest| newest["status"] == "delivered");
    let path = hook.path(&format!(
        "/deliveries/{}/redeliver",
        first["id"].as_str().unwrap()
    ));
    app.clock.advance(Duration::from_secs(7));
    let again = app.post(&path, &Value::Null).expect(200);
    assert_eq!(again["id"], first["id"]);
    assert_eq!(again["status"], "pending");
    assert_eq!(again["nextAttemptAt"], "2026-06-15T12:00:07.000Z");
    let came = receiver.wait_for(2);
    assert_eq!(came[0].body, came[1].body, "byte for byte");
    assert_eq!(came[0].delivery(), came[1].delivery());
    let second = |name: &str| came[1].header(name).parse::<i64>().unwrap();
    let first_at: i64 = came[0].header("X-Expys-Timestamp").parse().unwrap();
    assert_eq!(second("X-Expys-Timestamp"), first_at + 7);
    let ended = delivery(&app, &hook, |newest| newest["attempts"] == 2);
    assert_eq!(ended["status"], "delivered");

    for unknown in ["dlv_1", "x", "dlv_01a1fda8-194e-75c2-b11a-dd34b93c1d23"] {
        let path = hook.path(&format!("/deliveries/{unknown}/redeliver"));
        let refused = app.post(&path, &Value::Null);
        assert_eq!(refused.expect_error(404, "NOT_FOUND"), "no such delivery");
    }
    // Another webhook's delivery does not belong to this one.
    let other = webhook(&app, &receiver.url("/other"), &["member.created"]);
    let theirs = other.path(&format!(
        "/deliveries/{}/redeliver",
        first["id"].as_str().unwrap()
    ));
    app.post(&theirs, &Value::Null)
        .expect_error(404, "NOT_FOUND");
    // Nothing is sent to a deleted webhook.
    app.delete(&hook.path("")).expect(200);
    for path in [path, hook.path("/test")] {
        let refused = app.post(&path, &Value::Null);
        assert_eq!(
            refused.expect_error(404, "NOT_FOUND"),
            "no such webhook that is in use"
        );
    }
    assert_eq!(deliveries(&app, &hook).len(), 1, "what was tried stays");
}

#[test]
fn deliveries_are_listed_by_page_and_by_status() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|request| {
        let member = request.json()["data"]["externalUserID"].clone();
        Answer::Status(if member == "m3" { 503 } else { 200 })
    });
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    for number in 1..=5 {
        app.member(&format!("m{number}"), 0);
    }
    until(|| (deliveries(&app, &hook).len() == 5).then_some(()));
    let all = deliveries(&app, &hook);
    let came = receiver.received();
    let ids: Vec<_> = came.iter().rev().map(Received::delivery).collect();
    assert_eq!(column(&json!(all), "id"), ids, "newest events first");
    for (row, came) in all.iter().zip(came.iter().rev()) {
        assert_eq!(row["eventID"], came.json()["id"]);
        assert_eq!(row["type"], "member.created");
        assert_eq!(row["attempts"], 1);
        assert_eq!(row["createdAt"], came.json()["createdAt"]);
    }
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get(&hook.path(&format!("/deliveries?limit=2{cursor}")))
            .expect(200);
        paged.extend(page["deliveries"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    let of = |status: &str| {
        let path = hook.path(&format!("/deliveries?status={status}"));
        let page = app.get(&path).expect(200);
        page["deliveries"].as_array().unwrap().len()
    };
    assert_eq!((of("pending"), of("delivered"), of("dead")), (1, 4, 0));
    for (query, name) in [("status=PENDING", "status"), ("limit=101", "limit")] {
        let path = hook.path(&format!("/deliveries?{query}"));
        let refused = app.get(&path).expect_error(422, "VALIDATION");
        assert!(refused.starts_with(name), "{refused}");
    }
    let foreign = app.get("/v1/members?limit=1").expect(200)["nextCursor"].clone();
    let path = hook.path(&format!("/deliveries?cursor={}", foreign.as_str().unwrap()));
    app.get(&path).expect_error(422, "VALIDATION");
}
