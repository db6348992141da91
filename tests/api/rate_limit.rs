use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use stampcard::domain::{Environment, Name};

use crate::client::{
    call, exchange, get_as, live, millis, organization, partner_error, program, scrip_error,
};
use crate::support::{
    LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

const PATH: &str = "/v1/configuration";

/// Limit, remaining and reset, from the headers.
#[track_caller]
fn limit_headers(response: &Response) -> (i64, i64, i64) {
    let number = |name: &str| {
        let value = response.header(name);
        value
            .unwrap_or_else(|| panic!("no {name}"))
            .parse()
            .unwrap()
    };
    (
        number("X-RateLimit-Limit"),
        number("X-RateLimit-Remaining"),
        number("X-RateLimit-Reset"),
    )
}

fn has_no_limit(response: &Response) -> bool {
    let names = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "Retry-After"];
    names.iter().all(|name| response.header(name).is_none())
}

/// A server that allows a live credential a given number of requests a minute.
fn start(per_minute: u32) -> TestApp {
    TestApp::start_with(|settings| settings.rate_limit.per_minute = per_minute)
}

#[test]
fn live_has_six_thousand_a_minute_and_the_sandbox_no_limit() {
    let app = TestApp::start();
    let now = millis(crate::support::NOW) / 1000;
    let first = get_as(&app, LIVE_KEY, PATH);
    assert_eq!(limit_headers(&first), (600, 599, now + 1));
    let second = get_as(&app, LIVE_KEY, PATH);
    assert_eq!(limit_headers(&second), (600, 598, now + 1));
    assert_eq!(second.header("Retry-After"), None);
    // Errors count, and have the headers, too.
    let missing = get_as(&app, LIVE_KEY, "/v1/members/nobody");
    assert_eq!(limit_headers(&missing), (600, 597, now + 1));
    missing.expect_error(404, "NOT_FOUND");
    for _ in 0..20 {
        assert!(has_no_limit(&app.get(PATH)));
    }
    // A request without a valid credential is not counted.
    assert!(has_no_limit(&app.request("GET", PATH).send()));
    assert!(has_no_limit(&app.request("GET", "/healthz").send()));
    assert!(has_no_limit(&get_as(&app, "expys_live_unknown", PATH)));
}

#[test]
fn a_burst_is_a_tenth_of_a_minute_and_fills_again_steadily() {
    let app = start(100);
    let ask = || get_as(&app, LIVE_KEY, PATH);
    let now = || app.clock.now().as_millis() / 1000;
    for left in (0..10).rev() {
        let response = ask();
        assert_eq!(response.status, 200);
        assert_eq!(limit_headers(&response).1, left);
    }
    let refused = ask();
    // One every 600 ms; in whole seconds that is one.
    assert_eq!(refused.header("Retry-After"), Some("1"));
    assert_eq!(limit_headers(&refused), (10, 0, now() + 6));
    let message = refused.expect_error(429, "RATE_LIMITED");
    assert!(message.contains("try again in 1 s"), "{message}");
    // Refused requests do not count.
    for _ in 0..5 {
        ask().expect_error(429, "RATE_LIMITED");
    }
    app.clock.advance(Duration::from_millis(599));
    ask().expect_error(429, "RATE_LIMITED");
    app.clock.advance(Duration::from_millis(1));
    ask().expect(200);
    ask().expect_error(429, "RATE_LIMITED");
    app.clock.advance(Duration::from_secs(1));
    let after = ask();
    assert_eq!(limit_headers(&after).1, 0);
    after.expect(200);
    app.clock.advance(Duration::from_hours(1));
    // It is six tenths past a second, and six more until the bucket is full.
    assert_eq!(limit_headers(&ask()), (10, 9, now() + 2));
}

#[test]
fn retry_after_is_how_long_it_takes() {
    let app = start(10);
    let ask = || get_as(&app, LIVE_KEY, PATH);
    ask().expect(200);
    let refused = ask();
    assert_eq!(refused.header("Retry-After"), Some("6"));
    app.clock.advance(Duration::from_millis(2500));
    assert_eq!(ask().header("Retry-After"), Some("4"));
    app.clock.advance(Duration::from_millis(3500));
    ask().expect(200);
}

