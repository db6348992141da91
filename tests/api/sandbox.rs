//! Features of the sandbox for app developers: a reset, a clock that can be advanced, and faults on
//! request.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{
    Tenant, call, credit, get_as, live, number, organization, post_as, post_once, rows, stock,
    try_redeem, wait_until,
};
use crate::lots;
use crate::support::{LIVE_KEY, PARTNER_SANDBOX_KEY, Request, Response, SANDBOX_KEY, TestApp};

const RESET: &str = "/v1/sandbox/reset";
const CLOCK: &str = "/v1/sandbox/clock";
const CREDIT: &str = "/v1/wallet/credit";
const DAY: u64 = 86_400;

#[track_caller]
fn reset(app: &TestApp) -> String {
    let answer = app.post(RESET, &json!({})).expect(200);
    answer["programId"].as_str().unwrap().to_owned()
}

#[track_caller]
fn advance(app: &TestApp, seconds: u64) -> String {
    let answer = app.post(CLOCK, &json!({"advanceSeconds": seconds}));
    answer.expect(200)["now"].as_str().unwrap().to_owned()
}

#[track_caller]
fn check_verified(app: &TestApp) {
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

/// The programs of the sandbox's first organization, archived ones too, newest first.
fn programs(app: &TestApp) -> Vec<Value> {
    let list = app.get("/v1/programs?include_archived=true").expect(200);
    list["data"].as_array().unwrap().clone()
}

#[test]
fn a_reset_leaves_the_keys_an_empty_program_of_the_same_name_and_settings() {
    let app = TestApp::start();
    let settings = json!({"currencyName": "Miles", "currencySymbol": "mi", "defaultTier": "blue",
        "ratePerPoint": 0.01, "currencyUnitsPerUSD": 2.5, "phoneWebhook": null,
        "conciergeWebhook": null});
    app.put("/v1/configuration", &settings).expect(200);
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 10}));
    app.redeem("ada", &offer);
    let before = programs(&app)[0].clone();

    let id = reset(&app);

    let after = programs(&app);
    assert_eq!(after.len(), 2);
    assert_eq!(
        (&after[0]["id"], &after[1]["id"]),
        (&json!(id), &before["id"])
    );
    assert_eq!(after[0]["name"], before["name"]);
    assert_eq!(
        (&after[0]["status"], &after[1]["status"]),
        (&json!("ACTIVE"), &json!("ARCHIVED"))
    );
    assert_eq!(app.get("/v1/configuration").expect(200), settings);
    assert_eq!(app.summary()["memberCount"], 0);
    assert_eq!(app.summary()["pointsMinted"], 0);
    assert_eq!(app.get("/v1/offers").expect(200)["data"], json!([]));
    app.get("/v1/members/ada").expect_error(404, "NOT_FOUND");
    try_redeem(&app, "ada", &offer).expect_error(404, "NOT_FOUND");

    app.member("ada", 7);
    assert_eq!(app.balance("ada"), 7);
    let usage = get_as(&app, PARTNER_SANDBOX_KEY, "/partner/analytics").expect(200);
    assert_eq!(usage["organizationsWithActivity"], 1);
    let app = app.restart();
    assert_eq!(app.balance("ada"), 7);
    assert_eq!(app.summary()["pointsMinted"], 7);
    check_verified(&app);
}

#[test]
fn a_reset_moves_every_key_of_the_program_and_no_other() {
    let app = TestApp::start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "A tenant"}));
    let made = post_as(
        &app,
        PARTNER_SANDBOX_KEY,
        &tenant.path("/api-keys"),
        &json!({"name": "b"}),
    );
    let second = made.expect(201)["plainKey"].as_str().unwrap().to_owned();
    let Tenant { key: first, .. } = &tenant;
    let body = json!({"externalUserID": "ada"});
    post_as(&app, first, "/v1/auth/exchange", &body).expect(200);
    app.member("bob", 5);

    post_as(&app, first, RESET, &Value::Null).expect(200);

    for key in [first, &second] {
        let summary = get_as(&app, key, "/v1/analytics/summary").expect(200);
        assert_eq!(summary["memberCount"], 0);
    }
    assert_eq!(app.summary()["memberCount"], 1);
    assert_eq!(app.balance("bob"), 5);
}

