use std::collections::BTreeSet;

use serde_json::{Value, json};
use stampcard::http::{Access, ROUTES};

use crate::client::{call, credit, live, rows};
use crate::support::{
    LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

/// Ada and Bob in the sandbox, each with points and a redemption; Lea in the live environment.
struct World {
    app: TestApp,
    /// Ada's.
    token: String,
    offer: String,
    /// For the rows that archive or redeem one.
    spare_offers: [String; 2],
    ada_redemption: String,
    spare_redemption: String,
    bob_redemption: String,
    live_offer: String,
}

impl World {
    fn new() -> Self {
        let app = TestApp::start();
        let ada = json!({
            "externalUserID": "ada", "displayName": "Ada Lovelace", "email": "ada@example.com",
        });
        app.post("/v1/auth/exchange", &ada).expect(200);
        credit(&app, "ada", 100);
        app.member("bob", 200);
        app.member("zoe", 0);
        let offer = app.offer(json!({"pointsPrice": 10}));
        let spare_offers = [(); 2].map(|()| app.offer(json!({"pointsPrice": 5})));
        let ada_redemption = app.redeem("ada", &offer);
        let bob_redemption = app.redeem("bob", &offer);
        let spare_redemption = app.redeem("ada", &app.offer(json!({})));
        let lea = json!({"displayName": "Lea Live"});
        live(&app, "PUT", "/v1/members/lea", &lea).expect(200);
        let live_offer = live(&app, "POST", "/v1/offers", &json!({"title": "Live"})).expect(201);
        Self {
            token: app.token("ada"),
            offer,
            spare_offers,
            ada_redemption,
            spare_redemption,
            bob_redemption,
            live_offer: live_offer["id"].as_str().unwrap().to_owned(),
            app,
        }
    }

    fn send(&self, credential: &str, row: &Row) -> Response {
        call(&self.app, credential, row.method, &row.path, &row.body)
    }

    /// What no answer to a sandbox key may hold.
    fn hidden_from_key(&self) -> Vec<&str> {
        vec![
            "lea",
            "Lea Live",
            &self.live_offer,
            "ada@example.com",
            "_0123456789",
            "hash",
        ]
    }

    /// What no answer to Ada's token may hold, but for her own id in what she asked for.
    fn hidden_from_ada(&self) -> Vec<&str> {
        let mut hidden = self.hidden_from_key();
        hidden.extend(["bob", "zoe", &self.bob_redemption]);
        hidden
    }

    /// What no answer to a live key may hold.
    fn hidden_from_live(&self) -> Vec<&str> {
        let mut hidden = vec![
            "Ada Lovelace",
            "ada@example.com",
            "bob",
            "zoe",
            "_0123456789",
        ];
        hidden.extend([&*self.offer, &self.ada_redemption, &self.bob_redemption]);
        hidden.extend(self.spare_offers.iter().map(String::as_str));
        hidden
    }
}

/// A route, and everything that is asked of it.
struct Row {
    method: &'static str,
    route: &'static str,
    /// The right input, which Ada's token may use as well where a member may call at all.
    path: String,
    body: Value,
    status: u16,
    /// What the answer has to hold.
    holds: Vec<String>,
    /// What the live key gets for the same.
    live: u16,
    /// Ada reaching for what is Bob's.
    others: Option<(String, Value, u16)>,
    /// Bad input: what the message has to name.
    bad: Option<(String, Value, u16, &'static str)>,
}

fn row(method: &'static str, route: &'static str, path: impl Into<String>) -> Row {
    Row {
        method,
        route,
        path: path.into(),
        body: Value::Null,
        status: 200,
        holds: Vec::new(),
        live: 404,
        others: None,
        bad: None,
    }
}

impl Row {
    fn body(self, body: Value) -> Self {
        Self { body, ..self }
    }

    fn gives<const N: usize>(self, status: u16, holds: [&str; N]) -> Self {
        let holds = holds.map(str::to_owned).to_vec();
        Self {
            status,
            holds,
            ..self
        }
    }

    fn live(self, live: u16) -> Self {
        Self { live, ..self }
    }

    fn others(self, path: impl Into<String>, body: Value, status: u16) -> Self {
        Self {
            others: Some((path.into(), body, status)),
            ..self
        }
    }

    fn bad(self, path: impl Into<String>, body: Value, status: u16, names: &'static str) -> Self {
        Self {
            bad: Some((path.into(), body, status, names)),
            ..self
        }
    }

    fn access(&self) -> Access {
        let route = ROUTES
            .iter()
            .find(|route| route.method == self.method && route.path == self.route);
        route.expect("the row is of a route").access
    }
}

fn public_rows() -> Vec<Row> {
    vec![
        row("GET", "/healthz", "/healthz").gives(200, ["ok"]),
        row("GET", "/readyz", "/readyz").gives(200, ["ready"]),
    ]
}

fn member_rows() -> Vec<Row> {
    let id = "/v1/members/{externalUserID}";
    let long = format!("/v1/members/{}", "x".repeat(256));
    vec![
        row("POST", "/v1/auth/exchange", "/v1/auth/exchange")
            .body(json!({"externalUserID": "eve"}))
            .gives(200, ["accessToken", "v4.local."])
            .live(200)
            .bad("/v1/auth/exchange", json!({}), 422, "externalUserID"),
        row("GET", "/v1/members", "/v1/members")
            .gives(200, ["ada", "bob", "Ada Lovelace"])
            .live(200)
            .bad("/v1/members?limit=0", Value::Null, 422, "limit"),
        row("GET", id, "/v1/members/ada")
            .gives(200, ["Ada Lovelace", "redemptionCounts"])
            .bad(&long, Value::Null, 422, "externalUserID"),
        row("PUT", id, "/v1/members/new")
            .body(json!({"tier": "gold"}))
            .gives(200, ["new", "gold"])
            .live(200)
            .bad("/v1/members/new", json!({"tier": 7}), 422, "tier"),
        row("DELETE", id, "/v1/members/zoe")
            .gives(200, ["zoe", "archived"])
            .bad(
                "/v1/members/zoe?retainBalance=1",
                Value::Null,
                422,
                "retainBalance",
            ),
    ]
}

fn wallet_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (route, holds) in [
        ("/v1/eligibility", "tier"),
        ("/v1/wallet", "amountReceived"),
        ("/v1/wallet/transactions", "redemptionID"),
    ] {
        rows.push(
            row("GET", route, format!("{route}?externalUserID=ada"))
                .gives(200, [holds])
                .others(format!("{route}?externalUserID=bob"), Value::Null, 403)
                .bad(route, Value::Null, 422, "externalUserID"),
        );
    }
    for route in ["/v1/wallet/credit", "/v1/wallet/debit"] {
        rows.push(
            row("POST", route, route)
                .body(json!({"externalUserID": "ada", "amount": 5}))
                .gives(200, ["balance", "currency"])
                .bad(
                    route,
                    json!({"externalUserID": "ada", "amount": 0}),
                    422,
                    "amount",
                ),
        );
    }
    rows
}

fn offer_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/offers", "/v1/offers/{id}");
    let path = format!("/v1/offers/{}", world.offer);
    let spare = format!("/v1/offers/{}", world.spare_offers[0]);
    vec![
        row("GET", list, list)
            .gives(200, [&*world.offer, "nextCursor"])
            .live(200)
            .bad("/v1/offers?available=1", Value::Null, 422, "available"),
        row("POST", list, list)
            .body(json!({"title": "New"}))
            .gives(201, ["New", "off_"])
            .live(201)
            .bad(list, json!({}), 422, "title"),
        row("GET", id, &path)
            .gives(200, [&*world.offer, "pointsPrice"])
            .bad("/v1/offers/%FF", Value::Null, 400, "path"),
        row("PATCH", id, &path)
            .body(json!({"title": "Changed"}))
            .gives(200, [&*world.offer, "Changed"])
            .bad(&path, json!({"pointsPrice": -1}), 422, "pointsPrice"),
        row("DELETE", id, &spare)
            .gives(200, [&*world.spare_offers[0]])
            .bad("/v1/offers/%FF", Value::Null, 400, "path"),
    ]
}

