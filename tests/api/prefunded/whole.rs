//! Wallets of programs in events, removals, resets, exports, saved books and checks of the file.

use serde_json::{Value, json};
use stampcard::books::Books;
use stampcard::domain::{Points, ProgramNumber};
use stampcard::service::Loaded;
use stampcard::service::transfer::ImportError;

use super::{World, check, create, participant, with};
use crate::assets::moved::{export, import};
use crate::balances::Flat as _;
use crate::client::{live, number, post_as, race, rows, webhook};
use crate::support::receiver::Receiver;
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, TestApp};

#[test]
fn webhooks_and_streams_hear_of_the_wallet_of_their_program() {
    let world = World::begin("SIMPLE", 2);
    let app = &world.app;
    let hooks = Receiver::start();
    webhook(app, &hooks.url("/"), &["program.funded", "program.burned"]);
    let newest = number(app, "SELECT max(seq) FROM activity");
    let body = json!({"amount": "20", "description": "July"});
    world.change("fund", &body).expect(200);
    world.credit("4.5", json!({}));
    world.change("burn", &json!({"amount": "5"})).expect(200);
    let asset = &world.asset;
    let expected = [
        json!(["program.funded", {"assetID": asset, "amount": "20.00", "balance": "20.00",
            "description": "July"}]),
        json!(["program.burned", {"assetID": asset, "amount": "5.00", "balance": "10.50",
            "description": null}]),
    ];
    let told: Vec<Value> = hooks
        .wait_for(2)
        .iter()
        .map(|it| {
            let body = it.json();
            json!([body["type"], body["data"]])
        })
        .collect();
    assert_eq!(told, expected);
    let mut stream = app.events_after(newest);
    for expected in expected {
        let event = stream.event().data;
        assert_eq!(json!([event["type"], event["data"]]), expected);
    }
    // Reports count neither.
    let report = app.get("/v1/reports/program-activity").expect(200);
    assert_eq!(report["data"][0]["journal_count"], 0);
}

#[test]
fn an_erasure_leaves_the_wallet_of_the_program_as_it_is() {
    let world = World::begin("LOT", 2);
    let body = json!({"amount": "20", "description": "July"});
    world.change("fund", &body).expect(200);
    world.credit("4.5", json!({}));
    world.app.delete("/v1/members/ada?erase=true").expect(200);
    assert_eq!(world.left(), "15.50");
    let list = world
        .app
        .get("/v1/journal-entries?action_type=FUND")
        .expect(200);
    assert_eq!(list["data"][0]["description"], "July");
    check(&world.app);
}

