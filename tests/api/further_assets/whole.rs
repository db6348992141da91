//! Further assets in reports, removals, resets, exports and checks of the whole file.

use std::time::Duration;

use serde_json::{Value, json};
use stampcard::service::transfer::ImportError;

use super::{Person, asset_of, check, create};
use crate::assets::moved::{export, import};
use crate::balances::Flat as _;
use crate::client::{number, race, rows};
use crate::support::TestApp;

#[test]
fn the_journal_has_the_entries_of_all_assets() {
    let person = Person::begin("SIMPLE", 2);
    let app = &person.app;
    person.credit("1.25");
    app.member("ada", 7);
    person.credit("2");
    let id = person.path.strip_prefix("/v1/participants/").unwrap();
    let amounts = |query: &str| -> Vec<String> {
        let list = person.list(&format!("/v1/journal-entries?{query}"));
        let own = |entry: &Value| {
            let posting = &entry["postings"][0];
            let [amount, symbol] = ["amount", "asset_symbol"].map(|name| posting[name].as_str());
            format!("{} {}", amount.unwrap(), symbol.unwrap())
        };
        list.iter().map(own).collect()
    };
    let all = ["2.00 MI", "7 pts", "1.25 MI"];
    assert_eq!(amounts(""), all);
    assert_eq!(amounts(&format!("participant_id={id}")), all);
    assert_eq!(
        amounts("external_id=ada&min_amount=2"),
        ["2.00 MI", "7 pts"]
    );
    assert_eq!(
        amounts(&format!("asset_id={}", person.asset)),
        ["2.00 MI", "1.25 MI"]
    );
    let one = format!("external_id=ada&asset_id={}", person.asset);
    assert_eq!(amounts(&one), ["2.00 MI", "1.25 MI"]);
    // Page by page.
    let mut found = Vec::new();
    let mut path = "/v1/journal-entries?external_id=ada&limit=1".to_owned();
    loop {
        let page = app.get(&path).expect(200);
        found.push(page["data"][0]["id"].clone());
        let Some(cursor) = page["pagination"]["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/journal-entries?external_id=ada&limit=1&cursor={cursor}");
    }
    let ids = person.list("/v1/journal-entries?external_id=ada");
    let ids: Vec<_> = ids.iter().map(|entry| entry["id"].clone()).collect();
    assert_eq!(found, ids);
    let entry = format!("/v1/journal-entries/{}", ids[0].as_str().unwrap());
    assert_eq!(app.get(&entry).expect(200)["postings"][0]["amount"], "2.00");
    app.get("/v1/journal-entries?asset_id=0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4")
        .expect_refusal(404, "not_found");
}

