//! Headers of every response, and the limits on a request's head.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::json;

use crate::client::get_as;
use crate::support::{PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

#[track_caller]
fn check(response: &Response, cache: &str, what: &str) {
    assert_eq!(
        response.header("x-content-type-options"),
        Some("nosniff"),
        "{what}"
    );
    assert_eq!(
        response.header("referrer-policy"),
        Some("no-referrer"),
        "{what}"
    );
    assert_eq!(response.header("cache-control"), Some(cache), "{what}");
    assert_eq!(response.header("server"), None, "{what}");
    assert_eq!(response.header("x-powered-by"), None, "{what}");
}

#[test]
fn nobody_on_the_way_keeps_an_answer_or_guesses_its_type() {
    let app = TestApp::start();
    app.member("ada", 5);
    for path in [
        "/v1/members",
        "/v1/members/ada",
        "/v1/members/nobody",
        "/v1/wallet?externalUserID=ada",
        "/v1/wallet?externalUserID=",
        "/v1/offers",
        "/v1/conversations",
        "/v1/webhooks",
        "/v1/programs",
        "/v1/reports/program-activity",
        "/v1/nothing",
        "/healthz",
        "/metrics",
    ] {
        check(&app.get(path), "no-store", path);
        check(&app.request("GET", path).send(), "no-store", path);
    }
    let billing = get_as(&app, PARTNER_SANDBOX_KEY, "/partner/billing");
    check(&billing, "no-store", "billing");
    let grant = app.post("/v1/auth/exchange", &json!({"externalUserID": "ada"}));
    check(&grant, "no-store", "a token");
    let hook = json!({"url": "http://127.0.0.1:9/", "events": ["member.created"]});
    check(
        &app.post("/v1/webhooks", &hook),
        "no-store",
        "a webhook's secret",
    );
    let refused = app.request("DELETE", "/v1/offers").send();
    check(&refused, "no-store", "a wrong method");
}

#[test]
fn what_may_be_kept_says_so_itself() {
    let app = TestApp::start();
    let figures = app.get("/v1/analytics/summary");
    check(&figures, "private, no-cache", "figures");
    for path in ["/", "/docs", "/docs/page.js", "/openapi.json"] {
        check(&app.request("GET", path).send(), "no-cache", path);
    }
}

#[test]
fn a_page_can_be_framed_by_nobody() {
    let app = TestApp::start();
    for path in ["/", "/docs"] {
        let page = app.request("GET", path).send();
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
    }
}

/// Sends a head and reads the status of any response.
fn status_of(app: &TestApp, head: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(app.address).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    // The server may close the connection before everything is sent.
    let _ = stream.write_all(head);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8_lossy(&answer);
    text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

fn head(headers: &str) -> Vec<u8> {
    format!(
        "GET /v1/members HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SANDBOX_KEY}\r\n\
         Connection: close\r\n{headers}\r\n"
    )
    .into_bytes()
}

#[test]
fn a_head_that_is_too_long_is_4xx_and_hurts_nobody_else() {
    let app = TestApp::start();
    assert_eq!(status_of(&app, &head("")), Some(200));
    let long = |length: usize| head(&format!("X-Long: {}\r\n", "x".repeat(length)));
    assert_eq!(status_of(&app, &long(130_000)), Some(200));
    let many = |count: usize| head(&"X-Many: x\r\n".repeat(count));
    assert_eq!(status_of(&app, &many(93)), Some(200));
    for (what, head) in [
        ("a long header", long(140_000)),
        ("a very long header", long(1 << 22)),
        ("many headers", many(94)),
        ("very many headers", many(10_000)),
        (
            "a long path",
            [
                b"GET /",
                "x".repeat(1 << 20).as_bytes(),
                b" HTTP/1.1\r\n\r\n",
            ]
            .concat(),
        ),
        ("a bare line feed in a name", head("X\nY: z\r\n")),
        ("a null in a value", head("X: a\0b\r\n")),
        (
            "two lengths",
            head("Content-Length: 1\r\nContent-Length: 2\r\n"),
        ),
        ("a length that is none", head("Content-Length: -1\r\n")),
        (
            "a method that is none",
            b"G\x01T / HTTP/1.1\r\n\r\n".to_vec(),
        ),
    ] {
        let status = status_of(&app, &head);
        assert!(
            status.is_some_and(|status| (400..500).contains(&status)),
            "{what}: {status:?}"
        );
    }
    app.request("GET", "/healthz").send().expect(200);
}
