//! Pools: prepaid points of an organization, from which its live programs draw.

use serde_json::{Value, json};

use crate::client::{
    activities, call, get_as, live, number, partner_error, partner_get, post_as, program, race,
    rows,
};
use crate::figures_on_disk::verify;
use crate::support::receiver::Receiver;
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, TestApp};

const CREDIT: &str = "/v1/wallet/credit";

/// The path of the pool of the first organization of an environment.
fn path(app: &TestApp, partner: &str) -> String {
    let list = get_as(app, partner, "/partner/organizations").expect(200);
    let id = list["organizations"][0]["id"].as_str().unwrap();
    format!("/partner/organizations/{id}/pool")
}

fn set(app: &TestApp, partner: &str, body: &Value) -> Response {
    call(app, partner, "PUT", &path(app, partner), body)
}

pub(crate) fn fund(app: &TestApp, partner: &str, amount: i64) -> Value {
    let path = format!("{}/fund", path(app, partner));
    post_as(
        app,
        partner,
        &path,
        &json!({"amount": amount, "note": "invoice"}),
    )
    .expect(201)
}

fn balance(app: &TestApp, key: &str) -> i64 {
    get_as(app, key, "/v1/balance").expect(200)["balance"]
        .as_i64()
        .unwrap()
}

/// A live member without points.
fn member(app: &TestApp, id: &str) {
    live(app, "PUT", &format!("/v1/members/{id}"), &json!({})).expect(200);
}

fn credit(app: &TestApp, id: &str, amount: i64) -> Response {
    let body = json!({"externalUserID": id, "amount": amount});
    post_as(app, LIVE_KEY, CREDIT, &body)
}

fn wallet(app: &TestApp, id: &str) -> i64 {
    let path = format!("/v1/wallet?externalUserID={id}");
    get_as(app, LIVE_KEY, &path).expect(200)["balance"]
        .as_i64()
        .unwrap()
}

/// A live offer.
fn offer(app: &TestApp, price: i64) -> String {
    let body = json!({"title": "A walk", "pointsPrice": price});
    let offer = live(app, "POST", "/v1/offers", &body).expect(201);
    offer["id"].as_str().unwrap().to_owned()
}

fn redeem(app: &TestApp, id: &str, offer: &str) -> Response {
    let body = json!({"externalUserID": id, "offer": offer});
    post_as(app, LIVE_KEY, "/v1/redemptions", &body)
}

