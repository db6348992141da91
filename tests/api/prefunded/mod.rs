//! Assets that are credited from the wallet of their program: what takes points from it, what gives
//! them back, and that nothing is credited that it does not have.

mod histories;
mod whole;

use std::time::Duration;

use serde_json::{Value, json};

use crate::balances::Flat as _;
use crate::client::{check, get_as, post_once, race, rows, with};
use crate::support::{LIVE_KEY, Response, TestApp};

/// A participant of a program with a prefunded asset.
struct World {
    app: TestApp,
    path: String,
    asset: String,
}

#[track_caller]
fn create(app: &TestApp, symbol: &str, mode: &str, scale: u8) -> String {
    let body = json!({"program_id": "current", "name": "Miles", "symbol": symbol,
        "inventory_mode": mode, "issuance_policy": "PREFUNDED", "scale": scale});
    let asset = app.post("/v1/assets", &body).expect(201);
    assert_eq!(asset["issuance_policy"], "PREFUNDED");
    asset["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn participant(app: &TestApp, name: &str) -> String {
    let made = app.post("/v1/participants", &json!({"external_id": name}));
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    format!("/v1/participants/{id}")
}

impl World {
    /// A further asset.
    #[track_caller]
    fn begin(mode: &str, scale: u8) -> Self {
        let app = TestApp::start();
        let asset = create(&app, "MI", mode, scale);
        Self {
            path: participant(&app, "ada"),
            asset,
            app,
        }
    }

    /// The points of the program.
    #[track_caller]
    fn of_points() -> Self {
        let app = TestApp::start();
        let policy = json!({"issuance_policy": "PREFUNDED"});
        let asset = app.patch("/v1/assets/default", &policy).expect(200);
        assert_eq!(asset["issuance_policy"], "PREFUNDED");
        Self {
            path: participant(&app, "ada"),
            asset: asset["id"].as_str().unwrap().to_owned(),
            app,
        }
    }

    fn change(&self, kind: &str, body: &Value) -> Response {
        let path = format!("/v1/programs/current/assets/{}/{kind}", self.asset);
        self.app.post(&path, body)
    }

    /// Funds the asset. Returns what the wallet of the program has then.
    #[track_caller]
    fn fund(&self, amount: &str) -> String {
        let funded = self.change("fund", &json!({"amount": amount})).expect(200);
        let available = funded["available"].as_str().unwrap().to_owned();
        assert_eq!(available, self.left());
        available
    }

    /// What the wallet of the program has of the asset.
    #[track_caller]
    fn left(&self) -> String {
        let path = format!("/v1/programs/current/balance?asset_id={}", self.asset);
        let list = self.app.get(&path).expect(200);
        let rows = list["data"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{list}");
        assert_eq!(rows[0]["asset_id"], self.asset);
        assert_eq!(rows[0]["issuance_policy"], "PREFUNDED");
        rows[0]["available"].as_str().unwrap().to_owned()
    }

    fn send(&self, operation: &str, fields: Value) -> Response {
        let body =
            json!({"program_id": "current", "asset_id": self.asset, "description": "A test"});
        let path = format!("{}/balances/{operation}", self.path);
        self.app.post(&path, &with(body, fields))
    }

    fn adjust(&self, kind: &str, amount: &str, fields: Value) -> Response {
        self.send(
            "adjust",
            with(json!({"type": kind, "amount": amount}), fields),
        )
    }

    /// Credits points. Returns what the wallet of the program has then.
    #[track_caller]
    fn credit(&self, amount: &str, fields: Value) -> String {
        self.adjust("CREDIT", amount, fields).expect(200);
        self.left()
    }

    fn redeem(&self, amount: &str) -> Response {
        let program = self.app.get("/v1/programs/current").expect(200)["id"].clone();
        let body = json!({"program_id": program, "asset_id": self.asset, "amount": amount,
            "description": "tea"});
        self.app.post(&format!("{}/redemptions", self.path), &body)
    }

    fn reverse(&self, redemption: &Value, body: &Value) -> Response {
        let id = redemption["id"].as_str().unwrap();
        let path = format!("{}/redemptions/{id}/reverse", self.path);
        self.app.post(&path, body)
    }

    /// Available, deferred and held points of the participant.
    #[track_caller]
    fn points(&self) -> [String; 3] {
        let path = format!("{}/balances?asset_id={}", self.path, self.asset);
        let list = self.app.get(&path).expect(200);
        let row = &list["data"][0];
        ["available", "deferred", "held"].map(|name| row[name].as_str().unwrap().to_owned())
    }
}

#[test]
fn a_credit_takes_its_points_from_the_wallet_of_the_program_or_fails_whole() {
    let world = World::begin("SIMPLE", 2);
    let before = rows(&world.app);
    let empty = world.adjust("CREDIT", "0.01", json!({}));
    let message = empty.expect_refusal(422, "wallet_empty");
    assert!(message.contains("0.00"), "{message}");
    assert!(message.contains("0.01"), "{message}");
    assert_eq!(rows(&world.app), before);
    assert_eq!(world.left(), "0.00");
    assert_eq!(world.fund("10.5"), "10.50");
    assert_eq!(world.credit("4", json!({})), "6.50");
    assert_eq!(world.credit("6.49", json!({"bucket": "HELD"})), "0.01");
    let before = rows(&world.app);
    let short = world.adjust("CREDIT", "0.02", json!({}));
    short.expect_refusal(422, "wallet_empty");
    assert_eq!(rows(&world.app), before);
    assert_eq!(world.credit("0.01", json!({})), "0.00");
    assert_eq!(world.points(), ["4.01", "0.00", "6.49"]);
    // An asset whose credits create points is not concerned.
    world.app.member("bob", 7);
    check(&world.app);
    let World { app, path, asset } = world;
    let app = app.restart();
    let world = World { app, path, asset };
    assert_eq!(world.left(), "0.00");
    world
        .adjust("CREDIT", "0.01", json!({}))
        .expect_refusal(422, "wallet_empty");
    check(&world.app);
}

#[test]
fn the_points_of_a_program_are_prefunded_before_its_first_entry_or_never() {
    let world = World::of_points();
    let app = &world.app;
    let credit = json!({"externalUserID": "ada", "amount": 5});
    let before = rows(app);
    let refused = app.post("/v1/wallet/credit", &credit);
    refused.expect_error(422, "WALLET_EMPTY");
    assert_eq!(rows(app), before);
    assert_eq!(world.fund("7"), "7");
    app.post("/v1/wallet/credit", &credit).expect(200);
    assert_eq!((world.left(), app.balance("ada")), ("2".to_owned(), 5));
    app.post("/v1/wallet/credit", &credit)
        .expect_error(422, "WALLET_EMPTY");
    // A correction returns what was credited.
    let debit = json!({"externalUserID": "ada", "amount": 4});
    app.post("/v1/wallet/debit", &debit).expect(200);
    assert_eq!(world.left(), "6");
    for (asset, policy) in [
        ("default", "UNLIMITED"),
        ("default", "NONE"),
        (create(app, "SE", "SIMPLE", 0).as_str(), "UNLIMITED"),
    ] {
        let path = format!("/v1/assets/{asset}");
        let body = json!({"issuance_policy": policy});
        let message = app.patch(&path, &body).expect_refusal(400, "bad_request");
        assert!(message.starts_with("issuance_policy"), "{message}");
    }
    // What it is may be said again.
    let same = json!({"issuance_policy": "PREFUNDED"});
    app.patch("/v1/assets/default", &same).expect(200);
    check(app);

    let other = TestApp::start();
    other.member("ada", 1);
    let message = other
        .patch("/v1/assets/default", &same)
        .expect_refusal(400, "bad_request");
    assert!(message.starts_with("issuance_policy"), "{message}");
    other
        .patch(
            "/v1/assets/default",
            &json!({"issuance_policy": "UNLIMITED"}),
        )
        .expect(200);
    check(&other);
}

#[test]
fn corrections_and_voids_refill_the_wallet_and_nothing_else_does() {
    let world = World::begin("LOT", 0);
    let reference = |id: &str| json!({"bucket": "HELD", "reference_id": id});
    assert_eq!(world.fund("100"), "100");
    assert_eq!(world.credit("30", json!({})), "70");
    assert_eq!(world.credit("10", reference("a")), "60");
    world
        .send("void-hold", json!({"reference_id": "a"}))
        .expect(200);
    assert_eq!(world.left(), "70");
    // A settlement of less returns the rest, and one of more takes the difference.
    assert_eq!(world.credit("10", reference("b")), "60");
    assert_eq!(world.credit("4", json!({"reference_id": "b"})), "66");
    assert_eq!(world.credit("10", reference("c")), "56");
    assert_eq!(world.credit("25", json!({"reference_id": "c"})), "41");
    assert_eq!(world.credit("1", reference("d")), "40");
    let before = rows(&world.app);
    let too_much = world.adjust("CREDIT", "42", json!({"reference_id": "d"}));
    too_much.expect_refusal(422, "wallet_empty");
    assert_eq!(rows(&world.app), before);
    world
        .send("void-hold", json!({"reference_id": "d"}))
        .expect(200);
    let later = json!({"matures_at": "2026-06-20T00:00:00Z"});
    assert_eq!(world.credit("6", later), "35");
    assert_eq!(world.points(), ["59", "6", "0"]);

    world.adjust("DEBIT", "5", json!({})).expect(200);
    assert_eq!(world.left(), "40");
    world
        .adjust("DEBIT", "60", json!({"allow_negative": true}))
        .expect(200);
    assert_eq!(
        (world.left(), world.points()[0].as_str()),
        ("100".to_owned(), "-6")
    );
    // What the account owes is repaid from what is credited.
    assert_eq!(world.credit("36", json!({})), "64");

    // Points that were spent, forfeited or have expired do not come back.
    let spent = world.redeem("8").expect(201);
    world
        .reverse(&spent, &json!({"reason": "cold", "amount": "3"}))
        .expect(201);
    world
        .send("forfeit", json!({"bucket": "AVAILABLE", "amount": "2"}))
        .expect(200);
    assert_eq!(
        (world.left(), world.points()[0].as_str()),
        ("64".to_owned(), "23")
    );
    let life = json!({"expires_at": "2026-06-16T00:00:00Z"});
    assert_eq!(world.credit("4", life), "60");
    world.app.clock.advance(Duration::from_hours(24 * 9));
    world.adjust("DEBIT", "1", json!({})).expect(200);
    assert_eq!(world.points(), ["28", "0", "0"]);
    assert_eq!(world.left(), "61");
    world.app.delete("/v1/members/ada").expect(200);
    assert_eq!(
        (world.points(), world.left()),
        (["0", "0", "0"].map(str::to_owned), "61".to_owned())
    );
    check(&world.app);
}

#[test]
fn an_entry_of_the_journal_has_the_wallet_of_the_program_on_its_other_side() {
    let world = World::begin("SIMPLE", 1);
    let app = &world.app;
    let body = json!({"amount": "20", "description": "The budget of July"});
    let funded = world.change("fund", &body).expect(200);
    assert_eq!(funded["message"], "20.0 points funded");
    world.credit("4.5", json!({}));
    let burned = world.change("burn", &json!({"amount": "5"})).expect(200);
    assert_eq!(burned["available"], "10.5");
    let list = app.get("/v1/journal-entries").expect(200);
    let seen = |entry: &Value| {
        let mut sides = vec![entry["action_type"].as_str().unwrap().to_owned()];
        for posting in entry["postings"].as_array().unwrap() {
            let [kind, amount] = ["entity_type", "amount"].map(|name| posting[name].as_str());
            assert_eq!(posting["asset_symbol"], "MI");
            let is_own = posting["participant_id"].is_string();
            assert_eq!(is_own, kind == Some("PARTICIPANT"));
            sides.push(format!("{} {}", kind.unwrap(), amount.unwrap()));
        }
        sides
    };
    let entries = list["data"].as_array().unwrap();
    let expected = [
        ["BURN", "PROGRAM -5.0", "SYSTEM_BREAKAGE 5.0"],
        ["CREDIT", "PARTICIPANT 4.5", "PROGRAM -4.5"],
        ["FUND", "PROGRAM 20.0", "SYSTEM_ISSUANCE -20.0"],
    ];
    assert_eq!(entries.iter().map(seen).collect::<Vec<_>>(), expected);
    let fund = &entries[2];
    assert_eq!(fund["id"], funded["journal_entry_id"]);
    assert_eq!(fund["description"], "The budget of July");
    assert!(fund["created_by_api_key_id"].is_string());
    assert_eq!(entries[0]["description"], Value::Null);
    for entry in entries {
        let path = format!("/v1/journal-entries/{}", entry["id"].as_str().unwrap());
        assert_eq!(app.get(&path).expect(200), *entry);
    }
    let hashes: Vec<_> = entries.iter().map(|entry| &entry["entry_hash"]).collect();
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
    // Filters: only the credit is an entry of a participant.
    let of_asset = format!("asset_id={}", world.asset);
    for (query, count) in [
        ("action_type=FUND", 1),
        ("action_type=BURN", 1),
        ("external_id=ada", 1),
        ("bucket=AVAILABLE", 1),
        ("min_amount=1", 1),
        ("asset_id=default", 0),
        (of_asset.as_str(), 3),
        ("reference_id=x", 0),
    ] {
        let list = app.get(&format!("/v1/journal-entries?{query}")).expect(200);
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{query}");
    }
    let paged = app.get("/v1/journal-entries?limit=1").expect(200);
    let cursor = paged["pagination"]["next_cursor"].as_str().unwrap();
    let path = format!("/v1/journal-entries?limit=2&cursor={cursor}");
    assert_eq!(app.get(&path).expect(200)["data"], json!(entries[1..]));
    check(app);
}

#[test]
fn a_wallet_gives_what_it_has_and_an_unlimited_asset_has_none() {
    let world = World::begin("SIMPLE", 0);
    let app = &world.app;
    let burn = |amount: &str| world.change("burn", &json!({"amount": amount}));
    burn("1").expect_refusal(422, "wallet_empty");
    world.fund("10");
    burn("11").expect_refusal(422, "wallet_empty");
    assert_eq!(burn("4").expect(200)["available"], "6");
    assert_eq!(burn("6").expect(200)["available"], "0");
    // To fund what needs no funds changes nothing.
    let before = rows(app);
    let of_points = "/v1/programs/current/assets/default";
    let funded = app.post(&format!("{of_points}/fund"), &json!({"amount": "5"}));
    let funded = funded.expect(200);
    assert_eq!(
        (&funded["available"], &funded["journal_entry_id"]),
        (&json!("0"), &Value::Null)
    );
    app.post(&format!("{of_points}/burn"), &json!({"amount": "5"}))
        .expect_refusal(422, "wallet_empty");
    assert_eq!(rows(app), before);
    let none = app
        .get("/v1/programs/current/balance?asset_id=default")
        .expect(200);
    assert_eq!(none["data"], json!([]));
    // Page by page.
    let second = create(app, "SE", "LOT", 3);
    let page = app.get("/v1/programs/current/balance?limit=1").expect(200);
    assert_eq!(page["data"][0]["asset_id"], world.asset);
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let page = app
        .get(&format!(
            "/v1/programs/current/balance?limit=1&cursor={cursor}"
        ))
        .expect(200);
    let row = json!({"asset_id": second, "available": "0.000", "deferred": "0.000",
        "held": "0.000", "issuance_policy": "PREFUNDED"});
    assert_eq!(page["data"], json!([row]));
    assert_eq!(page["pagination"]["has_more"], false);
    // The most that a wallet can have.
    let most = (1_i64 << 53) - 1;
    world.fund(&most.to_string());
    let message = world
        .change("fund", &json!({"amount": "1"}))
        .expect_refusal(400, "bad_request");
    assert!(message.starts_with("amount"), "{message}");
    world.credit("1", json!({}));
    check(app);
}

#[test]
fn a_wrong_field_is_named_and_other_programs_are_refused() {
    let world = World::begin("SIMPLE", 2);
    let app = &world.app;
    let before = rows(app);
    for (body, code, field) in [
        (json!({}), "bad_request", "amount"),
        (json!({"amount": 5}), "bad_request", "amount"),
        (json!({"amount": "0"}), "bad_request", "amount"),
        (json!({"amount": "-1"}), "bad_request", "amount"),
        (json!({"amount": "0.001"}), "invalid_scale", "amount"),
        (
            json!({"amount": "1", "description": ""}),
            "bad_request",
            "description",
        ),
        (
            json!({"amount": "1", "description": "x".repeat(501)}),
            "bad_request",
            "description",
        ),
        (
            json!({"amount": "1", "idempotency_key": 5}),
            "bad_request",
            "idempotency_key",
        ),
    ] {
        for kind in ["fund", "burn"] {
            let message = world.change(kind, &body).expect_refusal(400, code);
            assert!(message.starts_with(field), "{body}: {message}");
        }
    }
    let other = get_as(app, LIVE_KEY, "/v1/programs/current").expect(200)["id"].clone();
    let other = other.as_str().unwrap();
    let unknown = "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4";
    let amount = json!({"amount": "1"});
    for (program, asset, status, code) in [
        (other, world.asset.as_str(), 403, "forbidden"),
        ("other", world.asset.as_str(), 404, "not_found"),
        ("current", unknown, 404, "not_found"),
        ("current", "miles", 404, "not_found"),
    ] {
        let path = format!("/v1/programs/{program}/assets/{asset}/fund");
        app.post(&path, &amount).expect_refusal(status, code);
    }
    for (path, status, code) in [
        (format!("/v1/programs/{other}/balance"), 403, "forbidden"),
        ("/v1/programs/other/balance".to_owned(), 404, "not_found"),
        (
            format!("/v1/programs/current/balance?asset_id={unknown}"),
            404,
            "not_found",
        ),
        (
            "/v1/programs/current/balance?limit=0".to_owned(),
            400,
            "bad_request",
        ),
        (
            "/v1/programs/current/balance?cursor=00".to_owned(),
            400,
            "bad_request",
        ),
    ] {
        app.get(&path).expect_refusal(status, code);
    }
    assert_eq!(rows(app), before);
}

#[test]
fn the_last_point_goes_to_one_of_two_and_a_key_funds_once() {
    let world = World::begin("SIMPLE", 2);
    world.fund("0.03");
    let second = participant(&world.app, "bob");
    let body = json!({"program_id": "current", "asset_id": world.asset, "description": "A test",
        "type": "CREDIT", "amount": "0.02"});
    let send = |path: &str| world.app.post(&format!("{path}/balances/adjust"), &body);
    let (ada, bob) = (|| send(&world.path), || send(&second));
    assert_eq!(race([&ada, &bob]), [200, 422]);
    assert_eq!(world.left(), "0.01");
    let burn = || world.change("burn", &json!({"amount": "0.01"}));
    assert_eq!(race([&burn, &burn]), [200, 422]);
    let path = format!("/v1/programs/current/assets/{}/fund", world.asset);
    let one = json!({"amount": "1"});
    let by_header = || post_once(&world.app, "once", &path, &one);
    assert_eq!(race([&by_header, &by_header]), [200, 200]);
    let in_body = json!({"amount": "1", "idempotency_key": "once"});
    let repeated = world.app.post(&path, &in_body).expect(200);
    assert_eq!(
        (&repeated["available"], world.left()),
        (&json!("1.00"), "1.00".to_owned())
    );
    let other = json!({"amount": "2", "idempotency_key": "once"});
    world
        .app
        .post(&path, &other)
        .expect_refusal(409, "idempotency_conflict");
    check(&world.app);
}
