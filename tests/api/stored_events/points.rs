//! Points that rules move.

use serde_json::json;

use super::{credits, evaluations, event_of, get, rule, send};
use crate::client::{check, number};
use crate::support::TestApp;

#[test]
fn a_rule_credits_points_for_an_event_and_says_so() {
    let app = TestApp::start();
    let double = credits(&app, "event.type == 'purchase'", "event.amount * 2");
    credits(&app, "event.type == 'visit'", "1");
    let event = send(
        &app,
        "order-1",
        &json!({"type": "purchase", "amount": 12.75}),
    );
    assert_eq!(event["status"], "COMPLETED");
    assert_eq!(event["external_id"], "ada");
    // 25.5, cut to whole points.
    assert_eq!(app.balance("ada"), 25);
    let event = get(&app, &event);
    assert_eq!(
        event["event_data"],
        json!({"type": "purchase", "amount": 12.75})
    );
    assert_eq!(event["event_type"], "EXTERNAL");
    assert_eq!(evaluations(&event), ["SUCCESS"]);
    let evaluation = &event["rule_evaluations"][0];
    assert_eq!(evaluation["rule_id"], json!(double));
    assert_eq!(evaluation["rule_name"], "A rule");
    let history = app.get(&format!("/v1/rules/{double}/history")).expect(200);
    assert_eq!(evaluation["rule_history_id"], history["data"][0]["id"]);
    // The Expys surface shows the name of the rule as the reason.
    let page = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200);
    assert_eq!(page["transactions"][0]["reason"], "A rule");
    check(&app);
}

#[test]
fn a_failed_action_takes_back_everything_of_the_event_but_the_event_and_the_participant() {
    let app = TestApp::start();
    credits(&app, "true", "100");
    let debit = json!({"type": "DEBIT", "asset_id": "default", "amount": "event.amount"});
    rule(
        &app,
        json!({"condition": "event.type == 'return'", "actions": [debit]}),
    );
    let event = send(&app, "one", &json!({"type": "return", "amount": 101}));
    assert_eq!(event["status"], "FAILED");
    assert_eq!(app.balance("ada"), 0);
    let event = get(&app, &event);
    let why = "100 points match, 101 are needed";
    assert_eq!(event["error_message"], why);
    assert_eq!(evaluations(&event), ["SUCCESS", &format!("FAILED {why}")]);
    // A failed event keeps its key.
    let again = send(&app, "one", &json!({"type": "return", "amount": 101}));
    assert_eq!(again["status"], "FAILED");
    assert_eq!(number(&app, "SELECT count(*) FROM event"), 1);
    // The same with a sum that is there.
    let event = send(&app, "two", &json!({"type": "return", "amount": 60}));
    assert_eq!(event["status"], "COMPLETED");
    assert_eq!(app.balance("ada"), 40);
    check(&app);
}

#[test]
fn rules_act_in_their_order_and_one_can_end_the_evaluation() {
    let app = TestApp::start();
    let credit = |points: &str| json!({"type": "CREDIT", "asset_id": "default", "amount": points});
    let actions = json!([credit("5")]);
    rule(
        &app,
        json!({"condition": "event.x > 1", "actions": actions, "order": 20,
        "stop_after_match": true}),
    );
    rule(
        &app,
        json!({"condition": "event.x > 0", "actions": [credit("1")], "order": 30}),
    );
    rule(
        &app,
        json!({"condition": "event.y / 0 > 1", "actions": [credit("1")], "order": 10}),
    );
    let both = send(&app, "a", &json!({"x": 2, "y": 1}));
    assert_eq!(app.balance("ada"), 5);
    let both = get(&app, &both);
    let found = evaluations(&both);
    assert!(found[0].starts_with("SKIPPED_ERROR "), "{found:?}");
    assert_eq!(found[1..], ["SUCCESS", "SKIPPED STOPPED_BY_PRIOR_RULE"]);
    let stopped = &both["rule_evaluations"][2]["stopped_by_rule_id"];
    assert_eq!(*stopped, both["rule_evaluations"][1]["rule_id"]);
    // Without include_skipped, those that could not be evaluated are left out.
    let id = both["id"].as_str().unwrap();
    let shown = app.get(&format!("/v1/events/{id}")).expect(200);
    assert_eq!(evaluations(&shown).len(), 2);
    send(&app, "b", &json!({"x": 1}));
    assert_eq!(app.balance("ada"), 6);
    check(&app);
}

#[test]
fn a_budget_suppresses_a_credit_that_it_does_not_cover() {
    let app = TestApp::start();
    let credit = json!({"type": "CREDIT", "asset_id": "default", "amount": "event.amount"});
    let id = rule(
        &app,
        json!({"condition": "true", "actions": [credit],
        "budgets": [{"asset_id": "default", "limit": "100"}]}),
    );
    send(&app, "a", &json!({"amount": 60}));
    let over = send(&app, "b", &json!({"amount": 41}));
    assert_eq!(over["status"], "COMPLETED");
    assert_eq!(evaluations(&get(&app, &over)), ["SUCCESS BUDGET_EXCEEDED"]);
    send(&app, "c", &json!({"amount": 40}));
    assert_eq!(app.balance("ada"), 100);
    let shown = app.get(&format!("/v1/rules/{id}")).expect(200);
    assert_eq!(shown["budgets"][0]["consumed"], "100");
    check(&app);
}

