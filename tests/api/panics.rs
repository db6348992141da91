//! Responses after a broken invariant. The rows are changed by SQL, past every check, and the clock
//! shows a year that no partner's report supports.

use serde_json::json;

use crate::client::{partner, partner_error, post_once, rows};
use crate::support::TestApp;

/// Creates a wallet that spent more than it ever received.
fn damage(app: &TestApp, member: &str, spent: i64) {
    let sql = "UPDATE member SET amount_spent = ?1 WHERE external_user_id = ?2";
    let connection = app.sqlite();
    connection
        .pragma_update(None, "ignore_check_constraints", true)
        .unwrap();
    assert_eq!(connection.execute(sql, (spent, member)).unwrap(), 1);
}

#[track_caller]
fn panics(app: &TestApp) -> u64 {
    let text = app.request("GET", "/metrics").send().text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("panics_total "));
    line.unwrap().parse().unwrap()
}

#[test]
fn a_panic_in_a_handler_is_500_and_counted_and_the_server_goes_on() {
    let app = TestApp::start_at("9999-06-01T12:00:00Z", |_| ());
    assert_eq!(panics(&app), 0);
    for count in 1..=3 {
        let response = partner(&app, "GET", "/partner/analytics", &json!(null));
        assert!(response.header("x-request-id").unwrap().starts_with("req_"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let message = partner_error(response, 500, "InternalError");
        assert!(!message.contains("clock"), "{message}");
        assert_eq!(panics(&app), count);
    }
    app.member("ada", 5);
    assert_eq!(app.balance("ada"), 5);
}

#[test]
fn a_panic_in_a_read_of_the_database_is_500_and_counted_and_the_reader_goes_on() {
    let app = TestApp::start_with(|settings| settings.database.readers = 1);
    app.member("ada", 100);
    app.member("bob", 7);
    damage(&app, "ada", 101);
    for count in 1..=3 {
        let response = app.get("/v1/wallet?externalUserID=ada");
        let message = response.expect_error(500, "INTERNAL");
        assert!(!message.contains("wallet"), "{message}");
        assert_eq!(panics(&app), count);
        assert_eq!(app.balance("bob"), 7);
    }
    damage(&app, "ada", 0);
    assert_eq!(app.balance("ada"), 100);
}

#[test]
fn a_panic_in_a_write_is_500_and_counted_and_leaves_nothing_behind() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 0);
    damage(&app, "ada", 101);
    let before = (rows(&app), app.summary());
    let credit = json!({"externalUserID": "ada", "amount": 5});
    let send = || post_once(&app, "settled-later", "/v1/wallet/credit", &credit);
    for count in 1..=3 {
        send().expect_error(500, "INTERNAL");
        assert_eq!(panics(&app), count);
        assert_eq!((rows(&app), app.summary()), before);
    }
    app.request("GET", "/readyz").send().expect(200);
    app.member("bob", 9);
    assert_eq!(app.balance("bob"), 9);
    // The key was not used up: once the row is repaired, the same request takes effect, once.
    damage(&app, "ada", 0);
    for _ in 0..2 {
        assert_eq!(send().expect(200)["balance"], 105);
    }
    assert_eq!(app.summary()["pointsMinted"], 114);
}
