//! Idempotency records of credits and debits, which hold the numbers of the response instead of its
//! body.

use serde_json::{Value, json};
use stampcard::service::verify;

use crate::client::{number, post_once, rows};
use crate::idempotency::{CREDIT, check_replay, is_replay};
use crate::support::{Response, TestApp};

const DEBIT: &str = "/v1/wallet/debit";

fn points(amount: i64) -> Value {
    json!({"externalUserID": "ada", "amount": amount})
}

fn rename(app: &TestApp, name: &str, symbol: &str) {
    let currency = json!({"currencyName": name, "currencySymbol": symbol});
    app.put("/v1/configuration", &currency).expect(200);
}

/// Changes rows while the server runs, as another program could.
#[track_caller]
fn tamper(app: &TestApp, sql: &str) {
    assert!(app.sqlite().execute(sql, []).unwrap() > 0, "{sql}");
}

fn findings(app: &TestApp) -> Vec<String> {
    verify::verify(&app.sqlite(), |_| ()).unwrap().findings
}

#[test]
fn a_response_is_replayed_with_the_currency_of_its_time() {
    let app = TestApp::start();
    app.member("ada", 0);
    let mut answers: Vec<(String, &str, Value, Response)> = Vec::new();
    for (round, (name, symbol)) in [("Beans", "b"), ("Étoiles \"✨\"", "★"), ("Beans", "b")]
        .into_iter()
        .enumerate()
    {
        rename(&app, name, symbol);
        for (path, amount) in [(CREDIT, 500), (DEBIT, 20)] {
            let key = format!("round {round}");
            let first = post_once(&app, &key, path, &points(amount));
            let body = first.clone().expect(200);
            let currency = json!({"name": name, "symbol": symbol, "unitsPerUSD": 1});
            assert_eq!(body["currency"], currency);
            answers.push((key, path, points(amount), first));
        }
    }
    // The tier of new members is part of the configuration, too.
    app.put("/v1/configuration", &json!({"defaultTier": "gold"}))
        .expect(200);
    rename(&app, "Later", "l");
    let check = |app: &TestApp| {
        for (key, path, body, first) in &answers {
            check_replay(app, first, || post_once(app, key, path, body));
        }
        assert_eq!(findings(app), Vec::<String>::new());
    };
    check(&app);
    let app = app.restart();
    check(&app);
    assert_eq!(app.balance("ada"), 3 * 480);
}

#[test]
fn a_record_of_a_credit_has_a_few_bytes_and_no_text() {
    let app = TestApp::start();
    rename(&app, "Marmalade", "mm");
    app.member("ada", 0);
    let reason = "a reason that only the ledger has";
    let body = json!({"externalUserID": "ada", "amount": 70_000, "reason": reason});
    let first = post_once(&app, "k", CREDIT, &body);
    let (bytes, renderer, sealed): (Vec<u8>, i64, bool) = app
        .sqlite()
        .query_row(
            "SELECT response, renderer, sealed FROM idempotency",
            [],
            |row| row.try_into(),
        )
        .unwrap();
    // Three bytes of the balance, and one or two of the number of an activity.
    assert!(bytes.len() <= 5, "{bytes:?}");
    assert_eq!((renderer, sealed), (1, false));
    for word in ["Marmalade", "mm", "ada", "balance", reason] {
        let is_there = bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes());
        assert!(!is_there, "{word}");
    }
    // So an erasure has nothing to delete there.
    let words = "SELECT count(*) FROM idempotency_words";
    assert_eq!(number(&app, words), 0);
    check_replay(&app, &first, || post_once(&app, "k", CREDIT, &body));
    // Every other response is stored as it is.
    let refused = post_once(&app, "r", DEBIT, &points(70_001));
    refused.clone().expect_error(422, "INSUFFICIENT_POINTS");
    let offer = post_once(&app, "o", "/v1/offers", &json!({"title": "An offer"}));
    for response in [refused, offer] {
        let sql = "SELECT count(*) FROM idempotency WHERE response = ?1 AND renderer IS NULL";
        let stored: i64 = app
            .sqlite()
            .query_row(sql, [&response.bytes], |row| row.get(0))
            .unwrap();
        assert_eq!(stored, 1, "{}", response.text());
    }
}

/// The body itself, as version 0.1.0 stored it.
#[test]
fn a_record_with_the_body_of_a_credit_is_replayed_as_it_is() {
    let app = TestApp::start();
    app.member("ada", 0);
    let first = post_once(&app, "k", CREDIT, &points(5));
    let body = r#"{"currency": {"symbol": "a", "name": "Of 0.1.0"}, "balance": 5}"#;
    let sql = "UPDATE idempotency SET response = CAST(?1 AS BLOB), renderer = NULL";
    assert_eq!(app.sqlite().execute(sql, [body]).unwrap(), 1);
    rename(&app, "Later", "l");
    let app = app.restart();
    let again = post_once(&app, "k", CREDIT, &points(5));
    assert!(is_replay(&again));
    assert_eq!((again.status, again.text().as_str()), (first.status, body));
    assert_eq!(app.balance("ada"), 5);
    assert_eq!(findings(&app), Vec::<String>::new());
}

/// The retry fails, but is not carried out a second time.
#[test]
fn a_record_that_cannot_be_rendered_is_reported_and_carries_out_nothing() {
    for (sql, finding) in [
        (
            "UPDATE idempotency SET renderer = 200",
            "this version has no renderer 200",
        ),
        (
            "UPDATE idempotency SET renderer = 300",
            "this version has no renderer 300",
        ),
        (
            "UPDATE idempotency SET response = x'8000'",
            "its compact response cannot be read",
        ),
        (
            "UPDATE idempotency SET response = x'05ff7f'",
            "no program has version 16383 of its configuration",
        ),
    ] {
        let app = TestApp::start();
        app.member("ada", 0);
        post_once(&app, "k", CREDIT, &points(5)).expect(200);
        tamper(&app, sql);
        let before = rows(&app);
        let again = post_once(&app, "k", CREDIT, &points(5));
        assert!(!is_replay(&again), "{sql}");
        again.expect_error(500, "INTERNAL");
        assert_eq!(rows(&app), before, "{sql}");
        assert_eq!(findings(&app), [format!("idempotency row 1: {finding}")]);
        // Other keys are not affected.
        post_once(&app, "another-key", CREDIT, &points(5)).expect(200);
        assert_eq!(app.balance("ada"), 10);
    }
}
