//! A path means its decoded segments, whatever its encoding.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{encode, names, post_once};
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// A request with a raw target, which no client normalizes: status and body.
#[track_caller]
fn raw(app: &TestApp, method: &str, target: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(app.address).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer["HTTP/1.1 ".len()..][..3].parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn as_key(extra: &str) -> String {
    format!("Authorization: Bearer {SANDBOX_KEY}\r\n{extra}")
}

#[test]
fn dots_are_names_like_others() {
    let app = TestApp::start();
    app.member("ada", 0);
    let key = as_key("");
    for (id, spellings) in [
        ("..", ["..", "%2e%2E", ".%2e"]),
        (".", [".", "%2E", "%2e"]),
        (
            "a/../ada",
            ["a%2F..%2Fada", "a%2f%2e%2e%2fada", "%61%2F..%2Fada"],
        ),
    ] {
        for spelling in spellings {
            let path = format!("/v1/members/{spelling}");
            let (status, set) = raw(&app, "PUT", &path, &key, "{}");
            assert_eq!(
                (status, &set["externalUserID"]),
                (200, &json!(id)),
                "{path}"
            );
            let (status, got) = raw(&app, "GET", &path, &key, "");
            assert_eq!(
                (status, &got["externalUserID"]),
                (200, &json!(id)),
                "{path}"
            );
        }
    }
    // None of them leads anywhere else.
    for path in [
        "/v1/members/../members",
        "/v1/./members",
        "/x/../v1/members",
        "//v1/members",
    ] {
        assert_eq!(raw(&app, "GET", path, &key, "").0, 404, "{path}");
    }
    let listed = app.get("/v1/members").expect(200);
    assert_eq!(listed["members"].as_array().unwrap().len(), 4);
}

#[test]
fn an_escaped_path_is_the_same_route_and_the_same_request() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 5});
    let first = post_once(&app, "k1", "/v1/wallet/credit", &body);
    let first_body = first.expect(200);
    for path in [
        "/v1/wallet/cred%69t",
        "/%76%31/wallet/credi%74",
        "/v1/w%61llet/credit",
    ] {
        let again = post_once(&app, "k1", path, &body);
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{path}");
        assert_eq!(again.json(), first_body, "{path}");
    }
    // An encoded slash within a name separates nothing, and decoded text is not decoded again.
    for path in [
        "/v1/wallet%2Fcredit",
        "/v1%2fwallet/credit",
        "/v1/wallet/cred%2569t",
    ] {
        post_once(&app, "k1", path, &body).expect(404);
    }
    assert_eq!(
        app.get("/v1/wallet?externalUserID=ada").expect(200)["balance"],
        5
    );
}

#[test]
fn segments_that_join_to_the_same_path_are_not_the_same_request() {
    let app = TestApp::start();
    // Both are unknown conversations, each with its own error.
    let body = json!({"message": "hello", "as": "agent"});
    let [one, other] = ["a/b", "a%2Fb"].map(|id| {
        let path = format!("/v1/conversations/{}/messages", encode(id));
        post_once(&app, "k1", &path, &body)
    });
    for answer in [one, other] {
        assert_eq!(answer.header("idempotency-replayed"), None);
        answer.expect_error(404, "NOT_FOUND");
    }
}

#[test]
fn an_error_has_the_envelope_of_the_decoded_path() {
    let app = TestApp::start();
    let key = as_key("");
    let partner = format!("X-Partner-API-Key: {PARTNER_SANDBOX_KEY}\r\n");
    let scrip: &[&str] = &[
        "/v1/%70rograms/x",
        "/v1/repor%74s/x",
        "/%76%31/programs/%50",
    ];
    for path in scrip {
        let (status, body) = raw(&app, "GET", path, &key, "");
        assert_eq!(
            (status, &body["code"]),
            (404, &json!("not_found")),
            "{path}"
        );
    }
    for path in [
        "/part%6Eer/organizations/x",
        "/api/v1/p%61rtner/x",
        "/%70artner",
    ] {
        let (status, body) = raw(&app, "GET", path, &partner, "");
        assert_eq!(status, 404, "{path}");
        assert_eq!(names(&body), ["code", "details", "message"], "{path}");
    }
    for path in ["/v1/programs%2Fx", "/v1%2Fprograms", "/v1/program%2573"] {
        let (status, body) = raw(&app, "GET", path, &key, "");
        assert_eq!(
            (status, &body["error"]["code"]),
            (404, &json!("NOT_FOUND")),
            "{path}"
        );
    }
    // A path that cannot be decoded has the error envelope of the routes that it resembles.
    let (status, body) = raw(&app, "GET", "/v1/programs/%zz", &key, "");
    assert_eq!((status, &body["code"]), (400, &json!("bad_request")));
    let (status, body) = raw(&app, "GET", "/partner/organizations/%00", &partner, "");
    assert_eq!((status, &body["code"]), (400, &json!("BadRequest")));
}
