use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use stampcard::domain::{ExternalUserId, Precondition, Seq};
use stampcard::wire::SetMemberRequest;

use crate::client::{
    Webhook, cancel, catalogue, column, credit, deliveries, delivery, live, millis, move_to, names,
    program, say, say_as_agent, support, until, webhook,
};
use crate::support::receiver::{Answer, Received, Receiver};
use crate::support::{SANDBOX_KEY, TestApp};

/// The bodies of the requests, in order of arrival.
fn bodies(received: &[Received]) -> Vec<Value> {
    received.iter().map(Received::json).collect()
}

/// The only body with an event of this name and of this member.
#[track_caller]
fn body_of<'a>(bodies: &'a [Value], name: &str) -> &'a Value {
    let mut found = bodies.iter().filter(|body| body["type"] == name);
    let body = found.next().unwrap_or_else(|| panic!("no {name} came"));
    assert_eq!(found.next(), None, "{name} came once");
    body
}

/// An object of the API with one more field.
fn with(object: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut object = object.clone();
    object[field] = value.into();
    object
}

/// The statuses after the first, and the events of reaching them.
const WALK: [(&str, &str); 5] = [
    ("OPEN", "redemption.open"),
    ("AWAITING_VENDOR", "redemption.awaiting_vendor"),
    ("AWAITING_CUSTOMER", "redemption.awaiting_customer"),
    ("PURCHASED", "redemption.purchased"),
    ("COMPLETED", "redemption.completed"),
];

/// A profile as events show it: with email and phone, which the response to a PUT does not have.
fn in_event(mut profile: Value) -> Value {
    profile["email"] = Value::Null;
    profile["phone"] = Value::Null;
    profile
}

