use serde_json::json;

use crate::client::{say, support};
use crate::support::{SANDBOX_KEY, TestApp, secrets};

/// Every test's server is watched; this is the proof that the watcher sees something.
#[test]
fn what_every_server_of_these_tests_logs_is_looked_at() {
    let app = TestApp::start();
    let token = app.token("ada");
    let body = json!({"displayName": "Ottoline Watched", "email": "ottoline@example.com"});
    app.put("/v1/members/ada", &body).expect(200);
    say(&app, &token, &support(&app, "ada"), "Where are my points?");
    assert!(secrets::lines() >= 4, "each request makes a line");
    for told in [
        "request path=/v1/members/Ottoline Watched",
        "a message: Where are my points? it said",
        &format!("key={SANDBOX_KEY}"),
        &format!("token={token}"),
        "secret: whsec_0123456789",
    ] {
        assert!(secrets::find(told).is_some(), "{told}");
    }
    for fine in [
        "a key begins with expys_sandbox_",
        "a token is a v4.local.",
        "whsec_…",
    ] {
        assert_eq!(secrets::find(fine), None);
    }
    secrets::assert_none_logged();
}
