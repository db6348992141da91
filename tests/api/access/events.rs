//! The routes of events.

use serde_json::{Value, json};

use super::table::{Row, row};
use super::world::World;
use crate::support::TestApp;

fn body(key: &str, member: &str) -> Value {
    json!({"program_id": "current", "idempotency_key": key, "external_id": member,
        "event_timestamp": "2026-06-15T12:00:00Z", "event_data": {"type": "visit"}})
}

/// Stores the event of the world before it has rules, and returns its id.
pub(super) fn create(app: &TestApp) -> String {
    let made = app.post("/v1/events", &body("visit-1", "bob")).expect(202);
    made["id"].as_str().unwrap().to_owned()
}

pub(super) fn event_rows(world: &World) -> Vec<Row> {
    let (list, batch) = ("/v1/events", "/v1/events/batch");
    let own = format!("{list}/{}", world.event);
    let of_bob = format!("/v1/participants/{}/events", world.participants[0]);
    vec![
        row("GET", list, list)
            .gives(200, ["visit-1", "pagination"])
            .live(200)
            .bad("/v1/events?sort_by=x", Value::Null, 400, "sort_by"),
        row("POST", list, list)
            .body(body("visit-2", "visitor"))
            .gives(202, ["visit-2", "COMPLETED"])
            .live(202)
            .bad(
                list,
                json!({"program_id": "current"}),
                400,
                "idempotency_key",
            ),
        row("POST", batch, batch)
            .body(json!({"events": [body("visit-3", "visitor")]}))
            .gives(202, ["visit-3", "success_count"])
            .live(202)
            .bad(batch, json!({}), 400, "events"),
        row("GET", "/v1/events/{id}", &own)
            .gives(200, ["visit-1", "rule_evaluations"])
            .bad(
                format!("{own}?include_skipped=1"),
                Value::Null,
                400,
                "include_skipped",
            ),
        row("GET", "/v1/participants/{id}/events", &of_bob)
            .gives(200, ["visit-1", "pagination"])
            .bad(format!("{of_bob}?limit=0"), Value::Null, 400, "limit"),
    ]
}
