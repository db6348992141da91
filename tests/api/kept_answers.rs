//! Idempotency records: how long they are kept, and how one is found among many.

use std::time::Duration;

use serde_json::json;

use crate::client::{number, post_once, until};
use crate::idempotency::{CREDIT, KEPT, check_replay, is_replay};
use crate::support::{Response, TestApp};

const SEGMENTS: &str = "SELECT count(*) FROM idempotency_segment";
const LISTS: &str = "SELECT count(*) FROM idempotency_list";
const FILTERS: &str = "SELECT count(*) FROM idempotency_filter";

#[test]
fn an_answer_is_kept_for_24_hours() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 5});
    let send = || post_once(&app, "k", CREDIT, &body);
    let first = send();
    app.clock
        .advance(Duration::from_hours(24) - Duration::from_millis(1));
    check_replay(&app, &first, send);
    app.clock.advance(Duration::from_millis(1));
    let new = send();
    assert!(!is_replay(&new));
    assert_eq!(new.clone().expect(200)["balance"], 10);
    // The record before it is deleted when the server has time.
    until(|| (number(&app, KEPT) == 1).then_some(()));
    check_replay(&app, &new, send);
}

#[test]
fn each_of_many_answers_comes_again_before_and_after_a_restart_until_all_are_deleted() {
    let app = TestApp::start();
    app.member("ada", 0);
    let send = |app: &TestApp, amount: i64| {
        let body = json!({"externalUserID": "ada", "amount": amount});
        post_once(app, &format!("k{amount}"), CREDIT, &body)
    };
    // The smallest number that still makes several segments.
    let amounts = 1..=300;
    let first: Vec<Response> = amounts.clone().map(|amount| send(&app, amount)).collect();
    assert!(number(&app, SEGMENTS) > 2 && number(&app, FILTERS) > 0);
    let check = |app: &TestApp| {
        for (amount, first) in amounts.clone().zip(&first) {
            let again = send(app, amount);
            assert!(is_replay(&again), "{amount}");
            assert_eq!((again.status, &again.bytes), (200, &first.bytes));
        }
        // This key is in none of the segments.
        assert!(!is_replay(&send(app, 1000 + number(app, KEPT))));
    };
    check(&app);
    let app = app.restart();
    check(&app);

    app.clock.advance(Duration::from_hours(24));
    assert!(!is_replay(&send(&app, 7)));
    until(|| (number(&app, KEPT) == 1).then_some(()));
    for rows in [SEGMENTS, LISTS, FILTERS] {
        assert_eq!(number(&app, rows), 0);
    }
    assert!(is_replay(&send(&app, 7)));
    let app = app.restart();
    assert!(is_replay(&send(&app, 7)));
    assert!(!is_replay(&send(&app, 8)));
}

#[test]
fn a_damaged_index_is_found_and_made_anew_from_the_answers() {
    let mut app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 1});
    let send = |app: &TestApp, number: i32| post_once(app, &format!("k{number}"), CREDIT, &body);
    for number in 0..200 {
        send(&app, number).expect(200);
    }
    let damage = |app: &TestApp, sql: &str| {
        assert!(app.sqlite().execute(sql, []).unwrap() > 0, "{sql}");
    };
    let found = |app: &TestApp| {
        let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
        report.findings.join("; ")
    };
    assert_eq!(found(&app), "");
    // The third segment has begun another era, so that the filter of the first two is stored.
    let [first, second, third] = [1, 2, 3]
        .map(|number| format!("segment {number} of the idempotency records lacks 64 of them"));
    damage(&app, "DELETE FROM idempotency_list WHERE id >= 3 * 256");
    assert_eq!(found(&app), third);
    damage(
        &app,
        "UPDATE idempotency_filter SET filter = zeroblob(length(filter))",
    );
    assert_eq!(found(&app), format!("{first}; {second}; {third}"));
    damage(&app, "UPDATE idempotency_filter SET filter = x'00'");
    let unreadable = "the filter of idempotency records up to segment 2 cannot be read";
    assert_eq!(found(&app), format!("{unreadable}; {third}"));

    app.stop();
    let app = app.restart();
    for number in 0..200 {
        assert!(is_replay(&send(&app, number)), "{number}");
    }
    // In the meantime one segment of all records was closed.
    assert_eq!((app.balance("ada"), number(&app, SEGMENTS)), (200, 1));
    assert!(!is_replay(&send(&app, 200)));
    assert_eq!(found(&app), "");
    let app = app.restart();
    assert!((0..=200).all(|number| is_replay(&send(&app, number))));
}

#[test]
fn answers_outlive_a_restart() {
    let app = TestApp::start();
    app.member("ada", 0);
    let points = json!({"externalUserID": "ada", "amount": 5});
    let member = json!({"externalUserID": "ada"});
    let credited = post_once(&app, "k", CREDIT, &points);
    let exchanged = post_once(&app, "k", "/v1/auth/exchange", &member);
    let refused = post_once(
        &app,
        "r",
        CREDIT,
        &json!({"externalUserID": "bob", "amount": 1}),
    );
    let app = app.restart();
    check_replay(&app, &credited, || post_once(&app, "k", CREDIT, &points));
    check_replay(&app, &exchanged, || {
        post_once(&app, "k", "/v1/auth/exchange", &member)
    });
    check_replay(&app, &refused, || {
        post_once(
            &app,
            "r",
            CREDIT,
            &json!({"externalUserID": "bob", "amount": 1}),
        )
    });
    assert_eq!(app.balance("ada"), 5);
}