fn redemption_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/redemptions", "/v1/redemptions/{id}");
    let cancel = "/v1/redemptions/{id}/cancel";
    let path = |id: &str| format!("/v1/redemptions/{id}");
    let (ada, bob) = (path(&world.ada_redemption), path(&world.bob_redemption));
    let spare = format!("{}/cancel", path(&world.spare_redemption));
    let redeem = |id: &str| json!({"externalUserID": id, "offer": world.spare_offers[1]});
    vec![
        row("GET", list, "/v1/redemptions?externalUserID=ada")
            .gives(200, [&*world.ada_redemption])
            .others("/v1/redemptions?externalUserID=bob", Value::Null, 403)
            .bad("/v1/redemptions?status=NO", Value::Null, 422, "status"),
        row("POST", list, list)
            .body(redeem("ada"))
            .gives(201, ["SUBMITTED", &*world.spare_offers[1]])
            .others(list, redeem("bob"), 403)
            .bad(list, json!({"externalUserID": "ada"}), 422, "offer"),
        row("GET", id, &ada)
            .gives(200, [&*world.ada_redemption])
            .others(&bob, Value::Null, 404)
            .bad("/v1/redemptions/%FF", Value::Null, 400, "path"),
        row("PATCH", id, &ada)
            .body(json!({"status": "OPEN"}))
            .gives(200, ["OPEN", &*world.ada_redemption])
            .bad(&ada, json!({"status": "NO"}), 422, "status"),
        row("POST", cancel, &spare)
            .body(json!({}))
            .gives(200, ["CANCELED", &*world.spare_redemption])
            .others(format!("{bob}/cancel"), json!({}), 404)
            .bad(
                &spare,
                json!({"canceledReason": "NO"}),
                422,
                "canceledReason",
            ),
    ]
}

