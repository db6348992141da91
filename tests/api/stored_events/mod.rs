//! Events: what is stored of them, and what the earning rules make of them.

mod earned;
mod input;
mod points;
mod traits;

use serde_json::{Value, json};

use crate::client::with;
use crate::support::TestApp;

/// Creates a rule and returns its id.
#[track_caller]
pub(crate) fn rule(app: &TestApp, body: Value) -> String {
    let base = json!({"program_id": "current", "name": "A rule"});
    let rule = app.post("/v1/rules", &with(base, body)).expect(201);
    rule["id"].as_str().unwrap().to_owned()
}

/// A rule that credits points.
#[track_caller]
pub(crate) fn credits(app: &TestApp, condition: &str, amount: &str) -> String {
    let action = json!({"type": "CREDIT", "asset_id": "default", "amount": amount});
    rule(app, json!({"condition": condition, "actions": [action]}))
}

/// The body of an event of `ada`.
pub(crate) fn event_of(key: &str, data: &Value) -> Value {
    json!({
        "program_id": "current",
        "idempotency_key": key,
        "event_timestamp": "2026-06-15T12:00:00Z",
        "event_data": data,
        "external_id": "ada",
    })
}

/// Sends an event of `ada`.
#[track_caller]
pub(crate) fn send(app: &TestApp, key: &str, data: &Value) -> Value {
    app.post("/v1/events", &event_of(key, data)).expect(202)
}

/// The event, with the evaluations that were skipped.
#[track_caller]
pub(crate) fn get(app: &TestApp, event: &Value) -> Value {
    let id = event["id"].as_str().unwrap();
    let path = format!("/v1/events/{id}?include_skipped=true");
    app.get(&path).expect(200)
}

/// The statuses and reasons of the evaluations of an event.
pub(crate) fn evaluations(event: &Value) -> Vec<String> {
    let all = event["rule_evaluations"].as_array().unwrap().iter();
    all.map(|it| {
        let text = |name: &str| it[name].as_str().map(str::to_owned);
        let parts = [text("status"), text("reason"), text("error_message")];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    })
    .collect()
}
