use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{activities, call, cancel, column, get_as, rows, stock, try_redeem};
use crate::figures_on_disk::verify;
use crate::support::TestApp;

/// The remaining quantity of an offer without a limit.
const UNLIMITED: i64 = 2_147_483_647;

#[test]
fn an_offer_needs_only_a_title() {
    let app = TestApp::start();
    let offer = app
        .post("/v1/offers", &json!({"title": "A walk"}))
        .expect(201);
    let expected = json!({
        "id": offer["id"], "title": "A walk", "description": "", "shortDescription": "",
        "disclaimer": null, "kind": "experience", "type": "standard", "pointsPrice": null,
        "valueUSD": null, "display": null, "availableFrom": null, "availableUntil": null,
        "expiresAt": null, "paused": false, "redemptionLimit": {"perMember": 1, "per": "ever"},
        "images": [], "inclusions": [], "location": null, "maxGuests": null,
        "availability": {
            "isAvailable": true, "quantityRemaining": UNLIMITED, "isUnlimited": true,
        },
        "startAt": null, "endAt": null, "tiers": [], "version": offer["version"],
    });
    assert_eq!(offer, expected);
    let path = format!("/v1/offers/{}", offer["id"].as_str().unwrap());
    assert_eq!(app.get(&path).expect(200), offer);
    assert_eq!(activities(&app, 40), 1);
}

/// Every field that can be sent.
fn full() -> Value {
    json!({
        "title": "Dinner", "description": "Long\ntext", "shortDescription": "Short",
        "disclaimer": "Without drinks.", "kind": "drop", "type": "vip", "pointsPrice": 120,
        "valueUSD": 64.25, "display": null, "availableFrom": "2026-06-01T00:00:00.000Z",
        "availableUntil": "2026-12-01T00:00:00.000Z", "expiresAt": "2026-12-01T00:00:00.000Z",
        "paused": false, "redemptionLimit": {"perMember": 2, "per": "open"}, "maxGuests": 6,
        "inclusions": [{"group": "Food", "name": "Soup"}],
        "location": {
            "display": "Harbour Café, Athens", "venue": "Harbour Café", "address": "Akti 1",
            "city": "Athens", "state": null, "countryCode": "GR",
        },
        "images": ["https://example.com/1.png", "https://example.com/2.png"],
        "availability": {"isAvailable": true, "quantityRemaining": 4, "isUnlimited": false},
        "startAt": "2026-12-24T18:00:00.000Z", "endAt": "2026-12-24T22:00:00.000Z",
        "tiers": ["gold", "vip"],
    })
}

#[test]
fn every_field_of_the_response_can_be_sent_back() {
    let app = TestApp::start();
    let created = app.post("/v1/offers", &full()).expect(201);
    let mut expected = full();
    for given in ["id", "version"] {
        expected[given] = created[given].clone();
    }
    assert_eq!(created, expected);
    let path = format!("/v1/offers/{}", created["id"].as_str().unwrap());
    let before = rows(&app);
    assert_eq!(app.patch(&path, &created).expect(200), created);
    assert_eq!(rows(&app), before, "nothing changed, nothing is written");
}

#[test]
fn a_patch_changes_what_it_names_and_null_clears_what_can_be_empty() {
    let app = TestApp::start();
    let created = app.post("/v1/offers", &full()).expect(201);
    let path = format!("/v1/offers/{}", created["id"].as_str().unwrap());

    let renamed = app.patch(&path, &json!({"title": "Supper"})).expect(200);
    let mut expected = created;
    expected["title"] = json!("Supper");
    expected["version"] = renamed["version"].clone();
    assert_eq!(renamed, expected);

    let clear = json!({
        "pointsPrice": null, "expiresAt": null, "startAt": null, "endAt": null,
        "availability": {"quantityRemaining": null}, "images": [], "tiers": [],
        "disclaimer": null, "valueUSD": null, "availableFrom": null, "availableUntil": null,
        "inclusions": [], "location": null, "maxGuests": null,
    });
    let cleared = app.patch(&path, &clear).expect(200);
    for (name, value) in clear.as_object().unwrap() {
        if name != "availability" {
            assert_eq!(&cleared[name], value, "{name}");
        }
    }
    assert_eq!(
        cleared["availability"],
        json!({"isAvailable": true, "quantityRemaining": UNLIMITED, "isUnlimited": true})
    );
    assert_eq!(activities(&app, 41), 2);
}

