use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    Tenant, exchange, organization, partner, partner_error, partner_get, program, rows, wait_until,
};
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// A server with a given number of credits in its pool.
fn pool(credits: u64) -> TestApp {
    TestApp::start_with(|settings| settings.partner.credit_pool = credits)
}

/// Sets an organization's allocation of credits.
#[track_caller]
fn allocate(app: &TestApp, tenant: &Tenant, credits: i64) -> Value {
    let body = json!({"credits": credits});
    let answer = partner(app, "PUT", &tenant.path("/credits"), &body).expect(200);
    answer["allocation"].clone()
}

/// Identifications, credits used and overage of an organization this month.
#[track_caller]
fn used(app: &TestApp, tenant: &Tenant) -> [i64; 3] {
    let usage = partner_get(app, "/partner/billing/usage");
    let all = usage["organizations"].as_array().unwrap();
    let row = all.iter().find(|row| row["organizationId"] == tenant.id);
    triple(row.unwrap())
}

fn triple(row: &Value) -> [i64; 3] {
    ["totalIdentifications", "creditsUsed", "overage"].map(|name| row[name].as_i64().unwrap())
}

/// The same fields summed over all organizations; checks that the other responses agree.
#[track_caller]
fn total(app: &TestApp) -> [i64; 3] {
    let usage = partner_get(app, "/partner/billing/usage");
    let billing = partner_get(app, "/partner/billing");
    let analytics = partner_get(app, "/partner/analytics");
    let sums = triple(&usage);
    assert!(sums[1] <= sums[0] && sums[2] == sums[0] - sums[1]);
    assert_eq!(billing["creditPoolUsed"], usage["creditsUsed"]);
    let [all, used, left] = ["creditPoolTotal", "creditPoolUsed", "creditPoolAvailable"]
        .map(|name| billing[name].as_i64().unwrap());
    assert_eq!(all, used + left);
    assert_eq!(analytics["creditsRemaining"], left);
    let rows = usage["organizations"].as_array().unwrap();
    for (index, sum) in sums.into_iter().enumerate() {
        let of_all: i64 = rows.iter().map(|row| triple(row)[index]).sum();
        assert_eq!(of_all, sum);
    }
    sums
}

fn tenant(app: &TestApp, name: &str) -> Tenant {
    let body = json!({"name": name, "tier": "paid"});
    organization(app, PARTNER_SANDBOX_KEY, &body)
}

#[test]
fn an_exhausted_pool_stops_no_exchange_and_gives_no_credit() {
    let app = pool(2);
    for (member, sums) in [
        ("m1", [1, 1, 0]),
        ("m2", [2, 2, 0]),
        ("m3", [3, 2, 1]),
        ("m4", [4, 2, 2]),
    ] {
        let token = app.token(member);
        let wallet = app.request("GET", "/v1/wallet").bearer(&token).send();
        wallet.expect(200);
        assert_eq!(total(&app), sums);
    }
    app.token("m4");
    assert_eq!(total(&app), [4, 2, 2], "a refresh");
    let app = app.restart();
    assert_eq!(total(&app), [4, 2, 2]);
    app.token("m5");
    assert_eq!(total(&app), [5, 2, 3]);
    let analytics = partner_get(&app, "/partner/analytics");
    assert_eq!(analytics["creditsRemaining"], 0);
    assert_eq!(analytics["creditsUsed"], 2);
}

#[test]
fn a_pool_of_nothing_gives_nothing() {
    let app = pool(0);
    app.token("ada");
    assert_eq!(total(&app), [1, 0, 1]);
    let body = json!({"name": "x", "initialCredits": 1});
    let answer = partner(&app, "POST", "/partner/organizations", &body);
    partner_error(answer, 422, "UnprocessableEntity");
}