#[test]
fn without_a_pool_there_are_zeros_and_no_gate() {
    let app = TestApp::start();
    member(&app, "lea");
    credit(&app, "lea", 1_000_000).expect(200);
    let expected = json!({
        "balance": 0, "balanceUSD": 0, "balanceDisplay": 0, "creditLimit": 0, "creditLimitUSD": 0,
        "lifetimeSpent": 0, "lifetimeSpentUSD": 0, "ratePerPoint": 0,
        "settlementMode": "MEMBER_WALLET",
    });
    assert_eq!(get_as(&app, LIVE_KEY, "/v1/balance").expect(200), expected);
    let pool = partner_get(&app, &path(&app, PARTNER_SANDBOX_KEY));
    assert_eq!(pool, json!({"pool": null}));
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_live_credit_draws_from_the_pool_or_moves_nothing() {
    let app = TestApp::start();
    member(&app, "lea");
    // What was credited before there was a pool does not count.
    credit(&app, "lea", 700).expect(200);
    let rate = json!({"ratePerPoint": 0.01, "currencyUnitsPerUSD": 1});
    live(&app, "PUT", "/v1/configuration", &rate).expect(200);
    let pool = fund(&app, PARTNER_LIVE_KEY, 5000);
    let expected = json!({
        "balance": 5000, "creditLimit": 0, "lifetimeSpent": 0, "lowThreshold": 0,
        "settlementMode": "MEMBER_WALLET",
    });
    assert_eq!(pool["pool"], expected);
    set(&app, PARTNER_LIVE_KEY, &json!({"creditLimit": 1000})).expect(200);
    credit(&app, "lea", 1200).expect(200);
    let shown = json!({
        "balance": 3800, "balanceUSD": 38, "balanceDisplay": 38, "creditLimit": 1000,
        "creditLimitUSD": 10, "lifetimeSpent": 1200, "lifetimeSpentUSD": 12,
        "ratePerPoint": 0.01, "settlementMode": "MEMBER_WALLET",
    });
    assert_eq!(get_as(&app, LIVE_KEY, "/v1/balance").expect(200), shown);
    let before = rows(&app);
    // The credit limit is for redemptions that the pool pays.
    let message = credit(&app, "lea", 3801).expect_error(402, "INSUFFICIENT_ORG_POINTS");
    assert_eq!(message, "insufficient organization points");
    assert_eq!(rows(&app), before);
    assert_eq!(wallet(&app, "lea"), 1900);
    credit(&app, "lea", 3800).expect(200);
    assert_eq!(balance(&app, LIVE_KEY), 0);
    // A debit, a redemption and its cancellation move the member's points alone.
    let redemption = redeem(&app, "lea", &offer(&app, 10)).expect(201);
    let cancel = format!(
        "/v1/redemptions/{}/cancel",
        redemption["id"].as_str().unwrap()
    );
    post_as(&app, LIVE_KEY, &cancel, &json!({})).expect(200);
    let debit = json!({"externalUserID": "lea", "amount": 5});
    post_as(&app, LIVE_KEY, "/v1/wallet/debit", &debit).expect(200);
    assert_eq!(balance(&app, LIVE_KEY), 0);
    assert_eq!(verify(&app), [""; 0]);
    let app = app.restart();
    assert_eq!(balance(&app, LIVE_KEY), 0);
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_sandbox_never_draws() {
    let app = TestApp::start();
    fund(&app, PARTNER_SANDBOX_KEY, 10);
    app.member("ada", 500);
    let key = crate::support::SANDBOX_KEY;
    assert_eq!(balance(&app, key), 10);
    set(
        &app,
        PARTNER_SANDBOX_KEY,
        &json!({"settlementMode": "ORG_POOL"}),
    )
    .expect(409);
    let tea = app.offer(json!({"pointsPrice": 20}));
    app.redeem("ada", &tea);
    assert_eq!((balance(&app, key), app.balance("ada")), (10, 480));
    assert_eq!(activities(&app, 15), 0, "the sandbox sends no event");
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn the_pool_pays_redemptions_to_its_limit_and_gets_them_back() {
    let app = TestApp::start();
    member(&app, "lea");
    let walk = offer(&app, 60);
    let free = offer(&app, 0);
    fund(&app, PARTNER_LIVE_KEY, 100);
    let pooled = json!({"settlementMode": "ORG_POOL", "creditLimit": 30});
    set(&app, PARTNER_LIVE_KEY, &pooled).expect(200);
    credit(&app, "lea", 1).expect_error(409, "ORG_POOL");
    let first = redeem(&app, "lea", &walk).expect(201);
    assert_eq!((balance(&app, LIVE_KEY), wallet(&app, "lea")), (40, 0));
    member(&app, "max");
    let second = redeem(&app, "max", &walk).expect(201);
    assert_eq!(balance(&app, LIVE_KEY), -20);
    member(&app, "kim");
    let before = rows(&app);
    redeem(&app, "kim", &walk).expect_error(402, "INSUFFICIENT_ORG_POINTS");
    assert_eq!(rows(&app), before);
    redeem(&app, "kim", &free).expect(201);
    // No ledger entry, no points spent.
    let summary = get_as(&app, LIVE_KEY, "/v1/analytics/summary").expect(200);
    assert_eq!(
        (&summary["pointsSpent"], &summary["pointsMinted"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        (
            activities(&app, 4),
            activities(&app, 5),
            activities(&app, 64)
        ),
        (0, 0, 2)
    );
    let cancel = |redemption: &Value| {
        let path = format!(
            "/v1/redemptions/{}/cancel",
            redemption["id"].as_str().unwrap()
        );
        post_as(&app, LIVE_KEY, &path, &json!({})).expect(200)
    };
    cancel(&second);
    cancel(&second);
    assert_eq!((balance(&app, LIVE_KEY), activities(&app, 65)), (40, 1));
    redeem(&app, "kim", &walk).expect(201);
    // What the pool paid goes back to it, whatever pays now.
    let wallets = json!({"settlementMode": "MEMBER_WALLET"});
    set(&app, PARTNER_LIVE_KEY, &wallets).expect(200);
    cancel(&first);
    assert_eq!((balance(&app, LIVE_KEY), wallet(&app, "lea")), (40, 0));
    credit(&app, "lea", 40).expect(200);
    let spent = get_as(&app, LIVE_KEY, "/v1/balance").expect(200);
    assert_eq!(
        (&spent["balance"], &spent["lifetimeSpent"]),
        (&json!(0), &json!(220))
    );
    // Members have points now.
    let before = rows(&app);
    set(&app, PARTNER_LIVE_KEY, &pooled).expect(409);
    assert_eq!(rows(&app), before);
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn programs_are_told_of_bought_and_of_low_points_once() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let events = json!(["org.points.low", "org.points.purchased"]);
    let hook = json!({"url": receiver.url("/"), "events": events});
    // Live webhooks go to other servers only; the log has the events all the same.
    live(&app, "POST", "/v1/webhooks", &hook).expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
    app.post("/v1/webhooks", &hook).expect(201);
    program(&app, LIVE_KEY, "Second");
    let archive = format!("/v1/programs/{}", program(&app, LIVE_KEY, "Third").0);
    live(&app, "PATCH", &archive, &json!({"status": "ARCHIVED"})).expect(200);
    let mut stream = app.stream(LIVE_KEY, "/v1/activity/stream");
    set(&app, PARTNER_LIVE_KEY, &json!({"lowThreshold": 50})).expect(200);
    fund(&app, PARTNER_LIVE_KEY, 100);
    assert_eq!(activities(&app, 15), 2, "one for each active program");
    member(&app, "lea");
    credit(&app, "lea", 50).expect(200);
    assert_eq!(activities(&app, 14), 0, "it is not below yet");
    for _ in 0..3 {
        credit(&app, "lea", 1).expect(200);
    }
    assert_eq!(activities(&app, 14), 2);
    fund(&app, PARTNER_LIVE_KEY, 10);
    credit(&app, "lea", 10).expect(200);
    assert_eq!(activities(&app, 14), 4, "it fell again");
    let organization = path(&app, PARTNER_LIVE_KEY);
    let organization = organization.split('/').nth(3).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let event = stream.event();
        if event.name.as_deref().unwrap().starts_with("org.") {
            assert_eq!(event.data["data"]["organizationId"], organization);
            seen.push((event.name.unwrap(), event.data["data"].clone()));
        }
    }
    let field = |at: usize, name: &str| seen[at].1[name].as_i64().unwrap();
    assert_eq!(seen[0].0, "org.points.purchased");
    assert_eq!((field(0, "amount"), field(0, "balance")), (100, 100));
    assert_eq!(seen[1].0, "org.points.low");
    assert_eq!((field(1, "lowThreshold"), field(1, "balance")), (50, 49));
    assert_eq!((field(2, "amount"), field(2, "balance")), (10, 57));
    assert_eq!(field(3, "balance"), 47);
    assert_eq!(receiver.received().len(), 0);
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn the_last_points_of_a_pool_go_to_one_of_two() {
    let app = TestApp::start();
    fund(&app, PARTNER_LIVE_KEY, 10);
    for id in ["lea", "max"] {
        member(&app, id);
    }
    let mut statuses = race([&|| credit(&app, "lea", 10), &|| credit(&app, "max", 10)]);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 402]);
    assert_eq!(wallet(&app, "lea") + wallet(&app, "max"), 10);
    set(&app, PARTNER_LIVE_KEY, &json!({"creditLimit": 5})).expect(200);
    assert_eq!(balance(&app, LIVE_KEY), 0);
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn funding_is_done_once_for_a_key_and_bad_input_is_named() {
    let app = TestApp::start();
    let path = path(&app, PARTNER_LIVE_KEY);
    let once = |amount: i64| {
        app.request("POST", &format!("{path}/fund"))
            .bearer(PARTNER_LIVE_KEY)
            .idempotency_key("k")
            .json(&json!({"amount": amount}))
            .send()
    };
    let first = once(7).expect(201);
    assert_eq!(once(7).expect(201), first);
    once(8).expect(409);
    assert_eq!(balance(&app, LIVE_KEY), 7);
    let before = rows(&app);
    let post = |body: Value| post_as(&app, PARTNER_LIVE_KEY, &format!("{path}/fund"), &body);
    for amount in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!("5"),
        json!(null),
        json!(2_147_483_648_i64),
    ] {
        let message = partner_error(post(json!({"amount": amount})), 400, "BadRequest");
        assert!(message.contains("amount"), "{message}");
    }
    let message = partner_error(post(json!({"amount": 2_147_483_641})), 400, "BadRequest");
    assert!(message.contains("2147483647"), "{message}");
    for (field, bad) in [
        ("creditLimit", json!(-1)),
        ("lowThreshold", json!(2_147_483_648_i64)),
        ("settlementMode", json!("WALLET")),
        ("settlementMode", json!(null)),
    ] {
        let response = set(&app, PARTNER_LIVE_KEY, &json!({field: bad}));
        let message = partner_error(response, 400, "BadRequest");
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(rows(&app), before);
    assert_eq!(number(&app, "SELECT count(*) FROM pool_funding"), 1);
}
