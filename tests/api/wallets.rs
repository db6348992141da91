use serde_json::{Value, json};

use crate::client::{activities, column, credit, get_as, number, rows};
use crate::support::TestApp;

const MOST: i64 = 9_007_199_254_740_991;

fn move_points(app: &TestApp, route: &str, amount: i64) -> crate::support::Response {
    let body = json!({"externalUserID": "ada", "amount": amount});
    app.post(&format!("/v1/wallet/{route}"), &body)
}

#[test]
fn a_credit_adds_points_and_tells_the_balance() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 100, "reason": "welcome"});
    let first = app.post("/v1/wallet/credit", &body).expect(200);
    let currency = json!({"name": "Points", "symbol": "pts", "unitsPerUSD": 1});
    assert_eq!(first, json!({"balance": 100, "currency": currency}));
    let second = move_points(&app, "credit", 1).expect(200);
    assert_eq!(second["balance"], 101);
    assert_eq!(activities(&app, 4), 2);
}

#[test]
fn a_debit_takes_points_but_not_below_zero() {
    let app = TestApp::start();
    app.member("ada", 100);
    assert_eq!(move_points(&app, "debit", 60).expect(200)["balance"], 40);
    let before = rows(&app);
    move_points(&app, "debit", 41).expect_error(422, "INSUFFICIENT_POINTS");
    assert_eq!(rows(&app), before);
    assert_eq!(move_points(&app, "debit", 40).expect(200)["balance"], 0);
    let wallet = app.get("/v1/wallet?externalUserID=ada").expect(200);
    assert_eq!(
        (&wallet["amountReceived"], &wallet["amountSpent"]),
        (&json!(100), &json!(100))
    );
    let summary = app.summary();
    assert_eq!(
        (&summary["pointsDebited"], &summary["pointsSpent"]),
        (&json!(100), &json!(0))
    );
}

#[test]
fn an_amount_is_a_whole_number_from_1_to_the_largest_that_a_double_holds() {
    let app = TestApp::start();
    app.member("ada", 0);
    let before = rows(&app);
    let bad = [
        "0",
        "-1",
        "1.5",
        "9007199254740992",
        "1e300",
        "\"5\"",
        "null",
        "true",
        "[]",
        "{}",
        "99999999999999999999999",
        "-0.0",
        "0.9999",
    ];
    for route in ["credit", "debit"] {
        for amount in bad {
            let body = format!(r#"{{"externalUserID":"ada","amount":{amount}}}"#);
            let message = app
                .request("POST", &format!("/v1/wallet/{route}"))
                .bearer(crate::support::SANDBOX_KEY)
                .raw(body)
                .send()
                .expect_error(422, "VALIDATION");
            assert!(message.contains("amount"), "{message}");
        }
    }
    assert_eq!(rows(&app), before);
    assert_eq!(
        move_points(&app, "credit", MOST).expect(200)["balance"],
        MOST
    );
}

#[test]
fn a_total_that_would_pass_the_most_is_refused_and_nothing_moves() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    move_points(&app, "credit", MOST - 1).expect(200);
    let before = rows(&app);
    let message = move_points(&app, "credit", 2).expect_error(422, "VALIDATION");
    assert!(message.contains("amount"), "{message}");
    // The program's own total counts as well.
    let body = json!({"externalUserID": "bob", "amount": 2});
    app.post("/v1/wallet/credit", &body)
        .expect_error(422, "VALIDATION");
    assert_eq!(rows(&app), before);
    credit(&app, "bob", 1);
    assert_eq!(app.summary()["pointsMinted"], MOST);
}

#[test]
fn a_reason_has_up_to_500_characters_and_may_be_left_out() {
    let app = TestApp::start();
    app.member("ada", 0);
    let post = |reason: Value| {
        let body = json!({"externalUserID": "ada", "amount": 1, "reason": reason});
        app.post("/v1/wallet/credit", &body)
    };
    post(json!("é".repeat(500))).expect(200);
    post(json!(null)).expect(200);
    for bad in [json!("é".repeat(501)), json!(7), json!("a\nb")] {
        let message = post(bad).expect_error(422, "VALIDATION");
        assert!(message.contains("reason"), "{message}");
    }
    assert_eq!(app.balance("ada"), 2);
}

#[test]
fn the_wallet_is_the_tokens_own_or_the_one_a_key_names() {
    let app = TestApp::start();
    app.member("ada", 7);
    app.member("bob", 9);
    let token = app.token("ada");
    for path in ["/v1/wallet", "/v1/eligibility", "/v1/wallet/transactions"] {
        let own = get_as(&app, &token, path).expect(200);
        let named = get_as(&app, &token, &format!("{path}?externalUserID=ada")).expect(200);
        let by_key = app.get(&format!("{path}?externalUserID=ada")).expect(200);
        assert_eq!((&own, &own), (&named, &by_key), "{path}");
        get_as(&app, &token, &format!("{path}?externalUserID=bob")).expect_error(403, "FORBIDDEN");
        let message = app.get(path).expect_error(422, "VALIDATION");
        assert!(message.contains("externalUserID"), "{message}");
    }
}

#[test]
fn eligibility_is_the_tier_and_the_wallet() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    credit(&app, "ada", 7);
    let token = app.token("ada");
    let eligibility = get_as(&app, &token, "/v1/eligibility").expect(200);
    let wallet = get_as(&app, &token, "/v1/wallet").expect(200);
    assert_eq!(eligibility, json!({"tier": "gold", "wallet": wallet}));
    app.put("/v1/members/ada", &json!({"tier": "vip"}))
        .expect(200);
    let eligibility = get_as(&app, &token, "/v1/eligibility").expect(200);
    assert_eq!(eligibility["tier"], "vip");
}

#[test]
fn the_ledger_shows_every_movement_newest_first() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 100, "reason": "welcome"});
    app.post("/v1/wallet/credit", &body).expect(200);
    move_points(&app, "debit", 10).expect(200);
    let redemption = app.redeem("ada", &app.offer(json!({"pointsPrice": 30})));
    crate::client::cancel(&app, &redemption).expect(200);
    app.delete("/v1/members/ada").expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);

    let page = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200);

    let rows: Vec<_> = page["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let of = |name: &str| row[name].clone();
            json!([of("type"), of("amount"), of("reason"), of("redemptionID")])
        })
        .collect();
    let expected = [
        json!(["DEBIT", 90, "member removed", null]),
        json!(["CREDIT", 30, "refund", redemption]),
        json!(["DEBIT", 30, "redemption", redemption]),
        json!(["DEBIT", 10, null, null]),
        json!(["CREDIT", 100, "welcome", null]),
    ];
    assert_eq!(rows, expected);
    let ids = column(&page["transactions"], "id");
    assert!(ids.iter().all(|id| id.starts_with("txn_")), "{ids:?}");
    let wallet = app.get("/v1/wallet?externalUserID=ada").expect(200);
    assert_eq!(wallet["balance"], 0);
    assert_eq!(
        (&wallet["amountReceived"], &wallet["amountSpent"]),
        (&json!(130), &json!(130))
    );
}

#[test]
fn the_database_itself_refuses_to_change_the_ledger() {
    let app = TestApp::start();
    app.member("ada", 5);
    let connection = app.sqlite();
    for sql in ["UPDATE activity SET amount = 1", "DELETE FROM activity"] {
        let error = connection.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_eq!(
        number(&app, "SELECT sum(amount) FROM activity WHERE entry = 1"),
        5
    );
}