#[test]
fn the_pool_is_full_again_on_the_first_of_the_month() {
    let app = pool(2);
    wait_until(&app, "2026-06-30T23:44:59.999Z");
    for member in ["m1", "m2", "m3"] {
        app.token(member);
    }
    assert_eq!(total(&app), [3, 2, 1]);
    wait_until(&app, "2026-06-30T23:59:59.999Z");
    app.token("m1");
    assert_eq!(total(&app), [4, 2, 2], "still June");
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(total(&app), [0, 0, 0]);
    app.token("m1");
    assert_eq!(
        total(&app),
        [0, 0, 0],
        "a refresh of a token minted in June"
    );
    for member in ["m2", "m3", "m4"] {
        app.token(member);
    }
    assert_eq!(total(&app), [3, 2, 1]);
    let billing = partner_get(&app, "/partner/billing");
    assert_eq!(billing["nextBillingDate"], "2026-08-01T00:00:00.000Z");
    let june = partner_get(
        &app,
        "/partner/analytics?startDate=2026-06-01&endDate=2026-06-30",
    );
    assert_eq!(june["totalIdentifications"], 4);
    assert_eq!(june["creditsUsed"], 2);
    assert_eq!(june["creditsRemaining"], 0, "now, whatever the period");
    let both = partner_get(&app, "/partner/analytics");
    assert_eq!(both["creditsUsed"], 4);
    assert_eq!(both["totalIdentifications"], 7);
}

#[test]
fn the_leap_day_belongs_to_february() {
    let app = TestApp::start_at("2024-02-29T23:59:59.999Z", |settings| {
        settings.partner.credit_pool = 1;
    });
    app.token("m1");
    app.token("m2");
    assert_eq!(total(&app), [2, 1, 1]);
    app.clock.advance(Duration::from_millis(1));
    app.token("m3");
    assert_eq!(total(&app), [1, 1, 0]);
}

#[test]
fn an_allocation_caps_one_organization_only() {
    let app = pool(10);
    let (capped, free) = (tenant(&app, "Capped"), tenant(&app, "Free"));
    let allocation = allocate(&app, &capped, 2);
    assert_eq!(allocation["creditsAvailable"], 2);
    for number in 0..4 {
        exchange(&app, &capped.key, &format!("m{number}"));
        exchange(&app, &free.key, &format!("m{number}"));
    }
    assert_eq!(used(&app, &capped), [4, 2, 2]);
    assert_eq!(used(&app, &free), [4, 4, 0]);
    assert_eq!(total(&app), [8, 6, 2]);
    // It may be raised and lowered at any time; used credits stay used.
    let raised = allocate(&app, &capped, 3);
    assert_eq!(raised["creditsAllocated"], 3);
    assert_eq!(raised["creditsUsed"], 2);
    assert_eq!(raised["creditsAvailable"], 1);
    // A second program uses the same allocation.
    let (_, second) = program(&app, &capped.key, "Second");
    exchange(&app, &second, "m8");
    exchange(&app, &second, "m9");
    assert_eq!(used(&app, &capped), [6, 3, 3]);
    let lowered = allocate(&app, &capped, 1);
    assert_eq!(lowered["creditsUsed"], 3);
    assert_eq!(lowered["creditsAvailable"], 0);
    allocate(&app, &free, 0);
    exchange(&app, &free.key, "m9");
    assert_eq!(used(&app, &free), [5, 4, 1]);
    let app = app.restart();
    exchange(&app, &capped.key, "late");
    assert_eq!(used(&app, &capped), [7, 3, 4]);
    // In the next month the whole allocation is available again.
    wait_until(&app, "2026-07-01T00:00:00Z");
    for member in ["m1", "m2"] {
        exchange(&app, &capped.key, member);
    }
    assert_eq!(used(&app, &capped), [2, 1, 1]);
    assert_eq!(total(&app), [2, 1, 1]);
}

#[test]
fn an_allocation_is_no_reservation() {
    let app = pool(3);
    let (one, two) = (tenant(&app, "One"), tenant(&app, "Two"));
    allocate(&app, &one, 3);
    for number in 0..3 {
        exchange(&app, &two.key, &format!("m{number}"));
    }
    exchange(&app, &one.key, "ada");
    assert_eq!(used(&app, &two), [3, 3, 0]);
    assert_eq!(used(&app, &one), [1, 0, 1], "the pool has none left");
    let billing = partner_get(&app, "/partner/billing");
    assert_eq!(billing["creditPoolTotal"], 3);
    assert_eq!(billing["creditPoolUsed"], 3);
}

#[test]
fn exchanges_at_the_same_time_take_no_more_credits_than_there_are() {
    let app = pool(10);
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let app = &app;
            scope.spawn(move || {
                for number in 0..5 {
                    exchange(app, SANDBOX_KEY, &format!("m {thread} {number}"));
                }
            });
        }
    });
    assert_eq!(total(&app), [30, 10, 20]);
}

