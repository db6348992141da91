//! The display price of an offer, and its worth in dollars.

use serde_json::{Value, json};

use crate::client::{number, rows};
use crate::figures_on_disk::verify;
use crate::support::{Response, TestApp};

fn worth(app: &TestApp, rate: f64, units: f64) -> Response {
    let body = json!({"ratePerPoint": rate, "currencyUnitsPerUSD": units});
    app.put("/v1/configuration", &body)
}

fn price(app: &TestApp, offer: &str, amount: &Value) -> Response {
    app.put(
        &format!("/v1/offers/{offer}/price"),
        &json!({"amount": amount}),
    )
}

/// The worth in dollars, the displayed amount and its source.
fn shown(app: &TestApp, offer: &str) -> [Value; 3] {
    let offer = app.get(&format!("/v1/offers/{offer}")).expect(200);
    let display = &offer["display"];
    [
        offer["valueUSD"].clone(),
        display["amount"].clone(),
        display["source"].clone(),
    ]
}

#[test]
fn a_price_follows_from_points_until_one_is_set() {
    let app = TestApp::start();
    let tea = app.offer(json!({"title": "Tea", "pointsPrice": 250}));
    let free = app.offer(json!({"title": "A smile"}));
    let valued = app.offer(json!({"title": "A tour", "pointsPrice": 250, "valueUSD": 12.5}));
    let nothing = [Value::Null, Value::Null, Value::Null];
    assert_eq!(shown(&app, &tea), nothing, "points are worth nothing yet");
    worth(&app, 0.01, 0.5).expect(200);
    assert_eq!(
        shown(&app, &tea),
        [json!(2.5), json!(1.25), json!("DERIVED")]
    );
    assert_eq!(shown(&app, &free), nothing);
    assert_eq!(
        shown(&app, &valued),
        [json!(12.5), json!(1.25), json!("DERIVED")]
    );
    let set = price(&app, &tea, &json!(3.0)).expect(200);
    let display = json!({
        "amount": 3,
        "currency": {"name": "Points", "symbol": "pts", "unitsPerUSD": 0.5},
        "source": "AUTHORED",
    });
    assert_eq!(set["display"], display);
    assert_eq!(
        (&set["pointsPrice"], &set["valueUSD"]),
        (&json!(250), &json!(2.5))
    );
    assert_eq!(
        price(&app, &tea, &json!(3)).expect(200),
        set,
        "nothing changed"
    );
    price(&app, &free, &json!(1.234_567)).expect(200);
    assert_eq!(
        shown(&app, &free)[1..],
        [json!(1.234_567), json!("AUTHORED")]
    );
    // A redemption costs points, and a PATCH keeps the price.
    app.member("ada", 250);
    app.redeem("ada", &tea);
    assert_eq!(app.balance("ada"), 0);
    let path = format!("/v1/offers/{tea}");
    app.patch(&path, &json!({"pointsPrice": 300})).expect(200);
    assert_eq!(shown(&app, &tea), [json!(3), json!(3), json!("AUTHORED")]);
    let cleared = app.delete(&format!("{path}/price")).expect(200);
    assert_eq!(cleared["display"]["source"], "DERIVED");
    let before = rows(&app);
    assert_eq!(app.delete(&format!("{path}/price")).expect(200), cleared);
    assert_eq!(rows(&app), before);
    assert_eq!(verify(&app), [""; 0]);
    let app = app.restart();
    assert_eq!(shown(&app, &tea), [json!(3), json!(1.5), json!("DERIVED")]);
}

#[test]
fn a_change_of_what_points_are_worth_is_confirmed_if_offers_have_prices() {
    let app = TestApp::start();
    worth(&app, 0.01, 1.0).expect(200);
    let tea = app.offer(json!({"title": "Tea", "pointsPrice": 250}));
    worth(&app, 0.02, 1.0).expect(200);
    price(&app, &tea, &json!(4)).expect(200);
    let before = rows(&app);
    worth(&app, 0.02, 2.0).expect_error(409, "REPRICE_NOT_CONFIRMED");
    worth(&app, 0.03, 1.0).expect_error(409, "REPRICE_NOT_CONFIRMED");
    let message = app
        .put("/v1/configuration", &json!({"confirmReprice": 1}))
        .expect_error(422, "VALIDATION");
    assert!(message.contains("confirmReprice"), "{message}");
    assert_eq!(rows(&app), before);
    // The same values are no change.
    worth(&app, 0.02, 1.0).expect(200);
    app.put("/v1/configuration", &json!({"currencyName": "Miles"}))
        .expect(200);
    let confirmed = json!({"ratePerPoint": 0.03, "confirmReprice": true});
    app.put("/v1/configuration", &confirmed).expect(200);
    assert_eq!(shown(&app, &tea), [json!(7.5), json!(4), json!("AUTHORED")]);
    app.delete(&format!("/v1/offers/{tea}")).expect(200);
    worth(&app, 0.01, 3.0).expect(200);
    assert_eq!(number(&app, "SELECT display_price FROM offer"), 4_000_000);
}

#[test]
fn a_bad_price_is_refused_by_name() {
    let app = TestApp::start();
    let tea = app.offer(json!({"title": "Tea"}));
    let before = rows(&app);
    for amount in [
        json!(-1),
        json!(1_000_000_001),
        json!(0.000_000_1),
        json!("4"),
        json!(null),
        json!([1]),
    ] {
        let message = price(&app, &tea, &amount).expect_error(422, "VALIDATION");
        assert!(message.contains("amount"), "{message}");
    }
    let unknown = "off_01890a5d-ac96-774b-bcce-b302099a8057";
    for id in [unknown, "tea"] {
        price(&app, id, &json!(1)).expect_error(404, "NOT_FOUND");
        app.delete(&format!("/v1/offers/{id}/price"))
            .expect_error(404, "NOT_FOUND");
    }
    assert_eq!(rows(&app), before);
}
