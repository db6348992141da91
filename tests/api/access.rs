mod events;
mod held;
mod interests;
mod kinds;
mod ledger_rows;
mod matrix;
mod participants;
mod partner_rows;
mod rules;
mod table;
mod world;

use std::collections::BTreeSet;

use stampcard::error::{Code, Surface};
use stampcard::http::{Access, ROUTES};

use self::table::{Row, public_rows, table};
use self::world::World;
use crate::client::{call, get_as, number, rows};
use crate::support::{PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

/// The table without the routes that need no credential.
fn closed(world: &World) -> Vec<Row> {
    let mut rows = table(world);
    rows.retain(|row| row.access() != Access::Public);
    rows
}

#[track_caller]
fn hides(response: &Response, hidden: &[&str], row: &Row) {
    // The hash of a journal entry is no secret.
    let text = response.text().replace("entry_hash", "");
    for secret in hidden {
        assert!(
            !text.contains(secret),
            "{} {} tells {secret}: {text}",
            row.method,
            row.path
        );
    }
}

/// Checks that every row is refused in the same way, reveals nothing and changes nothing.
#[track_caller]
fn check_refused(world: &World, credentials: &[&str], code: Code, which: impl Fn(Access) -> bool) {
    let before = rows(&world.app);
    for row in closed(world) {
        if !which(row.access()) {
            continue;
        }
        for credential in credentials {
            let response = world.send(credential, &row);
            check_error(&response, &row, code);
        }
    }
    assert_eq!(rows(&world.app), before);
}

#[track_caller]
fn check_error(response: &Response, row: &Row, code: Code) {
    let surface = Surface::of_path(&row.path);
    let (status, name) = code.on(surface);
    let what = format!("{} {}: {}", row.method, row.path, response.text());
    assert_eq!(response.status, status, "{what}");
    let body = response.json();
    let found = match surface {
        Surface::Expys => &body["error"]["code"],
        Surface::Scrip | Surface::Bullseye => &body["code"],
    };
    assert_eq!(found, name, "{what}");
    let challenge = (status == 401).then_some("Bearer");
    assert_eq!(response.header("www-authenticate"), challenge, "{what}");
    assert!(
        response.header("x-request-id").unwrap().starts_with("req_"),
        "{what}"
    );
    hides(
        response,
        &["Ada Lovelace", "ada@example.com", "balance", "off_", "rdm_"],
        row,
    );
}

#[test]
fn every_route_has_a_row() {
    let world = World::new();
    let known: BTreeSet<_> = ROUTES
        .iter()
        .map(|route| (route.path, route.method))
        .collect();
    let tested: BTreeSet<_> = table(&world)
        .iter()
        .map(|row| (row.route, row.method))
        .collect();
    assert_eq!(tested, known);
    assert_eq!(known.len(), ROUTES.len(), "no route stands twice");
}

#[test]
fn a_public_route_needs_no_credential_and_minds_none() {
    let world = World::new();
    for row in public_rows() {
        for response in [
            world.app.request(row.method, &row.path).send(),
            world.send("nonsense", &row),
        ] {
            assert_eq!(response.status, row.status);
            assert!(response.text().contains(&row.holds[0]));
        }
    }
}

#[test]
fn without_a_credential_every_other_route_is_401() {
    let world = World::new();
    let before = rows(&world.app);
    for row in closed(&world) {
        let response = row.request(&world.app, &row.body).send();
        check_error(&response, &row, Code::Unauthorized);
    }
    assert_eq!(rows(&world.app), before);
}

#[test]
fn with_a_garbage_credential_every_other_route_is_401() {
    let world = World::new();
    let shorter = &SANDBOX_KEY[..SANDBOX_KEY.len() - 1];
    let longer = format!("{SANDBOX_KEY}0");
    let garbage = [
        "",
        "nonsense",
        "expys_",
        "expys_sandbox_",
        shorter,
        &longer,
        "partner_sandbox_x",
        "v4.local.",
        "v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &world.token[..world.token.len() - 2],
        "' OR 1=1 --",
    ];
    check_refused(&world, &garbage, Code::Unauthorized, |_| true);
}

#[test]
fn another_scheme_than_bearer_is_401_and_a_key_may_come_in_a_header_of_its_own() {
    let world = World::new();
    let get = |name: &str, value: &str| {
        let request = world.app.request("GET", "/v1/configuration");
        request.header(name, value).send()
    };
    for bad in [
        SANDBOX_KEY.to_owned(),
        format!("Basic {SANDBOX_KEY}"),
        "Bearer".to_owned(),
    ] {
        let response = get("Authorization", &bad);
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
        response.expect_error(401, "UNAUTHORIZED");
    }
    get("Authorization", &format!("bearer {SANDBOX_KEY}")).expect(200);
    get("X-API-Key", SANDBOX_KEY).expect(200);
    get("X-API-Key", "nonsense").expect_error(401, "UNAUTHORIZED");
    // A proxy's own credential in the same header is ignored.
    let with_key = |authorization: &str| {
        let request = world.app.request("GET", "/v1/configuration");
        let request = request.header("Authorization", authorization);
        request.header("X-API-Key", SANDBOX_KEY).send()
    };
    with_key("Basic dXNlcjpwYXNzd29yZA==").expect(200);
    with_key("Bearer nonsense").expect_error(401, "UNAUTHORIZED");
    get("X-Partner-API-Key", PARTNER_SANDBOX_KEY).expect_error(403, "FORBIDDEN");
}

#[test]
fn a_partner_key_opens_no_route_of_v1() {
    let world = World::new();
    check_refused(
        &world,
        &[PARTNER_SANDBOX_KEY, PARTNER_LIVE_KEY],
        Code::Forbidden,
        |access| access != Access::PartnerKey,
    );
}

#[test]
fn nothing_but_a_partner_key_opens_a_route_of_the_partner() {
    let world = World::new();
    let others = [SANDBOX_KEY, &world.tenant.key, &world.token];
    check_refused(&world, &others, Code::Forbidden, |access| {
        access == Access::PartnerKey
    });
}

#[test]
fn a_partner_key_may_come_in_a_header_of_its_own() {
    let app = TestApp::start();
    for path in ["/partner/billing", "/api/v1/partner/billing"] {
        let send = |name: &str, key: &str| app.request("GET", path).header(name, key).send();
        send("X-Partner-API-Key", PARTNER_SANDBOX_KEY).expect(200);
        get_as(&app, PARTNER_SANDBOX_KEY, path).expect(200);
        let unknown = send("X-Partner-API-Key", "partner_sandbox_x");
        assert_eq!(unknown.expect(401)["code"], "Unauthorized");
        let other = send("X-Partner-API-Key", SANDBOX_KEY);
        assert_eq!(other.expect(403)["code"], "Forbidden");
    }
}

#[test]
fn a_member_token_on_a_route_for_the_key_is_403() {
    let world = World::new();
    let before = rows(&world.app);
    let mut count = 0;
    for row in closed(&world) {
        if row.access() == Access::OrgKey {
            check_error(&world.send(&world.token, &row), &row, Code::Forbidden);
            count += 1;
        }
    }
    assert!(count > 10);
    assert_eq!(rows(&world.app), before);
}

#[test]
fn a_key_on_a_route_for_a_member_is_403() {
    let world = World::new();
    check_refused(&world, &[SANDBOX_KEY], Code::Forbidden, |access| {
        access == Access::Member
    });
    assert!(
        closed(&world)
            .iter()
            .any(|row| row.access() == Access::Member)
    );
}

#[test]
fn a_member_reaches_only_what_is_the_members_own() {
    let world = World::new();
    for row in closed(&world) {
        if !matches!(row.access(), Access::KeyOrMember | Access::Member) {
            continue;
        }
        if let Some((path, body, status)) = &row.others {
            let before = rows(&world.app);
            let response = call(&world.app, &world.token, row.method, path, body);
            assert_eq!(
                response.status,
                *status,
                "{} {path}: {}",
                row.method,
                response.text()
            );
            hides(&response, &world.hidden_from_ada(), &row);
            assert_eq!(rows(&world.app), before);
        }
        let body = row.members_body();
        let response = call(&world.app, &world.token, row.method, &row.path, body);
        assert_eq!(
            response.status,
            row.status,
            "{} {}: {}",
            row.method,
            row.path,
            response.text()
        );
        for text in &row.holds {
            assert!(
                response.text().contains(text),
                "{}: {}",
                row.path,
                response.text()
            );
        }
        hides(&response, &world.hidden_from_ada(), &row);
    }
}

#[test]
fn a_live_key_sees_nothing_of_the_sandbox_and_changes_nothing_there() {
    let world = World::new();
    let of_sandbox = |table: &str| {
        let sql = format!(
            "SELECT group_concat(quote(t.id) || quote(t.created_at)) FROM {table} t WHERE program_id = 1"
        );
        let text: Option<String> = world
            .app
            .sqlite()
            .query_row(&sql, [], |row| row.get(0))
            .unwrap();
        text
    };
    let sums = "SELECT group_concat(tier) || '-' || (
            SELECT sum(iif(entry IN (1, 3), amount, -amount)) FROM activity
            WHERE program_id = 1 AND entry IS NOT NULL)
        FROM member WHERE program_id = 1";
    let state = || {
        let sums: String = world
            .app
            .sqlite()
            .query_row(sums, [], |row| row.get(0))
            .unwrap();
        let summary = world.app.summary();
        (
            of_sandbox("member"),
            of_sandbox("offer"),
            of_sandbox("redemption"),
            of_sandbox("webhook_endpoint"),
            number(&world.app, "SELECT count(*) FROM message"),
            sums,
            summary,
            get_as(&world.app, PARTNER_SANDBOX_KEY, "/partner/organizations").bytes,
            world.app.get("/v1/programs?include_archived=true").bytes,
        )
    };
    let before = state();
    for row in closed(&world) {
        let response = world.send(row.live_key(), &row);
        let what = format!("{} {}: {}", row.method, row.path, response.text());
        assert_eq!(response.status, row.live, "{what}");
        hides(&response, &world.hidden_from_live(), &row);
    }
    assert_eq!(state(), before);
    let configuration = world.app.get("/v1/configuration").expect(200);
    assert_eq!(configuration["currencyName"], "Points");
}

