//! Earning rules over HTTP: what may be written, what is shown, and that changes are kept.

use serde_json::{Value, json};

use crate::balances::Flat as _;
use crate::client::{check, get_as, number, post_once, scrip_error, with};
use crate::stored_events::{get, send};
use crate::support::{LIVE_KEY, Response, SANDBOX_KEY, TestApp};

const RULES: &str = "/v1/rules";

/// A rule that credits points of the program.
fn rule(name: &str) -> Value {
    json!({
        "program_id": "current",
        "name": name,
        "condition": "event.type == 'purchase'",
        "actions": [{"type": "CREDIT", "asset_id": "default", "amount": "event.amount * 10"}],
    })
}

#[track_caller]
fn create(app: &TestApp, body: &Value) -> Value {
    app.post(RULES, body).expect(201)
}

fn path(rule: &Value) -> String {
    format!("{RULES}/{}", rule["id"].as_str().unwrap())
}

/// The names of a list.
fn names(list: &Value) -> Vec<&str> {
    let rows = list["data"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap()).collect()
}

/// Every POST of rules that changes something, as in the table of all.
pub(crate) fn posts(app: &TestApp) -> Vec<(&'static str, String, Value, u16, &'static str)> {
    let budgets = json!({"budgets": [{"asset_id": "default", "limit": "5"}]});
    let reset = path(&create(app, &with(rule("Limited"), budgets)));
    let reset = format!("{reset}/reset-budget?asset_id=default");
    [
        (RULES.to_owned(), rule("New"), 201),
        (reset, json!({}), 200),
    ]
    .map(|(path, body, status)| (SANDBOX_KEY, path, body, status, ""))
    .to_vec()
}

fn advance(app: &TestApp, hours: u64) {
    let body = json!({"advanceSeconds": hours * 3600});
    app.post("/v1/sandbox/clock", &body).expect(200);
}