#[test]
fn null_and_the_largest_number_of_pieces_both_are_unlimited() {
    let app = TestApp::start();
    app.member("ada", 0);
    for pieces in [json!(null), json!(UNLIMITED)] {
        let offer = app.offer(json!({"availability": {"quantityRemaining": pieces}}));
        let unlimited =
            json!({"isAvailable": true, "quantityRemaining": UNLIMITED, "isUnlimited": true});
        assert_eq!(stock(&app, &offer), unlimited);
        let redemption = app.redeem("ada", &offer);
        assert_eq!(stock(&app, &offer), unlimited, "sold");
        cancel(&app, &redemption).expect(200);
        assert_eq!(stock(&app, &offer), unlimited, "returned");
        let path = format!("/v1/offers/{offer}");
        let limit = json!({"availability": {"quantityRemaining": UNLIMITED - 1}});
        app.patch(&path, &limit).expect(200);
        let limited =
            json!({"isAvailable": true, "quantityRemaining": UNLIMITED - 1, "isUnlimited": false});
        assert_eq!(stock(&app, &offer), limited);
        let lift = json!({"availability": {"quantityRemaining": pieces}});
        app.patch(&path, &lift).expect(200);
        assert_eq!(stock(&app, &offer), unlimited, "lifted");
    }
}

