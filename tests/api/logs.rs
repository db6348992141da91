use secrecy::SecretString;
use serde_json::json;
use stampcard::config::Settings;
use stampcard::domain::Timestamp;
use stampcard::wire::TokenGrantResponse;

use crate::client::{say, support};
use crate::support::{SANDBOX_KEY, TestApp, secrets};

/// The log of every test's server is checked for secrets; this test proves that the check works.
#[test]
fn what_every_server_of_these_tests_logs_is_looked_at() {
    let app = TestApp::start();
    let token = app.token("ada");
    let body = json!({"displayName": "Ottoline Watched", "email": "ottoline@example.com",
                       "phone": "+44 7700 900123"});
    app.put("/v1/members/ada", &body).expect(200);
    say(&app, &token, &support(&app, "ada"), "Where are my points?");
    assert!(secrets::lines() >= 4, "each request makes a line");
    for told in [
        "request path=/v1/members/Ottoline Watched",
        "to ottoline@example.com",
        "to +44 7700 900123",
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

#[test]
fn what_holds_a_secret_shows_it_to_its_receiver_alone() {
    let until = Timestamp::parse("2026-06-15T12:00:00Z").unwrap();
    let grant = TokenGrantResponse::new("v4.local.abcdefgh".to_owned(), until);
    assert!(!format!("{grant:?}").contains("abcdefgh"));
    assert_eq!(
        serde_json::to_value(&grant).unwrap()["accessToken"],
        "v4.local.abcdefgh"
    );
    let mut settings = Settings::defaults();
    settings.bootstrap.live_key = Some(SecretString::from("expys_live_abcdefgh"));
    assert!(!format!("{settings:?}").contains("abcdefgh"));
}