#[test]
fn a_rule_is_created_with_defaults_read_again_and_counted() {
    let app = TestApp::start();
    let counted = |app: &TestApp| {
        let report = app.get("/v1/reports/program-activity").expect(200);
        report["data"][0]["rule_count"].clone()
    };
    assert_eq!(counted(&app), 0);
    let made = create(&app, &rule("First"));
    let asset = app.get("/v1/assets/default").expect(200)["id"].clone();
    let program = app.get("/v1/programs/current").expect(200)["id"].clone();
    let expected = json!({
        "program_id": program, "name": "First", "description": null, "order": 10,
        "condition": "event.type == 'purchase'", "status": "ACTIVE", "stop_after_match": false,
        "actions": [{"type": "CREDIT", "asset_id": asset, "amount": "event.amount * 10"}],
        "active_from": null, "active_to": null, "budgets": [], "deleted_at": null,
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    let read = app.get(&path(&made));
    let tag = format!("\"{}\"", made["version"]);
    assert_eq!(read.header("ETag"), Some(tag.as_str()));
    assert_eq!(read.expect(200), made);
    let second = create(&app, &with(rule("Second"), json!({"status": "SUSPENDED"})));
    assert_eq!(second["order"], 20);
    assert_eq!(
        create(&app, &rule("Third"))["order"],
        30,
        "suspended ones count"
    );
    assert_eq!(counted(&app), 3);
    scrip_error(get_as(&app, LIVE_KEY, &path(&made)), 404, "not_found");
    scrip_error(app.get("/v1/rules/other"), 404, "not_found");
    let archive = json!({"status": "ARCHIVED"});
    app.patch(&path(&second), &archive).expect(200);
    assert_eq!(counted(&app), 2);
    check(&app);
    let before = app.get("/v1/rules?include_archived=true").expect(200);
    let app = app.restart();
    let after = app.get("/v1/rules?include_archived=true").expect(200);
    assert_eq!(after, before);
    assert_eq!(counted(&app), 2);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of what is wrong")]
fn a_rule_that_is_wrong_is_refused_with_the_field_and_the_place() {
    let app = TestApp::start();
    let wrong = |fields: Value| {
        let response = app.post(RULES, &with(rule("Wrong"), fields));
        let error = response.expect(400);
        assert_eq!(error["code"], "bad_request");
        let field = error["details"]["field"].as_str().unwrap().to_owned();
        (field, error["message"].as_str().unwrap().to_owned())
    };
    let (field, message) = wrong(json!({"condition": "event.amount > 5 &&\n event.type = 'x'"}));
    assert_eq!(field, "condition");
    assert!(message.contains("line 2, column 13"), "{message}");
    assert!(message.contains("to compare, write =="), "{message}");
    let credit = |fields: Value| {
        let action = json!({"type": "CREDIT", "asset_id": "default", "amount": "5"});
        json!({"actions": [with(action, fields)]})
    };
    for (fields, field) in [
        (json!({"condition": ""}), "condition"),
        (json!({"condition": "1 + 1"}), "condition"),
        (json!({"actions": []}), "actions"),
        (json!({"order": 0}), "order"),
        (json!({"status": "ARCHIVED"}), "status"),
        (
            json!({"active_from": "2027-01-01T00:00:00Z", "active_to": "2027-01-01T00:00:00Z"}),
            "active_to",
        ),
        (credit(json!({"type": "SET_TIER"})), "actions[0].type"),
        (credit(json!({"amount": null})), "actions[0].amount"),
        (credit(json!({"amount": 5})), "actions[0].amount"),
        (
            credit(json!({"amount": "event.amount *"})),
            "actions[0].amount",
        ),
        (credit(json!({"asset_id": "other"})), "actions[0].asset_id"),
        (
            credit(json!({"target": {"type": "GROUP"}})),
            "actions[0].target.type",
        ),
        (credit(json!({"target": {}})), "actions[0].target.type"),
        (
            json!({"actions": [{"type": "SCHEDULE_EVENT", "delay": "24h", "event_name": "late"}]}),
            "actions[0].type",
        ),
        (
            json!({"actions": [{"type": "BROADCAST", "event_name": "all"}]}),
            "actions[0].type",
        ),
        (
            json!({"budgets": [{"asset_id": "default", "limit": "0"}]}),
            "budgets[0].limit",
        ),
        (
            json!({"budgets": [{"asset_id": "default", "limit": "5", "schedule_type": "CRON",
                "cron_expression": "0 0 31 2 *"}]}),
            "budgets[0].cron_expression",
        ),
        (
            json!({"budgets": [{"asset_id": "default", "limit": "5"},
                {"asset_id": "default", "limit": "6"}]}),
            "budgets[1].asset_id",
        ),
    ] {
        let (found, message) = wrong(fields);
        assert_eq!(found, field, "{message}");
    }
    for fields in [
        credit(json!({"amount": "0.5"})),
        json!({"budgets": [{"asset_id": "default", "limit": "5.5"}]}),
    ] {
        let response = app.post(RULES, &with(rule("Wrong"), fields));
        scrip_error(response, 400, "invalid_scale");
    }
    let another = json!({"program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"});
    let response = app.post(RULES, &with(rule("Wrong"), another));
    scrip_error(response, 403, "forbidden");
    assert_eq!(names(&app.get(RULES).expect(200)), [""; 0]);
    check(&app);
}

#[test]
fn active_rules_have_places_of_their_own() {
    let app = TestApp::start();
    let first = create(&app, &rule("First"));
    let taken = with(rule("Second"), json!({"order": 10}));
    let message = app
        .post(RULES, &taken)
        .expect_refusal(409, "order_conflict");
    assert!(message.contains("10"), "{message}");
    let second = create(&app, &with(taken, json!({"status": "SUSPENDED"})));
    let activate = json!({"status": "ACTIVE"});
    let conflict = app.patch(&path(&second), &activate);
    conflict.expect_refusal(409, "order_conflict");
    assert_eq!(app.get(&path(&second)).expect(200), second);
    // A rule is not in its own way, and what leaves a place frees it.
    app.patch(&path(&first), &json!({"order": 10, "name": "One"}))
        .expect(200);
    app.patch(&path(&first), &json!({"order": 11})).expect(200);
    app.patch(&path(&second), &activate).expect(200);
    let conflict = app.patch(&path(&first), &json!({"order": 10}));
    conflict.expect_refusal(409, "order_conflict");
    app.patch(&path(&second), &json!({"status": "ARCHIVED"}))
        .expect(200);
    app.patch(&path(&first), &json!({"order": 10})).expect(200);
    check(&app);
}

#[test]
fn rules_are_listed_in_the_order_of_evaluation_or_as_asked() {
    let app = TestApp::start();
    for (name, order) in [("Coffee", 30), ("Apples", 10), ("Bread", 20)] {
        create(&app, &with(rule(name), json!({"order": order})));
    }
    let gone = create(&app, &with(rule("Dates"), json!({"order": 40})));
    app.patch(&path(&gone), &json!({"status": "ARCHIVED"}))
        .expect(200);
    let listed = |query: &str| {
        let list = app.get(&format!("{RULES}?{query}")).expect(200);
        names(&list).join(" ")
    };
    for (query, expected) in [
        ("", "Apples Bread Coffee"),
        ("program_id=current&sort_dir=desc", "Coffee Bread Apples"),
        ("include_archived=true", "Apples Bread Coffee Dates"),
        ("status=ARCHIVED", "Dates"),
        ("status=SUSPENDED", ""),
        ("search=brea", "Bread"),
        ("sort_by=name&sort_dir=desc", "Coffee Bread Apples"),
        ("sort_by=created_at", "Bread Apples Coffee"),
        ("sort_by=created_at&sort_dir=asc", "Coffee Apples Bread"),
    ] {
        assert_eq!(listed(query), expected, "{query}");
    }
    for sorted in ["", "&sort_dir=desc", "&sort_by=name", "&sort_by=created_at"] {
        let whole = app.get(&format!("{RULES}?limit=200{sorted}")).expect(200);
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app
                .get(&format!("{RULES}?limit=1{sorted}{cursor}"))
                .expect(200);
            rows.extend(page["data"].as_array().unwrap().clone());
            match page["pagination"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(Value::Array(rows), whole["data"], "{sorted}");
    }
    for bad in ["limit=201", "status=GONE", "sort_by=size", "cursor=x"] {
        scrip_error(app.get(&format!("{RULES}?{bad}")), 400, "bad_request");
    }
}

#[test]
fn each_change_is_a_version_and_a_row_of_the_log() {
    let app = TestApp::start();
    let made = create(&app, &rule("First"));
    let path = path(&made);
    let history = |query: &str| -> Vec<Value> {
        let page = app.get(&format!("{path}/history?{query}")).expect(200);
        page["data"].as_array().unwrap().clone()
    };
    let logged = || number(&app, "SELECT count(*) FROM activity WHERE kind = 73");
    // Nothing that is the same is a change.
    let same = app.patch(&path, &json!({"order": 10, "description": null}));
    assert_eq!(same.expect(200), made);
    assert_eq!((logged(), history("").len()), (1, 1));
    advance(&app, 1);
    let changed = app
        .patch(
            &path,
            &json!({"name": "Renamed", "active_to": "2030-01-01T00:00:00Z"}),
        )
        .expect(200);
    assert_eq!(changed["active_to"], "2030-01-01T00:00:00Z");
    assert_ne!(changed["updated_at"], made["updated_at"]);
    assert_eq!(changed["created_at"], made["created_at"]);
    for status in ["SUSPENDED", "ACTIVE", "ARCHIVED"] {
        let body = json!({"status": status});
        assert_eq!(app.patch(&path, &body).expect(200)["status"], status);
    }
    assert_eq!(logged(), 5);
    let rows = history("");
    let kinds: Vec<&str> = rows
        .iter()
        .map(|row| row["change_type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["archived", "activated", "suspended", "updated", "created"]
    );
    let updated = &rows[3];
    assert_eq!(
        updated["changes"],
        json!({
            "name": {"old": "First", "new": "Renamed"},
            "active_to": {"old": null, "new": "2030-01-01T00:00:00Z"},
        })
    );
    assert_eq!(updated["snapshot"]["name"], "Renamed");
    assert_eq!(updated["changed_at"], changed["updated_at"]);
    assert_eq!(rows[4]["changes"], json!({}));
    assert_eq!(rows[4]["snapshot"]["name"], "First");
    let keys = app.get("/v1/keys").expect(200);
    let uuid = rows[0]["changed_by_api_key_id"].as_str().unwrap();
    assert!(keys.to_string().contains(uuid), "{keys}");
    assert_eq!(history("change_type=suspended").len(), 1);
    assert_eq!(history("limit=2"), rows[..2]);
    let until = updated["changed_at"].as_str().unwrap();
    assert_eq!(history(&format!("from={until}")), rows[..4]);
    scrip_error(
        app.get(&format!("{path}/history?limit=101")),
        400,
        "bad_request",
    );
    // Archived rules stay as they are.
    for response in [
        app.patch(&path, &json!({"name": "Late"})),
        app.patch(&path, &json!({"status": "ACTIVE"})),
        app.post(&format!("{path}/reset-budget?asset_id=default"), &json!({})),
    ] {
        response.expect_refusal(409, "rule_archived");
    }
    check(&app);
}

#[test]
fn a_change_needs_a_field_and_may_need_a_version() {
    let app = TestApp::start();
    let made = create(&app, &rule("First"));
    let path = path(&made);
    for body in [json!({}), json!({"unknown": 1})] {
        app.patch(&path, &body).expect_refusal(400, "bad_request");
    }
    let rename = json!({"name": "Renamed"});
    let send = |tag: &str| -> Response {
        app.request("PATCH", &path)
            .bearer(SANDBOX_KEY)
            .header("If-Match", tag)
            .json(&rename)
            .send()
    };
    send("\"1\"").expect_refusal(412, "precondition_failed");
    let tag = format!("\"{}\"", made["version"]);
    assert_eq!(send(&tag).expect(200)["name"], "Renamed");
    send(&tag).expect_refusal(412, "precondition_failed");
    let bad = app.patch(&path, &json!({"condition": "event."}));
    bad.expect_refusal(400, "bad_request");
    // A retry of a creation makes no second rule.
    let first = post_once(&app, "one", RULES, &rule("Once")).expect(201);
    assert_eq!(
        post_once(&app, "one", RULES, &rule("Once")).expect(201),
        first
    );
    let other = post_once(&app, "one", RULES, &rule("Twice"));
    other.expect_refusal(409, "idempotency_conflict");
    assert_eq!(number(&app, "SELECT count(*) FROM rule"), 2);
}

#[test]
fn a_program_has_at_most_200_rules_that_are_not_archived() {
    let app = TestApp::start();
    let suspended = with(rule("One of many"), json!({"status": "SUSPENDED"}));
    let first = create(&app, &suspended);
    for _ in 1..200 {
        create(&app, &suspended);
    }
    app.post(RULES, &suspended)
        .expect_refusal(422, "limit_reached");
    app.patch(&path(&first), &json!({"status": "ARCHIVED"}))
        .expect(200);
    create(&app, &suspended);
    let list = app.get("/v1/rules?limit=200").expect(200);
    assert_eq!(names(&list).len(), 200);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one history, step by step")]
fn a_budget_shows_its_use_and_the_next_reset() {
    let app = TestApp::start_at("2026-06-15T12:00:00Z", |_| ());
    let miles = app
        .post(
            "/v1/assets",
            &json!({"program_id": "current", "name": "Miles", "symbol": "MI",
                "inventory_mode": "SIMPLE", "issuance_policy": "UNLIMITED", "scale": 2}),
        )
        .expect(201)["id"]
        .clone();
    let points = app.get("/v1/assets/default").expect(200)["id"].clone();
    let monthly = json!({"asset_id": "default", "limit": "1000", "schedule_type": "CRON",
        "cron_expression": "0 0 1 * *"});
    let daily = json!({"asset_id": miles, "limit": "10.5", "schedule_type": "INTERVAL",
        "interval": "24h"});
    let credit = |asset: &Value, amount: &str| json!({"type": "CREDIT", "asset_id": asset, "amount": amount});
    let fields = json!({
        "condition": "event.type == 'visit'",
        "actions": [
            credit(&json!("default"), "double(event.points)"),
            credit(&miles, "double(event.miles)"),
        ],
        "budgets": [monthly, daily],
    });
    let made = create(&app, &with(rule("First"), fields));
    assert_eq!(
        made["budgets"],
        json!([
            {"asset_id": points, "limit": "1000", "schedule_type": "CRON",
                "cron_expression": "0 0 1 * *", "interval": null, "consumed": "0",
                "next_reset_at": "2026-07-01T00:00:00Z"},
            {"asset_id": miles, "limit": "10.50", "schedule_type": "INTERVAL",
                "cron_expression": null, "interval": "24h", "consumed": "0.00",
                "next_reset_at": "2026-06-16T12:00:00Z"},
        ])
    );
    let path = path(&made);
    let visit = |key: &str, points: &str, miles: &str| {
        let data = json!({"type": "visit", "points": points, "miles": miles});
        let event = send(&app, key, &data);
        assert_eq!(get(&app, &event)["status"], "COMPLETED");
    };
    visit("one", "250", "1.25");
    let shown = |of: usize| {
        let rule = app.get(&path).expect(200);
        rule["budgets"][of].clone()
    };
    assert_eq!(shown(0)["consumed"], "250");
    assert_eq!(shown(1)["consumed"], "1.25");
    check(&app);
    // What would exceed a budget is left out as a whole; less still fits.
    visit("two", "751", "0");
    assert_eq!(shown(0)["consumed"], "250");
    visit("three", "750", "0");
    assert_eq!(shown(0)["consumed"], "1000");
    assert_eq!(app.balance("ada"), 1000);
    // Another limit and another schedule keep what was used; the beginning of the budget stays.
    advance(&app, 6);
    let weekly = with(daily.clone(), json!({"interval": "168h", "limit": "99"}));
    let patched = app.patch(&path, &json!({"budgets": [weekly]})).expect(200);
    assert_eq!(
        patched["budgets"],
        json!([{"asset_id": miles, "limit": "99.00", "schedule_type": "INTERVAL",
            "cron_expression": null, "interval": "168h", "consumed": "1.25",
            "next_reset_at": "2026-06-22T12:00:00Z"}])
    );
    // A budget that was taken away and given again starts from zero.
    app.patch(&path, &json!({"budgets": [weekly, monthly]}))
        .expect(200);
    assert_eq!(shown(1)["consumed"], "0");
    assert_eq!(shown(0)["consumed"], "1.25");
    // A reset by request.
    visit("four", "1", "2");
    assert_eq!(shown(0)["consumed"], "3.25");
    let reset = |asset: &Value| {
        let asset = asset.as_str().unwrap();
        app.post(&format!("{path}/reset-budget?asset_id={asset}"), &json!({}))
    };
    let budget = reset(&miles).expect(200);
    assert_eq!(budget["consumed"], "0.00");
    assert_eq!(budget["next_reset_at"], "2026-06-22T12:00:00Z");
    assert_eq!(shown(0), budget);
    assert_eq!(
        number(&app, "SELECT count(*) FROM activity WHERE kind = 74"),
        1
    );
    app.patch(&path, &json!({"budgets": []})).expect(200);
    assert_eq!(number(&app, "SELECT count(*) FROM rule_budget"), 0);
    scrip_error(reset(&miles), 404, "not_found");
    let missing = app.post(&format!("{path}/reset-budget"), &json!({}));
    scrip_error(missing, 400, "bad_request");
    check(&app);
}

#[test]
fn a_condition_is_checked_without_a_rule() {
    let app = TestApp::start();
    let validate = |condition: &str| {
        let body = json!({"condition": condition});
        app.post("/v1/rules/validate", &body).expect(200)
    };
    let good = validate("event.amount > 5 && 'vip' in participant.tags");
    assert_eq!(good["valid"], true);
    assert_eq!(good["message"], "CEL condition is valid");
    assert!(good["note"].is_string());
    let bad = validate("event.amount > 5 &&\n  event.type = 'x'");
    assert_eq!(
        (&bad["valid"], &bad["line"], &bad["column"]),
        (&json!(false), &json!(2), &json!(14))
    );
    assert_eq!(bad["hint"], "to compare, write ==");
    assert!(bad.get("note").is_none());
    assert_eq!(validate("1")["valid"], false);
    let missing = app.post("/v1/rules/validate", &json!({}));
    scrip_error(missing, 400, "bad_request");
}