#[expect(
    clippy::too_many_lines,
    reason = "one story with every event of the catalogue"
)]
#[test]
fn every_event_shows_the_object_as_the_api_returned_it() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let hook = webhook(&app, &receiver.url("/hook?from=us"), &catalogue());
    let transactions = || {
        let path = "/v1/wallet/transactions?externalUserID=ada";
        app.get(path).expect(200)["transactions"].clone()
    };

    let request = app.request("PUT", "/v1/members/ada").bearer(SANDBOX_KEY);
    let request = request.raw(r#"{"displayName": "Ada", "attributes": {"b":1, "a":2}}"#);
    let created = request.send().expect(200);
    let changed = app
        .put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    credit(&app, "ada", 100);
    let offer = app.offer(json!({"title": "Dinner", "pointsPrice": 30}));
    let redeem = json!({"externalUserID": "ada", "offer": offer});
    let redeemed = app.post("/v1/redemptions", &redeem).expect(201);
    let redemption = redeemed["id"].as_str().unwrap();
    let entries = transactions();
    let moved = WALK.map(|(status, _)| move_to(&app, redemption, status).expect(200));
    let free = app.redeem("ada", &app.offer(json!({})));
    let canceled = cancel(&app, &free).expect(200);
    let talk = support(&app, "ada");
    say_as_agent(&app, &talk, "Hello ☕\n\"Ada\"");
    let messages = app
        .get(&format!("/v1/conversations/{talk}/messages"))
        .expect(200);
    app.delete("/v1/members/ada?retainBalance=true").expect(200);
    let removed = app.get("/v1/members/ada?includeArchived=true").expect(200);

    let came = receiver.wait_until(|received| {
        received
            .last()
            .is_some_and(|last| last.event() == "member.removed")
    });
    for one in &came {
        check_envelope(one, &hook, "SANDBOX");
    }
    let bodies = bodies(&came);
    let data = |name: &str| &body_of(&bodies, name)["data"];
    assert_eq!(*data("member.created"), in_event(created));
    assert_eq!(*data("member.tier_changed"), in_event(changed));
    for (name, entry) in [
        ("wallet.credited", &entries[1]),
        ("wallet.debited", &entries[0]),
    ] {
        let mut entry = with(entry, "externalUserID", "ada");
        // Lists change, so that they may differ a moment later.
        for field in ["balanceAfter", "offerTitle"] {
            entry.as_object_mut().unwrap().remove(field).unwrap();
        }
        assert_eq!(*data(name), entry);
    }
    for ((_, name), shown) in WALK.iter().zip(&moved) {
        assert_eq!(data(name), shown);
    }
    let is_new = |body: &&Value| body["type"] == "redemption.created";
    let made: Vec<_> = bodies.iter().filter(is_new).collect();
    assert_eq!(made[0]["data"], redeemed);
    assert_eq!(made[1]["data"]["id"], free);
    assert_eq!(*data("redemption.canceled"), canceled);
    let said = with(&messages["messages"][0], "conversationID", talk);
    assert_eq!(
        *data("conversation.message_created"),
        with(&said, "externalUserID", "ada")
    );
    for field in ["externalUserID", "displayName", "tier", "attributes"] {
        assert_eq!(data("member.removed")[field], removed[field]);
    }
    let seen: HashSet<_> = bodies
        .iter()
        .map(|body| body["type"].as_str().unwrap())
        .collect();
    // A sandbox never draws from a pool, only points in lots expire, and only PREFUNDED assets have
    // a wallet of the program.
    let of_others = ["org.", "program.", "balance.expired", "wallet.expiring"];
    let elsewhere = |name: &&str| of_others.iter().any(|other| name.starts_with(other));
    let expected: HashSet<_> = catalogue()
        .into_iter()
        .filter(|name| !elsewhere(name))
        .collect();
    assert_eq!(seen, expected);
    // Attributes keep the order in which they were sent.
    let first = String::from_utf8(came[0].body.clone()).unwrap();
    assert!(first.contains(r#""attributes":{"b":1, "a":2}"#), "{first}");
}

#[track_caller]
fn check_envelope(one: &Received, hook: &Webhook, environment: &str) {
    assert_eq!(one.method, "POST");
    assert_eq!(one.path, "/hook?from=us");
    assert_eq!(one.header("Content-Type"), "application/json");
    assert!(one.header("User-Agent").starts_with("Stampcard/"));
    assert!(one.is_signed_with(&hook.secret), "by the whole secret");
    assert!(!one.is_signed_with(&hook.secret["whsec_".len()..]));
    let body = one.json();
    assert_eq!(
        names(&body),
        ["createdAt", "data", "environment", "id", "type"]
    );
    assert_eq!(body["type"], one.event());
    assert_eq!(body["environment"], environment);
    assert!(body["id"].as_str().unwrap().starts_with("evt_"));
    assert!(one.delivery().starts_with("dlv_"));
    assert_eq!(body["createdAt"], "2026-06-15T12:00:00.000Z");
    let second = millis("2026-06-15T12:00:00Z") / 1000;
    assert_eq!(one.header("X-Expys-Timestamp"), second.to_string());
    assert!(body["data"]["externalUserID"].is_string());
}

#[test]
fn a_refund_and_what_is_forfeited_are_events_of_their_own() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    webhook(&app, &receiver.url("/"), &catalogue());
    app.member("ada", 100);
    let redemption = app.redeem("ada", &app.offer(json!({"pointsPrice": 30})));
    cancel(&app, &redemption).expect(200);
    app.delete("/v1/members/ada").expect(200);
    let came = receiver.wait_for(8);
    let seen: Vec<_> = came.iter().map(Received::event).collect();
    assert_eq!(
        seen,
        [
            "member.created",
            "wallet.credited",
            "redemption.created",
            "wallet.debited",
            "redemption.canceled",
            "wallet.credited",
            "wallet.debited",
            "member.removed",
        ]
    );
    let reasons: Vec<_> = came
        .iter()
        .map(Received::json)
        .filter(|body| body["type"].as_str().unwrap().starts_with("wallet."))
        .map(|body| {
            (
                body["data"]["reason"].clone(),
                body["data"]["amount"].clone(),
            )
        })
        .collect();
    assert_eq!(
        reasons,
        [
            (Value::Null, json!(100)),
            (json!("redemption"), json!(30)),
            (json!("refund"), json!(30)),
            (json!("member removed"), json!(100)),
        ]
    );
}

#[test]
fn an_event_shows_how_things_were_even_if_they_changed_before_it_was_sent() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|_| Answer::Status(500));
    webhook(
        &app,
        &receiver.url("/"),
        &["member.created", "redemption.created"],
    );
    let before = app
        .put("/v1/members/ada", &json!({"displayName": "Ada"}))
        .expect(200);
    let offer = app.offer(json!({}));
    let redemption = app.redeem("ada", &offer);
    receiver.wait_for(2);
    let after = json!({"displayName": "Countess", "tier": "gold"});
    app.put("/v1/members/ada", &after).expect(200);
    move_to(&app, &redemption, "COMPLETED").expect(200);
    app.clock.advance(Duration::from_mins(1));
    let came = receiver.wait_for(4);
    let again = |delivery: &str| {
        let found = came[2..].iter().find(|one| one.delivery() == delivery);
        found.unwrap().clone()
    };
    for one in &came[..2] {
        assert_eq!(again(one.delivery()).body, one.body);
    }
    assert_eq!(came[0].json()["data"], in_event(before));
    assert_eq!(came[1].json()["data"]["status"], "SUBMITTED");
}

