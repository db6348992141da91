//! Further assets of a program beside its points: each operation of each kind of asset, and that
//! nothing of them is seen anywhere else.

mod whole;

use std::time::Duration;

use serde_json::{Value, json};

use crate::balances::Flat as _;
use crate::client::{check, get_as, number, post_once, race, scrip_error, until, with};
use crate::support::{LIVE_KEY, Response, SANDBOX_KEY, TestApp};

/// A participant of a program with a further asset.
struct Person {
    app: TestApp,
    path: String,
    asset: String,
}

fn asset_of(mode: &str, symbol: &str, scale: u8) -> Value {
    json!({"program_id": "current", "name": "Miles", "symbol": symbol, "inventory_mode": mode,
        "issuance_policy": "UNLIMITED", "scale": scale})
}

#[track_caller]
fn create(app: &TestApp, body: &Value) -> String {
    let asset = app.post("/v1/assets", body).expect(201);
    asset["id"].as_str().unwrap().to_owned()
}

impl Person {
    #[track_caller]
    fn begin(mode: &str, scale: u8) -> Self {
        let app = TestApp::start();
        let asset = create(&app, &asset_of(mode, "MI", scale));
        let ada = app.post("/v1/participants", &json!({"external_id": "ada"}));
        let id = ada.expect(201)["id"].as_str().unwrap().to_owned();
        Self {
            path: format!("/v1/participants/{id}"),
            app,
            asset,
        }
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

    #[track_caller]
    fn credit(&self, amount: &str) -> Value {
        self.adjust("CREDIT", amount, json!({})).expect(200)
    }

    /// Available, deferred and held points of the asset.
    #[track_caller]
    fn points(&self) -> [String; 3] {
        let path = format!("{}/balances?asset_id={}", self.path, self.asset);
        let list = self.app.get(&path).expect(200);
        let row = &list["data"][0];
        assert_eq!(row["asset_id"], self.asset);
        ["available", "deferred", "held"].map(|name| row[name].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn list(&self, path: &str) -> Vec<Value> {
        let list = self.app.get(path).expect(200);
        list["data"].as_array().unwrap().clone()
    }

    fn redeem(&self, amount: &str) -> Response {
        let program = self.app.get("/v1/programs/current").expect(200)["id"].clone();
        let body = json!({"program_id": program, "asset_id": self.asset, "amount": amount,
            "description": "tea"});
        self.app.post(&format!("{}/redemptions", self.path), &body)
    }
}

#[test]
fn a_statement_names_who_caused_an_entry_and_the_lots_that_it_moved() {
    let person = Person::begin("LOT", 2);
    let path = format!("{}/statement?asset_id={}", person.path, person.asset);
    let newest_first = format!("{path}&sort_dir=desc&details=true");
    assert_eq!(person.list(&newest_first), Vec::<Value>::new());
    let expires_at = json!({"expires_at": "2030-01-01T00:00:00Z"});
    person.adjust("CREDIT", "1.5", expires_at).expect(200);
    person.adjust("DEBIT", "0.25", json!({})).expect(200);
    let rows = person.list(&newest_first);
    let end = "2030-01-01T00:00:00.000Z";
    for (row, (change, amount, balance)) in rows
        .iter()
        .zip([("taken", "0.25", "1.25"), ("made", "1.50", "1.50")])
    {
        assert_eq!(row["running_balance"], balance);
        assert_eq!(
            row["details"]["lots"],
            json!([{"number": 1, "change": change, "amount": amount, "expires_at": end,
                "matures_at": null}])
        );
        let actor = &row["details"]["actor"];
        assert_eq!(actor["type"], "key");
        let prefix = actor["key_prefix"].as_str().unwrap();
        assert!(SANDBOX_KEY.starts_with(prefix), "{actor}");
    }
    assert_eq!(rows.len(), 2);
    let plain = person.list(&path);
    assert!(plain.iter().all(|row| row.get("details").is_none()));
    let points = Person::begin("SIMPLE", 0);
    points.credit("7");
    let path = format!("{}/statement?asset_id={}", points.path, points.asset);
    let rows = points.list(&format!("{path}&details=true"));
    assert_eq!(rows[0]["details"]["lots"], Value::Null);
    assert_eq!(rows[0]["details"]["redemption_id"], Value::Null);
    let spent = points.redeem("2").expect(201);
    let rows = points.list(&format!("{path}&details=true&sort_dir=desc"));
    assert_eq!(rows[0]["details"]["redemption_id"], spent["id"]);
    let bad = points.app.get(&format!("{path}&sort_dir=down"));
    assert!(scrip_error(bad, 400, "bad_request").contains("sort_dir"));
}

/// Everything of the surface without further assets.
fn seen(app: &TestApp) -> Vec<Value> {
    let paths = [
        "/v1/wallet?externalUserID=ada",
        "/v1/wallet/transactions?externalUserID=ada",
        "/v1/analytics/summary",
        "/v1/members/ada",
        "/v1/programs/current",
    ];
    let mut seen: Vec<Value> = paths.iter().map(|path| app.get(path).expect(200)).collect();
    // The newest row of the log, whatever it is.
    seen[0].as_object_mut().unwrap().remove("asOf");
    seen[3]["wallet"].as_object_mut().unwrap().remove("asOf");
    let mut activity = app.get("/v1/reports/program-activity").expect(200);
    let row = activity["data"][0].as_object_mut().unwrap();
    row.remove("asset_count");
    seen.push(activity);
    seen
}

#[test]
#[expect(clippy::too_many_lines, reason = "one history, step by step")]
fn an_asset_is_created_listed_changed_and_archived() {
    let app = TestApp::start();
    let body = with(
        asset_of("LOT", "MI", 2),
        json!({"max_transaction_amount": "500.5", "burn_order": "soonest_expiry"}),
    );
    let made = app.post("/v1/assets", &body).expect(201);
    for (field, value) in [
        ("name", json!("Miles")),
        ("symbol", json!("MI")),
        ("inventory_mode", json!("LOT")),
        ("burn_order", json!("soonest_expiry")),
        ("issuance_policy", json!("UNLIMITED")),
        ("scale", json!(2)),
        ("max_transaction_amount", json!("500.50")),
        ("is_default", json!(false)),
        ("status", json!("ACTIVE")),
        ("converting", json!(false)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let path = format!("/v1/assets/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&path).expect(200), made);
    let default = app.get("/v1/assets/default").expect(200);
    let list = app.get("/v1/assets").expect(200);
    assert_eq!(list["data"], json!([default, made]));
    let own = app.get("/v1/programs/current/assets").expect(200);
    assert_eq!(own, list);
    // A page at a time.
    let first = app.get("/v1/assets?limit=1").expect(200);
    assert_eq!(first["data"], json!([default]));
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
    let second = app
        .get(&format!("/v1/assets?limit=1&cursor={cursor}"))
        .expect(200);
    assert_eq!(second["data"], json!([made]));
    assert_eq!(second["pagination"]["has_more"], false);
    // Another program does not have it, and its symbol is free there.
    scrip_error(get_as(&app, LIVE_KEY, &path), 404, "not_found");

    let changed = app
        .patch(
            &path,
            &json!({"name": "Air miles", "max_transaction_amount": null}),
        )
        .expect(200);
    assert_eq!(changed["name"], "Air miles");
    assert_eq!(changed["max_transaction_amount"], Value::Null);
    let archived = app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
    assert_eq!(archived["status"], "ARCHIVED");
    assert!(archived["deleted_at"].is_string());
    let counted = |app: &TestApp| {
        let report = app.get("/v1/reports/program-activity").expect(200);
        report["data"][0]["asset_count"].clone()
    };
    assert_eq!(counted(&app), 1);
    app.patch(&path, &json!({"status": "ACTIVE"})).expect(200);
    assert_eq!(counted(&app), 2);
    for (body, field) in [
        (json!({"symbol": "AIR"}), "symbol"),
        (json!({"status": "GONE"}), "status"),
        (json!({"name": ""}), "name"),
    ] {
        let message = app.patch(&path, &body).expect_refusal(400, "bad_request");
        assert!(message.starts_with(field), "{message}");
    }
    let fine = json!({"max_transaction_amount": "1.001"});
    app.patch(&path, &fine).expect_refusal(400, "invalid_scale");
    let points = app.patch("/v1/assets/default", &json!({"status": "ARCHIVED"}));
    points.expect_refusal(400, "bad_request");
    check(&app);
    let before = app.get("/v1/assets").expect(200);
    let app = app.restart();
    assert_eq!(app.get("/v1/assets").expect(200), before);
    assert_eq!(counted(&app), 2);
}

#[test]
fn a_wrong_field_of_a_new_asset_is_named_and_its_symbol_is_unique() {
    let app = TestApp::start();
    for (field, value) in [
        ("program_id", json!("other")),
        ("name", json!("")),
        ("name", json!(null)),
        ("symbol", json!("")),
        ("symbol", json!("mi-les")),
        ("symbol", json!("SEVENTEENLETTERSX")),
        ("inventory_mode", json!("LOTS")),
        ("issuance_policy", json!("FREE")),
        ("scale", json!(7)),
        ("scale", json!("2")),
        ("max_transaction_amount", json!(5)),
        ("max_transaction_amount", json!("0")),
        ("burn_order", json!("lifo")),
    ] {
        let body = with(asset_of("SIMPLE", "MI", 2), json!({field: value}));
        let message = app
            .post("/v1/assets", &body)
            .expect_refusal(400, "bad_request");
        assert!(message.starts_with(field), "{body}: {message}");
    }
    create(&app, &asset_of("SIMPLE", "TAKEN", 0));
    let symbol = json!({"currencySymbol": "TAKEN"});
    let message = app
        .put("/v1/configuration", &symbol)
        .expect_error(409, "SYMBOL_TAKEN");
    assert!(message.contains("symbol"), "{message}");
    let other = get_as(&app, LIVE_KEY, "/v1/programs/current").expect(200)["id"].clone();
    let body = with(asset_of("SIMPLE", "MI", 2), json!({"program_id": other}));
    app.post("/v1/assets", &body)
        .expect_refusal(403, "forbidden");
    let body = with(
        asset_of("SIMPLE", "MI", 0),
        json!({"max_transaction_amount": "1.5"}),
    );
    app.post("/v1/assets", &body)
        .expect_refusal(400, "invalid_scale");

    let one = || app.post("/v1/assets", &asset_of("SIMPLE", "MI", 0));
    assert_eq!(race([&one, &one]), [201, 409]);
    one().expect_refusal(409, "conflict");
    // That of the program's points is not free either.
    let taken = app.post("/v1/assets", &asset_of("SIMPLE", "pts", 0));
    taken.expect_refusal(409, "conflict");
    let body = asset_of("SIMPLE", "TWO", 0);
    let first = post_once(&app, "once", "/v1/assets", &body);
    let again = post_once(&app, "once", "/v1/assets", &body);
    assert_eq!(first.expect(201), again.expect(201));
    check(&app);
}

#[test]
fn an_asset_belongs_to_one_program() {
    let app = TestApp::start();
    let asset = create(&app, &asset_of("SIMPLE", "MI", 0));
    let link = |program: &str, asset: &str| {
        app.post(
            &format!("/v1/programs/{program}/assets"),
            &json!({"asset_id": asset}),
        )
    };
    link("current", &asset).expect_refusal(409, "already_linked");
    link("current", "default").expect_refusal(409, "already_linked");
    link("current", "other").expect_refusal(404, "not_found");
    link("nowhere", &asset).expect_refusal(404, "not_found");
    let other = get_as(&app, LIVE_KEY, "/v1/programs/current").expect(200)["id"].clone();
    link(other.as_str().unwrap(), &asset).expect_refusal(403, "forbidden");
    let lists = app.get(&format!("/v1/programs/{}/assets", other.as_str().unwrap()));
    lists.expect_refusal(403, "forbidden");
}

#[test]
fn amounts_have_the_decimals_of_the_asset() {
    let person = Person::begin("SIMPLE", 2);
    let done = person.credit("12.5");
    assert_eq!(done["amount"], "12.50");
    assert_eq!(
        done["balance"],
        json!({"available": "12.50", "deferred": "0.00", "held": "0.00"})
    );
    assert_eq!(done["message"], "12.50 points credited");
    person.credit("0.05");
    person.credit("7");
    assert_eq!(person.points(), ["19.55", "0.00", "0.00"]);
    let fine = person.adjust("CREDIT", "1.005", json!({}));
    let message = fine.expect_refusal(400, "invalid_scale");
    assert!(message.contains("scale is 2"), "{message}");
    for amount in ["0.00", "0", "90071992547409.92"] {
        let message = person
            .adjust("CREDIT", amount, json!({}))
            .expect_refusal(400, "bad_request");
        let expected = "amount must be a string with a number from 0.01 to 90071992547409.91";
        assert_eq!(message, expected);
    }
    for amount in ["", "-1", "1,5", ".5", "5."] {
        person
            .adjust("CREDIT", amount, json!({}))
            .expect_refusal(400, "bad_request");
    }
    let short = person.adjust("DEBIT", "19.56", json!({}));
    let message = short.expect_refusal(422, "insufficient_balance");
    assert_eq!(message, "19.55 points match, 19.56 are needed");
    let below = person.adjust("DEBIT", "20.00", json!({"allow_negative": true}));
    assert_eq!(below.expect(200)["balance"]["available"], "-0.45");
    check(&person.app);
}

#[test]
fn every_operation_works_on_a_sum() {
    let person = Person::begin("SIMPLE", 2);
    person.credit("100");
    person.send("hold", json!({"amount": "30.25"})).expect(200);
    person
        .send("release", json!({"amount": "10.25"}))
        .expect(200);
    let forfeit = json!({"amount": "5", "bucket": "HELD"});
    person.send("forfeit", forfeit).expect(200);
    assert_eq!(person.points(), ["80.00", "0.00", "15.00"]);
    let spent = person.redeem("40.5").expect(201);
    assert_eq!(spent["amount"], "40.50");
    assert_eq!(spent["asset_id"], person.asset);
    let reverse = format!(
        "{}/redemptions/{}/reverse",
        person.path,
        spent["id"].as_str().unwrap()
    );
    let part = json!({"reason": "cold", "amount": "0.5"});
    let reversed = person.app.post(&reverse, &part).expect(201);
    assert_eq!(reversed["amount"], "0.50");
    let much = json!({"reason": "cold", "amount": "40.01"});
    let message = person
        .app
        .post(&reverse, &much)
        .expect_refusal(422, "insufficient_balance");
    assert!(message.contains("40.00"), "{message}");
    assert_eq!(person.points(), ["40.00", "0.00", "15.00"]);
    let list = person.list(&format!("{}/redemptions", person.path));
    assert_eq!(list[0]["reversed_amount"], "0.50");
    let shown = format!(
        "{}/redemptions/{}",
        person.path,
        spent["id"].as_str().unwrap()
    );
    assert_eq!(person.app.get(&shown).expect(200), list[0]);
    let message = person
        .redeem("40.01")
        .expect_refusal(422, "insufficient_balance");
    assert_eq!(message, "40.00 points match, 40.01 are needed");
    person.redeem("1.001").expect_refusal(400, "invalid_scale");

    let path = format!("{}/statement?asset_id={}", person.path, person.asset);
    let statement = person.app.get(&path).expect(200);
    assert_eq!(statement["asset_id"], person.asset);
    assert_eq!(statement["closing_balance"], "40.00");
    let amounts = statement["data"].as_array().unwrap().iter();
    let amounts: Vec<_> = amounts.map(|row| row["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["100.00", "-30.25", "10.25", "-40.50", "0.50"]);
    // The statement of the points is empty.
    let points = person.app.get("/v1/assets/default").expect(200)["id"].clone();
    let path = format!(
        "{}/statement?asset_id={}",
        person.path,
        points.as_str().unwrap()
    );
    assert_eq!(person.list(&path), Vec::<Value>::new());
    let lots = format!("{}/balances/lots?asset_id={}", person.path, person.asset);
    scrip_error(person.app.get(&lots), 400, "bad_request");
    check(&person.app);
    let before = person.points();
    let app = person.app.restart();
    let person = Person { app, ..person };
    assert_eq!(person.points(), before);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one history, step by step")]
fn points_in_lots_mature_expire_and_are_held_beside_those_of_the_program() {
    let person = Person::begin("LOT", 1);
    let app = &person.app;
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    let of_points = |amount: u64, expires_at: &str| {
        let body = json!({"externalUserID": "ada", "amount": amount, "expiresAt": expires_at});
        app.post("/v1/wallet/credit", &body).expect(200);
    };
    // Both expire at one time; the points of the program come first.
    let end = "2026-07-01T00:00:00Z";
    of_points(10, end);
    person
        .adjust("CREDIT", "20.5", json!({"expires_at": end}))
        .expect(200);
    let later = json!({"matures_at": "2026-06-20T00:00:00Z", "expires_at": "2026-08-01T00:00:00Z"});
    person.adjust("CREDIT", "4", later).expect(200);
    let held =
        json!({"amount": "0.5", "reference_id": "order", "hold_until": "2026-07-02T00:00:00Z"});
    person.send("hold", held).expect(200);
    person
        .adjust(
            "CREDIT",
            "3",
            json!({"bucket": "HELD", "reference_id": "pending"}),
        )
        .expect(200);
    assert_eq!(person.points(), ["20.0", "4.0", "3.5"]);
    let lots = format!("{}/balances/lots?asset_id={}", person.path, person.asset);
    let ids: Vec<_> = person
        .list(&lots)
        .iter()
        .map(|lot| lot["id"].clone())
        .collect();
    assert_eq!(ids.len(), 4);
    let points = app.get("/v1/assets/default").expect(200)["id"].clone();
    let points = points.as_str().unwrap().to_owned();
    let own = person.list(&format!("{}/balances/lots?asset_id={points}", person.path));
    assert!(own.iter().all(|lot| !ids.contains(&lot["id"])), "{own:?}");
    let schedule = app
        .get("/v1/reports/expiration-schedule?from=2026-06-15T00:00:00Z&to=2026-08-31T00:00:00Z")
        .expect(200);
    let shown = schedule["data"].as_array().unwrap();
    assert_eq!(shown.len(), 2);
    let row = &shown[1];
    assert_eq!(
        (&row["asset_symbol"], &row["scale"]),
        (&json!("MI"), &json!(1))
    );
    assert_eq!(row["total_outstanding"], "27.5");
    let one = format!(
        "/v1/reports/expiration-schedule?from=2026-06-15T00:00:00Z&to=2026-08-31T00:00:00Z\
         &asset_id={}",
        person.asset
    );
    assert_eq!(app.get(&one).expect(200)["data"], json!([row]));

    app.clock.advance(Duration::from_hours(24 * 6));
    app.put("/v1/members/bob", &json!({})).expect(200);
    assert_eq!(person.points(), ["24.0", "0.0", "3.5"]);
    app.clock.advance(Duration::from_hours(24 * 11));
    app.put("/v1/members/bob", &json!({})).expect(200);
    // The held part expired when its hold ended.
    assert_eq!(person.points(), ["4.0", "0.0", "3.0"]);
    assert_eq!(app.balance("ada"), 0);
    let expired = "SELECT count(*) FROM activity WHERE entry = 6";
    assert_eq!(number(app, expired), 3);
    let announced = "SELECT count(*) FROM activity WHERE kind = 16";
    assert_eq!(
        number(app, announced),
        1,
        "only points of the program are announced"
    );
    let settled = person
        .adjust("CREDIT", "2", json!({"reference_id": "pending"}))
        .expect(200);
    assert_eq!(
        settled["settle"],
        json!({"held_amount": "3.0", "delta": "-1.0"})
    );
    let pending = json!({"bucket": "HELD", "reference_id": "void"});
    person.adjust("CREDIT", "9", pending).expect(200);
    person
        .send("void-hold", json!({"reference_id": "void"}))
        .expect(200);
    assert_eq!(person.points(), ["6.0", "0.0", "0.0"]);
    let spent = person.redeem("5").expect(201);
    let reverse = format!(
        "{}/redemptions/{}/reverse",
        person.path,
        spent["id"].as_str().unwrap()
    );
    app.post(&reverse, &json!({"reason": "cold"})).expect(201);
    assert_eq!(person.points(), ["6.0", "0.0", "0.0"]);
    check(app);
    let app = person.app.restart();
    let person = Person { app, ..person };
    assert_eq!(person.points(), ["6.0", "0.0", "0.0"]);
    check(&person.app);
}

#[test]
fn an_asset_is_converted_to_lots() {
    let person = Person::begin("SIMPLE", 2);
    person.credit("12.5");
    person.send("hold", json!({"amount": "2.5"})).expect(200);
    person.app.member("ada", 7);
    let path = format!("/v1/assets/{}/convert", person.asset);
    let body = json!({"to": "LOT", "expires_at": "2026-07-01T00:00:00Z"});
    let dry = with(body.clone(), json!({"dry_run": true}));
    let counted = person.app.post(&path, &dry).expect(200);
    assert_eq!(
        (&counted["members"], &counted["lots"], &counted["points"]),
        (&json!(1), &json!(2), &json!("12.50"))
    );
    person.app.post(&path, &body).expect(200);
    let asset = format!("/v1/assets/{}", person.asset);
    until(|| {
        let asset = person.app.get(&asset).expect(200);
        (asset["converting"] == false).then_some(())
    });
    assert_eq!(
        person.app.get("/v1/assets/default").expect(200)["inventory_mode"],
        "SIMPLE"
    );
    let lots = format!("{}/balances/lots?asset_id={}", person.path, person.asset);
    assert_eq!(person.list(&lots).len(), 2);
    person
        .app
        .post(&path, &body)
        .expect_refusal(409, "already_lots");
    person.app.clock.advance(Duration::from_hours(24 * 30));
    person.app.put("/v1/members/bob", &json!({})).expect(200);
    assert_eq!(person.points(), ["0.00", "0.00", "2.50"]);
    assert_eq!(person.app.balance("ada"), 7);
    check(&person.app);
}

#[test]
fn nothing_of_a_further_asset_is_seen_elsewhere_or_moves_a_figure() {
    for mode in ["SIMPLE", "LOT"] {
        let person = Person::begin(mode, 2);
        let app = &person.app;
        let offer = app.offer(json!({"pointsPrice": 10}));
        app.member("ada", 100);
        app.redeem("ada", &offer);
        let hook =
            json!({"url": "http://127.0.0.1:9/", "events": ["wallet.credited", "wallet.debited"]});
        app.post("/v1/webhooks", &hook).expect(201);
        let before = seen(app);
        let shown = "SELECT count(*) FROM activity WHERE kind < 20";
        let events = number(app, shown);
        person.credit("50");
        person.adjust("DEBIT", "5", json!({})).expect(200);
        person.send("hold", json!({"amount": "5"})).expect(200);
        person.send("release", json!({})).expect(200);
        let taken = json!({"amount": "5", "bucket": "AVAILABLE"});
        person.send("forfeit", taken).expect(200);
        let spent = person.redeem("10").expect(201);
        let id = spent["id"].as_str().unwrap();
        let reverse = format!("{}/redemptions/{id}/reverse", person.path);
        app.post(&reverse, &json!({"reason": "cold"})).expect(201);
        assert_eq!(seen(app), before, "{mode}");
        assert_eq!(number(app, shown), events, "{mode}");
        // The settings version of the member is that of before, too.
        let list = person.list(&format!("{}/balances", person.path));
        assert_eq!(list.len(), 2);
        assert_eq!(list[1]["available"], "40.00");
        let participant = app.get(&person.path).expect(200);
        assert_eq!(participant["balances"], json!(list));
        check(app);
    }
}