#[test]
fn allocations_fit_into_the_pool_and_the_tier() {
    let app = TestApp::start();
    let body = json!({"name": "Trial"});
    let trial = organization(&app, PARTNER_SANDBOX_KEY, &body);
    let (one, two) = (tenant(&app, "One"), tenant(&app, "Two"));
    allocate(&app, &trial, 500);
    allocate(&app, &one, 6_000);
    allocate(&app, &two, 3_500);
    // Its own former allocation does not count.
    allocate(&app, &one, 5_000);
    allocate(&app, &one, 6_000);
    let before = rows(&app);
    for (tenant, credits) in [(&trial, 501), (&one, 6_001), (&two, 3_501), (&two, 10_001)] {
        let body = json!({"credits": credits});
        let answer = partner(&app, "PUT", &tenant.path("/credits"), &body);
        let message = partner_error(answer, 422, "UnprocessableEntity");
        assert!(message.contains("credits"), "{message}");
    }
    for body in [
        json!({"name": "x", "initialCredits": 1}),
        json!({"name": "x", "initialCredits": 501, "tier": "trial"}),
        json!({"name": "x", "initialCredits": 10_001, "tier": "paid"}),
    ] {
        let answer = partner(&app, "POST", "/partner/organizations", &body);
        partner_error(answer, 422, "UnprocessableEntity");
    }
    assert_eq!(rows(&app), before, "what is refused changes nothing");
    allocate(&app, &one, 0);
    let body = json!({"name": "x", "initialCredits": 6_000, "tier": "paid"});
    let made = partner(&app, "POST", "/partner/organizations", &body).expect(201);
    assert_eq!(made["organization"]["credits"], 6_000);
    // Credits that were used do not count either.
    app.token("ada");
    allocate(&app, &two, 3_500);
}

#[test]
fn a_trial_keeps_to_its_500() {
    let app = TestApp::start();
    let one = tenant(&app, "One");
    let set_tier = |tier: &str| {
        let body = json!({"tier": tier});
        partner(&app, "PUT", &one.path("/tier"), &body)
    };
    assert_eq!(
        set_tier("trial").expect(200)["organization"]["tier"],
        "trial"
    );
    assert_eq!(set_tier("paid").expect(200)["organization"]["tier"], "paid");
    allocate(&app, &one, 501);
    let before = rows(&app);
    partner_error(set_tier("trial"), 422, "UnprocessableEntity");
    assert_eq!(rows(&app), before);
    set_tier("paid").expect(200);
    allocate(&app, &one, 500);
    set_tier("trial").expect(200);
    let answer = partner(&app, "PUT", &one.path("/credits"), &json!({"credits": 501}));
    partner_error(answer, 422, "UnprocessableEntity");
    set_tier("paid").expect(200);
    allocate(&app, &one, 501);
}

#[test]
fn what_is_no_number_of_credits_is_400() {
    let app = TestApp::start();
    let one = tenant(&app, "One");
    let before = rows(&app);
    let send = |body: &str| {
        let request = app.request("PUT", &one.path("/credits"));
        request.bearer(PARTNER_SANDBOX_KEY).raw(body).send()
    };
    for bad in [
        "-1",
        "1.5",
        "\"5\"",
        "null",
        "[]",
        "true",
        "1e300",
        "1000000000001",
        "0.99999999999999999999",
        "1.00000000000000000001",
        "1e400",
    ] {
        let message = partner_error(send(&format!(r#"{{"credits":{bad}}}"#)), 400, "BadRequest");
        assert!(message.contains("credits"), "{bad}: {message}");
    }
    let message = partner_error(send("{}"), 400, "BadRequest");
    assert!(message.contains("credits"), "{message}");
    let long = format!(r#"{{"credits":1,"notes":"{}"}}"#, "x".repeat(1001));
    for bad in [&long, r#"{"credits":1,"notes":7}"#] {
        let message = partner_error(send(bad), 400, "BadRequest");
        assert!(message.contains("notes"), "{message}");
    }
    assert_eq!(rows(&app), before);
    let whole = send(r#"{"credits":0.5e1,"notes":null}"#).expect(200);
    assert_eq!(whole["allocation"]["creditsAllocated"], 5);
    assert_eq!(whole["allocation"]["notes"], Value::Null);
    let noted = send(r#"{"credits":6,"notes":"two\nlines"}"#).expect(200);
    assert_eq!(noted["allocation"]["notes"], "two\nlines");
    let organization = partner_get(&app, &one.path(""));
    assert_eq!(organization["organization"]["credits"], 6);
}