#[test]
fn a_webhook_gets_what_it_listens_to_in_its_program_after_it_was_made_until_it_is_deleted() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let (_, neighbour) = program(&app, SANDBOX_KEY, "Another");
    app.member("before", 0);
    let first = webhook(&app, &receiver.url("/first"), &["member.created"]);
    app.member("one", 5);
    crate::client::call(&app, &neighbour, "PUT", "/v1/members/theirs", &json!({})).expect(200);
    live(&app, "PUT", "/v1/members/live", &json!({})).expect(200);
    app.member("two", 0);
    receiver.wait_for(2);
    delivery(&app, &first, |newest| newest["status"] == "delivered");
    app.delete(&first.path("")).expect(200);
    let second = webhook(&app, &receiver.url("/second"), &["member.created"]);
    app.member("three", 0);
    app.member("four", 0);
    let came = receiver.wait_for(4);
    let seen: Vec<_> = came
        .iter()
        .map(|one| {
            let member = one.json()["data"]["externalUserID"].clone();
            (one.path.clone(), member.as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [
        ("/first", "one"),
        ("/first", "two"),
        ("/second", "three"),
        ("/second", "four"),
    ];
    assert_eq!(seen, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert!(came[2].is_signed_with(&second.secret));
    assert!(!came[2].is_signed_with(&first.secret), "each has its own");
}

/// The documented delays, in milliseconds.
const RETRY_AFTER: [i64; 7] = [
    5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000,
];

/// The only delivery of a webhook that is not a test, after a given number of attempts.
#[track_caller]
fn tried(app: &TestApp, hook: &Webhook, attempts: usize) -> Value {
    until(|| {
        let rows = deliveries(app, hook).into_iter();
        let mut events = rows.filter(|row| row["type"] != "webhook.test");
        let row = events.next()?;
        assert_eq!(events.next(), None);
        (row["attempts"] == attempts).then_some(row)
    })
}

/// The requests that are not tests.
fn without_tests(mut came: Vec<Received>) -> Vec<Received> {
    came.retain(|one| one.event() != "webhook.test");
    came
}

#[test]
fn a_failed_delivery_is_repeated_seven_times_and_then_dead() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|request| {
        let is_test = request.event() == "webhook.test";
        Answer::Status(if is_test { 200 } else { 500 })
    });
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    app.member("ada", 0);
    for (attempts, pause) in (1..).zip(RETRY_AFTER) {
        let row = tried(&app, &hook, attempts);
        assert_eq!(row["status"], "pending");
        assert_eq!(row["responseStatus"], 500);
        let at = |field: &str| millis(row[field].as_str().unwrap());
        let took = row["durationMs"].as_i64().unwrap();
        let waits = at("nextAttemptAt") - at("lastAttemptAt") - took;
        assert!(
            (pause..=pause + pause / 5 + 1).contains(&waits),
            "after attempt {attempts} it waits {waits} ms"
        );
        // A millisecond before its time it is not sent; a test, which goes through the same queue,
        // is.
        let left = at("nextAttemptAt") - app.clock.now().as_millis() - 1;
        let left = u64::try_from(left).unwrap();
        app.clock.advance(Duration::from_millis(left));
        app.post(&hook.path("/test"), &Value::Null).expect(200);
        let came = receiver.wait_for(2 * attempts);
        assert_eq!(without_tests(came).len(), attempts);
        app.clock.advance(Duration::from_millis(1));
        let came = receiver.wait_for(2 * attempts + 1);
        assert_eq!(without_tests(came).len(), attempts + 1);
    }
    let row = tried(&app, &hook, 8);
    assert_eq!(row["status"], "dead");
    assert_eq!(row["nextAttemptAt"], Value::Null);
    let sent = without_tests(receiver.received());
    assert!(sent.iter().all(|one| one.delivery() == sent[0].delivery()));
    assert!(sent.iter().all(|one| one.body == sent[0].body));
    assert!(sent.iter().all(|one| one.is_signed_with(&hook.secret)));
    let second = |one: &Received| one.header("X-Expys-Timestamp").parse::<i64>().unwrap();
    let seconds: Vec<_> = sent.iter().map(second).collect();
    assert!(seconds.is_sorted_by(|a, b| a < b), "{seconds:?}");
    // It can still be sent again, and either result is final.
    receiver.answer(|_| Answer::Status(200));
    let id = row["id"].as_str().unwrap();
    let path = hook.path(&format!("/deliveries/{id}/redeliver"));
    app.post(&path, &Value::Null).expect(200);
    assert_eq!(tried(&app, &hook, 9)["status"], "delivered");
}

#[test]
fn a_redirect_is_a_failure_and_is_not_followed() {
    let app = TestApp::start();
    let other = Receiver::start();
    let elsewhere = other.url("/elsewhere");
    let receiver = Receiver::start_with(move |_| Answer::Redirect(elsewhere.clone()));
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    app.member("ada", 0);
    let tried = delivery(&app, &hook, |newest| newest["attempts"] == 1);
    assert_eq!(tried["status"], "pending");
    assert_eq!(tried["responseStatus"], 302);
    let error = tried["error"].as_str().unwrap();
    assert!(error.contains("redirects are not followed"), "{error}");
    assert_eq!(other.connections(), 0);
}

#[test]
fn only_a_2xx_is_a_success() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|request| {
        let member = request.json()["data"]["externalUserID"].clone();
        Answer::Status(member.as_str().unwrap()[1..].parse().unwrap())
    });
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    let statuses = [
        200, 201, 202, 204, 299, 304, 400, 401, 404, 410, 429, 500, 503,
    ];
    for status in statuses {
        app.member(&format!("m{status}"), 0);
    }
    let rows = until(|| {
        let rows = deliveries(&app, &hook);
        (rows.len() == statuses.len()).then_some(rows)
    });
    for (row, status) in rows.iter().rev().zip(statuses) {
        assert_eq!(row["responseStatus"], status);
        let is_good = row["status"] == "delivered";
        assert_eq!(is_good, status < 300, "{row}");
        assert_eq!(row["error"].is_null(), is_good);
    }
}

