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

pub(super) fn state_rows(world: &World) -> Vec<Row> {
    let id = "/v1/participants/{id}";
    let own = format!("/v1/participants/{}", world.participants[1]);
    let state = |rest: &str| format!("{own}/state/{rest}");
    let [tags, tag, counters, counter, attributes, attribute] = [
        "tags",
        "tags/{tag}",
        "counters",
        "counters/{key}",
        "attributes",
        "attributes/{key}",
    ]
    .map(|rest| &*format!("{id}/state/{rest}").leak());
    let unknown = "/v1/participants/x/state";
    let (vip, visits, city) = (
        state("tags/VIP"),
        state("counters/visits"),
        state("attributes/city"),
    );
    let history = format!("{own}/activity/state-history");
    vec![
        row("PUT", tag, &vip)
            .gives(201, ["vip"])
            .bad(state("tags/%07"), Value::Null, 400, "tag"),
        row("GET", tags, state("tags"))
            .gives(200, ["vip", "next_cursor"])
            .bad(format!("{unknown}/tags"), Value::Null, 404, "participant"),
        row("DELETE", tag, &vip)
            .gives(204, [])
            .bad(&vip, Value::Null, 404, "tag"),
        row("PUT", tags, state("tags"))
            .body(json!({"tags": ["A", "b"]}))
            .gives(200, ["a"])
            .bad(state("tags"), json!({"tags": "a"}), 400, "tags"),
        row("PUT", counter, &visits)
            .body(json!({"value": "3", "reset_after": "720h"}))
            .gives(200, ["720h"])
            .bad(&visits, json!({"value": 3}), 400, "value"),
        row("GET", counter, &visits).gives(200, ["visits"]).bad(
            state("counters/x"),
            Value::Null,
            404,
            "counter",
        ),
        row("GET", counters, state("counters"))
            .gives(200, ["visits"])
            .bad(
                format!("{unknown}/counters"),
                Value::Null,
                404,
                "participant",
            ),
        row("PUT", attribute, &city)
            .body(json!({"value": "Bath"}))
            .gives(200, ["Bath"])
            .bad(&city, json!({"value": ""}), 400, "value"),
        row("PATCH", attributes, state("attributes"))
            .body(json!({"attributes": {"born": "06-15"}}))
            .gives(200, ["Bath", "06-15"])
            .bad(state("attributes"), json!({}), 400, "attributes"),
        row("GET", attributes, state("attributes"))
            .gives(200, ["Bath"])
            .bad(
                format!("{unknown}/attributes"),
                Value::Null,
                404,
                "participant",
            ),
        row("DELETE", attribute, &city)
            .gives(204, [])
            .bad(&city, Value::Null, 404, "attribute"),
        row(
            "GET",
            "/v1/participants/{id}/activity/state-history",
            &history,
        )
        .gives(200, ["state_type", "visits"])
        .bad(
            format!("{history}?operation=x"),
            Value::Null,
            400,
            "operation",
        ),
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