#[test]
fn all_three_surfaces_refuse_in_their_own_words() {
    let app = start(10);
    get_as(&app, LIVE_KEY, PATH).expect(200);
    for path in ["/v1/programs", "/v1/reports/program-activity"] {
        let refused = get_as(&app, LIVE_KEY, path);
        assert_eq!(refused.header("Retry-After"), Some("6"));
        assert_eq!(limit_headers(&refused).1, 0);
        scrip_error(refused, 429, "too_many_requests");
    }
    get_as(&app, PARTNER_LIVE_KEY, "/partner/billing").expect(200);
    for path in ["/partner/billing", "/api/v1/partner/organizations"] {
        let refused = get_as(&app, PARTNER_LIVE_KEY, path);
        assert_eq!(refused.header("Retry-After"), Some("6"));
        partner_error(refused, 429, "TooManyRequests");
    }
    let refused = get_as(&app, LIVE_KEY, "/v1/activity/stream");
    assert_eq!(refused.header("Retry-After"), Some("6"));
    refused.expect_error(429, "RATE_LIMITED");
}

#[test]
fn what_is_refused_is_not_done_and_not_kept() {
    let app = start(10);
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let credit = || {
        let request = app.request("POST", "/v1/wallet/credit").bearer(LIVE_KEY);
        let body = json!({"externalUserID": "lea", "amount": 5});
        request.idempotency_key("k").json(&body).send()
    };
    credit().expect_error(429, "RATE_LIMITED");
    app.clock.advance(Duration::from_secs(6));
    let done = credit();
    assert_eq!(done.header("idempotency-replayed"), None);
    assert_eq!(done.expect(200)["balance"], 5);
    // A replay counts like any other request.
    credit().expect_error(429, "RATE_LIMITED");
    app.clock.advance(Duration::from_secs(6));
    assert_eq!(credit().header("idempotency-replayed"), Some("true"));
}

#[test]
fn every_credential_is_counted_by_itself() {
    let app = start(20);
    let tenant = organization(&app, PARTNER_LIVE_KEY, &json!({"name": "A tenant"}));
    let made = live(&app, "POST", "/v1/programs", &json!({"name": "More"})).expect(201);
    let second = made["apiKey"].as_str().unwrap();
    let [lea, leo] = ["lea", "leo"].map(|member| {
        app.clock.advance(Duration::from_mins(1));
        exchange(&app, LIVE_KEY, member)
    });
    app.clock.advance(Duration::from_secs(1));
    let again = exchange(&app, LIVE_KEY, "lea");
    assert_ne!(again, lea);
    app.clock.advance(Duration::from_mins(1));
    for key in [LIVE_KEY, second, &tenant.key] {
        for left in [1, 0] {
            assert_eq!(limit_headers(&get_as(&app, key, PATH)).1, left);
        }
        get_as(&app, key, PATH).expect_error(429, "RATE_LIMITED");
    }
    let wallet = |token: &str| get_as(&app, token, "/v1/wallet");
    wallet(&lea).expect(200);
    wallet(&again).expect(200);
    // The tokens of one member share one bucket.
    wallet(&lea).expect_error(429, "RATE_LIMITED");
    wallet(&again).expect_error(429, "RATE_LIMITED");
    wallet(&leo).expect(200);
}

#[test]
fn a_rate_counts_before_what_a_credential_may_do() {
    let app = start(10);
    let token = exchange(&app, LIVE_KEY, "lea");
    get_as(&app, &token, "/v1/members").expect_error(403, "FORBIDDEN");
    get_as(&app, &token, "/v1/members").expect_error(429, "RATE_LIMITED");
    get_as(&app, "nonsense", "/v1/members").expect_error(401, "UNAUTHORIZED");
}