#[test]
fn a_referral_credits_both_sides() {
    let app = TestApp::start();
    app.member("bob", 0);
    let credit = |target| {
        let credit = json!({"type": "CREDIT", "asset_id": "default", "amount": "50"});
        crate::client::with(credit, target)
    };
    let referrer = json!({"target": {"type": "PARTICIPANT", "external_id": "event.referrer_id"}});
    rule(
        &app,
        json!({"condition": "event.type == 'signup'",
        "actions": [credit(json!({})), credit(referrer)]}),
    );
    send(&app, "a", &json!({"type": "signup", "referrer_id": "bob"}));
    assert_eq!((app.balance("ada"), app.balance("bob")), (50, 50));
    // An unknown one is not created.
    let failed = send(
        &app,
        "b",
        &json!({"type": "signup", "referrer_id": "nobody"}),
    );
    assert_eq!(failed["status"], "FAILED");
    assert_eq!((app.balance("ada"), app.balance("bob")), (50, 50));
    // A recipient takes the place of the participant.
    let mut body = event_of("c", &json!({"type": "signup", "referrer_id": "bob"}));
    body["recipient_external_id"] = json!("carl");
    app.post("/v1/events", &body).expect(202);
    assert_eq!(app.balance("carl"), 50);
    assert_eq!((app.balance("ada"), app.balance("bob")), (50, 100));
    check(&app);
}

#[test]
fn a_suspended_participant_earns_nothing_and_the_event_fails() {
    let app = TestApp::start();
    credits(&app, "event.type == 'purchase'", "10");
    let first = send(&app, "a", &json!({"type": "other"}));
    let id = first["participant_id"].as_str().unwrap();
    let suspended = json!({"status": "SUSPENDED"});
    app.patch(&format!("/v1/participants/{id}/status"), &suspended)
        .expect(200);
    let failed = send(&app, "b", &json!({"type": "purchase"}));
    assert_eq!(failed["status"], "FAILED");
    assert_eq!(
        get(&app, &failed)["error_message"],
        "the participant is not active"
    );
    // An event without such an action completes.
    assert_eq!(
        send(&app, "c", &json!({"type": "other"}))["status"],
        "COMPLETED"
    );
    check(&app);
}

#[test]
fn an_entry_names_the_event_and_the_rule_that_caused_it() {
    let app = TestApp::start();
    let double = credits(&app, "event.type == 'purchase'", "event.amount * 2");
    let other = credits(&app, "event.type == 'visit'", "1");
    let bought = send(&app, "a", &json!({"type": "purchase", "amount": 5}));
    let visited = send(&app, "b", &json!({"type": "visit"}));
    crate::client::credit(&app, "ada", 7);
    let list = |query: &str| {
        let page = app.get(&format!("/v1/journal-entries{query}")).expect(200);
        let rows = page["data"].as_array().unwrap().iter();
        let amount = |row: &serde_json::Value| row["postings"][0]["amount"].clone();
        let of = |row: &serde_json::Value| {
            (amount(row), row["event_id"].clone(), row["rule_id"].clone())
        };
        rows.map(of).collect::<Vec<_>>()
    };
    let by_hand = (json!("7"), json!(null), json!(null));
    let of_visit = (json!("1"), visited["id"].clone(), json!(other));
    let of_purchase = (json!("10"), bought["id"].clone(), json!(double));
    assert_eq!(list(""), [by_hand, of_visit.clone(), of_purchase.clone()]);
    let event = bought["id"].as_str().unwrap();
    assert_eq!(
        list(&format!("?event_id={event}")),
        std::slice::from_ref(&of_purchase)
    );
    assert_eq!(list(&format!("?rule_id={other}")), [of_visit]);
    assert_eq!(list(&format!("?rule_id={double}")), [of_purchase]);
    assert_eq!(list(&format!("?rule_id={other}&event_id={event}")), []);
    let nothing = "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4";
    assert_eq!(list(&format!("?event_id={nothing}")), []);
    let ada = bought["participant_id"].as_str().unwrap();
    let asset = app.get("/v1/assets/default").expect(200)["id"].clone();
    let path = format!(
        "/v1/participants/{ada}/statement?asset_id={}&program_id=current",
        asset.as_str().unwrap()
    );
    let statement = app.get(&path).expect(200);
    let rows = statement["data"].as_array().unwrap().iter();
    let found: Vec<_> = rows.map(|row| (&row["amount"], &row["event_id"])).collect();
    assert!(found.contains(&(&json!("1"), &visited["id"])), "{found:?}");
    assert!(found.contains(&(&json!("7"), &json!(null))), "{found:?}");
}

#[test]
fn an_event_has_at_most_256_effects() {
    let app = TestApp::start();
    let tag = json!({"type": "COUNTER", "key": "n", "value": "1"});
    for order in 1..=9 {
        let actions = vec![tag.clone(); 32];
        let condition = format!("event.rules >= {order}");
        rule(
            &app,
            json!({"condition": condition, "actions": actions, "order": order}),
        );
    }
    let most = send(&app, "a", &json!({"rules": 8}));
    assert_eq!(most["status"], "COMPLETED");
    let more = send(&app, "b", &json!({"rules": 9}));
    assert_eq!(more["status"], "FAILED");
    let why = get(&app, &more)["error_message"].clone();
    assert_eq!(why, "an event has at most 256 effects");
    check(&app);
}