#[test]
fn returned_pieces_never_make_a_stock_unlimited() {
    let app = TestApp::start();
    app.member("ada", 0);
    let most = json!({"availability": {"quantityRemaining": UNLIMITED - 1}});
    let offer = app.offer(most.clone());
    let redemption = app.redeem("ada", &offer);
    assert_eq!(stock(&app, &offer)["quantityRemaining"], UNLIMITED - 2);
    app.patch(&format!("/v1/offers/{offer}"), &most).expect(200);
    cancel(&app, &redemption).expect(200);
    let limited =
        json!({"isAvailable": true, "quantityRemaining": UNLIMITED - 1, "isUnlimited": false});
    assert_eq!(stock(&app, &offer), limited);
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_price_and_a_stock_that_an_earlier_release_accepted_stay_readable() {
    const DEAREST: i64 = 9_007_199_254_740_991;
    let app = TestApp::start();
    app.member("ada", 5);
    let dear = app.offer(json!({"pointsPrice": 1}));
    let much = app.offer(json!({}));
    let sqlite = app.sqlite();
    let sql = "UPDATE offer SET points_price = ?1 WHERE points_price = 1";
    assert_eq!(sqlite.execute(sql, [DEAREST]).unwrap(), 1);
    let sql = "UPDATE offer SET quantity_remaining = ?1 WHERE points_price IS NULL";
    assert_eq!(sqlite.execute(sql, [UNLIMITED + 1]).unwrap(), 1);

    let path = format!("/v1/offers/{dear}");
    assert_eq!(app.get(&path).expect(200)["pointsPrice"], DEAREST);
    let renamed = app.patch(&path, &json!({"title": "Dear"})).expect(200);
    assert_eq!(renamed["pointsPrice"], DEAREST);
    let again = app.patch(&path, &json!({"pointsPrice": DEAREST}));
    let message = again.expect_error(422, "VALIDATION");
    assert!(message.contains("2147483647"), "{message}");
    try_redeem(&app, "ada", &dear).expect_error(422, "INSUFFICIENT_POINTS");

    let unlimited =
        json!({"isAvailable": true, "quantityRemaining": UNLIMITED, "isUnlimited": true});
    assert_eq!(stock(&app, &much), unlimited);
    cancel(&app, &app.redeem("ada", &much)).expect(200);
    assert_eq!(stock(&app, &much), unlimited);
}

#[test]
fn whether_an_offer_is_available_is_derived() {
    let app = TestApp::start();
    let id = app.offer(json!({"availability": {"isAvailable": false, "quantityRemaining": 1}}));
    let path = format!("/v1/offers/{id}");
    let available = || app.get(&path).expect(200)["availability"]["isAvailable"].clone();
    assert_eq!(available(), true);
    let none = json!({"availability": {"quantityRemaining": 0}});
    let patched = app.patch(&path, &none).expect(200);
    assert_eq!(patched["availability"]["isAvailable"], false);
    app.patch(&path, &json!({"availability": null})).expect(200);
    assert_eq!(available(), false, "an availability of null says nothing");
    let plenty = json!({"availability": {"quantityRemaining": 9}});
    app.patch(&path, &plenty).expect(200);
    assert_eq!(available(), true);
    app.patch(&path, &json!({"expiresAt": "2026-06-15T12:00:01Z"}))
        .expect(200);
    assert_eq!(available(), true);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(available(), false);
}

#[test]
fn bad_fields_are_refused_by_name_and_nothing_is_written() {
    let app = TestApp::start();
    let id = app.offer(json!({}));
    let before = rows(&app);
    let long = |count: usize| json!("x".repeat(count));
    for (field, bad) in [
        ("title", json!(null)),
        ("title", json!("")),
        ("title", long(201)),
        ("description", json!(null)),
        ("description", long(10_001)),
        ("shortDescription", json!(1)),
        ("kind", json!("")),
        ("type", json!(["a"])),
        ("pointsPrice", json!(-1)),
        ("pointsPrice", json!(1.5)),
        ("pointsPrice", json!("5")),
        ("pointsPrice", json!(2_147_483_648_i64)),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!("2026-06-15")),
        ("expiresAt", json!("2026-02-30T00:00:00Z")),
        ("expiresAt", json!(0)),
        ("images", json!(null)),
        ("images", json!("x")),
        ("images", json!([1])),
        ("tiers", json!([""])),
        ("tiers", json!([null])),
        ("availability", json!(true)),
        ("startAt", json!("")),
    ] {
        let mut body = json!({"title": "An offer"});
        body[field] = bad;
        for response in [
            app.post("/v1/offers", &body),
            app.patch(&format!("/v1/offers/{id}"), &body),
        ] {
            let message = response.expect_error(422, "VALIDATION");
            assert!(message.contains(field), "{body}: {message}");
        }
    }
    for quantity in [json!(-1), json!(0.5), json!("3"), json!(2_147_483_648_i64)] {
        let body = json!({"title": "An offer", "availability": {"quantityRemaining": quantity}});
        let message = app
            .post("/v1/offers", &body)
            .expect_error(422, "VALIDATION");
        assert!(
            message.contains("availability.quantityRemaining"),
            "{message}"
        );
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn an_end_before_the_start_is_refused_also_when_one_of_them_stands() {
    let app = TestApp::start();
    let id = app.offer(json!({"startAt": "2026-07-02T00:00:00Z"}));
    let body = json!({"endAt": "2026-07-01T00:00:00Z"});
    let message = app
        .patch(&format!("/v1/offers/{id}"), &body)
        .expect_error(422, "VALIDATION");
    assert!(message.contains("endAt"), "{message}");
}

#[test]
fn an_archived_offer_is_404_in_every_way() {
    let app = TestApp::start();
    app.member("ada", 0);
    let id = app.offer(json!({"title": "Gone"}));
    let path = format!("/v1/offers/{id}");

    let archived = app.delete(&path).expect(200);

    assert_eq!(archived["title"], "Gone");
    assert_eq!(archived["availability"]["isAvailable"], false);
    let before = rows(&app);
    app.get(&path).expect_error(404, "NOT_FOUND");
    app.delete(&path).expect_error(404, "NOT_FOUND");
    app.patch(&path, &json!({"title": "Back"}))
        .expect_error(404, "NOT_FOUND");
    let body = json!({"offer": id, "externalUserID": "ada"});
    app.post("/v1/redemptions", &body)
        .expect_error(404, "NOT_FOUND");
    assert_eq!(app.get("/v1/offers").expect(200)["data"], json!([]));
    assert_eq!(rows(&app), before);
    let figures = app.get("/v1/analytics/offers").expect(200);
    assert_eq!(column(&figures["offers"], "offerId"), [id]);
}

#[test]
fn a_member_sees_what_is_open_to_the_tier_and_not_expired_and_a_key_sees_all() {
    let app = TestApp::start();
    let everyone = app.offer(json!({}));
    let gold = app.offer(json!({"tiers": ["gold"]}));
    let soon = app.offer(json!({"expiresAt": "2026-06-15T12:00:01Z"}));
    let sold_out = app.offer(json!({"availability": {"quantityRemaining": 0}}));
    let token = app.token("ada");
    let seen = || -> Vec<String> {
        let page = get_as(&app, &token, "/v1/offers").expect(200);
        let ids = column(&page["data"], "id");
        ids.into_iter().map(str::to_owned).collect()
    };
    let one = |id: &str| get_as(&app, &token, &format!("/v1/offers/{id}")).status;

    assert_eq!(seen(), [&*sold_out, &*soon, &*everyone]);
    assert_eq!((one(&gold), one(&soon), one(&sold_out)), (404, 200, 200));
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(seen(), [&*sold_out, &*gold, &*everyone]);
    assert_eq!((one(&gold), one(&soon), one(&sold_out)), (200, 404, 200));
    let all = app.get("/v1/offers").expect(200);
    assert_eq!(
        column(&all["data"], "id"),
        [&*sold_out, &*soon, &*gold, &*everyone]
    );
    app.get(&format!("/v1/offers/{soon}")).expect(200);
}

#[test]
fn the_available_filter_goes_by_stock_and_expiry() {
    let app = TestApp::start();
    let plenty = app.offer(json!({}));
    let sold_out = app.offer(json!({"availability": {"quantityRemaining": 0}}));
    let expired = app.offer(json!({"expiresAt": "2026-06-15T12:00:00Z"}));
    let token = app.token("ada");
    let page = app.get("/v1/offers?available=true").expect(200);
    assert_eq!(column(&page["data"], "id"), [&*plenty]);
    let page = app.get("/v1/offers?available=false").expect(200);
    assert_eq!(column(&page["data"], "id"), [&*expired, &*sold_out]);
    let page = get_as(&app, &token, "/v1/offers?available=false").expect(200);
    assert_eq!(column(&page["data"], "id"), [&*sold_out]);
    let message = app
        .get("/v1/offers?available=1")
        .expect_error(422, "VALIDATION");
    assert!(message.contains("available"), "{message}");
}

#[test]
fn a_member_manages_no_offers() {
    let app = TestApp::start();
    let id = app.offer(json!({}));
    let token = app.token("ada");
    let before = rows(&app);
    let path = format!("/v1/offers/{id}");
    let body = json!({"title": "Mine"});
    for (method, path) in [("POST", "/v1/offers"), ("PATCH", &path), ("DELETE", &path)] {
        call(&app, &token, method, path, &body).expect_error(403, "FORBIDDEN");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn offers_are_seen_as_the_member_sees_them_whom_a_key_names() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    app.put("/v1/members/bob", &json!({})).expect(200);
    let gold = app.offer(json!({"tiers": ["gold"]}));
    let seen = |who: &str| {
        let list = app
            .get(&format!("/v1/offers?externalUserID={who}"))
            .expect(200);
        let one = app
            .get(&format!("/v1/offers/{gold}?externalUserID={who}"))
            .status;
        (list["data"].as_array().unwrap().len(), one)
    };
    assert_eq!((seen("ada"), seen("bob")), ((1, 200), (0, 404)));
    app.get("/v1/offers?externalUserID=eve")
        .expect_error(404, "NOT_FOUND");
    let token = app.token("bob");
    for path in [
        "/v1/offers?externalUserID=ada",
        &format!("/v1/offers/{gold}?externalUserID=ada"),
    ] {
        let response = app.request("GET", path).bearer(&token).send();
        response.expect_error(403, "FORBIDDEN");
    }
    let own = app
        .request("GET", "/v1/offers?externalUserID=bob")
        .bearer(&token)
        .send();
    assert_eq!(own.status, 200);
}
