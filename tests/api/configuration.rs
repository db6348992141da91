use serde_json::{Value, json};

use crate::client::{activities, live, post_once, rows};
use crate::support::TestApp;

#[test]
fn a_new_program_counts_points_and_puts_members_into_standard() {
    let app = TestApp::start();
    let expected = json!({"currencyName": "Points", "currencySymbol": "pts", "currencyUnitsPerUSD": 1,
            "ratePerPoint": 0, "defaultTier": "standard", "phoneWebhook": null,
            "conciergeWebhook": null});
    assert_eq!(app.get("/v1/configuration").expect(200), expected);
    assert_eq!(
        app.put("/v1/configuration", &json!({})).expect(200),
        expected
    );
    assert_eq!(activities(&app, 51), 0);
}

#[test]
fn what_is_set_shows_in_wallets_at_once_and_what_is_left_out_stays() {
    let app = TestApp::start();
    app.member("ada", 5);
    let body = json!({"currencyName": "Miles", "currencySymbol": "✈"});
    let set = app.put("/v1/configuration", &body).expect(200);
    assert_eq!(set["defaultTier"], "standard");
    assert_eq!(app.get("/v1/configuration").expect(200), set);
    let currency = json!({"name": "Miles", "symbol": "✈", "unitsPerUSD": 1});
    let wallet = app.get("/v1/wallet?externalUserID=ada").expect(200);
    assert_eq!(wallet["currency"], currency);
    let member = app.get("/v1/members/ada").expect(200);
    assert_eq!(member["wallet"]["currency"], currency);
    assert_eq!(activities(&app, 51), 1);
}

#[test]
fn a_default_tier_is_for_members_made_from_then_on() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.put("/v1/configuration", &json!({"defaultTier": "bronze"}))
        .expect(200);
    app.member("bob", 0);
    app.token("eve");
    let tier = |id: &str| app.get(&format!("/v1/members/{id}")).expect(200)["tier"].clone();
    assert_eq!(
        [tier("ada"), tier("bob"), tier("eve")],
        ["standard", "bronze", "bronze"]
    );
}

#[test]
fn bad_settings_are_refused_by_name() {
    let app = TestApp::start();
    let before = rows(&app);
    for (field, bad) in [
        ("currencyName", json!("")),
        ("currencyName", json!("x".repeat(65))),
        ("currencyName", json!(null)),
        ("currencySymbol", json!("")),
        ("currencySymbol", json!("x".repeat(17))),
        ("currencySymbol", json!(1)),
        ("defaultTier", json!("")),
        ("defaultTier", json!(null)),
        ("defaultTier", json!("a\u{0}b")),
        ("ratePerPoint", json!(-0.01)),
        ("ratePerPoint", json!(1000.01)),
        ("ratePerPoint", json!(0.000_000_1)),
        ("ratePerPoint", json!("0.01")),
        ("ratePerPoint", json!(null)),
        ("currencyUnitsPerUSD", json!(0)),
        ("currencyUnitsPerUSD", json!(1_000_000.5)),
        ("currencyUnitsPerUSD", json!(1.234_567_8)),
        ("currencyUnitsPerUSD", json!(true)),
    ] {
        let message = app
            .put("/v1/configuration", &json!({field: bad}))
            .expect_error(422, "VALIDATION");
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn each_environment_is_set_on_its_own() {
    let app = TestApp::start();
    app.put("/v1/configuration", &json!({"currencyName": "Miles"}))
        .expect(200);
    let other = live(&app, "GET", "/v1/configuration", &Value::Null).expect(200);
    assert_eq!(other["currencyName"], "Points");
}

#[test]
fn points_are_worth_money_exactly_and_whole_amounts_have_no_fraction() {
    let app = TestApp::start();
    app.member("ada", 3800);
    let wallet = || app.get("/v1/wallet?externalUserID=ada").expect(200);
    assert_eq!(money(&wallet()), ["0", "0", "0", "0", "0", "0"]);
    app.put(
        "/v1/configuration",
        &json!({"ratePerPoint": 0.01, "currencyUnitsPerUSD": 100.0}),
    )
    .expect(200);
    assert_eq!(money(&wallet()), ["38", "3800", "38", "3800", "0", "0"]);
    let debit = json!({"externalUserID": "ada", "amount": 7});
    let balance = app.post("/v1/wallet/debit", &debit).expect(200);
    assert_eq!(balance["currency"]["unitsPerUSD"], 100);
    let exact = ["37.93", "3793", "38", "3800", "0.07", "7"];
    assert_eq!(money(&wallet()), exact);
    let member = app.get("/v1/members/ada").expect(200);
    let eligibility = app.get("/v1/eligibility?externalUserID=ada").expect(200);
    for wallet in [&member["wallet"], &eligibility["wallet"]] {
        assert_eq!(money(wallet), exact);
    }
    app.put("/v1/configuration", &json!({"currencyUnitsPerUSD": 0.3}))
        .expect(200);
    assert_eq!(
        money(&wallet()),
        ["37.93", "11.379", "38", "11.4", "0.07", "0.021"]
    );
}

/// The money of a wallet, as written.
fn money(wallet: &Value) -> [String; 6] {
    [
        "balanceUSD",
        "balanceDisplay",
        "amountReceivedUSD",
        "amountReceivedDisplay",
        "amountSpentUSD",
        "amountSpentDisplay",
    ]
    .map(|name| wallet[name].to_string())
}

#[test]
fn a_replay_has_the_units_of_its_time() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.put("/v1/configuration", &json!({"currencyUnitsPerUSD": 2.5}))
        .expect(200);
    let credit = json!({"externalUserID": "ada", "amount": 5});
    let credit = || post_once(&app, "a", "/v1/wallet/credit", &credit).expect(200);
    let first = credit();
    app.put("/v1/configuration", &json!({"currencyUnitsPerUSD": 3}))
        .expect(200);
    assert_eq!(first["currency"]["unitsPerUSD"], 2.5);
    assert_eq!(credit(), first);
}
