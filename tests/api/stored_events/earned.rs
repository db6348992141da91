//! `verify` applies the rules to every event again.

use serde_json::{Value, json};

use super::{event_of, rule, send};
use crate::client::{check, number};
use crate::support::TestApp;
use crate::tampers::assert_named;

fn credit(amount: &str) -> Value {
    json!({"type": "CREDIT", "asset_id": "default", "amount": amount})
}

/// Events that meet rules of all kinds, which change meanwhile.
fn live(app: &TestApp) {
    app.member("bob", 0);
    let mut budgeted = credit("event.n");
    budgeted["description"] = json!("By the rule");
    let order = rule(
        app,
        json!({"condition": "event.type == 'order'", "order": 10,
        "actions": [budgeted, {"type": "TAG", "tag": "Buyer"},
            {"type": "SET_ATTRIBUTE", "key": "shop", "value": "event.shop"}],
        "budgets": [{"asset_id": "default", "limit": "40"}]}),
    );
    rule(
        app,
        json!({"condition": "event.type == 'order' && participant.counters.orders > 2",
        "order": 20, "actions": [credit("100")], "stop_after_match": true}),
    );
    rule(
        app,
        json!({"condition": "event.type == 'order'", "order": 30,
        "actions": [{"type": "COUNTER", "key": "orders", "value": "1"}]}),
    );
    let mut referral = credit("7");
    referral["target"] = json!({"type": "PARTICIPANT", "external_id": "event.referrer"});
    rule(
        app,
        json!({"condition": "event.type == 'signup'", "order": 40,
        "actions": [credit("5"), referral]}),
    );
    rule(
        app,
        json!({"condition": "event.type == 'return'", "order": 50,
        "actions": [{"type": "UNTAG", "tag": "buyer"},
            {"type": "DEBIT", "asset_id": "default", "amount": "event.n"}]}),
    );
    let mut n = 0;
    let mut next = |data: Value| {
        n += 1;
        send(app, &format!("e{n}"), &data)
    };
    next(json!({"type": "signup", "referrer": "bob"}));
    next(json!({"type": "signup", "referrer": "nobody"}));
    for shop in ["A", "A", "B", "B", "C"] {
        next(json!({"type": "order", "n": 9, "shop": shop}));
    }
    next(json!({"type": "return", "n": 10_000}));
    next(json!({"type": "return", "n": 3}));
    // The rule changes, and what it used of its budget stays.
    let budgets = json!([{"asset_id": "default", "limit": "60"}]);
    app.patch(&format!("/v1/rules/{order}"), &json!({"budgets": budgets}))
        .expect(200);
    next(json!({"type": "order", "n": 12.5, "shop": "C"}));
    app.patch(
        &format!("/v1/rules/{order}"),
        &json!({"status": "SUSPENDED"}),
    )
    .expect(200);
    next(json!({"type": "order", "n": 5, "shop": "D"}));
    let mut gift = event_of("gift", &json!({"type": "signup", "referrer": "bob"}));
    gift["recipient_external_id"] = json!("carl");
    app.post("/v1/events", &gift).expect(202);
}

/// Changes behind the back of the server, and what `verify` says of each. `FIRST` is the first
/// credit of a rule.
const CHANGES: &[(&str, &str)] = &[
    (
        "UPDATE activity SET amount = amount + 1 WHERE seq = FIRST",
        "earned a credit of 5",
    ),
    (
        "DELETE FROM activity WHERE seq = FIRST",
        "a credit of 5 by rule version row",
    ),
    (
        "UPDATE activity SET rule_version = 1 WHERE seq = FIRST",
        "no rule earned it",
    ),
    (
        "DELETE FROM activity WHERE seq = (SELECT max(seq) FROM activity WHERE kind = 37)",
        "a change of a tag by rule version row",
    ),
    (
        "UPDATE evaluation SET status = 'SKIPPED' WHERE place = 0",
        "its evaluation 0 must be",
    ),
    (
        "DELETE FROM evaluation WHERE event_seq = (SELECT min(seq) FROM event)",
        "its rules make 1 evaluations of the event",
    ),
    (
        "UPDATE rule_version SET document = replace(document, '\"100\"', '\"101\"')",
        "earned a credit of 101",
    ),
    (
        "UPDATE rule_budget SET consumed = consumed + 1",
        "what it used of its budgets",
    ),
    (
        "UPDATE counter SET value = '99'",
        "its counter does not match the log",
    ),
    (
        "DELETE FROM member_tag; INSERT INTO member_tag (member_id, tag)
          SELECT id, 'x' FROM member",
        "its member_tag does not match the log",
    ),
    ("UPDATE event SET uuid = randomblob(16)", "its uuid"),
    (
        "UPDATE event SET happened_at = happened_at + 1",
        "its happened_at",
    ),
    (
        "UPDATE event SET member_id = 1 WHERE member_id <> 1",
        "its member_id",
    ),
    (
        "UPDATE event SET status = 'COMPLETED', error = NULL",
        "its status",
    ),
    (
        "UPDATE event SET error = 'Another' WHERE status = 'FAILED'",
        "its rules make the event",
    ),
];

#[test]
fn what_rules_earned_is_found_again_and_every_change_of_it_is_named() {
    let app = TestApp::start();
    live(&app);
    let failed = "SELECT count(*) FROM event WHERE status = 'FAILED'";
    assert_eq!(number(&app, failed), 2);
    check(&app);
    let mut app = app.restart();
    check(&app);
    app.stop();
    let first = "(SELECT min(seq) FROM activity WHERE rule_version IS NOT NULL AND entry = 1)";
    let changes = CHANGES.iter();
    let changes: Vec<(String, &str)> = changes
        .map(|(sql, named)| (sql.replace("FIRST", first), *named))
        .collect();
    let changes: Vec<(&str, &str)> = changes.iter().map(|(sql, it)| (&**sql, *it)).collect();
    assert_named(&app.database(), &changes);
}

/// The operator's id of a participant whom a rule named belongs to nobody, and then to another one.
#[test]
fn what_rules_earned_is_found_again_after_ids_have_changed() {
    let app = TestApp::start();
    app.member("bob", 0);
    let target = json!({"type": "PARTICIPANT", "external_id": "event.friend"});
    let tag = json!({"type": "TAG", "tag": "friend", "target": target});
    let points = crate::client::with(credit("5"), json!({"target": target}));
    let own = json!({"type": "COUNTER", "key": "friends", "value": "1"});
    rule(
        &app,
        json!({"condition": "true", "actions": [points, tag, own]}),
    );
    let found = app.get("/v1/participants?external_id=bob").expect(200);
    let bob = found["data"][0]["id"].as_str().unwrap().to_owned();
    send(&app, "a", &json!({"friend": "bob"}));
    check(&app);
    let renamed = json!({"external_id": "robert"});
    app.patch(&format!("/v1/participants/{bob}"), &renamed)
        .expect(200);
    check(&app);
    app.member("bob", 0);
    check(&app);
    send(&app, "b", &json!({"friend": "bob"}));
    app.delete("/v1/members/bob?erase=true").expect(200);
    app.member("bob", 0);
    check(&app);
    assert_eq!(app.balance("robert"), 5);
}