#[test]
fn the_sandbox_can_be_given_a_rate_of_its_own() {
    let app = TestApp::start_with(|settings| settings.rate_limit.sandbox_per_minute = 30);
    let (_, neighbour) = program(&app, SANDBOX_KEY, "Another");
    for left in [1, 0] {
        assert_eq!(limit_headers(&app.get(PATH)).1, left);
    }
    app.get(PATH).expect_error(429, "RATE_LIMITED");
    assert_eq!(limit_headers(&get_as(&app, &neighbour, PATH)).1, 2);
    let partner = get_as(&app, PARTNER_SANDBOX_KEY, "/partner/billing");
    assert_eq!(limit_headers(&partner).1, 2);
    assert_eq!(limit_headers(&get_as(&app, LIVE_KEY, PATH)).0, 600);
}

#[test]
fn more_keys_are_no_more_requests() {
    let mut app = start(20);
    let tenant = organization(&app, PARTNER_LIVE_KEY, &json!({"name": "A tenant"}));
    let body = json!({"name": "another"});
    let path = tenant.path("/api-keys");
    let made = call(&app, PARTNER_LIVE_KEY, "POST", &path, &body).expect(201);
    let second = made["plainKey"].as_str().unwrap();
    get_as(&app, &tenant.key, PATH).expect(200);
    assert_eq!(limit_headers(&get_as(&app, second, PATH)).1, 0);
    for key in [&tenant.key, second] {
        get_as(&app, key, PATH).expect_error(429, "RATE_LIMITED");
    }
    // Two keys of the partner.
    let name = Name::parse("name", "another").unwrap();
    let (_, another) = app.while_stopped(async |services| {
        let made = services.create_partner_key(Environment::Live, name).await;
        made.unwrap()
    });
    let ask = |key: &str| get_as(&app, key, "/partner/billing");
    ask(PARTNER_LIVE_KEY).expect(200);
    ask(another.expose_secret()).expect(200);
    partner_error(ask(PARTNER_LIVE_KEY), 429, "TooManyRequests");
    partner_error(ask(another.expose_secret()), 429, "TooManyRequests");
}

#[test]
fn a_reset_fills_no_bucket() {
    let app = TestApp::start_with(|settings| settings.rate_limit.sandbox_per_minute = 40);
    assert_eq!(limit_headers(&app.get(PATH)).1, 3);
    let reset = app.post("/v1/sandbox/reset", &json!({}));
    assert_eq!(limit_headers(&reset).1, 2);
    assert_eq!(limit_headers(&app.get(PATH)).1, 1);
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    app.get(PATH).expect_error(429, "RATE_LIMITED");
}

#[test]
fn a_live_organization_makes_sixty_programs_a_minute() {
    let app = TestApp::start();
    let other = organization(&app, PARTNER_LIVE_KEY, &json!({"name": "A tenant"}));
    let body = json!({"name": "One more"});
    let make = |key: &str| call(&app, key, "POST", "/v1/programs", &body);
    let first = make(LIVE_KEY).expect(201);
    // Any program's key of the organization counts, and invalid input does not.
    let second = first["apiKey"].as_str().unwrap();
    for number in 1..60 {
        make(if number % 2 == 0 { LIVE_KEY } else { second }).expect(201);
        let bad = call(&app, second, "POST", "/v1/programs", &json!({}));
        scrip_error(bad, 400, "bad_request");
    }
    let refused = make(second);
    assert_eq!(refused.header("Retry-After"), Some("1"));
    let message = scrip_error(refused, 429, "too_many_requests");
    assert!(message.contains("too many programs"), "{message}");
    make(&other.key).expect(201);
    get_as(&app, LIVE_KEY, PATH).expect(200);
    app.clock.advance(Duration::from_secs(1));
    make(second).expect(201);
    scrip_error(make(second), 429, "too_many_requests");
    // Only the sandbox's rate of requests is unlimited.
    for _ in 0..62 {
        make(SANDBOX_KEY).expect(201);
    }
}

#[test]
fn nothing_a_minute_is_no_limit_anywhere() {
    let app = TestApp::start_with(|settings| {
        settings.rate_limit.per_minute = 0;
        settings.rate_limit.sandbox_per_minute = 10;
    });
    for _ in 0..20 {
        for key in [LIVE_KEY, SANDBOX_KEY] {
            let response = get_as(&app, key, PATH);
            assert!(has_no_limit(&response));
            assert_ne!(response.expect(200), Value::Null);
        }
    }
}
