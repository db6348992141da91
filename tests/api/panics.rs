//! Responses after a broken invariant. The rows are changed by SQL, past every check, and the clock
//! shows a year that no partner's report supports.

use serde_json::json;

use crate::client::{activities, credit, partner, partner_error, rows};
use crate::support::TestApp;

/// Sets the number of a member's removals. The largest number cannot be raised: the next removal
/// panics, in a write that has changed the wallet by then.
fn set_epoch(app: &TestApp, member: &str, epoch: i64) {
    let sql = "UPDATE member SET token_epoch = ?1 WHERE external_user_id = ?2";
    assert_eq!(app.sqlite().execute(sql, (epoch, member)).unwrap(), 1);
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

/// Changes a row of the log although that is forbidden.
fn change_log(app: &TestApp, sql: &str) {
    let trigger = "activity_is_never_changed";
    let connection = app.sqlite();
    let select = "SELECT sql FROM sqlite_schema WHERE name = ?1";
    let definition: String = connection
        .query_row(select, [trigger], |row| row.get(0))
        .unwrap();
    let sql = format!("BEGIN; DROP TRIGGER {trigger}; {sql}; {definition}; COMMIT");
    connection.execute_batch(&sql).unwrap();
}

/// Balances are in memory, but the list of transactions reads the log.
#[test]
fn a_row_with_an_impossible_value_is_500_and_the_reader_goes_on() {
    let app = TestApp::start_with(|settings| settings.database.readers = 1);
    app.member("ada", 100);
    app.member("bob", 7);
    let of = |member: &str| app.get(&format!("/v1/wallet/transactions?externalUserID={member}"));
    let before = of("ada").expect(200);
    let of_ada = "WHERE entry = 1 AND amount = 100";
    change_log(
        &app,
        &format!("UPDATE activity SET spent_after = -1 {of_ada}"),
    );
    for _ in 0..3 {
        let message = of("ada").expect_error(500, "INTERNAL");
        assert!(
            !message.contains("spent") && !message.contains("impossible"),
            "{message}"
        );
        assert_eq!(of("bob").expect(200)["transactions"][0]["balanceAfter"], 7);
        assert_eq!(app.balance("ada"), 100);
    }
    assert_eq!(panics(&app), 0);
    change_log(
        &app,
        &format!("UPDATE activity SET spent_after = 0 {of_ada}"),
    );
    assert_eq!(of("ada").expect(200), before);
}

#[test]
fn a_panic_in_a_write_is_500_and_counted_and_leaves_nothing_behind() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 0);
    set_epoch(&app, "ada", i64::MAX);
    let before = (rows(&app), app.summary());
    for count in 1..=3 {
        app.delete("/v1/members/ada").expect_error(500, "INTERNAL");
        assert_eq!(panics(&app), count);
        assert_eq!((rows(&app), app.summary()), before);
        // The forfeit of the balance is undone in the books as in the rows.
        assert_eq!(app.balance("ada"), 100);
    }
    app.request("GET", "/readyz").send().expect(200);
    app.member("bob", 9);
    credit(&app, "ada", 5);
    assert_eq!((app.balance("ada"), app.balance("bob")), (105, 9));
    // Once the row is repaired, the same request takes effect.
    set_epoch(&app, "ada", 0);
    app.delete("/v1/members/ada").expect(200);
    let summary = app.summary();
    assert_eq!(
        (&summary["pointsMinted"], &summary["activeMembers"]),
        (&json!(114), &json!(1))
    );
    assert_eq!(activities(&app, 5), 1, "one forfeit");
}