#[test]
fn bad_input_is_refused_by_name() {
    let world = World::new();
    let before = rows(&world.app);
    for row in closed(&world) {
        let Some((path, body, status, names)) = &row.bad else {
            let reads_no_input = row.method == "GET" && !row.route.contains('{');
            assert!(
                reads_no_input,
                "{} {} has no bad input",
                row.method, row.route
            );
            continue;
        };
        let response = call(
            &world.app,
            world.credential_for(&row),
            row.method,
            path,
            body,
        );
        let code = match (*status, Surface::of_path(path)) {
            (404, _) => Code::NotFound,
            (400, Surface::Expys) => Code::BadRequest,
            _ => Code::Validation,
        };
        check_error(&response, &row, code);
        assert_eq!(response.status, *status);
        let body = response.json();
        let message = body.pointer("/error/message").unwrap_or(&body["message"]);
        let message = message.as_str().unwrap();
        assert!(message.contains(names), "{path}: {message}");
    }
    assert_eq!(rows(&world.app), before);
}

#[test]
fn the_right_input_with_the_right_key_is_answered_and_tells_nothing_of_the_live_environment() {
    let world = World::new();
    for row in closed(&world) {
        let response = world.send(world.credential_for(&row), &row);
        let what = format!("{} {}: {}", row.method, row.path, response.text());
        assert_eq!(response.status, row.status, "{what}");
        let has_body = row.status != 204;
        assert_eq!(response.bytes.is_empty(), !has_body, "{what}");
        let kind = if row.route.ends_with("/stream") {
            "text/event-stream"
        } else {
            "application/json"
        };
        let kind = has_body.then_some(kind);
        assert_eq!(response.header("content-type"), kind, "{what}");
        for text in &row.holds {
            assert!(response.text().contains(text), "{what}");
        }
        hides(&response, &world.hidden_from_key(), &row);
    }
}
