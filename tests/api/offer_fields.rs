//! The content of offers beyond title, price and stock, and the times at which they are available.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{column, get_as, rows, stock, try_redeem};
use crate::figures_on_disk::verify;
use crate::support::{SANDBOX_KEY, TestApp};

/// The clock of a new server.
const NOW: &str = "2026-06-15T12:00:00Z";
/// One second later.
const SOON: &str = "2026-06-15T12:00:01Z";

fn location() -> Value {
    json!({
        "display": "Harbour Café, Athens", "venue": "Harbour Café", "address": "Akti 1",
        "city": "Athens", "state": "Attica", "countryCode": "GR",
    })
}

#[test]
fn the_new_fields_are_stored_and_cleared() {
    let app = TestApp::start();
    let inclusions = json!([
        {"group": "Food", "name": "Soup"}, {"group": "Food", "name": "Ψωμί"},
        {"group": "Drinks", "name": "A glass of wine"},
    ]);
    let given = json!({
        "disclaimer": "Not with other offers.\nOne a day.", "inclusions": inclusions,
        "location": location(), "maxGuests": 4, "valueUSD": 38.5, "paused": true,
        "availableFrom": "2026-06-20T00:00:00.000Z", "availableUntil": "2026-06-21T00:00:00.000Z",
        "redemptionLimit": {"perMember": 3, "per": "open"},
    });
    let id = app.offer(given.clone());
    let path = format!("/v1/offers/{id}");
    let offer = app.get(&path).expect(200);
    for (name, value) in given.as_object().unwrap() {
        assert_eq!(&offer[name], value, "{name}");
    }
    assert_eq!(offer["expiresAt"], offer["availableUntil"]);
    assert_eq!(offer["display"], Value::Null);
    let before = rows(&app);
    assert_eq!(app.patch(&path, &offer).expect(200), offer);
    assert_eq!(rows(&app), before, "nothing changed, nothing is written");

    let clear = json!({
        "disclaimer": null, "inclusions": [], "location": null, "maxGuests": null,
        "valueUSD": null, "paused": false, "availableFrom": null, "availableUntil": null,
        "redemptionLimit": {"perMember": null, "per": "ever"},
    });
    let cleared = app.patch(&path, &clear).expect(200);
    for (name, value) in clear.as_object().unwrap() {
        assert_eq!(&cleared[name], value, "{name}");
    }
    assert!(cleared["version"].as_i64() > offer["version"].as_i64());
    assert_eq!(app.get(&path).expect(200), cleared);
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_location_is_replaced_as_a_whole_and_needs_only_one_line() {
    let app = TestApp::start();
    let id = app.offer(json!({"location": location()}));
    let patch = json!({"location": {"display": " On board ", "city": null}});
    let patched = app.patch(&format!("/v1/offers/{id}"), &patch).expect(200);
    let expected = json!({
        "display": "On board", "venue": null, "address": null, "city": null, "state": null,
        "countryCode": null,
    });
    assert_eq!(patched["location"], expected);
}

#[test]
fn a_value_in_dollars_is_taken_from_its_digits_and_returned_without_a_needless_fraction() {
    let app = TestApp::start();
    let path = format!("/v1/offers/{}", app.offer(json!({})));
    let set = |literal: &str| {
        app.request("PATCH", &path)
            .bearer(SANDBOX_KEY)
            .raw(format!("{{\"valueUSD\": {literal}}}"))
            .send()
    };
    for (sent, shown) in [
        ("38", "38"),
        ("38.0", "38"),
        ("3.8e1", "38"),
        ("0.07", "0.07"),
        ("0.29", "0.29"),
        ("1.10", "1.1"),
        ("8.290000000000000000000", "8.29"),
        ("999999999.99", "999999999.99"),
        ("1000000000", "1000000000"),
        ("0", "0"),
    ] {
        let response = set(sent);
        assert_eq!(response.status, 200, "{sent}");
        let expected = format!("\"valueUSD\":{shown},");
        assert!(response.text().contains(&expected), "{}", response.text());
    }
    for wrong in [
        "0.001",
        "8.290000000000000000001",
        "-0.01",
        "1000000000.01",
        "1e400",
        "\"1\"",
        "true",
        "[]",
    ] {
        let message = set(wrong).expect_error(422, "VALIDATION");
        assert!(
            message.contains("valueUSD must be a number from 0 to 1000000000"),
            "{message}"
        );
    }
    assert_eq!(app.get(&path).expect(200)["valueUSD"], 0);
}

/// Fields, the part of each that is wrong, and the wrong value.
fn wrong_values() -> Vec<(&'static str, &'static str, Value)> {
    let soup = json!({"group": "Food", "name": "Soup"});
    let long = "x".repeat(201);
    vec![
        ("disclaimer", "disclaimer", json!(1)),
        ("disclaimer", "disclaimer", json!("x".repeat(10_001))),
        ("inclusions", "inclusions", json!(null)),
        ("inclusions", "inclusions", json!({})),
        ("inclusions", "inclusions", json!(vec![soup.clone(); 101])),
        ("inclusions", "inclusions[1]", json!([soup, "Bread"])),
        ("inclusions", "inclusions[0].group", json!([{"name": "a"}])),
        (
            "inclusions",
            "inclusions[1].name",
            json!([soup, {"group": "a", "name": null}]),
        ),
        (
            "inclusions",
            "inclusions[0].name",
            json!([{"group": "a", "name": " "}]),
        ),
        ("location", "location", json!("Athens")),
        ("location", "location.display", json!({})),
        ("location", "location.display", json!({"display": null})),
        (
            "location",
            "location.city",
            json!({"display": "a", "city": long}),
        ),
        (
            "location",
            "location.countryCode",
            json!({"display": "a", "countryCode": "gr"}),
        ),
        (
            "location",
            "location.countryCode",
            json!({"display": "a", "countryCode": "GRC"}),
        ),
        ("maxGuests", "maxGuests", json!(-1)),
        ("maxGuests", "maxGuests", json!(100_001)),
        ("maxGuests", "maxGuests", json!(1.5)),
        ("paused", "paused", json!(null)),
        ("paused", "paused", json!("true")),
        ("availableFrom", "availableFrom", json!("soon")),
        ("availableUntil", "availableUntil", json!(0)),
        ("redemptionLimit", "redemptionLimit", json!(null)),
        ("redemptionLimit", "redemptionLimit", json!(3)),
        (
            "redemptionLimit",
            "redemptionLimit.perMember",
            json!({"perMember": 0}),
        ),
        (
            "redemptionLimit",
            "redemptionLimit.perMember",
            json!({"perMember": 1001}),
        ),
        (
            "redemptionLimit",
            "redemptionLimit.per",
            json!({"per": "day"}),
        ),
        (
            "redemptionLimit",
            "redemptionLimit.per",
            json!({"per": null}),
        ),
    ]
}

#[test]
fn a_wrong_value_is_named_to_the_last_part_and_nothing_is_written() {
    let app = TestApp::start();
    let path = format!("/v1/offers/{}", app.offer(json!({})));
    let before = rows(&app);
    for (field, named, wrong) in wrong_values() {
        let mut body = json!({"title": "An offer"});
        body[field] = wrong;
        for response in [app.post("/v1/offers", &body), app.patch(&path, &body)] {
            let message = response.expect_error(422, "VALIDATION");
            assert!(
                message.starts_with(&format!("{named} ")),
                "{body}: {message}"
            );
        }
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn two_names_of_the_end_must_agree_and_the_start_comes_before_it() {
    let app = TestApp::start();
    let path = format!("/v1/offers/{}", app.offer(json!({"expiresAt": SOON})));
    let change = |body: Value| app.patch(&path, &body);
    for differing in [
        json!({"expiresAt": SOON, "availableUntil": NOW}),
        json!({"expiresAt": null, "availableUntil": SOON}),
        json!({"expiresAt": SOON, "availableUntil": null}),
    ] {
        let message = change(differing).expect_error(422, "VALIDATION");
        assert!(message.starts_with("availableUntil "), "{message}");
    }
    // The same time in another notation.
    let same = json!({"expiresAt": SOON, "availableUntil": "2026-06-15T15:00:01+03:00"});
    change(same).expect(200);
    for late in [SOON, "2026-06-15T12:00:02Z"] {
        let message = change(json!({"availableFrom": late})).expect_error(422, "VALIDATION");
        assert!(message.starts_with("availableFrom "), "{message}");
    }
    change(json!({"availableFrom": NOW})).expect(200);
    // The end that is stored counts, too.
    let message = change(json!({"expiresAt": NOW})).expect_error(422, "VALIDATION");
    assert!(message.starts_with("availableFrom "), "{message}");
    for name in ["expiresAt", "availableUntil"] {
        let mut cleared = json!({});
        cleared[name] = json!(null);
        let cleared = change(cleared).expect(200);
        assert_eq!(
            (&cleared["expiresAt"], &cleared["availableUntil"]),
            (&json!(null), &json!(null))
        );
        let mut set = json!({});
        set[name] = json!(SOON);
        let set = change(set).expect(200);
        assert_eq!(set["expiresAt"], set["availableUntil"]);
        assert_eq!(set["expiresAt"], "2026-06-15T12:00:01.000Z");
    }
}

/// What a member and a key see of an offer, and the response to redeeming it.
fn seen(app: &TestApp, token: &str, offer: &str) -> (bool, bool, bool, bool) {
    let path = format!("/v1/offers/{offer}");
    let lists = |path: &str, credential| {
        let page = get_as(app, credential, path).expect(200);
        column(&page["data"], "id").contains(&offer)
    };
    let is_listed = lists("/v1/offers", token);
    let is_shown = get_as(app, token, &path).status == 200;
    assert_eq!(is_listed, is_shown);
    assert_eq!(
        lists("/v1/offers?externalUserID=ada", SANDBOX_KEY),
        is_shown
    );
    let is_available = stock(app, offer)["isAvailable"].as_bool().unwrap();
    let filtered = |value: &str| lists(&format!("/v1/offers?available={value}"), SANDBOX_KEY);
    assert_eq!(
        (filtered("true"), filtered("false")),
        (is_available, !is_available)
    );
    assert!(lists("/v1/offers", SANDBOX_KEY), "a key sees it always");
    (is_listed, is_shown, is_available, filtered("true"))
}

#[test]
fn an_offer_is_available_from_its_start_to_just_before_its_end() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let window = json!({
        "availableFrom": SOON, "availableUntil": "2026-06-15T12:00:02Z",
        "redemptionLimit": {"perMember": null},
    });
    let offer = app.offer(window);
    let hidden = (false, false, false, false);
    let refused = |why: &str| {
        let before = rows(&app);
        let message = try_redeem(&app, "ada", &offer).expect_error(422, "OFFER_UNAVAILABLE");
        assert_eq!(message, why);
        assert_eq!(rows(&app), before);
    };
    app.clock.advance(Duration::from_millis(999));
    assert_eq!(seen(&app, &token, &offer), hidden);
    refused("the offer is not available yet");
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(seen(&app, &token, &offer), (true, true, true, true));
    try_redeem(&app, "ada", &offer).expect(201);
    app.clock.advance(Duration::from_millis(999));
    assert_eq!(seen(&app, &token, &offer), (true, true, true, true));
    try_redeem(&app, "ada", &offer).expect(201);
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(seen(&app, &token, &offer), hidden);
    refused("the offer has expired");
}

#[test]
fn the_start_goes_by_the_clock_of_the_program() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = app.offer(json!({"availableFrom": "2026-06-16T12:00:00Z"}));
    try_redeem(&app, "ada", &offer).expect_error(422, "OFFER_UNAVAILABLE");
    let day = json!({"advanceSeconds": 86_400});
    app.post("/v1/sandbox/clock", &day).expect(200);
    try_redeem(&app, "ada", &offer).expect(201);
}

#[test]
fn a_paused_offer_is_shown_to_keys_only_and_cannot_be_redeemed() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let offer = app.offer(json!({}));
    let path = format!("/v1/offers/{offer}");
    let shown = (true, true, true, true);
    assert_eq!(seen(&app, &token, &offer), shown);
    let paused = app.patch(&path, &json!({"paused": true})).expect(200);
    assert_eq!(paused["availability"]["isAvailable"], false);
    assert_eq!(seen(&app, &token, &offer), (false, false, false, false));
    let message = try_redeem(&app, "ada", &offer).expect_error(422, "OFFER_UNAVAILABLE");
    assert_eq!(message, "the offer is paused");
    app.patch(&path, &json!({"paused": false})).expect(200);
    assert_eq!(seen(&app, &token, &offer), shown);
    try_redeem(&app, "ada", &offer).expect(201);
}

#[test]
fn each_new_field_moves_the_settings_version() {
    let app = TestApp::start();
    let path = format!("/v1/offers/{}", app.offer(json!({})));
    let mut version = app.get(&path).expect(200)["version"].as_i64();
    for change in [
        json!({"disclaimer": "a"}),
        json!({"inclusions": [{"group": "a", "name": "b"}]}),
        json!({"location": {"display": "a"}}),
        json!({"maxGuests": 2}),
        json!({"valueUSD": 0.01}),
        json!({"availableFrom": NOW}),
        json!({"availableUntil": SOON}),
        json!({"paused": true}),
        json!({"redemptionLimit": {"perMember": 2}}),
        json!({"redemptionLimit": {"per": "open"}}),
    ] {
        let response = app.patch(&path, &change);
        let tag = response.header("etag").map(str::to_owned);
        let changed = response.expect(200)["version"].as_i64();
        assert!(changed > version, "{change}");
        assert_eq!(tag, changed.map(|number| format!("\"{number}\"")));
        version = changed;
        let again = app.patch(&path, &change).expect(200);
        assert_eq!(again["version"].as_i64(), version, "{change}");
    }
}
