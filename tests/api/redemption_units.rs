//! Units of an offer that are redeemed together, and returned in parts.

use serde_json::{Value, json};

use crate::client::{call, cancel, credit, get_as, live, move_to, stock, try_redeem};
use crate::participant_redemptions::{World, refused};
use crate::support::{PARTNER_LIVE_KEY, TestApp};

/// The stock of an offer, the units and the points of a redemption that were returned, its status
/// on both surfaces, and the balance.
fn state(world: &World, offer: &str, made: &Value) -> (i64, i64, i64, String, String, i64) {
    let stock = stock(&world.app, offer);
    let shown = world.app.get(&world.one("ada", made)).expect(200);
    let id = format!("/v1/redemptions/rdm_{}", made["id"].as_str().unwrap());
    let theirs = world.app.get(&id).expect(200);
    assert_eq!(theirs["quantity"], shown["quantity"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        stock["quantityRemaining"].as_i64().unwrap(),
        shown["reversed_quantity"].as_i64().unwrap(),
        text(&shown["reversed_amount"]).parse().unwrap(),
        text(&shown["status"]),
        text(&theirs["status"]),
        world.app.balance("ada"),
    )
}

/// The history of the redemption below has the units of each step.
fn check_history(app: &TestApp, made: &Value) {
    let id = made["id"].as_str().unwrap();
    let history = app.get(&format!("/v1/redemptions/rdm_{id}/history"));
    let history = history.expect(200);
    let entries = history["history"].as_array().unwrap().iter();
    let units = entries.filter(|entry| !entry["units"].is_null());
    let units: Value = units
        .map(|entry| json!([entry["event"], entry["units"]]))
        .collect();
    let expected = json!([
        ["redemption.created", 8],
        ["redemption.returned", 3],
        ["redemption.returned", 1],
    ]);
    assert_eq!(units, expected);
}

#[test]
fn units_are_redeemed_together_and_returned_in_parts() {
    for has_lots in [false, true] {
        let world = World::start();
        let app = &world.app;
        app.member("ada", 60);
        if has_lots {
            app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
                .expect(200);
        }
        credit(app, "ada", 40);
        let offer = app.offer(json!({"title": "Tea", "pointsPrice": 9,
            "availability": {"quantityRemaining": 10},
            "redemptionLimit": {"perMember": 9, "per": "ever"}}));
        let key = json!({"quantity": 8, "idempotency_key": "eight"});
        let made = world.redeem_item("ada", &offer, &key).expect(201);
        assert_eq!(world.redeem_item("ada", &offer, &key).expect(200), made);
        assert_eq!(
            [&made["quantity"], &made["unit_cost"], &made["amount"]],
            [&json!(8), &json!("9"), &json!("72")]
        );
        let expect = |units: i64, status: &str, theirs: &str| {
            let expected = (2 + units, units, 9 * units, status.to_owned());
            let (stock, units, points, status, their_status, balance) =
                state(&world, &offer, &made);
            assert_eq!((stock, units, points, status), expected);
            assert_eq!((their_status.as_str(), balance), (theirs, 28 + points));
        };
        expect(0, "COMPLETED", "SUBMITTED");
        let some = |quantity: i64| {
            let body = json!({"quantity": quantity, "reason": "Cold"});
            world.reverse("ada", &made, &body)
        };
        let first = some(3).expect(201);
        assert_eq!(
            (&first["quantity"], &first["amount"], &first["reason"]),
            (&json!(3), &json!("27"), &json!("Cold"))
        );
        expect(3, "PARTIALLY_REVERSED", "SUBMITTED");
        let message = refused(some(6), 422, "insufficient_balance");
        assert!(message.contains('5'), "{message}");
        let second = some(1).expect(201);
        expect(4, "PARTIALLY_REVERSED", "SUBMITTED");
        let rest = world.reverse("ada", &made, &json!({})).expect(201);
        assert_eq!(
            (&rest["quantity"], &rest["amount"]),
            (&json!(4), &json!("36"))
        );
        expect(8, "FULLY_REVERSED", "CANCELED");
        refused(some(1), 422, "insufficient_balance");
        let path = format!("{}/reversals", world.one("ada", &made));
        let all = app.get(&path).expect(200);
        assert_eq!(all["data"], json!([first, second, rest]));
        let page = app.get(&format!("{path}?limit=2")).expect(200);
        let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
        let page = app.get(&format!("{path}?cursor={cursor}")).expect(200);
        assert_eq!(page["data"], json!([rest]));
        let summary = app.summary();
        assert_eq!(
            [&summary["pointsSpent"], &summary["pointsRefunded"]],
            [&json!(72), &json!(72)]
        );
        check_history(app, &made);
        world.verify();
    }
}

#[test]
fn a_limit_is_one_of_units_here_and_of_redemptions_there() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 100);
    let limit = json!({"perMember": 3, "per": "ever"});
    let offer = app.offer(json!({"title": "Tea", "redemptionLimit": limit}));
    let some = |quantity: i64| world.redeem_item("ada", &offer, &json!({"quantity": quantity}));
    refused(some(4), 409, "reward_unavailable");
    let made = some(2).expect(201);
    refused(some(2), 409, "reward_unavailable");
    // What was returned counts no more.
    let back = world
        .reverse("ada", &made, &json!({"quantity": 1}))
        .expect(201);
    assert_eq!(
        (&back["amount"], &back["quantity"]),
        (&json!("0"), &json!(1))
    );
    some(2).expect(201);
    refused(some(1), 409, "reward_unavailable");
    // Two redemptions have the three units.
    app.redeem("ada", &offer);
    try_redeem(app, "ada", &offer).expect_error(409, "REDEMPTION_ALREADY_EXISTS");
    world.verify();
}