#[test]
fn a_receiver_that_hangs_holds_up_nobody_else_and_no_write() {
    let app = TestApp::start_with(|settings| settings.webhooks.timeout = 1);
    let silent = Receiver::start_with(|_| Answer::Silence);
    let prompt = Receiver::start();
    let stuck = webhook(&app, &silent.url("/"), &["member.created"]);
    webhook(&app, &prompt.url("/"), &["member.created"]);
    for number in 0..3 {
        app.member(&format!("m{number}"), 0);
    }
    let came = prompt.wait_for(3);
    assert!(
        silent.received().len() <= 1,
        "the first is still waited for"
    );
    assert_eq!(came[2].json()["data"]["externalUserID"], "m2");
    let rows = until(|| {
        let rows = deliveries(&app, &stuck);
        (rows.len() == 3).then_some(rows)
    });
    for row in rows {
        assert_eq!(row["error"], "no answer within 1 s");
        assert_eq!(row["responseStatus"], Value::Null);
        assert!(row["durationMs"].as_u64().unwrap() >= 1000);
    }
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|_| Answer::Endless);
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    app.member("ada", 0);
    receiver.wait_until_given_up();
    let tried = delivery(&app, &hook, |newest| newest["attempts"] == 1);
    assert_eq!(tried["status"], "delivered");
    assert_eq!(tried["responseStatus"], 200);
}