fn program_rows(world: &World) -> Vec<Row> {
    let configuration = "/v1/configuration";
    vec![
        row("GET", configuration, configuration)
            .gives(200, ["currencyName"])
            .live(200),
        row("PUT", configuration, configuration)
            .body(json!({"currencyName": "Miles"}))
            .gives(200, ["Miles"])
            .live(200)
            .bad(
                configuration,
                json!({"currencyName": ""}),
                422,
                "currencyName",
            ),
        row("GET", "/v1/analytics/summary", "/v1/analytics/summary")
            .gives(200, ["memberCount", "completionRate"])
            .live(200),
        row("GET", "/v1/analytics/offers", "/v1/analytics/offers")
            .gives(200, [&*world.offer, "signups"])
            .live(200),
        row(
            "GET",
            "/v1/analytics/timeseries",
            "/v1/analytics/timeseries?from=2026-06-01&to=2026-06-23&interval=day",
        )
        .gives(200, ["buckets", "startTime", "pointsMinted"])
        .live(200)
        .bad(
            "/v1/analytics/timeseries?from=2026-06-01&to=2026-06-23",
            Value::Null,
            422,
            "interval",
        ),
    ]
}

fn table(world: &World) -> Vec<Row> {
    let mut rows = public_rows();
    rows.extend(member_rows());
    rows.extend(wallet_rows());
    rows.extend(offer_rows(world));
    rows.extend(redemption_rows(world));
    rows.extend(program_rows(world));
    rows
}

/// The table without the routes that need no credential.
fn closed(world: &World) -> Vec<Row> {
    let mut rows = table(world);
    rows.retain(|row| row.access() != Access::Public);
    rows
}

#[track_caller]
fn hides(response: &Response, hidden: &[&str], row: &Row) {
    let text = response.text();
    for secret in hidden {
        assert!(
            !text.contains(secret),
            "{} {} tells {secret}: {text}",
            row.method,
            row.path
        );
    }
}

/// Checks that every row is refused in the same way, tells nothing and changes nothing.
#[track_caller]
fn check_refused(world: &World, credentials: &[&str], status: u16, code: &str) {
    let before = rows(&world.app);
    for row in closed(world) {
        for credential in credentials {
            let response = world.send(credential, &row);
            check_error(&response, &row, status, code);
        }
    }
    assert_eq!(rows(&world.app), before);
}

#[track_caller]
fn check_error(response: &Response, row: &Row, status: u16, code: &str) {
    let what = format!("{} {}: {}", row.method, row.path, response.text());
    assert_eq!(response.status, status, "{what}");
    assert_eq!(response.json()["error"]["code"], code, "{what}");
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
        let request = world.app.request(row.method, &row.path);
        let response = if row.body.is_null() {
            request.send()
        } else {
            request.json(&row.body).send()
        };
        check_error(&response, &row, 401, "UNAUTHORIZED");
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
    check_refused(&world, &garbage, 401, "UNAUTHORIZED");
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
    get("X-Partner-API-Key", PARTNER_SANDBOX_KEY).expect_error(403, "FORBIDDEN");
}

#[test]
fn a_partner_key_opens_no_route_of_v1() {
    let world = World::new();
    check_refused(
        &world,
        &[PARTNER_SANDBOX_KEY, PARTNER_LIVE_KEY],
        403,
        "FORBIDDEN",
    );
}

#[test]
fn a_member_token_on_a_route_for_the_key_is_403() {
    let world = World::new();
    let before = rows(&world.app);
    let mut count = 0;
    for row in closed(&world) {
        if row.access() == Access::OrgKey {
            check_error(&world.send(&world.token, &row), &row, 403, "FORBIDDEN");
            count += 1;
        }
    }
    assert!(count > 10);
    assert_eq!(rows(&world.app), before);
}

#[test]
fn a_member_reaches_only_what_is_the_members_own() {
    let world = World::new();
    for row in closed(&world) {
        if row.access() != Access::KeyOrMember {
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
        let response = world.send(&world.token, &row);
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
    let sums = "SELECT sum(balance) || '-' || group_concat(tier) FROM member WHERE program_id = 1";
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
            sums,
            summary,
        )
    };
    let before = state();
    for row in closed(&world) {
        let response = world.send(LIVE_KEY, &row);
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
        let response = call(&world.app, SANDBOX_KEY, row.method, path, body);
        let code = if *status == 400 {
            "BAD_REQUEST"
        } else {
            "VALIDATION"
        };
        check_error(&response, &row, *status, code);
        let message = response.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(names), "{path}: {message}");
    }
    assert_eq!(rows(&world.app), before);
}

#[test]
fn the_right_input_with_the_right_key_is_answered_and_tells_nothing_of_the_live_environment() {
    let world = World::new();
    for row in closed(&world) {
        let response = world.send(SANDBOX_KEY, &row);
        let what = format!("{} {}: {}", row.method, row.path, response.text());
        assert_eq!(response.status, row.status, "{what}");
        assert_eq!(response.header("content-type"), Some("application/json"));
        for text in &row.holds {
            assert!(response.text().contains(text), "{what}");
        }
        hides(&response, &world.hidden_from_key(), &row);
    }
}