#[test]
fn a_redemption_costs_all_its_units_or_does_nothing() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 100);
    let offer = app.offer(json!({"title": "Tea", "pointsPrice": 2_147_483_647,
        "redemptionLimit": {"perMember": null, "per": "ever"},
        "availability": {"quantityRemaining": 10_000}}));
    let some = |quantity: Value| world.redeem_item("ada", &offer, &json!({"quantity": quantity}));
    refused(some(json!(10_000)), 422, "insufficient_balance");
    for wrong in [json!(0), json!(10_001), json!(1.5), json!("2"), json!(-1)] {
        let message = refused(some(wrong), 400, "bad_request");
        assert!(message.contains("10000"), "{message}");
    }
    let stock = stock(app, &offer);
    assert_eq!(stock["quantityRemaining"], 10_000);
    assert_eq!(app.balance("ada"), 100);
    world.verify();
}

#[test]
fn a_cancellation_returns_what_is_left_and_a_completed_one_stays_completed() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 100);
    let fields = json!({"title": "Tea", "pointsPrice": 5,
        "availability": {"quantityRemaining": 10},
        "redemptionLimit": {"perMember": null, "per": "ever"}});
    let offer = app.offer(fields.clone());
    let four = json!({"quantity": 4});
    let one = json!({"quantity": 1});
    let made = world.redeem_item("ada", &offer, &four).expect(201);
    world.reverse("ada", &made, &one).expect(201);
    let id = format!("rdm_{}", made["id"].as_str().unwrap());
    cancel(app, &id).expect(200);
    let canceled = || "CANCELED".to_owned();
    let reversed = || "FULLY_REVERSED".to_owned();
    assert_eq!(
        state(&world, &offer, &made),
        (10, 4, 20, reversed(), canceled(), 100)
    );
    let path = format!("{}/reversals", world.one("ada", &made));
    let all = app.get(&path).expect(200);
    let parts = all["data"].as_array().unwrap().iter();
    let parts: Value = parts
        .map(|part| json!([part["quantity"], part["reason"]]))
        .collect();
    assert_eq!(parts, json!([[1, "The tea was cold"], [3, null]]));

    let made = world.redeem_item("ada", &offer, &four).expect(201);
    world.reverse("ada", &made, &one).expect(201);
    let id = format!("rdm_{}", made["id"].as_str().unwrap());
    move_to(app, &id, "COMPLETED").expect(200);
    world.reverse("ada", &made, &one).expect(201);
    let completed = || "COMPLETED".to_owned();
    assert_eq!(
        state(&world, &offer, &made),
        (8, 2, 10, "PARTIALLY_REVERSED".to_owned(), completed(), 90)
    );
    world.reverse("ada", &made, &json!({})).expect(201);
    assert_eq!(
        state(&world, &offer, &made),
        (10, 4, 20, reversed(), completed(), 100)
    );
    refused(
        world.reverse("ada", &made, &one),
        422,
        "insufficient_balance",
    );
    world.verify();
    // An erasure takes the reasons.
    app.delete("/v1/members/ada?erase=true").expect(200);
    let connection = app.sqlite();
    let sql = "SELECT count(*) FROM log_text WHERE text IS NOT NULL";
    let left: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    world.verify();
}

