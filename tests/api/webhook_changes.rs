//! Webhooks that are changed, disabled and enabled again.

use serde_json::{Value, json};

use crate::client::{credit, deliveries, delivery, live, until, webhook};
use crate::support::receiver::{Answer, Receiver};
use crate::support::{LIVE_KEY, TestApp};

/// No server listens on this port.
const NOWHERE: &str = "http://127.0.0.1:9/hook";

#[test]
fn a_webhook_is_read_and_changed_without_its_secret() {
    let app = TestApp::start();
    let hook = webhook(&app, NOWHERE, &["member.created"]);
    let shown = app.get(&hook.path("")).expect(200);
    assert_eq!(shown["url"], NOWHERE);
    assert_eq!(shown["events"], json!(["member.created"]));
    assert_eq!(shown["disabledAt"], Value::Null);
    let listed = app.get("/v1/webhooks").expect(200);
    assert_eq!(listed["data"][0], shown);

    let change = json!({"url": "http://127.0.0.1:9/other", "events": ["wallet.debited"]});
    let answer = app.patch(&hook.path(""), &change);
    assert!(!answer.text().contains("whsec_"));
    let changed = answer.expect(200);
    assert_eq!(changed["url"], change["url"]);
    assert_eq!(changed["events"], change["events"]);
    assert_eq!(changed["createdAt"], shown["createdAt"]);
    assert_eq!(app.get(&hook.path("")).expect(200), changed);
    let off = app
        .patch(&hook.path(""), &json!({"disabled": true}))
        .expect(200);
    assert_eq!(off["disabledAt"], "2026-06-15T12:00:00.000Z");
    assert_eq!(off["url"], change["url"]);
    let on = app
        .patch(&hook.path(""), &json!({"disabled": false}))
        .expect(200);
    assert_eq!(on["disabledAt"], Value::Null);
}

#[test]
fn a_change_is_held_to_the_rules_of_a_new_webhook() {
    let app = TestApp::start();
    let hook = webhook(&app, NOWHERE, &["member.created"]).path("");
    let before = app.get(&hook).expect(200);
    for (body, code, names) in [
        (json!({"url": ""}), "WEBHOOK_URL_NOT_ALLOWED", "url"),
        (
            json!({"url": "ftp://a.example/"}),
            "WEBHOOK_URL_NOT_ALLOWED",
            "url",
        ),
        (json!({"url": null}), "VALIDATION", "url"),
        (json!({"events": []}), "VALIDATION", "events"),
        (
            json!({"events": ["member.created", "member.created"]}),
            "VALIDATION",
            "events",
        ),
        (
            json!({"events": ["member.invented"]}),
            "WEBHOOK_EVENT_UNKNOWN",
            "events[0]",
        ),
        (json!({"disabled": 1}), "VALIDATION", "disabled"),
        (json!({"disabled": null}), "VALIDATION", "disabled"),
        (json!([]), "VALIDATION", "body"),
    ] {
        let message = app.patch(&hook, &body).expect_error(422, code);
        assert!(message.contains(names), "{body}: {message}");
    }
    assert_eq!(app.get(&hook).expect(200), before);
    app.patch("/v1/webhooks/wh_unknown", &json!({}))
        .expect_error(404, "NOT_FOUND");
    // Another program's.
    live(&app, "GET", &hook, &Value::Null).expect_error(404, "NOT_FOUND");
    live(&app, "PATCH", &hook, &json!({"disabled": true})).expect_error(404, "NOT_FOUND");
    // In the live environment, only public addresses.
    let made = json!({"url": "https://1.1.1.1/", "events": ["member.created"]});
    let made = live(&app, "POST", "/v1/webhooks", &made).expect(201);
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    for url in ["http://1.1.1.1/", "https://127.0.0.1/", "https://10.0.0.1/"] {
        let request = app.request("PATCH", &path).bearer(LIVE_KEY);
        let refused = request.json(&json!({"url": url})).send();
        refused.expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
    }
}

#[test]
fn a_disabled_webhook_is_not_among_the_ten() {
    let app = TestApp::start();
    let all = [(); 10].map(|()| webhook(&app, NOWHERE, &["member.created"]).path(""));
    let set = |path: &str, disabled: bool| app.patch(path, &json!({"disabled": disabled}));
    set(&all[0], true).expect(200);
    let another = webhook(&app, NOWHERE, &["member.created"]).path("");
    set(&all[0], false).expect_error(422, "WEBHOOK_LIMIT_REACHED");
    // An address in use stays valid.
    set(&another, false).expect(200);
    app.patch(&all[0], &json!({"events": ["member.removed"]}))
        .expect(200);
    app.delete(&another).expect(200);
    set(&all[0], false).expect(200);
    set(&another, false).expect_error(422, "WEBHOOK_LIMIT_REACHED");
}

#[test]
fn events_go_to_the_new_address_and_the_new_list_counts() {
    let app = TestApp::start();
    let (old, new) = (Receiver::start(), Receiver::start());
    let hook = webhook(&app, &old.url("/old"), &["member.created"]);
    app.member("ada", 0);
    old.wait_for(1);
    until(|| (deliveries(&app, &hook).len() == 1).then_some(()));
    let change = json!({"url": new.url("/new"), "events": ["wallet.credited"]});
    app.patch(&hook.path(""), &change).expect(200);
    app.member("bob", 0);
    credit(&app, "bob", 5);
    let received = new.wait_for(1);
    assert_eq!(received[0].event(), "wallet.credited");
    assert!(received[0].is_signed_with(&hook.secret));
    assert_eq!(old.received().len(), 1);
    until(|| (deliveries(&app, &hook).len() == 2).then_some(()));
    // After a start the new list applies, from where it was changed.
    let app = app.restart();
    credit(&app, "bob", 6);
    let received = new.wait_for(2);
    assert_eq!(received[1].json()["data"]["amount"], 6);
}

#[test]
fn a_disabled_webhook_gets_nothing_of_the_meantime() {
    let app = TestApp::start();
    let receiver = Receiver::start_with(|_| Answer::Status(500));
    let hook = webhook(&app, &receiver.url("/"), &["member.created"]);
    app.member("before", 0);
    let waits = delivery(&app, &hook, |one| one["attempts"] == 1);
    assert_eq!(waits["status"], "pending");
    app.patch(&hook.path(""), &json!({"disabled": true}))
        .expect(200);
    let given_up = delivery(&app, &hook, |one| one["status"] == "dead");
    assert_eq!(given_up["id"], waits["id"]);
    app.post(&hook.path("/test"), &Value::Null)
        .expect_error(404, "NOT_FOUND");
    app.member("meanwhile", 0);
    receiver.answer(|_| Answer::Status(200));
    app.patch(&hook.path(""), &json!({"disabled": false}))
        .expect(200);
    app.member("after", 0);
    let arrived = receiver.wait_for(2);
    let ids: Vec<Value> = arrived
        .iter()
        .map(|one| one.json()["data"]["externalUserID"].clone())
        .collect();
    assert_eq!(ids, ["before", "after"]);
    let app = app.restart();
    app.member("later", 0);
    let arrived = receiver.wait_for(3);
    assert_eq!(arrived[2].json()["data"]["externalUserID"], "later");
    let all = until(|| Some(deliveries(&app, &hook)).filter(|all| all.len() == 3));
    assert_eq!(all[2]["status"], "dead");
}