#[test]
fn a_reset_ends_the_old_programs_tokens_and_webhooks() {
    let app = TestApp::start();
    app.member("ada", 10);
    let token = app.token("ada");
    app.sqlite()
        .execute_batch(
            "INSERT INTO webhook_endpoint (uuid, program_id, url, events, secret, cursor_seq,
                created_at) VALUES (randomblob(16), 1, 'http://localhost/', '[]', 'whsec_', 0, 0)",
        )
        .unwrap();
    let in_use = "SELECT count(*) FROM webhook_endpoint WHERE disabled_at IS NULL";
    assert_eq!(number(&app, in_use), 1);

    reset(&app);

    get_as(&app, &token, "/v1/wallet").expect_error(403, "FORBIDDEN");
    assert_eq!(number(&app, in_use), 0);
    // The same person in the new program is another member.
    app.member("ada", 1);
    get_as(&app, &token, "/v1/wallet").expect_error(403, "FORBIDDEN");
    let new = app.token("ada");
    assert_eq!(get_as(&app, &new, "/v1/wallet").expect(200)["balance"], 1);
}

#[test]
fn a_reset_that_is_sent_again_acts_once() {
    let app = TestApp::start();
    let first = post_once(&app, "again", RESET, &json!({}));
    app.member("ada", 3);
    let second = post_once(&app, "again", RESET, &json!({}));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!((second.status, second.bytes), (first.status, first.bytes));
    assert_eq!(app.balance("ada"), 3);
    assert_eq!(programs(&app).len(), 2);
    reset(&app);
    assert_eq!(programs(&app).len(), 3);
}

#[test]
fn of_many_resets_at_once_one_program_is_left() {
    let app = TestApp::start();
    for idempotency_key in ["one", ""] {
        let before = programs(&app).len();
        let barrier = Barrier::new(8);
        let send = || {
            barrier.wait();
            match idempotency_key {
                "" => app.post(RESET, &json!({})),
                key => post_once(&app, key, RESET, &json!({})),
            }
        };
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let done = answers.iter().filter(|answer| answer.status == 200);
        let done: Vec<_> = done
            .map(|answer| answer.json()["programId"].clone())
            .collect();
        let all = programs(&app);
        if idempotency_key == "one" {
            assert_eq!((all.len() - before, done.len()), (1, 8));
        } else {
            // Each acts on the program that the key opens at that time.
            assert_eq!((all.len() - before, done.len()), (8, 8));
        }
        let in_use: Vec<_> = all.iter().filter(|one| one["status"] == "ACTIVE").collect();
        assert_eq!(in_use.len(), 1);
        assert!(done.contains(&in_use[0]["id"]));
    }
}