#[test]
fn the_ledger_summary_has_a_row_for_each_asset() {
    let person = Person::begin("SIMPLE", 2);
    let app = &person.app;
    person.credit("10");
    person.adjust("DEBIT", "1", json!({})).expect(200);
    person.redeem("2.5").expect(201);
    app.clock.advance(Duration::from_hours(24));
    person.credit("4");
    let taken = json!({"amount": "0.5", "bucket": "AVAILABLE"});
    person.send("forfeit", taken).expect(200);
    let rows = person.list("/v1/reports/ledger-summary");
    assert_eq!(rows.len(), 2);
    let row = &rows[1];
    for (field, value) in [
        ("asset_id", person.asset.as_str()),
        ("asset_symbol", "MI"),
        ("current_balance", "10.00"),
        ("total_issued", "13.00"),
        ("total_redeemed", "2.50"),
        ("total_expired", "0.00"),
        ("total_forfeited", "0.50"),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    assert_eq!(row["participant_count"], 1);
    let period = "from=2026-06-16T00:00:00Z&to=2026-06-17T00:00:00Z";
    let rows = person.list(&format!("/v1/reports/ledger-summary?{period}"));
    let row = &rows[1];
    for (field, value) in [
        ("opening_balance", "6.50"),
        ("period_issued", "4.00"),
        ("period_forfeited", "0.50"),
        ("closing_balance", "10.00"),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    let page = app.get("/v1/reports/ledger-summary?limit=1").expect(200);
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let next = person.list(&format!(
        "/v1/reports/ledger-summary?limit=1&cursor={cursor}"
    ));
    assert_eq!(next[0]["asset_symbol"], "MI");
}

#[test]
fn nothing_of_an_archived_asset_is_credited_and_the_rest_still_works() {
    let person = Person::begin("LOT", 0);
    person.credit("10");
    let path = format!("/v1/assets/{}", person.asset);
    person
        .app
        .patch(&path, &json!({"status": "ARCHIVED"}))
        .expect(200);
    let refused = person.adjust("CREDIT", "1", json!({}));
    refused.expect_refusal(409, "asset_archived");
    let spent = person.redeem("4").expect(201);
    let reverse = format!(
        "{}/redemptions/{}/reverse",
        person.path,
        spent["id"].as_str().unwrap()
    );
    person
        .app
        .post(&reverse, &json!({"reason": "cold"}))
        .expect(201);
    person.adjust("DEBIT", "3", json!({})).expect(200);
    assert_eq!(person.points(), ["7", "0", "0"]);
    person
        .app
        .patch(&path, &json!({"status": "ACTIVE"}))
        .expect(200);
    person.credit("1");
    check(&person.app);
}

#[test]
fn a_removal_forfeits_and_an_erasure_clears_every_asset() {
    let person = Person::begin("LOT", 2);
    person.credit("10");
    person.send("hold", json!({"amount": "4"})).expect(200);
    let words = "SELECT count(*) FROM log_text WHERE text = 'A test'";
    assert_eq!(number(&person.app, words), 2);
    person.app.delete("/v1/members/ada?erase=true").expect(200);
    assert_eq!(number(&person.app, words), 0);
    assert_eq!(person.points(), ["0.00", "0.00", "0.00"]);
    check(&person.app);
}

#[test]
fn a_reset_of_the_sandbox_creates_the_assets_again() {
    let person = Person::begin("LOT", 2);
    let app = &person.app;
    let gone = create(app, &asset_of("SIMPLE", "GONE", 0));
    app.patch(
        &format!("/v1/assets/{gone}"),
        &json!({"status": "ARCHIVED"}),
    )
    .expect(200);
    person.credit("10");
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    let list = person.list("/v1/assets");
    assert_eq!(list.len(), 2);
    let (asset, before) = (&list[1], &person.asset);
    assert_eq!(
        (&asset["symbol"], &asset["scale"]),
        (&json!("MI"), &json!(2))
    );
    assert_ne!(asset["id"], *before);
    check(app);
}

#[test]
fn credits_at_once_add_up_and_a_key_repeats_none() {
    let person = Person::begin("SIMPLE", 2);
    let one = || person.adjust("CREDIT", "0.01", json!({}));
    assert_eq!(race([&one, &one]), [200, 200]);
    assert_eq!(person.points()[0], "0.02");
    let repeated = || person.adjust("CREDIT", "1", json!({"idempotency_key": "one"}));
    assert_eq!(repeated().expect(200), repeated().expect(200));
    assert_eq!(person.points()[0], "1.02");
    let take = || person.adjust("DEBIT", "1", json!({}));
    assert_eq!(race([&take, &take]), [200, 422]);
    assert_eq!(person.points()[0], "0.02");
    let before = rows(&person.app);
    person.adjust("DEBIT", "1", json!({})).expect(422);
    assert_eq!(rows(&person.app), before);
    check(&person.app);
}

/// The sum of all holds is larger than any number that the database can add up.
#[test]
fn many_large_holds_do_not_hinder_the_ledger_summary() {
    const MOST: &str = "9007199254740991";
    let person = Person::begin("SIMPLE", 0);
    person.credit(MOST);
    for _ in 0..1_030 {
        for operation in ["hold", "release"] {
            let all = json!({"amount": MOST});
            person.send(operation, all).expect(200);
        }
    }
    for period in ["", "?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"] {
        let path = format!("/v1/reports/ledger-summary{period}");
        let list = person.app.get(&path).expect(200);
        let mut rows = list["data"].as_array().unwrap().iter();
        let row = rows.find(|row| row["asset_id"] == person.asset).unwrap();
        assert_eq!(row["current_balance"], MOST, "{row}");
        assert_eq!(row["total_issued"], MOST, "{row}");
    }
}

/// A history with two further assets, one of them archived.
fn lived() -> Person {
    let person = Person::begin("LOT", 2);
    person.credit("10");
    person.send("hold", json!({"amount": "4"})).expect(200);
    let spent = person.redeem("2").expect(201);
    let path = format!(
        "{}/redemptions/{}/reverse",
        person.path,
        spent["id"].as_str().unwrap()
    );
    let part = json!({"amount": "0.5", "reason": "cold"});
    person.app.post(&path, &part).expect(201);
    person.app.member("ada", 7);
    let gone = create(&person.app, &asset_of("SIMPLE", "GONE", 0));
    let path = format!("/v1/assets/{gone}");
    person
        .app
        .patch(&path, &json!({"status": "ARCHIVED"}))
        .expect(200);
    let limit = json!({"max_transaction_amount": "500"});
    let path = format!("/v1/assets/{}", person.asset);
    person.app.patch(&path, &limit).expect(200);
    person
}

/// SQL that changes rows, and a text of the finding that it must cause.
const FOUND: &[(&str, &str)] = &[
    (
        "UPDATE asset SET symbol = 'OTHER' WHERE symbol = 'MI'",
        "its symbol does not match",
    ),
    (
        "UPDATE asset SET scale = 3 WHERE symbol = 'MI'",
        "its scale does not match",
    ),
    (
        "UPDATE asset SET created_at = created_at + 1",
        "its created_at does not match",
    ),
    (
        "UPDATE asset SET archived_at = NULL",
        "its archived_at does not match",
    ),
    (
        "UPDATE asset SET archived_at = 5 WHERE symbol = 'MI'",
        "its archived_at does not match",
    ),
    (
        "UPDATE asset SET max_amount = 7 WHERE symbol = 'MI'",
        "its max_amount does not match",
    ),
    (
        "UPDATE asset SET inventory_mode = 'SIMPLE' WHERE symbol = 'MI'",
        "its inventory_mode does not match",
    ),
    (
        "DELETE FROM asset WHERE symbol = 'GONE'",
        "in the log, but not in the table asset",
    ),
    (
        "INSERT INTO asset (program_id, name, symbol, created_at, inventory_mode, burn_order,
                updated_at, version) VALUES (1, 'New', 'NEW', 1, 'SIMPLE', 'fifo', 1, 1)",
        "the log does not contain it",
    ),
    (
        "UPDATE activity SET asset = 99 WHERE entry = 1 AND asset IS NOT NULL",
        "asset row 99",
    ),
    (
        "UPDATE activity SET asset = NULL WHERE entry = 1 AND asset IS NOT NULL",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET amount = amount + 1 WHERE entry = 1 AND asset IS NOT NULL",
        "was changed, added or removed",
    ),
    (
        "UPDATE activity SET flag = 1 WHERE entry = 1 AND asset IS NOT NULL",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET kind = 4 WHERE entry = 1 AND asset IS NOT NULL",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET asset = (SELECT id FROM asset WHERE symbol = 'MI') WHERE kind = 4",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET redemption_id = 1 WHERE entry = 2 AND asset IS NOT NULL",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET cause_seq = (SELECT seq FROM activity WHERE entry = 1
            AND asset IS NULL) WHERE entry = 12",
        "which is no spend of an amount by its account",
    ),
    (
        "UPDATE activity SET available = 9 WHERE kind = 53",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET flag = NULL WHERE kind = 52 AND asset IS NOT NULL",
        "lacks a required value",
    ),
    (
        "UPDATE activity SET name = 'OTHER' WHERE kind = 53",
        "its symbol does not match",
    ),
];