#[test]
fn first_attempts_come_in_order_while_others_are_repeated() {
    const MEMBERS: usize = 30;
    let app = TestApp::start();
    // Every third event fails at first.
    let receiver = Receiver::start_with(|request| {
        let member = request.json()["data"]["externalUserID"].clone();
        let number: usize = member.as_str().unwrap()[1..].parse().unwrap();
        Answer::Status(if number.is_multiple_of(3) { 500 } else { 200 })
    });
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    for number in 0..MEMBERS {
        app.member(&format!("m{number}"), 0);
        if number == MEMBERS / 2 {
            receiver.wait_for(number);
            app.clock.advance(Duration::from_mins(1));
        }
    }
    receiver.answer(|_| Answer::Status(200));
    app.clock.advance(Duration::from_mins(1));
    until(|| {
        let rows = deliveries(&app, &hook);
        let all_done = rows.iter().all(|row| row["status"] == "delivered");
        (rows.len() == MEMBERS && all_done).then_some(())
    });
    let came = receiver.received();
    assert!(came.len() > MEMBERS, "some were repeated");
    let mut firsts: Vec<String> = Vec::new();
    for one in &came {
        if !firsts.iter().any(|delivery| delivery == one.delivery()) {
            firsts.push(one.delivery().to_owned());
        }
    }
    let rows = json!(deliveries(&app, &hook));
    let mut in_order = column(&rows, "id");
    in_order.reverse();
    assert_eq!(firsts, in_order);
}

#[test]
fn what_was_not_delivered_before_a_restart_is_delivered_after_it() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|_| Answer::Status(500));
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    app.member("ada", 0);
    let failed = delivery(&app, &hook, |newest| newest["attempts"] == 1);
    let app = app.restart();
    receiver.answer(|_| Answer::Status(200));
    app.clock.advance(Duration::from_mins(1));
    let came = receiver.wait_for(2);
    assert_eq!(came[1].delivery(), failed["id"]);
    assert_eq!(came[1].body, came[0].body);
    app.member("bob", 0);
    let came = receiver.wait_for(3);
    assert_eq!(came[2].json()["data"]["externalUserID"], "bob");
    let done = |row: &Value| row["status"] == "delivered";
    until(|| deliveries(&app, &hook).iter().all(done).then_some(()));
}

#[test]
fn the_reports_count_of_events_is_that_of_the_deliveries() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|request| {
        // A few fail at first, so that not every attempt is a delivery of its own.
        let has_failed = request.event() != "wallet.credited";
        Answer::Status(if has_failed { 200 } else { 500 })
    });
    let hook = webhook(&app, &receiver.url("/"), &catalogue());
    let offer = app.offer(json!({"pointsPrice": 10}));
    for name in ["ada", "bob"] {
        app.member(name, 100);
        let redemption = app.redeem(name, &offer);
        move_to(&app, &redemption, "OPEN").expect(200);
        // Nothing changes, so there is no event.
        move_to(&app, &redemption, "OPEN").expect(200);
        cancel(&app, &redemption).expect(200);
        let token = app.token(name);
        say(&app, &token, &support(&app, name), "Good morning");
    }
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    app.delete("/v1/members/bob").expect(200);
    let report = app.get("/v1/reports/program-activity").expect(200);
    let count = report["data"][0]["event_count"].as_u64().unwrap();
    let count = usize::try_from(count).unwrap();
    receiver.wait_for(count);
    receiver.answer(|_| Answer::Status(200));
    app.clock.advance(Duration::from_mins(1));
    // Further requests would be listed, too.
    until(|| {
        let rows = deliveries(&app, &hook);
        let all_done = rows.iter().all(|row| row["status"] == "delivered");
        (rows.len() >= count && all_done).then_some(())
    });
    let came = receiver.received();
    let ids: HashSet<_> = came.iter().map(Received::delivery).collect();
    assert_eq!(ids.len(), count);
    assert_eq!(deliveries(&app, &hook).len(), count);
    assert!(came.len() > count, "some were repeated");
    let events: HashSet<_> = bodies(&came)
        .iter()
        .map(|body| body["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(events.len(), count, "each event has an id of its own");
    assert_eq!(count, 19);
}

#[test]
fn an_erased_member_is_in_nothing_that_is_sent_afterwards() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|_| Answer::Status(500));
    let hook = webhook(&app, &receiver.url("/"), &catalogue());
    app.put("/v1/members/ada", &json!({"displayName": "Ada Lovelace"}))
        .expect(200);
    let token = app.token("ada");
    say(&app, &token, &support(&app, "ada"), "My secret");
    delivery(&app, &hook, |newest| {
        newest["type"] == "conversation.message_created"
    });
    app.delete("/v1/members/ada?erase=true").expect(200);
    delivery(&app, &hook, |newest| newest["type"] == "member.removed");
    let before = receiver.received().len();
    assert_eq!(before, 3);
    receiver.answer(|_| Answer::Status(200));
    app.clock.advance(Duration::from_mins(1));
    let came = receiver.wait_for(6);
    for one in &came[2..] {
        let text = String::from_utf8(one.body.clone()).unwrap();
        // In quotes, as the hexadecimal digits of an id may spell it.
        for gone in ["\"ada\"", "Ada Lovelace", "My secret"] {
            assert!(!text.contains(gone), "{text}");
        }
        assert!(text.contains("erased_"), "{text}");
    }
}

