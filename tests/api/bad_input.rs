use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::client::{encode, rows};
use crate::support::{Response, SANDBOX_KEY, TestApp};

/// A request with the Org-API-Key, and the expected response.
struct Case {
    method: &'static str,
    path: String,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    /// Texts that the message must contain.
    names: &'static str,
}

fn case(
    method: &'static str,
    path: impl Into<String>,
    body: impl Into<Vec<u8>>,
    (status, code): (u16, &'static str),
    names: &'static str,
) -> Case {
    Case {
        method,
        path: path.into(),
        body: body.into(),
        status,
        code,
        names,
    }
}

const MALFORMED: (u16, &str) = (400, "BAD_REQUEST");
const INVALID: (u16, &str) = (422, "VALIDATION");

/// Sends every case; checks the responses, and that nothing was written.
#[track_caller]
fn check(app: &TestApp, cases: Vec<Case>) {
    let before = rows(app);
    for case in cases {
        let Case { method, path, .. } = &case;
        let response = app
            .request(method, path)
            .bearer(SANDBOX_KEY)
            .header("Content-Type", "application/json")
            .raw(case.body.clone())
            .send();
        let shown = String::from_utf8_lossy(&case.body);
        let shown: String = shown.chars().take(80).collect();
        let what = format!(
            "{method} {path} {shown}: {} {}",
            response.status,
            response.text()
        );
        assert_eq!(response.status, case.status, "{what}");
        assert!(response.header("x-request-id").is_some(), "{what}");
        assert_eq!(
            response.header("content-type"),
            Some("application/json"),
            "{what}"
        );
        let body = response.json();
        assert_eq!(body["error"]["code"], case.code, "{what}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(case.names), "{what}");
        assert_eq!(rows(app), before, "{what}");
    }
}

/// A server with a member, an offer and a redemption, and the paths that accept a body.
fn server_with_paths() -> (TestApp, Vec<(&'static str, String)>) {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let redemption = app.redeem("ada", &offer);
    let paths = vec![
        ("POST", "/v1/auth/exchange".to_owned()),
        ("PUT", "/v1/members/ada".to_owned()),
        ("POST", "/v1/wallet/credit".to_owned()),
        ("POST", "/v1/wallet/debit".to_owned()),
        ("POST", "/v1/offers".to_owned()),
        ("PATCH", format!("/v1/offers/{offer}")),
        ("POST", "/v1/redemptions".to_owned()),
        ("PATCH", format!("/v1/redemptions/{redemption}")),
        ("POST", format!("/v1/redemptions/{redemption}/cancel")),
        ("PUT", "/v1/configuration".to_owned()),
    ];
    let with_body = stampcard::http::ROUTES
        .iter()
        .filter(|route| matches!(route.method, "POST" | "PUT" | "PATCH"));
    assert!(with_body.count() >= paths.len());
    (app, paths)
}

#[test]
fn a_body_that_is_not_json_is_400_on_every_route() {
    let (app, paths) = server_with_paths();
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let nested = |levels: usize| format!(r#"{{"a":{}}}"#, deep(levels - 1));
    let bodies: [Vec<u8>; 15] = [
        b"{".to_vec(),
        b"{\"a\":1,}".to_vec(),
        b"{\"a\":1} x".to_vec(),
        b"{'a':1}".to_vec(),
        b"{a:1}".to_vec(),
        b"{\"a\":01}".to_vec(),
        b"{\"a\":NaN}".to_vec(),
        b" ".to_vec(),
        b"\xEF\xBB\xBF{}".to_vec(),
        b"{\"a\":\"\xFF\"}".to_vec(),
        b"{\"a\":\"\\ud800\"}".to_vec(),
        b"{\"a\":\"\\udc00\\ud800\"}".to_vec(),
        b"{\"a\":\"\n\"}".to_vec(),
        nested(129).into_bytes(),
        deep(50_000).into_bytes(),
    ];
    let mut cases = Vec::new();
    for (method, path) in paths {
        for body in &bodies {
            cases.push(case(method, path.clone(), body.clone(), MALFORMED, "JSON"));
        }
    }
    check(&app, cases);
}

#[test]
fn a_body_of_128_levels_is_well_formed() {
    let app = TestApp::start();
    let attributes = format!(r#"{{"a":{}{}}}"#, "[".repeat(126), "]".repeat(126));
    let response = app
        .request("PUT", "/v1/members/ada")
        .bearer(SANDBOX_KEY)
        .raw(format!(r#"{{"attributes":{attributes}}}"#))
        .send();
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.text().contains(&attributes));
}

#[test]
fn brackets_inside_of_text_are_no_levels() {
    let app = TestApp::start();
    let name = format!("\\\"{}\\", "[{".repeat(100));
    let body = json!({"displayName": name, "attributes": {"\\\"[": ["]\\", "\""]}});
    let set = app.put("/v1/members/ada", &body).expect(200);
    assert_eq!(set["displayName"], name);
}

#[test]
fn a_body_that_is_no_object_is_422_on_every_route() {
    let (app, paths) = server_with_paths();
    let mut cases = Vec::new();
    for (method, path) in paths {
        for body in ["[]", "[{}]", "\"text\"", "7", "true"] {
            cases.push(case(method, path.clone(), body, INVALID, "the body"));
        }
        if !path.ends_with("/cancel") {
            for body in ["null", ""] {
                cases.push(case(method, path.clone(), body, INVALID, "the body"));
            }
        }
    }
    check(&app, cases);
}

#[test]
fn a_field_that_is_missing_or_wrong_is_422_and_named() {
    let (app, _) = server_with_paths();
    let mut cases = Vec::new();
    let mut post = |path: &str, body: &str, names| {
        cases.push(case("POST", format!("/v1/{path}"), body, INVALID, names));
    };
    for route in ["wallet/credit", "wallet/debit"] {
        post(route, "{}", "externalUserID");
        post(route, r#"{"amount":5}"#, "externalUserID");
        post(route, r#"{"externalUserID":"ada"}"#, "amount");
        post(
            route,
            r#"{"externalUserID":7,"amount":5}"#,
            "externalUserID",
        );
        post(
            route,
            r#"{"externalUserID":null,"amount":5}"#,
            "externalUserID",
        );
        post(
            route,
            r#"{"externalUserID":"","amount":5}"#,
            "externalUserID",
        );
        for amount in [
            "0",
            "-1",
            "1.5",
            "9007199254740992",
            "1e300",
            "-1e300",
            "\"5\"",
            "null",
            "[1]",
            "18446744073709551616",
            "1e-1",
        ] {
            let body = format!(r#"{{"externalUserID":"ada","amount":{amount}}}"#);
            post(route, &body, "amount");
        }
    }
    post("auth/exchange", "{}", "externalUserID");
    post(
        "auth/exchange",
        r#"{"externalUserID":["ada"]}"#,
        "externalUserID",
    );
    post("redemptions", r#"{"externalUserID":"ada"}"#, "offer");
    post(
        "redemptions",
        r#"{"externalUserID":"ada","offer":7}"#,
        "offer",
    );
    post(
        "redemptions",
        r#"{"externalUserID":"ada","offer":null}"#,
        "offer",
    );
    post(
        "redemptions",
        r#"{"externalUserID":7,"offer":"off_x"}"#,
        "externalUserID",
    );
    post("offers", "{}", "title");
    post("offers", r#"{"title":7}"#, "title");
    check(&app, cases);
}

#[test]
fn a_value_that_the_patches_do_not_know_is_422_and_named() {
    let (app, paths) = server_with_paths();
    let redemption = &paths[7].1;
    let cancel = &paths[8].1;
    let offer = &paths[5].1;
    let mut cases = Vec::new();
    for (body, names) in [
        (r#"{"status":"DONE"}"#, "status"),
        (r#"{"status":"submitted"}"#, "status"),
        (r#"{"status":7}"#, "status"),
        (r#"{"status":""}"#, "status"),
        (r#"{"startAt":"2026-06-01"}"#, "startAt"),
        (r#"{"startAt":1780000000000}"#, "startAt"),
        (r#"{"endAt":"2026-06-31T00:00:00Z"}"#, "endAt"),
        (r#"{"endAt":"2026-06-01T00:00:00"}"#, "endAt"),
        (
            r#"{"status":"CANCELED","canceledReason":"NO"}"#,
            "canceledReason",
        ),
    ] {
        cases.push(case("PATCH", redemption, body, INVALID, names));
    }
    let long = format!(
        r#"{{"status":"CANCELED","canceledNote":"{}"}}"#,
        "x".repeat(1001)
    );
    cases.push(case(
        "PATCH",
        redemption,
        long.clone(),
        INVALID,
        "canceledNote",
    ));
    cases.push(case("POST", cancel, long, INVALID, "canceledNote"));
    cases.push(case(
        "POST",
        cancel,
        r#"{"canceledReason":7}"#,
        INVALID,
        "canceledReason",
    ));
    for (body, names) in [
        (r#"{"title":""}"#, "title"),
        (r#"{"pointsPrice":1e300}"#, "pointsPrice"),
        (r#"{"pointsPrice":9007199254740992}"#, "pointsPrice"),
        (
            r#"{"availability":{"quantityRemaining":1.5}}"#,
            "quantityRemaining",
        ),
        (r#"{"images":{}}"#, "images"),
        (r#"{"tiers":"gold"}"#, "tiers"),
    ] {
        cases.push(case("PATCH", offer, body, INVALID, names));
    }
    check(&app, cases);
}

#[test]
fn a_string_that_is_too_long_is_422_and_named() {
    let (app, paths) = server_with_paths();
    let long = |field: &str, length: usize| format!(r#"{{"{field}":"{}"}}"#, "é".repeat(length));
    let mut cases = vec![
        case(
            "PUT",
            "/v1/members/ada",
            long("displayName", 256),
            INVALID,
            "displayName",
        ),
        case("PUT", "/v1/members/ada", long("tier", 65), INVALID, "tier"),
        case(
            "PUT",
            "/v1/configuration",
            long("currencyName", 65),
            INVALID,
            "currencyName",
        ),
        case(
            "POST",
            "/v1/auth/exchange",
            long("externalUserID", 256),
            INVALID,
            "externalUserID",
        ),
        case(
            "PUT",
            format!("/v1/members/{}", "x".repeat(256)),
            "{}",
            INVALID,
            "externalUserID",
        ),
    ];
    for (field, length) in [
        ("title", 201),
        ("description", 10_001),
        ("kind", 65),
        ("type", 65),
    ] {
        cases.push(case(
            "PATCH",
            &paths[5].1,
            long(field, length),
            INVALID,
            field,
        ));
    }
    for route in [
        "wallet",
        "eligibility",
        "wallet/transactions",
        "redemptions",
    ] {
        let path = format!("/v1/{route}?externalUserID={}", "x".repeat(256));
        cases.push(case("GET", path, "", INVALID, "externalUserID"));
    }
    check(&app, cases);
}

#[test]
fn a_bad_query_is_422_and_the_parameter_named() {
    let (app, _) = server_with_paths();
    let get = |path: &str, names| case("GET", path, "", INVALID, names);
    let mut cases = vec![
        get("/v1/members?includeArchived=maybe", "includeArchived"),
        get("/v1/members?tier=", "tier"),
        get("/v1/members?search=%FF", "search"),
        get("/v1/members/ada?includeArchived=TRUE", "includeArchived"),
        get("/v1/offers?available=yes", "available"),
        get("/v1/redemptions?status=ALL", "status"),
        get("/v1/redemptions?externalUserID=", "externalUserID"),
        get("/v1/wallet", "externalUserID"),
        get("/v1/wallet?externalUserID=%C3", "externalUserID"),
        get("/v1/eligibility", "externalUserID"),
        get("/v1/eligibility?externalUserID=a%00", "externalUserID"),
        get("/v1/wallet/transactions", "externalUserID"),
    ];
    cases.push(case(
        "DELETE",
        "/v1/members/ada?retainBalance=2",
        "",
        INVALID,
        "retainBalance",
    ));
    for list in [
        "members?",
        "offers?",
        "redemptions?",
        "wallet/transactions?externalUserID=ada&",
    ] {
        for (parameter, bad) in [
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "x"),
            ("cursor", "x"),
            ("cursor", ""),
        ] {
            cases.push(get(&format!("/v1/{list}{parameter}={bad}"), parameter));
        }
    }
    check(&app, cases);
}

#[test]
fn unknown_fields_and_parameters_are_ignored() {
    let app = TestApp::start();
    let body = json!({"displayName": "Ada", "newInVersion9": {"deep": [1]}});
    app.put("/v1/members/ada?new=1", &body).expect(200);
    app.get("/v1/members?colour=red&limit=5").expect(200);
    app.get("/v1/members/ada?&&=&x").expect(200);
}

#[test]
fn a_path_that_cannot_be_decoded_is_400() {
    let (app, _) = server_with_paths();
    let mut cases = Vec::new();
    for (method, path, body) in [
        ("GET", "/v1/members/%FF", ""),
        ("GET", "/v1/members/%00", ""),
        ("PUT", "/v1/members/a%00b", "{}"),
        ("GET", "/v1/members/%", ""),
        ("DELETE", "/v1/members/100%", ""),
        ("PUT", "/v1/members/a%4", "{}"),
        ("PATCH", "/v1/offers/%zz", "{}"),
        ("POST", "/v1/wallet/cred%zzt", "{}"),
        ("POST", "/v1/wallet/%00", "{}"),
        ("GET", "/v1/%FF", ""),
        ("PUT", "/v1/members/a%C3", "{}"),
        ("DELETE", "/v1/members/%ED%A0%80", ""),
        ("GET", "/v1/offers/%FF", ""),
        ("PATCH", "/v1/offers/%FF", "{}"),
        ("DELETE", "/v1/offers/%FF", ""),
        ("GET", "/v1/redemptions/%FF", ""),
        ("PATCH", "/v1/redemptions/%FF", "{}"),
        ("POST", "/v1/redemptions/%FF/cancel", "{}"),
    ] {
        cases.push(case(method, path, body, MALFORMED, "path"));
    }
    check(&app, cases);
}

#[test]
fn a_path_that_leads_nowhere_is_404() {
    let (app, paths) = server_with_paths();
    let missing = (404, "NOT_FOUND");
    let mut cases = Vec::new();
    let offer = "off_01890a5d-ac96-774b-bcce-b302099a8057";
    for path in [
        "/v1",
        "/v1/",
        "/v2/members",
        "/v1/member",
        "/v1/members/",
        "/v1/members/a/b",
        "/V1/members",
        "/v1//members",
        "/v1/offers/a/b",
        "/v1/redemptions/x/cancel/y",
        "/v1/members%2Fada",
        "/v1/balances",
        "/v1/interest",
        "/v1/term",
    ] {
        cases.push(case("GET", path, "", missing, ""));
    }
    for (method, path, body) in [
        ("GET", format!("/v1/offers/{offer}"), ""),
        ("GET", "/v1/offers/nonsense".to_owned(), ""),
        ("GET", format!("/v1/offers/{}", encode("a/b")), ""),
        ("PATCH", format!("/v1/offers/{offer}"), "{}"),
        ("DELETE", format!("/v1/offers/{offer}"), ""),
        ("GET", "/v1/redemptions/nonsense".to_owned(), ""),
        ("PATCH", "/v1/redemptions/rdm_".to_owned(), "{}"),
        ("POST", format!("/v1/redemptions/{offer}/cancel"), "{}"),
        (
            "GET",
            paths[5]
                .1
                .to_uppercase()
                .replace("/V1/OFFERS/OFF_", "/v1/offers/off_"),
            "",
        ),
        ("GET", "/v1/members/bob".to_owned(), ""),
    ] {
        cases.push(case(method, path, body, missing, ""));
    }
    check(&app, cases);
}

#[test]
fn a_wrong_method_is_405_with_allow_on_every_route() {
    let app = TestApp::start();
    let before = rows(&app);
    let mut paths: Vec<&str> = stampcard::http::ROUTES
        .iter()
        .map(|route| route.path)
        .collect();
    paths.dedup();
    for path in paths {
        let known: Vec<_> = stampcard::http::ROUTES
            .iter()
            .filter(|route| route.path == path)
            .map(|route| route.method)
            .collect();
        let concrete = path.replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            if known.contains(&method) {
                continue;
            }
            let response = app.request(method, &concrete).bearer(SANDBOX_KEY).send();
            assert_eq!(response.status, 405, "{method} {path}");
            assert_eq!(
                response.header("allow"),
                Some(known.join(", ").replace("GET", "GET, HEAD").as_str()),
                "{path}"
            );
            assert!(response.header("x-request-id").is_some());
        }
    }
    assert_eq!(rows(&app), before);
}

/// Writes bytes to the server and reads the response until the server closes or the response is
/// complete.
fn talk(app: &TestApp, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let head = format!(
        "{head}\r\nHost: localhost\r\nAuthorization: Bearer {SANDBOX_KEY}\r\nConnection: close\r\n"
    );
    // The server may close before it has read everything; only its response counts.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[track_caller]
fn check_413(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("PAYLOAD_TOO_LARGE"), "{answer}");
    assert!(
        answer.to_lowercase().contains("x-request-id: req_"),
        "{answer}"
    );
}

/// A valid credit whose body has exactly the given number of bytes.
fn sized(bytes: usize) -> String {
    let body = r#"{"externalUserID":"ada","amount":1}"#;
    format!("{body}{}", " ".repeat(bytes - body.len()))
}

fn post_sized(app: &TestApp, bytes: usize) -> Response {
    app.request("POST", "/v1/wallet/credit")
        .bearer(SANDBOX_KEY)
        .raw(sized(bytes))
        .send()
}

#[test]
fn a_body_over_256_kib_is_413_by_its_announced_length() {
    let app = TestApp::start();
    app.member("ada", 0);
    post_sized(&app, 256 * 1024).expect(200);
    let before = rows(&app);
    let head = "POST /v1/wallet/credit HTTP/1.1";
    check_413(&talk(&app, head, b"Content-Length: 262145\r\n\r\n"));
    let lengthy = [
        b"Content-Length: 262145\r\n\r\n".as_slice(),
        sized(262_145).as_bytes(),
    ]
    .concat();
    check_413(&talk(&app, head, &lengthy));
    assert_eq!(rows(&app), before);
}

#[test]
fn a_body_over_256_kib_is_413_in_chunks_too() {
    let app = TestApp::start();
    app.member("ada", 0);
    let chunked = |bytes: usize| {
        let mut body = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in sized(bytes).as_bytes().chunks(10_000) {
            body.extend(format!("{:x}\r\n", chunk.len()).bytes());
            body.extend_from_slice(chunk);
            body.extend(b"\r\n");
        }
        body.extend(b"0\r\n\r\n");
        body
    };
    let head = "POST /v1/wallet/credit HTTP/1.1";
    let right = talk(&app, head, &chunked(256 * 1024));
    assert!(right.starts_with("HTTP/1.1 200 "), "{right}");
    let before = rows(&app);
    check_413(&talk(&app, head, &chunked(256 * 1024 + 1)));
    check_413(&talk(&app, head, &chunked(2 * 1024 * 1024)));
    assert_eq!(rows(&app), before);
}

#[test]
fn what_is_wrong_first_in_the_documented_order_is_reported() {
    let app = TestApp::start();
    let token = app.token("ada");
    let large = "x".repeat(300_000);
    let send = |credential: &str, path: &str, body: &str| {
        let request = app.request("POST", path).bearer(credential);
        request.raw(body).send().status
    };
    // Credential, permission, size, well-formedness, validity, existence, state.
    assert_eq!(send("nonsense", "/v1/wallet/credit", &large), 401);
    assert_eq!(send(&token, "/v1/wallet/credit", &large), 403);
    assert_eq!(send(SANDBOX_KEY, "/v1/wallet/credit", &large), 413);
    assert_eq!(send(SANDBOX_KEY, "/v1/wallet/credit", "{"), 400);
    let unknown = r#"{"externalUserID":"bob","amount":0}"#;
    assert_eq!(send(SANDBOX_KEY, "/v1/wallet/credit", unknown), 422);
    let unknown = r#"{"externalUserID":"bob","amount":1}"#;
    assert_eq!(send(SANDBOX_KEY, "/v1/wallet/credit", unknown), 404);
    assert_eq!(send(SANDBOX_KEY, "/v1/nothing", "{"), 404);
    assert_eq!(send("nonsense", "/v1/analytics/summary", "{"), 405);
}
