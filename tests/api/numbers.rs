//! Numbers of a body count as they are written.

use serde_json::json;

use crate::client::{organization, put_raw, rows};
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// Bodies with one number, written as `N`: the field that the error must name, and the route.
const NUMBERS: [(&str, &str, &str, &str); 7] = [
    (
        "POST",
        "/v1/wallet/credit",
        r#"{"externalUserID":"ada","amount":N}"#,
        "amount",
    ),
    (
        "POST",
        "/v1/wallet/debit",
        r#"{"externalUserID":"ada","amount":N}"#,
        "amount",
    ),
    (
        "POST",
        "/v1/offers",
        r#"{"title":"Tea","pointsPrice":N}"#,
        "pointsPrice",
    ),
    (
        "POST",
        "/v1/offers",
        r#"{"title":"Tea","availability":{"quantityRemaining":N}}"#,
        "availability.quantityRemaining",
    ),
    (
        "POST",
        "/v1/sandbox/clock",
        r#"{"advanceSeconds":N}"#,
        "advanceSeconds",
    ),
    (
        "POST",
        "/partner/organizations",
        r#"{"name":"Cafe","initialCredits":N}"#,
        "initialCredits",
    ),
    (
        "PUT",
        "/partner/organizations/O/credits",
        r#"{"credits":N}"#,
        "credits",
    ),
];

#[test]
fn every_whole_number_is_whole_as_written() {
    let app = TestApp::start();
    app.member("ada", 1000);
    let one = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "One"}));
    for (method, path, body, field) in NUMBERS {
        let path = path.replace('O', &one.id);
        let key = if path.starts_with("/partner") {
            PARTNER_SANDBOX_KEY
        } else {
            SANDBOX_KEY
        };
        let send = |number: &str| {
            let request = app.request(method, &path).bearer(key);
            request.raw(body.replace('N', number)).send()
        };
        let before = rows(&app);
        for bad in [
            "0.99999999999999999999",
            "1.00000000000000000001",
            "99.9999999999999999999",
            "9007199254740990.99999999",
            "1.5",
            "1e400",
            "-1e400",
            "1e-5",
        ] {
            let answer = send(bad);
            let status = if path.starts_with("/partner") {
                400
            } else {
                422
            };
            assert_eq!(answer.status, status, "{path} {bad}: {}", answer.text());
            let text = answer.text();
            assert!(text.contains(&format!("{field} must be")), "{bad}: {text}");
        }
        assert_eq!(rows(&app), before, "{path}");
        for good in ["100", "100.0", "1e2", "1.00E+2", "10000e-2"] {
            let answer = send(good);
            assert!(answer.status < 300, "{path} {good}: {}", answer.text());
        }
    }
    assert_eq!(app.balance("ada"), 1000);
}

#[test]
fn attributes_hold_only_numbers_that_can_be_read() {
    let app = TestApp::start();
    app.member("ada", 0);
    let put = |number: &str| {
        let body = format!(r#"{{"attributes":{{"n":[{number}]}}}}"#);
        put_raw(&app, "/v1/members/ada", &body)
    };
    let message = put("1e400").expect_error(422, "VALIDATION");
    assert!(message.contains("attributes"), "{message}");
    for number in ["1.00000000000000000001", "1e300", "-0.0", "1.50"] {
        let answer = put(number);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains(&format!("[{number}]")), "{number}");
    }
}
