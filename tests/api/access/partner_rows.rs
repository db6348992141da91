//! The rows of the partner's routes.

use serde_json::{Value, json};

use super::table::{Row, row};
use super::world::World;

pub(super) fn figure_rows() -> Vec<Row> {
    let dated = |route: &'static str, holds: &str| {
        row("GET", route, route).gives(200, [holds]).live(200).bad(
            format!("{route}?startDate=x"),
            Value::Null,
            400,
            "startDate",
        )
    };
    let plain =
        |route: &'static str, holds: &str| row("GET", route, route).gives(200, [holds]).live(200);
    let mut rows = vec![
        dated("/partner/analytics", "creditsRemaining"),
        dated("/partner/usage", "totalQuantity"),
        plain("/partner/me", "creditPoolAvailable"),
        plain("/partner/billing", "creditPoolTotal"),
        plain("/partner/billing/usage", "overage"),
        plain("/partner/server", "startedAt"),
    ];
    let again = rows.iter().map(|row| aliased(row.route, &row.path));
    let again: Vec<Row> = again.collect();
    rows.extend(again);
    rows
}

/// The same route under its alias.
pub(super) fn aliased(route: &'static str, path: &str) -> Row {
    row("GET", route, format!("/api/v1{path}"))
        .gives(200, [])
        .live(200)
        .bad(format!("/api/v1{path}/%FF"), Value::Null, 400, "path")
        .bad(format!("/api/v1{path}/x"), Value::Null, 404, "route")
}

pub(super) fn organization_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/partner/organizations", "/partner/organizations/{id}");
    let (pool, fund) = (
        "/partner/organizations/{id}/pool",
        "/partner/organizations/{id}/pool/fund",
    );
    let path = world.tenant.path("");
    let alias = format!("/api/v1{path}");
    vec![
        row("GET", list, list)
            .gives(200, [&*world.tenant.id, "pageSize"])
            .live(200)
            .bad("/partner/organizations?page=0", Value::Null, 400, "page"),
        row("POST", list, list)
            .body(json!({"name": "New"}))
            .gives(201, ["New", "apiKey"])
            .live(201)
            .bad(list, json!({}), 400, "name"),
        row("POST", list, format!("/api/v1{list}"))
            .body(json!({"name": "Newer"}))
            .gives(201, ["Newer", "apiKey"])
            .live(201)
            .bad(format!("/api/v1{list}"), json!({}), 400, "name"),
        row("GET", id, &path)
            .gives(200, [&*world.tenant.id, "A tenant"])
            .bad("/partner/organizations/%FF", Value::Null, 400, "path"),
        row("GET", pool, world.tenant.path("/pool"))
            .gives(200, ["pool"])
            .bad("/partner/organizations/%FF/pool", Value::Null, 400, "path"),
        row("PUT", pool, world.tenant.path("/pool"))
            .body(json!({"lowThreshold": 5}))
            .gives(200, ["lowThreshold", "MEMBER_WALLET"])
            .bad(
                world.tenant.path("/pool"),
                json!({"creditLimit": -1}),
                400,
                "creditLimit",
            ),
        row("POST", fund, world.tenant.path("/pool/fund"))
            .body(json!({"amount": 7, "note": "invoice"}))
            .gives(201, ["balance", "lifetimeSpent"])
            .bad(world.tenant.path("/pool/fund"), json!({}), 400, "amount"),
        row("GET", id, &alias)
            .gives(200, [&*world.tenant.id, "A tenant"])
            .bad(
                "/api/v1/partner/organizations/%FF",
                Value::Null,
                400,
                "path",
            ),
        row("PATCH", id, &path)
            .body(json!({"name": "Renamed"}))
            .gives(200, ["Renamed"])
            .bad(&path, json!({"name": ""}), 400, "name"),
    ]
}

pub(super) fn tenant_rows(world: &World) -> Vec<Row> {
    let root = "/partner/organizations/{id}";
    let (keys, key) = (
        "/partner/organizations/{id}/api-keys",
        "/partner/organizations/{id}/api-keys/{keyId}",
    );
    let accept = "/partner/clock/accept";
    let path = |rest: &str| world.tenant.path(rest);
    let bad_path = format!("{}/%FF", path("/api-keys"));
    vec![
        row("PUT", "/partner/organizations/{id}/tier", path("/tier"))
            .body(json!({"tier": "paid"}))
            .gives(200, ["paid"])
            .bad(path("/tier"), json!({"tier": "free"}), 400, "tier"),
        row(
            "PUT",
            "/partner/organizations/{id}/credits",
            path("/credits"),
        )
        .body(json!({"credits": 600}))
        .gives(200, ["creditsAllocated", "600"])
        .bad(path("/credits"), json!({"credits": 1.5}), 400, "credits"),
        row("PUT", "/partner/organizations/{id}/status", path("/status"))
            .body(json!({"status": "suspended"}))
            .gives(200, ["suspended"])
            .bad(path("/status"), json!({"status": "off"}), 400, "status"),
        row("GET", keys, path("/api-keys"))
            .gives(200, [&*world.tenant_key, "keyPrefix"])
            .bad(
                "/partner/organizations/%FF/api-keys",
                Value::Null,
                400,
                "path",
            ),
        row("POST", keys, path("/api-keys"))
            .body(json!({"name": "another"}))
            .gives(201, ["another", "plainKey"])
            .bad(path("/api-keys"), json!({}), 400, "name"),
        row(
            "DELETE",
            key,
            path(&format!("/api-keys/{}", world.tenant_key)),
        )
        .gives(204, [])
        .bad(bad_path, Value::Null, 400, "path"),
        row("POST", accept, accept)
            .body(json!({}))
            .gives(200, ["accepted", "now"])
            .live(200)
            .bad(accept, json!([]), 400, "the body"),
        row("DELETE", root, path("")).gives(204, []).bad(
            "/partner/organizations/%FF",
            Value::Null,
            400,
            "path",
        ),
    ]
}