#[test]
fn neither_route_is_open_to_a_live_key() {
    let app = TestApp::start();
    let before = rows(&app);
    for path in [RESET, CLOCK] {
        // Permission comes before validity.
        for body in [json!({}), json!({"advanceSeconds": 5}), json!([])] {
            live(&app, "POST", path, &body).expect_error(403, "FORBIDDEN");
        }
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn the_programs_time_moves_forward_for_good() {
    let app = TestApp::start();
    app.member("ada", 1);
    assert_eq!(advance(&app, 40 * DAY), "2026-07-25T12:00:00.000Z");
    assert_eq!(advance(&app, 1), "2026-07-25T12:00:01.000Z");
    app.clock.advance(Duration::from_secs(2));
    let newest = |app: &TestApp| {
        credit(app, "ada", 5);
        let list = app
            .get("/v1/wallet/transactions?externalUserID=ada")
            .expect(200);
        list["transactions"][0]["createdAt"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(newest(&app), "2026-07-25T12:00:03.000Z");
    let query = "from=2026-07-25T12:00:03Z&to=2026-07-25T12:00:04Z&interval=hour";
    let series = app
        .get(&format!("/v1/analytics/timeseries?{query}"))
        .expect(200);
    assert_eq!(series["buckets"][0]["pointsMinted"], 5);

    let app = app.restart();
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(newest(&app), "2026-07-25T12:00:04.000Z");
    check_verified(&app);

    // The clocks of other programs and of the live environment stay the same.
    let other = app
        .post("/v1/programs", &json!({"name": "Other"}))
        .expect(201);
    let key = other["apiKey"].as_str().unwrap();
    for key in [key, LIVE_KEY] {
        let made = post_as(
            &app,
            key,
            "/v1/auth/exchange",
            &json!({"externalUserID": "bob"}),
        );
        assert_eq!(made.expect(200)["expiresAt"], "2026-06-15T12:15:03.000Z");
        let body = json!({"externalUserID": "bob", "amount": 1});
        post_as(&app, key, CREDIT, &body).expect(200);
        let list = get_as(&app, key, "/v1/wallet/transactions?externalUserID=bob").expect(200);
        assert_eq!(
            list["transactions"][0]["createdAt"],
            "2026-06-15T12:00:03.000Z"
        );
    }
    // After a reset the program has the server's time again.
    reset(&app);
    app.member("ada", 0);
    assert_eq!(newest(&app), "2026-06-15T12:00:03.000Z");
    check_verified(&app);
}

#[test]
fn an_offer_expires_by_the_programs_time() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    let token = app.token("ada");
    let offer = app.offer(json!({"expiresAt": "2026-06-16T12:00:00Z"}));
    let seen = |token: &str| {
        let list = get_as(&app, token, "/v1/offers").expect(200);
        list["data"].as_array().unwrap().len()
    };
    let available = || {
        let list = app.get("/v1/offers?available=true").expect(200);
        list["data"].as_array().unwrap().len()
    };
    advance(&app, DAY - 1);
    assert_eq!((seen(&token), available()), (1, 1));
    assert_eq!(stock(&app, &offer)["isAvailable"], true);
    app.redeem("bob", &offer);

    advance(&app, 1);
    // The token is still valid: it expires by the server's clock.
    assert_eq!((seen(&token), available()), (0, 0));
    assert_eq!(stock(&app, &offer)["isAvailable"], false);
    get_as(&app, &token, &format!("/v1/offers/{offer}")).expect_error(404, "NOT_FOUND");
    try_redeem(&app, "ada", &offer).expect_error(422, "OFFER_UNAVAILABLE");
}

#[test]
fn tokens_and_kept_answers_end_by_the_servers_clock() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let body = json!({"externalUserID": "ada", "amount": 5});
    post_once(&app, "kept", CREDIT, &body).expect(200);
    advance(&app, 3 * 365 * DAY);
    get_as(&app, &token, "/v1/wallet").expect(200);
    let again = post_once(&app, "kept", CREDIT, &body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    // A refresh while the token before is valid; after its expiry an identification, whose credit
    // is taken in the program's month.
    app.token("ada");
    wait_until(&app, "2026-06-15T12:15:00Z");
    get_as(&app, &token, "/v1/wallet").expect_error(401, "UNAUTHORIZED");
    app.token("ada");
    let path = "/partner/analytics?startDate=2029-06-01&endDate=2029-06-30";
    let then = get_as(&app, PARTNER_SANDBOX_KEY, path).expect(200);
    assert_eq!(
        (&then["totalIdentifications"], &then["creditsUsed"]),
        (&json!(1), &json!(1))
    );
    let billing = get_as(&app, PARTNER_SANDBOX_KEY, "/partner/billing").expect(200);
    assert_eq!(billing["creditPoolUsed"], 1);
    check_verified(&app);
}

#[test]
fn time_moves_by_whole_seconds_up_to_ten_years_and_a_century_in_all() {
    let app = TestApp::start();
    let most = 10 * 365 * DAY;
    let before = rows(&app);
    for bad in [
        json!({}),
        json!({"advanceSeconds": null}),
        json!({"advanceSeconds": 0}),
        json!({"advanceSeconds": -1}),
        json!({"advanceSeconds": 1.5}),
        json!({"advanceSeconds": "60"}),
        json!({"advanceSeconds": most + 1}),
        json!({"advanceSeconds": 1e300}),
    ] {
        let message = app.post(CLOCK, &bad).expect_error(422, "VALIDATION");
        assert!(message.starts_with("advanceSeconds "), "{message}");
    }
    assert_eq!(rows(&app), before);
    app.member("ada", 1);
    for _ in 0..10 {
        advance(&app, most);
        credit(&app, "ada", 1);
    }
    let message = app
        .post(CLOCK, &json!({"advanceSeconds": 1}))
        .expect_error(422, "VALIDATION");
    assert!(message.contains("century"), "{message}");
    assert_eq!(app.balance("ada"), 11);
    let query = "from=2026-01-01T00:00:00Z&to=2130-01-01T00:00:00Z&interval=month";
    let series = app
        .get(&format!("/v1/analytics/timeseries?{query}"))
        .expect(200);
    let minted = series["buckets"].as_array().unwrap().iter();
    let minted: i64 = minted
        .map(|bucket| bucket["pointsMinted"].as_i64().unwrap())
        .sum();
    assert_eq!(minted, 11);
    let app = app.restart();
    assert_eq!(app.summary()["pointsMinted"], 11);
    check_verified(&app);
}

/// A credit of five points for Ada, with a fault.
fn faulty(app: &TestApp, credential: &str, fault: &str) -> Request {
    app.request("POST", CREDIT)
        .bearer(credential)
        .header("Stampcard-Fault", fault)
        .json(&json!({"externalUserID": "ada", "amount": 5}))
}

#[test]
fn a_fault_comes_before_the_request_is_carried_out() {
    let app = TestApp::start();
    app.member("ada", 0);
    let before = rows(&app);
    for (fault, status, code, retry_after) in [
        ("429", 429, "RATE_LIMITED", Some("1")),
        ("500", 500, "INTERNAL", None),
        ("503", 503, "OVERLOADED", Some("1")),
        ("delay=1,503", 503, "OVERLOADED", Some("1")),
        (" 429 , delay=1 ", 429, "RATE_LIMITED", Some("1")),
    ] {
        let response = faulty(&app, SANDBOX_KEY, fault).idempotency_key("k").send();
        assert_eq!(response.header("retry-after"), retry_after);
        assert!(response.header("x-request-id").is_some());
        let message = response.expect_error(status, code);
        assert!(message.contains("Stampcard-Fault"), "{message}");
        assert_eq!(rows(&app), before);
    }
    // No idempotency record was saved under the key.
    let body = json!({"externalUserID": "ada", "amount": 5});
    let retried = post_once(&app, "k", CREDIT, &body);
    assert_eq!(retried.header("idempotency-replayed"), None);
    assert_eq!(retried.expect(200)["balance"], 5);
}

#[test]
fn a_fault_after_the_write_loses_only_the_answer() {
    let app = TestApp::start();
    app.member("ada", 0);
    let lost = faulty(&app, SANDBOX_KEY, "500-after")
        .idempotency_key("k")
        .send();
    lost.expect_error(500, "INTERNAL");
    assert_eq!(app.balance("ada"), 5);
    let body = json!({"externalUserID": "ada", "amount": 5});
    let retried = post_once(&app, "k", CREDIT, &body);
    assert_eq!(retried.header("idempotency-replayed"), Some("true"));
    assert_eq!(retried.expect(200)["balance"], 5);
    assert_eq!(app.balance("ada"), 5);
}

#[test]
fn a_delay_holds_the_request_back() {
    let app = TestApp::start();
    app.member("ada", 0);
    let start = Instant::now();
    faulty(&app, SANDBOX_KEY, "delay=150").send().expect(200);
    assert!(start.elapsed() >= Duration::from_millis(150));
    assert_eq!(app.balance("ada"), 5);
}

#[test]
fn a_fault_that_cannot_be_read_is_refused_by_name() {
    let app = TestApp::start();
    app.member("ada", 0);
    for bad in [
        "",
        ",",
        "404",
        "429,",
        "429,500",
        "503,503",
        "delay",
        "delay=",
        "delay=0",
        "delay=-1",
        "delay=30001",
        "delay=1,delay=1",
        "delay=1.5",
        "500-before",
    ] {
        let message = faulty(&app, SANDBOX_KEY, bad)
            .send()
            .expect_error(422, "VALIDATION");
        assert!(
            message.starts_with("Stampcard-Fault must be"),
            "{bad}: {message}"
        );
    }
    let twice = faulty(&app, SANDBOX_KEY, "429").header("Stampcard-Fault", "500");
    twice.send().expect_error(422, "VALIDATION");
    assert_eq!(app.balance("ada"), 0);
}

#[test]
fn a_fault_works_with_every_credential_of_the_sandbox_and_no_other() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let exchange = json!({"externalUserID": "lea"});
    let live_token = live(&app, "POST", "/v1/auth/exchange", &exchange).expect(200);
    let live_token = live_token["accessToken"].as_str().unwrap();
    let get = |credential: &str, path: &str, fault: &str| {
        let request = app.request("GET", path).bearer(credential);
        request.header("Stampcard-Fault", fault).send()
    };
    get(&token, "/v1/wallet", "503").expect_error(503, "OVERLOADED");
    let partner = get(PARTNER_SANDBOX_KEY, "/partner/billing", "429");
    assert_eq!(partner.expect(429)["code"], "TooManyRequests");
    let scrip = get(SANDBOX_KEY, "/v1/programs", "nonsense");
    assert_eq!(scrip.expect(400)["code"], "bad_request");
    let scrip = get(SANDBOX_KEY, "/v1/programs", "429");
    assert_eq!(scrip.expect(429)["code"], "too_many_requests");
    for fault in ["503", "nonsense"] {
        get(live_token, "/v1/wallet", fault).expect(200);
        get(LIVE_KEY, "/v1/configuration", fault).expect(200);
        get("nonsense", "/v1/configuration", fault).expect_error(401, "UNAUTHORIZED");
        let healthy = app
            .request("GET", "/healthz")
            .header("Stampcard-Fault", fault);
        healthy.send().expect(200);
    }
    // No credential of an archived program is valid.
    reset(&app);
    get(&token, "/v1/wallet", "503").expect_error(403, "FORBIDDEN");
    call(&app, SANDBOX_KEY, "GET", "/v1/configuration", &Value::Null).expect(200);
}

/// The time in the program, in Unix milliseconds.
fn program_time(app: &TestApp) -> i64 {
    let now = app.get(CLOCK).expect(200)["now"]
        .as_str()
        .unwrap()
        .to_owned();
    stampcard::domain::Timestamp::parse(&now)
        .unwrap()
        .as_millis()
}

#[test]
fn an_advance_of_the_clock_is_answered_once_what_is_due_then_is_applied() {
    let mut app = TestApp::start();
    let now = program_time(&app);
    app.stop();
    let expires_at = now + 86_400_000;
    lots::insert(&app.sqlite(), 1_500, now, expires_at);
    let app = app.restart();
    advance(&app, DAY - 1);
    assert_eq!(app.balance("m1500"), lots::POINTS);

    let answer = app.post(CLOCK, &json!({"advanceSeconds": 1}));

    assert_eq!(answer.header("stampcard-behind"), None);
    answer.expect(200);
    assert_eq!(app.balance("m1500"), 0);
    let in_time = "SELECT count(*) FROM activity
        WHERE actor = 5 AND entry = 6 AND at = due_at AND at = ?1";
    let in_time: i64 = app
        .sqlite()
        .query_row(in_time, [expires_at], |row| row.get(0))
        .unwrap();
    assert_eq!(in_time, 1_500);
    let listed = app
        .get("/v1/wallet/transactions?externalUserID=m1500")
        .expect(200);
    assert_eq!(listed["transactions"][0]["type"], "DEBIT", "{listed}");
    check_verified(&app);
}
