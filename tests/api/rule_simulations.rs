//! What a rule would make of an event: nothing is stored.

use serde_json::{Value, json};

use crate::client::{rows, scrip_error, with};
use crate::support::TestApp;

/// A rule with these actions that asks for purchases.
#[track_caller]
fn create(app: &TestApp, fields: Value) -> String {
    let body = json!({
        "program_id": "current",
        "name": "Tried",
        "condition": "event.type == 'purchase' && event.amount > 0",
    });
    let made = app.post("/v1/rules", &with(body, fields)).expect(201);
    format!("/v1/rules/{}/simulate", made["id"].as_str().unwrap())
}

fn credit(amount: &str) -> Value {
    json!({"type": "CREDIT", "asset_id": "default", "amount": amount})
}

#[track_caller]
fn evaluation(app: &TestApp, path: &str, body: &Value) -> Value {
    app.post(path, body).expect(200)["evaluation"].clone()
}

#[test]
fn a_simulation_shows_what_each_action_would_do_and_stores_nothing() {
    let app = TestApp::start();
    let path = create(
        &app,
        json!({"actions": [
            credit("event.amount * 10"),
            {"type": "TAG", "tag": "Buyer"},
            {"type": "TAG", "tag": "vip"},
            {"type": "UNTAG", "tag": "new"},
            {"type": "COUNTER", "key": "purchases", "value": "1"},
            {"type": "COUNTER", "key": "purchases", "value": "0.5"},
            {"type": "SET_ATTRIBUTE", "key": "city", "value": "event.city"},
            {"type": "DEBIT", "asset_id": "default", "amount": "0.2 * 0"},
            {"type": "HOLD", "asset_id": "default", "amount": "3",
                "target": {"type": "PARTICIPANT", "external_id": "event.friend"}},
        ]}),
    );
    let before = rows(&app);
    let body = json!({
        "event": {"type": "purchase", "amount": 7.59, "city": "Bath", "friend": "bob"},
        "participant_state": {"tags": ["vip"], "counters": {"purchases": "4"},
            "attributes": {"city": "London"}},
    });
    let response = app.post(&path, &body).expect(200);
    assert_eq!(response["rule"]["order"], 10);
    let evaluation = &response["evaluation"];
    assert_eq!(evaluation["matched"], true);
    assert_eq!(evaluation["status"], "evaluated");
    assert!(evaluation.get("reason").is_none());
    let results: Vec<Value> = evaluation["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["result"].clone())
        .collect();
    let expected = [
        json!({"amount": "75", "asset_symbol": "pts", "description": "Credit 75 pts to participant"}),
        json!({"current_tags": ["vip"], "would_add": true,
            "description": "Tag participant with buyer"}),
        json!({"current_tags": ["buyer", "vip"], "would_add": false,
            "description": "Tag participant with vip"}),
        json!({"current_tags": ["buyer", "vip"], "would_remove": false,
            "description": "Remove tag new from participant"}),
        json!({"current_value": "4", "projected_value": "5", "value": "1",
            "description": "Add 1 to counter purchases of participant"}),
        json!({"current_value": "5", "projected_value": "5.5", "value": "0.5",
            "description": "Add 0.5 to counter purchases of participant"}),
        json!({"current_value": "London", "value": "Bath", "would_change": true,
            "description": "Set attribute city of participant"}),
        json!({"description": "Nothing: the amount is 0, or the budget of the rule does not allow it"}),
        json!({"amount": "3", "asset_symbol": "pts", "description": "Hold 3 pts of another participant"}),
    ];
    assert_eq!(results, expected);
    assert_eq!(rows(&app), before);
    let action = &evaluation["results"][1]["action"];
    assert_eq!(action, &json!({"type": "TAG", "tag": "Buyer"}));
}

#[test]
fn a_simulation_says_why_a_rule_would_not_act() {
    let app = TestApp::start_at("2026-06-15T12:00:00Z", |_| ());
    let path = create(
        &app,
        json!({"actions": [credit("event.amount / event.by")]}),
    );
    let of = |event: Value| evaluation(&app, &path, &json!({"event": event}));
    let other = of(json!({"type": "visit"}));
    assert_eq!(other, json!({"matched": false, "status": "evaluated"}));
    let absent = of(json!({"type": "purchase"}));
    assert_eq!(
        absent,
        json!({"matched": false, "status": "condition_failed",
            "reason": "the field amount is absent"})
    );
    let wrong = of(json!({"type": "purchase", "amount": "much"}));
    assert_eq!(wrong["status"], "condition_failed");
    let failed = of(json!({"type": "purchase", "amount": 5, "by": 0}));
    assert_eq!(failed["matched"], true);
    assert_eq!(failed["results"], json!([]));
    let message = failed["error_message"].as_str().unwrap();
    assert!(message.contains("division by zero"), "{message}");

    let late = create(
        &app,
        json!({"actions": [credit("5")], "active_to": "2026-06-15T12:00:00Z"}),
    );
    let purchase = json!({"event": {"type": "purchase", "amount": 5}});
    let outside = evaluation(&app, &late, &purchase);
    assert_eq!(
        outside,
        json!({"matched": false, "status": "evaluated", "reason": "OUTSIDE_TIME_WINDOW"})
    );
    let small = create(
        &app,
        json!({"actions": [credit("5")], "budgets": [{"asset_id": "default", "limit": "4"}]}),
    );
    let over = evaluation(&app, &small, &purchase);
    assert_eq!(over["reason"], "BUDGET_EXCEEDED");
    assert_eq!(over["matched"], true);
    for bad in [
        json!({}),
        json!({"event": []}),
        json!({"event": {}, "participant_state": {"counters": {"x": "many"}}}),
        json!({"event": {}, "participant_state": {"tags": "vip"}}),
    ] {
        scrip_error(app.post(&path, &bad), 400, "bad_request");
    }
    let missing = app.post("/v1/rules/other/simulate", &purchase);
    scrip_error(missing, 404, "not_found");
}