#[test]
fn a_pool_gets_back_what_the_returned_units_cost() {
    let app = TestApp::start();
    let list = get_as(&app, PARTNER_LIVE_KEY, "/partner/organizations");
    let organization = list.expect(200)["organizations"][0]["id"].clone();
    let pool = format!(
        "/partner/organizations/{}/pool",
        organization.as_str().unwrap()
    );
    let settings = json!({"settlementMode": "ORG_POOL"});
    call(&app, PARTNER_LIVE_KEY, "PUT", &pool, &settings).expect(200);
    let bought = json!({"amount": 100});
    call(
        &app,
        PARTNER_LIVE_KEY,
        "POST",
        &format!("{pool}/fund"),
        &bought,
    )
    .expect(201);
    let ada = live(
        &app,
        "POST",
        "/v1/participants",
        &json!({"external_id": "ada"}),
    )
    .expect(201);
    let path = format!(
        "/v1/participants/{}/redemptions",
        ada["id"].as_str().unwrap()
    );
    let offer = json!({"title": "Tea", "pointsPrice": 7,
        "redemptionLimit": {"perMember": null, "per": "ever"}});
    let offer = live(&app, "POST", "/v1/offers", &offer).expect(201);
    let reward = offer["id"].as_str().unwrap().strip_prefix("off_").unwrap();
    let program = ada["program_ids"][0].clone();
    let body = json!({"program_id": program, "reward_id": reward, "quantity": 5});
    let made = live(&app, "POST", &format!("{path}/items"), &body).expect(201);
    let balance = || live(&app, "GET", "/v1/balance", &Value::Null).expect(200)["balance"].clone();
    assert_eq!(balance(), 65);
    let return_path = format!("{path}/{}/reverse", made["id"].as_str().unwrap());
    let two = json!({"quantity": 2, "reason": "Cold"});
    live(&app, "POST", &return_path, &two).expect(201);
    assert_eq!(balance(), 79);
    live(&app, "POST", &return_path, &json!({"reason": "Cold"})).expect(201);
    assert_eq!(balance(), 100);
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

/// Units that were returned count towards no limit, whatever the status of their redemption is. A
/// redemption of which none is left counts towards no limit of redemptions either.
#[test]
fn units_that_were_returned_count_towards_no_limit() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 60);
    let offer = app.offer(json!({"title": "Tea", "pointsPrice": 9,
        "redemptionLimit": {"perMember": 1, "per": "ever"}}));
    let one = json!({"quantity": 1});
    for _ in 0..2 {
        let made = world.redeem_item("ada", &offer, &one).expect(201);
        let id = format!("rdm_{}", made["id"].as_str().unwrap());
        move_to(app, &id, "COMPLETED").expect(200);
        let again = world.redeem_item("ada", &offer, &one);
        refused(again, 409, "reward_unavailable");
        let path = format!("{}/reverse", world.one("ada", &made));
        app.post(&path, &json!({"reason": "cold"})).expect(201);
    }
    try_redeem(app, "ada", &offer).expect(201);
    try_redeem(app, "ada", &offer).expect_error(409, "REDEMPTION_ALREADY_EXISTS");
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
