//! Tags, counters and attributes that rules change and ask for.

use serde_json::{Value, json};

use super::{credits, evaluations, get, rule, send};
use crate::client::{check, number};
use crate::support::TestApp;

fn state(app: &TestApp, event: &Value, what: &str) -> Value {
    let id = event["participant_id"].as_str().unwrap();
    app.get(&format!("/v1/participants/{id}/state/{what}"))
        .expect(200)["data"]
        .clone()
}

#[test]
fn every_tenth_visit_is_rewarded_by_a_counter_and_first_purchases_by_a_tag() {
    let app = TestApp::start();
    let count = json!({"type": "COUNTER", "key": "visits", "value": "1"});
    rule(
        &app,
        json!({"condition": "event.type == 'visit'", "actions": [count], "order": 10}),
    );
    // A later rule sees what an earlier one did.
    let tenth = "event.type == 'visit' && participant.counters.visits % 10 == 0";
    credits(&app, tenth, "100");
    let first = "event.type == 'purchase' && !('customer' in participant.tags)";
    let welcome = json!([
        {"type": "CREDIT", "asset_id": "default", "amount": "20"},
        {"type": "TAG", "tag": "Customer"},
        {"type": "SET_ATTRIBUTE", "key": "first_shop", "value": "event.shop"},
    ]);
    rule(&app, json!({"condition": first, "actions": welcome}));
    for n in 0..25 {
        send(&app, &format!("visit-{n}"), &json!({"type": "visit"}));
    }
    assert_eq!(app.balance("ada"), 200);
    for n in 0..3 {
        send(
            &app,
            &format!("order-{n}"),
            &json!({"type": "purchase", "shop": format!("S{n}")}),
        );
    }
    assert_eq!(app.balance("ada"), 220);
    let event = send(&app, "last", &json!({"type": "other"}));
    assert_eq!(state(&app, &event, "tags"), json!([{"tag": "customer"}]));
    assert_eq!(state(&app, &event, "counters")[0]["value"], "25");
    assert_eq!(
        state(&app, &event, "attributes"),
        json!([{"key": "first_shop", "value": "S0"}])
    );
    let caused = "SELECT count(*) FROM activity WHERE kind = 37 AND actor = 4
        AND rule_version IS NOT NULL AND cause_seq IN (SELECT seq FROM event)";
    assert_eq!(number(&app, caused), 27);
    check(&app);
    let app = app.restart();
    send(&app, "again", &json!({"type": "purchase", "shop": "S9"}));
    assert_eq!(app.balance("ada"), 220);
    check(&app);
}

#[test]
fn a_failed_event_takes_back_what_it_did_to_the_state() {
    let app = TestApp::start();
    let actions = json!([
        {"type": "TAG", "tag": "seen"},
        {"type": "COUNTER", "key": "n", "value": "event.n"},
        {"type": "SET_ATTRIBUTE", "key": "k", "value": "v"},
        {"type": "DEBIT", "asset_id": "default", "amount": "event.n"},
    ]);
    rule(&app, json!({"condition": "true", "actions": actions}));
    let failed = send(&app, "a", &json!({"n": 1}));
    assert_eq!(failed["status"], "FAILED");
    for what in ["tags", "counters", "attributes"] {
        assert_eq!(state(&app, &failed, what), json!([]), "{what}");
    }
    crate::client::credit(&app, "ada", 5);
    let done = send(&app, "b", &json!({"n": 1}));
    assert_eq!(done["status"], "COMPLETED");
    assert_eq!(state(&app, &done, "counters")[0]["value"], "1");
    // A counter that would be out of range.
    let id = done["participant_id"].as_str().unwrap();
    let body = json!({"value": "9".repeat(28)});
    let path = format!("/v1/participants/{id}/state/counters/n");
    app.put(&path, &body).expect(200);
    let action = json!({"type": "COUNTER", "key": "n",
        "value": "event.many * 7000000000000000000000000000.0"});
    rule(
        &app,
        json!({"condition": "event.many > 0", "actions": [action], "order": 5}),
    );
    let failed = send(&app, "c", &json!({"n": 1, "many": 11}));
    assert_eq!(failed["status"], "FAILED");
    assert_eq!(
        evaluations(&get(&app, &failed)),
        ["FAILED the counter n is out of range"]
    );
    check(&app);
}
