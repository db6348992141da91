//! Requests from other origins: allowed where configured, and nowhere else.

use crate::support::{Response, TestApp};

const OURS: &str = "https://app.example";
const THEIRS: &str = "https://elsewhere.example";

/// Headers that apps send, and some that browsers add automatically.
const HEADERS: &str = "authorization,content-type,idempotency-key,if-match,if-none-match,\
                       last-event-id,stampcard-fault,user-agent,x-api-key,x-partner-api-key";

fn let_in(app: &TestApp, method: &str, path: &str, origin: &str) -> Response {
    let request = app.request(method, path).header("origin", origin);
    match method {
        "OPTIONS" => request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", HEADERS)
            .send(),
        _ => request.send(),
    }
}

#[track_caller]
fn check(response: &Response, origin: Option<&str>) {
    assert_eq!(response.header("access-control-allow-origin"), origin);
    // Every response, whatever its source, has its media type and is not cached.
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(response.header("x-request-id").is_some());
}

#[test]
fn an_origin_that_is_configured_may_ask_and_another_may_not() {
    let app = TestApp::start_with(|settings| OURS.clone_into(&mut settings.server.cors_origins));
    let asked = let_in(&app, "OPTIONS", "/v1/offers", OURS);
    assert_eq!(asked.status, 200);
    check(&asked, Some(OURS));
    let methods = asked.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST"), "{methods}");
    check(&let_in(&app, "GET", "/v1/offers", OURS), Some(OURS));
    check(&let_in(&app, "GET", "/v1/nothing", OURS), Some(OURS));

    let refused = let_in(&app, "OPTIONS", "/v1/offers", THEIRS);
    check(&refused, None);
    let message = refused.expect_error(400, "BAD_REQUEST");
    assert!(message.contains("Origin"), "{message}");
}

#[test]
fn no_origin_may_ask_unless_it_is_configured() {
    let app = TestApp::start();
    let asked = let_in(&app, "OPTIONS", "/v1/offers", OURS);
    assert_eq!(asked.status, 405);
    check(&asked, None);
    check(&let_in(&app, "GET", "/v1/offers", OURS), None);
}
