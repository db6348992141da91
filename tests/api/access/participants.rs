//! The routes of participants.

use serde_json::{Value, json};

use super::table::{Row, row};
use super::world::World;

pub(super) fn participant_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/participants", "/v1/participants/{id}");
    let [bob, zoe] = &world.participants;
    let (own, other) = (format!("{list}/{bob}"), format!("{list}/{zoe}"));
    let status = format!("{other}/status");
    vec![
        row("GET", list, list)
            .gives(200, [bob, "next_cursor"])
            .live(200)
            .bad(format!("{list}?sort_by=x"), Value::Null, 400, "sort_by"),
        row("POST", list, list)
            .body(json!({"external_id": "pia"}))
            .gives(201, ["pia", "balances"])
            .live(201)
            .bad(list, json!({}), 400, "external_id"),
        row("GET", id, &own).gives(200, [bob, "balances"]).bad(
            format!("{list}/%FF"),
            Value::Null,
            400,
            "path",
        ),
        row("PATCH", id, &other)
            .body(json!({"display_name": "Zoe"}))
            .gives(200, ["Zoe"])
            .bad(&other, json!({"phone": "x"}), 400, "phone"),
        row("PATCH", "/v1/participants/{id}/status", &status)
            .body(json!({"status": "SUSPENDED"}))
            .gives(200, ["SUSPENDED"])
            .bad(&status, json!({"status": "x"}), 400, "status"),
    ]
}

/// A route below the state of a participant.
macro_rules! state {
    ($rest:literal) => {
        concat!("/v1/participants/{id}/state/", $rest)
    };
}

/// The state of a participant that does not exist.
const UNKNOWN: &str = "/v1/participants/x/state";

pub(super) fn state_rows(world: &World) -> Vec<Row> {
    let own = format!("/v1/participants/{}", world.participants[1]);
    let history = format!("{own}/activity/state-history");
    let bad = format!("{history}?operation=x");
    let route = "/v1/participants/{id}/activity/state-history";
    let mut rows = tag_rows(&format!("{own}/state"));
    rows.extend(counter_rows(&format!("{own}/state")));
    rows.extend(attribute_rows(&format!("{own}/state")));
    rows.push(
        row("GET", route, &history)
            .gives(200, ["state_type", "visits"])
            .bad(bad, Value::Null, 400, "operation"),
    );
    rows
}

fn tag_rows(state: &str) -> Vec<Row> {
    let (tags, vip) = (format!("{state}/tags"), format!("{state}/tags/VIP"));
    let unknown = format!("{UNKNOWN}/tags");
    vec![
        row("PUT", state!("tags/{tag}"), &vip)
            .gives(201, ["vip"])
            .bad(format!("{tags}/%07"), Value::Null, 400, "tag"),
        row("GET", state!("tags"), &tags)
            .gives(200, ["vip", "next_cursor"])
            .bad(unknown, Value::Null, 404, "participant"),
        row("DELETE", state!("tags/{tag}"), &vip)
            .gives(204, [])
            .bad(&vip, Value::Null, 404, "tag"),
        row("PUT", state!("tags"), &tags)
            .body(json!({"tags": ["A", "b"]}))
            .gives(200, ["a"])
            .bad(&tags, json!({"tags": "a"}), 400, "tags"),
    ]
}

fn counter_rows(state: &str) -> Vec<Row> {
    let counters = format!("{state}/counters");
    let visits = format!("{counters}/visits");
    let (unknown, absent) = (format!("{UNKNOWN}/counters"), format!("{counters}/x"));
    vec![
        row("PUT", state!("counters/{key}"), &visits)
            .body(json!({"value": "3", "reset_after": "720h"}))
            .gives(200, ["720h"])
            .bad(&visits, json!({"value": 3}), 400, "value"),
        row("GET", state!("counters/{key}"), &visits)
            .gives(200, ["visits"])
            .bad(absent, Value::Null, 404, "counter"),
        row("GET", state!("counters"), &counters)
            .gives(200, ["visits"])
            .bad(unknown, Value::Null, 404, "participant"),
    ]
}

fn attribute_rows(state: &str) -> Vec<Row> {
    let attributes = format!("{state}/attributes");
    let (city, unknown) = (
        format!("{attributes}/city"),
        format!("{UNKNOWN}/attributes"),
    );
    vec![
        row("PUT", state!("attributes/{key}"), &city)
            .body(json!({"value": "Bath"}))
            .gives(200, ["Bath"])
            .bad(&city, json!({"value": ""}), 400, "value"),
        row("PATCH", state!("attributes"), &attributes)
            .body(json!({"attributes": {"born": "06-15"}}))
            .gives(200, ["Bath", "06-15"])
            .bad(&attributes, json!({}), 400, "attributes"),
        row("GET", state!("attributes"), &attributes)
            .gives(200, ["Bath"])
            .bad(unknown, Value::Null, 404, "participant"),
        row("DELETE", state!("attributes/{key}"), &city)
            .gives(204, [])
            .bad(&city, Value::Null, 404, "attribute"),
    ]
}

pub(super) fn balance_rows(world: &World) -> Vec<Row> {
    let list = "/v1/participants";
    let balances = format!("{list}/{}/balances", world.participants[0]);
    let body = |fields: Value| {
        let mut body = json!({"program_id": "current", "asset_id": "default",
            "description": "A row"});
        let Value::Object(fields) = fields else {
            panic!()
        };
        body.as_object_mut().unwrap().extend(fields);
        body
    };
    let operation = |route: &'static str, fields: Value, names: &'static str| {
        let name = route.rsplit('/').next().unwrap_or_default();
        let path = format!("{balances}/{name}");
        row("POST", route, &path)
            .body(body(fields))
            .gives(200, ["journal_entry_id", "balance"])
            .bad(&path, json!({}), 400, names)
    };
    vec![
        row("GET", "/v1/participants/{id}/balances", &balances)
            .gives(200, ["available", "held"])
            .bad(format!("{list}/%FF/balances"), Value::Null, 400, "path"),
        operation(
            "/v1/participants/{id}/balances/adjust",
            json!({"type": "CREDIT", "amount": "3"}),
            "type",
        ),
        operation(
            "/v1/participants/{id}/balances/hold",
            json!({"amount": "2"}),
            "asset_id",
        ),
        operation(
            "/v1/participants/{id}/balances/release",
            json!({"amount": "2"}),
            "asset_id",
        ),
        operation(
            "/v1/participants/{id}/balances/forfeit",
            json!({"amount": "1", "bucket": "AVAILABLE"}),
            "asset_id",
        ),
        row(
            "POST",
            "/v1/participants/{id}/balances/void-hold",
            format!("{balances}/void-hold"),
        )
        .body(body(json!({"reference_id": "order"})))
        .gives(400, ["reference_id"])
        .bad(format!("{balances}/void-hold"), json!({}), 400, "asset_id"),
    ]
}
