//! The routes of earning rules.

use serde_json::{Value, json};

use super::table::{Row, row};
use super::world::World;
use crate::support::TestApp;

/// Creates the rule of the world, and returns its id.
pub(super) fn create(app: &TestApp) -> String {
    let rule = json!({"program_id": "current", "name": "Ten points", "condition": "true",
        "actions": [{"type": "CREDIT", "asset_id": "default", "amount": "10"}],
        "budgets": [{"asset_id": "default", "limit": "1000"}]});
    let made = app.post("/v1/rules", &rule).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

pub(super) fn rule_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/rules", "/v1/rules/{id}");
    let own = format!("{list}/{}", world.rule);
    let of = |rest: &str| format!("{own}/{rest}");
    let rule = json!({"program_id": "current", "name": "Coffee", "condition": "true",
        "actions": [{"type": "TAG", "tag": "guest"}]});
    let reset = of("reset-budget?asset_id=default");
    let event = json!({"event": {"type": "visit"}});
    vec![
        row("GET", list, list)
            .gives(200, ["Ten points", "pagination"])
            .live(200)
            .bad("/v1/rules?limit=0", Value::Null, 400, "limit"),
        row("POST", list, list)
            .body(rule)
            .gives(201, ["Coffee", "guest"])
            .live(201)
            .bad(list, json!({"program_id": "current"}), 400, "name"),
        row("POST", "/v1/rules/validate", "/v1/rules/validate")
            .body(json!({"condition": "true"}))
            .gives(200, ["valid"])
            .live(200)
            .bad("/v1/rules/validate", json!({}), 400, "condition"),
        row("GET", id, &own)
            .gives(200, ["Ten points", "next_reset_at"])
            .bad("/v1/rules/%FF", Value::Null, 400, "path"),
        row("PATCH", id, &own)
            .body(json!({"description": "For all"}))
            .gives(200, ["For all"])
            .bad(&own, json!({"order": 0}), 400, "order"),
        row("POST", "/v1/rules/{id}/reset-budget", &reset)
            .gives(200, ["consumed", "next_reset_at"])
            .bad(of("reset-budget"), Value::Null, 400, "asset_id"),
        row("GET", "/v1/rules/{id}/history", of("history"))
            .gives(200, ["change_type", "snapshot"])
            .bad(of("history?limit=0"), Value::Null, 400, "limit"),
        row("POST", "/v1/rules/{id}/simulate", of("simulate"))
            .body(event)
            .gives(200, ["evaluation", "matched"])
            .bad(of("simulate"), json!({}), 400, "event"),
    ]
}
