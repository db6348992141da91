use crate::support::TestApp;

#[test]
fn a_started_server_is_up_and_ready() {
    let app = TestApp::start();
    for path in ["/healthz", "/readyz"] {
        let response = app.request("GET", path).send();
        assert_eq!(response.status, 200);
        assert!(response.header("x-request-id").unwrap().starts_with("req_"));
    }
}

#[test]
fn an_unknown_route_is_404_in_the_envelope_of_its_surface() {
    let app = TestApp::start();
    app.request("GET", "/v1/nothing")
        .send()
        .expect_error(404, "NOT_FOUND");
    let scrip = app.request("GET", "/v1/programs/x/y").send().expect(404);
    assert_eq!(scrip["code"], "not_found");
    let bullseye = app
        .request("GET", "/api/v1/partner/nothing")
        .send()
        .expect(404);
    assert_eq!(
        (&bullseye["code"], &bullseye["details"]),
        (&"NotFound".into(), &serde_json::json!({}))
    );
}

#[test]
fn a_wrong_method_is_405_and_names_the_right_ones() {
    let app = TestApp::start();
    let response = app.request("DELETE", "/v1/offers").send();
    assert_eq!(response.header("allow"), Some("GET, HEAD, POST"));
    response.expect_error(405, "METHOD_NOT_ALLOWED");
}

#[test]
fn no_two_requests_have_the_same_id() {
    let app = TestApp::start();
    let ids: std::collections::BTreeSet<_> = (0..20)
        .map(|_| app.request("GET", "/healthz").send())
        .map(|response| response.header("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 20);
}

#[test]
fn what_can_be_read_can_be_asked_for_its_head() {
    let app = TestApp::start();
    let response = app.request("HEAD", "/healthz").send();
    assert_eq!((response.status, response.bytes.len()), (200, 0));
    assert!(response.header("content-length").is_some());
    let refused = app.request("HEAD", "/v1/auth/exchange").send();
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("POST"))
    );
}