#[test]
fn what_is_over_is_forgotten_in_time_and_what_is_not_is_kept() {
    let day = Duration::from_hours(24);
    let app = TestApp::start_with(|settings| settings.webhooks.retention = 86_400);
    let receiver = Receiver::start();
    // No server listens on this port.
    let nowhere = "http://127.0.0.1:9/";
    let good = webhook(&app, &receiver.url("/"), &["member.created"]);
    let bad = webhook(&app, nowhere, &["wallet.credited"]);
    app.member("ada", 5);
    delivery(&app, &good, |newest| newest["status"] == "delivered");
    let failed = delivery(&app, &bad, |newest| newest["attempts"] == 1);
    // Old deliveries are deleted at every start and then every hour.
    app.clock.advance(day);
    app.member("bob", 0);
    let app = app.restart();
    until(|| (deliveries(&app, &good).len() == 2).then_some(()));
    app.clock.advance(Duration::from_millis(1));
    let app = app.restart();
    until(|| (deliveries(&app, &good).len() == 1).then_some(()));
    let left = deliveries(&app, &bad);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["id"], failed["id"]);
    assert_eq!(left[0]["status"], "pending");
}

#[test]
fn a_deleted_webhook_waits_for_nothing_even_if_it_is_deleted_while_something_is_sent() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|_| Answer::Status(500));
    let hooks: Vec<_> = (1..=20)
        .map(|number| {
            let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
            app.member(&format!("m{number}"), 0);
            receiver.wait_for(number);
            app.delete(&hook.path("")).expect(200);
            hook
        })
        .collect();
    // Results are saved in order: once this one is saved, so are those before it.
    let last = webhook(&app, &receiver.url("/"), &["member.created"]);
    app.member("last", 0);
    delivery(&app, &last, |newest| newest["attempts"] == 1);
    for hook in &hooks {
        for row in deliveries(&app, hook) {
            assert_eq!(row["status"], "dead", "{row}");
            assert_eq!(row["nextAttemptAt"], Value::Null);
        }
    }
}

/// The sender may learn late that a webhook was deleted: until then its queries must return
/// nothing.
#[test]
fn a_deleted_webhook_gets_nothing_that_happens_after_it_was_deleted() {
    let mut app = TestApp::start();
    let hook = webhook(&app, "http://127.0.0.1:9/", &["member.created"]);
    app.while_stopped(async |services| {
        let key = services.directory().authenticate_key(SANDBOX_KEY).unwrap();
        let add = async |member: &str| {
            let request = SetMemberRequest::parse(&json!({}), b"{}").unwrap();
            let member = ExternalUserId::parse("id", member).unwrap();
            let set = services.set_member(key, member, Precondition::NONE, request);
            set.await.unwrap();
        };
        let sender = services.active_webhooks().await.unwrap().pop().unwrap();
        let new_events = async || services.new_events(&sender, sender.cursor).await.unwrap();
        add("before").await;
        assert_eq!(new_events().await.0.len(), 1);
        let delete = services.delete_webhook(key, hook.id.clone(), Precondition::NONE);
        delete.await.unwrap();
        add("after").await;
        assert_eq!(new_events().await, (Vec::new(), Seq(sender.cursor.0 + 3)));
    });
}