#[test]
fn a_reset_of_the_sandbox_begins_with_an_empty_wallet() {
    let world = World::of_points();
    create(&world.app, "MI", "SIMPLE", 0);
    world.fund("20");
    world.credit("5", json!({}));
    world.app.post("/v1/sandbox/reset", &json!({})).expect(200);
    let list = world.app.get("/v1/programs/current/balance").expect(200);
    let rows = list["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["available"] == "0"), "{list}");
    assert_ne!(rows[0]["asset_id"], world.asset);
    let ada = participant(&world.app, "ada");
    let world = World {
        asset: rows[0]["asset_id"].as_str().unwrap().to_owned(),
        path: ada,
        ..world
    };
    world
        .adjust("CREDIT", "1", json!({}))
        .expect_refusal(422, "wallet_empty");
    world.fund("1");
    assert_eq!(world.credit("1", json!({})), "0");
    check(&world.app);
}

#[test]
fn the_wallet_of_an_archived_asset_can_only_be_emptied() {
    let world = World::begin("LOT", 0);
    world.fund("20");
    world.credit("5", json!({"bucket": "HELD", "reference_id": "a"}));
    let path = format!("/v1/assets/{}", world.asset);
    let set = |status: &str| {
        world
            .app
            .patch(&path, &json!({"status": status}))
            .expect(200)
    };
    set("ARCHIVED");
    let one = json!({"amount": "1"});
    world
        .change("fund", &one)
        .expect_refusal(409, "asset_archived");
    world
        .send("void-hold", json!({"reference_id": "a"}))
        .expect(200);
    assert_eq!(world.left(), "20");
    world.change("burn", &json!({"amount": "20"})).expect(200);
    set("ACTIVE");
    assert_eq!(world.fund("3"), "3");
    check(&world.app);
}

#[test]
fn a_suspended_program_is_neither_funded_nor_burned() {
    let world = World::begin("SIMPLE", 0);
    world.fund("5");
    let status = |status: &str| {
        let body = json!({"status": status});
        world.app.patch("/v1/programs/current", &body).expect(200);
    };
    status("SUSPENDED");
    for kind in ["fund", "burn"] {
        let refused = world.change(kind, &json!({"amount": "1"}));
        refused.expect_refusal(409, "program_inactive");
    }
    assert_eq!(world.left(), "5");
    status("ACTIVE");
    assert_eq!(world.fund("1"), "6");
}

#[test]
fn a_live_credit_needs_the_pool_of_the_organization_too() {
    let app = TestApp::start();
    let policy = json!({"issuance_policy": "PREFUNDED"});
    live(&app, "PATCH", "/v1/assets/default", &policy).expect(200);
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let credit = |amount: i64| {
        let body = json!({"externalUserID": "lea", "amount": amount});
        post_as(&app, LIVE_KEY, "/v1/wallet/credit", &body)
    };
    let fund = |amount: &str| {
        let path = "/v1/programs/current/assets/default/fund";
        post_as(&app, LIVE_KEY, path, &json!({"amount": amount})).expect(200)
    };
    credit(1).expect_error(422, "WALLET_EMPTY");
    fund("10");
    credit(4).expect(200);
    crate::pools::fund(&app, PARTNER_LIVE_KEY, 5);
    let before = rows(&app);
    // Each of the two has to cover it.
    credit(6).expect_error(402, "INSUFFICIENT_ORG_POINTS");
    credit(7).expect_error(422, "WALLET_EMPTY");
    assert_eq!(rows(&app), before);
    credit(5).expect(200);
    credit(1).expect_error(402, "INSUFFICIENT_ORG_POINTS");
    check(&app);
}

/// A history with both kinds of prefunded assets, everything that moves their wallets, and saved
/// books from the middle of it.
fn lived() -> World {
    let world = World::of_points();
    world.fund("50");
    world.credit("20", json!({}));
    let world = World {
        app: world.app.restart(),
        ..world
    };
    let miles = World {
        asset: create(&world.app, "MI", "LOT", 2),
        ..world
    };
    miles.fund("8");
    miles.credit("3.25", json!({}));
    miles.credit("1", json!({"bucket": "HELD", "reference_id": "a"}));
    let app = miles.app.restart();
    let miles = World { app, ..miles };
    let void = json!({"reference_id": "a"});
    miles.send("void-hold", void).expect(200);
    miles.change("burn", &json!({"amount": "0.5"})).expect(200);
    assert_eq!(miles.left(), "4.25");
    let world = World {
        asset: "default".to_owned(),
        ..miles
    };
    world.adjust("DEBIT", "5", json!({})).expect(200);
    world
}

/// What the wallet of the program has of each asset.
fn balances(app: &TestApp) -> Vec<String> {
    let list = app.get("/v1/programs/current/balance").expect(200);
    let rows = list["data"].as_array().unwrap().iter();
    rows.map(|row| row["available"].as_str().unwrap().to_owned())
        .collect()
}

/// Compares books of [`lived`] with what its wallets have.
#[track_caller]
fn check_load(books: &Books) {
    let funds = |funds: Option<Points>| funds.map(Points::get);
    assert_eq!(funds(books.program(ProgramNumber(1)).funds), Some(35));
    let further = books.assets().map(|(_, record)| funds(record.funds));
    assert_eq!(further.collect::<Vec<_>>(), [Some(425)]);
}

#[test]
fn what_a_wallet_has_outlives_restarts_and_lost_books() {
    let world = lived();
    assert_eq!(balances(&world.app), ["35", "4.25"]);
    check(&world.app);
    let mut app = world.app.restart();
    assert_eq!(balances(&app), ["35", "4.25"]);
    app.stop();
    let connection = app.sqlite();
    let saved = "SELECT count(*) FROM book_generation";
    assert!(number(&app, saved) > 0);
    // From each generation, and from the log alone.
    while number(&app, saved) > 0 {
        check_load(&Loaded::load(&connection).unwrap().books);
        let newest = "DELETE FROM book_generation
            WHERE number = (SELECT max(number) FROM book_generation)";
        connection.execute(newest, []).unwrap();
    }
    check_load(&Loaded::from_log(&connection).unwrap().books);
    drop(connection);
    // Without the saved books, the log says the same.
    crate::tampers::tamper(
        &app.database(),
        "DELETE FROM book_generation; DELETE FROM book_part",
    );
    let app = app.restart();
    assert_eq!(balances(&app), ["35", "4.25"]);
    let world = World { app, ..world };
    let credit = || world.adjust("CREDIT", "30", json!({}));
    assert_eq!(race([&credit, &credit]), [200, 422]);
    assert_eq!(balances(&world.app), ["5", "4.25"]);
    check(&world.app);
}

/// SQL that changes rows, and a text of the finding that it must cause.
const FOUND: &[(&str, &str)] = &[
    (
        "UPDATE asset SET issuance_policy = 'UNLIMITED' WHERE symbol IS NULL",
        "its issuance_policy does not match",
    ),
    (
        "UPDATE asset SET issuance_policy = 'UNLIMITED' WHERE symbol = 'MI'",
        "its issuance_policy does not match",
    ),
    (
        "UPDATE activity SET available = NULL WHERE kind = 52 AND available = 1",
        "not issued from the wallet",
    ),
    (
        "UPDATE activity SET flag = NULL WHERE kind = 53",
        "not issued from the wallet",
    ),
    (
        "UPDATE activity SET flag = 0 WHERE kind = 53",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET amount = amount + 1 WHERE kind = 18",
        "the wallet of the program has other points",
    ),
    (
        "UPDATE activity SET amount = amount - 1, available = available - 1 WHERE kind = 18",
        "was changed, added or removed",
    ),
    (
        "UPDATE activity SET available = available + 1 WHERE kind = 19",
        "the wallet of the program has other points",
    ),
    (
        "UPDATE activity SET amount = 0 WHERE kind = 19",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET kind = 19 WHERE kind = 18",
        "the wallet of the program has fewer points",
    ),
    (
        "UPDATE activity SET member_id = 1 WHERE kind = 18",
        "must not have a member_id",
    ),
    (
        "UPDATE activity SET asset = 99 WHERE kind = 18 AND asset IS NOT NULL",
        "not issued from the wallet",
    ),
    (
        "UPDATE activity SET program_id = (SELECT max(id) FROM program)
         WHERE kind = 18 AND asset IS NOT NULL",
        "which was not created before in program row",
    ),
    (
        "UPDATE activity SET program_id = NULL WHERE kind = 19",
        "must have a program",
    ),
    (
        "DELETE FROM activity WHERE kind = 19",
        "was changed, added or removed",
    ),
    (
        "DELETE FROM activity WHERE kind = 18",
        "the wallet of the program has fewer points",
    ),
    (
        "UPDATE log_text SET text = 'Another' WHERE seq = (SELECT min(seq) FROM activity WHERE kind = 5)",
        "was changed, added or removed",
    ),
];

#[test]
fn changes_behind_the_back_of_the_server_are_named() {
    let mut world = lived();
    // A later entry, so that each hash is stored.
    world.fund_default();
    world.app.stop();
    crate::tampers::assert_named(&world.app.database(), FOUND);
}

impl World {
    fn fund_default(&self) {
        let path = "/v1/programs/current/assets/default/fund";
        let body = with(json!({"amount": "1"}), json!({"description": "More"}));
        self.app.post(path, &body).expect(200);
    }
}

#[test]
fn an_export_is_imported_and_what_it_cannot_be_is_refused() {
    let mut world = lived();
    let before = balances(&world.app);
    let entries = world.app.get("/v1/journal-entries").expect(200);
    world.app.stop();
    let rows = export(&world.app);
    let (copy, _folder) = import(&rows).unwrap();
    assert_eq!(balances(&copy), before);
    let hashes = |list: &Value| -> Vec<Value> {
        let entries = list["data"].as_array().unwrap().iter();
        entries.map(|entry| entry["entry_hash"].clone()).collect()
    };
    let copied = copy.get("/v1/journal-entries").expect(200);
    assert_eq!(hashes(&copied), hashes(&entries));
    check(&copy);

    let changed = |table: &str, is_it: &dyn Fn(&Value) -> bool, field: &str, value: Value| {
        let mut rows = rows.clone();
        let row = rows
            .iter_mut()
            .find(|row| row["table"] == table && is_it(row))
            .unwrap();
        row[field] = value;
        import(&rows).map(drop)
    };
    let of_kind = |kind: i64| move |row: &Value| row["kind"] == kind;
    let miles = |row: &Value| row["symbol"] == "MI";
    for (refused, with) in [
        (
            changed("asset", &miles, "issuance_policy", json!("FREE")),
            "asset",
        ),
        (
            changed("asset", &miles, "issuance_policy", json!("UNLIMITED")),
            "its issuance_policy does not match",
        ),
        (
            changed("activity", &of_kind(18), "amount", json!(40)),
            "other points than the row says",
        ),
        (
            changed("activity", &of_kind(18), "available", json!(-1)),
            "lacks a required value",
        ),
        (
            changed("activity", &of_kind(53), "flag", Value::Null),
            "not issued from the wallet",
        ),
        (
            changed("activity", &of_kind(52), "available", json!(2)),
            "lacks a required value",
        ),
    ] {
        let error = refused.expect_err(with);
        let text = match error {
            ImportError::Contradiction(findings) => findings.join("; "),
            error => error.to_string(),
        };
        assert!(text.contains(with), "{with}: {text}");
    }
}