#[test]
fn changes_behind_the_back_of_the_server_are_named() {
    let mut person = lived();
    person.app.stop();
    crate::tampers::assert_named(&person.app.database(), FOUND);
}

#[test]
fn an_export_with_further_assets_is_imported_and_contradictions_are_refused() {
    let mut person = lived();
    let (points, list) = (person.points(), person.list("/v1/assets"));
    person.app.stop();
    let rows = export(&person.app);
    let (copy, _folder) = import(&rows).unwrap();
    let copied = Person {
        app: copy,
        path: person.path.clone(),
        asset: person.asset.clone(),
    };
    assert_eq!((copied.points(), copied.list("/v1/assets")), (points, list));
    copied.credit("1");
    check(&copied.app);

    let changed = |table: &str, is_it: &dyn Fn(&Value) -> bool, field: &str, value: Value| {
        let mut rows = rows.clone();
        let row = rows
            .iter_mut()
            .find(|row| row["table"] == table && is_it(row))
            .unwrap();
        row[field] = value;
        import(&rows).map(drop)
    };
    let miles = |row: &Value| row["symbol"] == "MI";
    let entry = |row: &Value| row["entry"] == 1 && !row["asset"].is_null();
    for (refused, with) in [
        (
            changed("asset", &miles, "symbol", json!("mi-les")),
            "symbol",
        ),
        (changed("asset", &miles, "symbol", json!("GONE")), "asset"),
        (changed("asset", &miles, "scale", json!(7)), "asset"),
        (
            changed("asset", &miles, "scale", json!(1)),
            "its scale does not match",
        ),
        (changed("asset", &miles, "name", Value::Null), "asset"),
        (changed("asset", &miles, "id", json!(77)), "77"),
        (changed("activity", &entry, "asset", json!(0)), "asset"),
        (changed("activity", &entry, "asset", json!("MI")), "asset"),
        (changed("activity", &entry, "asset", json!(77)), "77"),
        (
            changed("activity", &entry, "amount", json!(1_001)),
            "ledger entry",
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

#[test]
fn a_program_has_so_many_further_assets() {
    let app = TestApp::start();
    for number in 0..100 {
        create(&app, &asset_of("SIMPLE", &format!("A{number}"), 0));
    }
    let more = app.post("/v1/assets", &asset_of("SIMPLE", "MORE", 0));
    let message = more.expect_refusal(422, "limit_reached");
    assert!(message.contains("at most 100"), "{message}");
}
