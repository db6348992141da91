//! What streams, webhooks and reports tell of points that expire and mature.

use rusqlite::Connection;
use serde_json::{Value, json};
use stampcard::service::verify;

use crate::client::{catalogue, webhook};
use crate::points_life::{advance, assert_sums, credit, debit, with_lots};
use crate::support::receiver::Receiver;
use crate::tampers::tamper;

/// Times in the first minutes of a test.
const SOON: &str = "2026-06-15T12:01:00.000Z";
const LATER: &str = "2026-06-15T12:02:00.000Z";

/// The type, the time and the object of events.
fn told(events: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let strip = |mut event: Value| {
        let data = event["data"].as_object_mut().unwrap();
        data.remove("id");
        json!([event["type"], event["createdAt"], event["data"]])
    };
    events.into_iter().map(strip).collect()
}

#[test]
fn expiry_is_told_as_a_debit_and_as_an_event_of_its_own_and_counted_by_no_report() {
    let app = with_lots();
    let hooks = Receiver::start();
    credit(&app, 5, &json!({"expiresAt": SOON}));
    credit(&app, 3, &json!({"expiresAt": SOON}));
    credit(&app, 40, &json!({"maturesAt": LATER, "reason": "an order"}));
    credit(&app, 100, &json!({}));
    debit(&app, 1).expect(200);
    let counted = || {
        let report = app.get("/v1/reports/program-activity").expect(200);
        let all = report["data"].as_array().unwrap().clone();
        all.iter()
            .map(|row| row["event_count"].as_i64().unwrap())
            .max()
    };
    let before = counted();
    webhook(&app, &hooks.url("/all"), &catalogue());
    let only = webhook(&app, &hooks.url("/only"), &["balance.expired"]);
    let newest: i64 = app
        .sqlite()
        .query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))
        .unwrap();
    advance(&app, 120);
    let transaction = |kind: &str, amount: i64, reason: &str, at: &str| {
        json!({"type": kind, "amount": amount, "reason": reason, "redemptionID": null,
            "createdAt": at, "externalUserID": "ada"})
    };
    let expired = json!({"externalUserID": "ada", "amount": 7, "at": SOON, "balance": 100});
    // The two lots that expire at one time are one entry, and one event.
    let expected = [
        json!([
            "wallet.debited",
            SOON,
            transaction("DEBIT", 7, "expired", SOON)
        ]),
        json!(["balance.expired", SOON, expired]),
        json!([
            "wallet.credited",
            LATER,
            transaction("CREDIT", 40, "an order", LATER)
        ]),
    ];
    let received = hooks.wait_for(4);
    let to = |path: &str| {
        let own = received.iter().filter(|one| one.path == path);
        told(own.map(|one| one.json()))
    };
    assert_eq!(to("/all"), expected);
    assert_eq!(to("/only"), expected[1..2]);
    let signed = received.iter().find(|one| one.path == "/only").unwrap();
    assert!(signed.is_signed_with(&only.secret));
    let mut stream = app.events_after(newest);
    let streamed = [(); 3].map(|()| stream.event().data);
    assert_eq!(told(streamed), expected);
    assert_eq!(counted(), before);
    assert_sums(&app);
}

#[test]
fn a_refund_that_expires_at_once_is_told_with_the_time_when_its_points_had_expired() {
    let app = with_lots();
    let hooks = Receiver::start();
    webhook(&app, &hooks.url("/only"), &["balance.expired"]);
    credit(&app, 5, &json!({"expiresAt": SOON}));
    let offer = app.offer(json!({"pointsPrice": 5}));
    let redemption = app.redeem("ada", &offer);
    advance(&app, 120);
    crate::client::cancel(&app, &redemption).expect(200);
    let received = hooks.wait_for(1);
    let expired = json!({"externalUserID": "ada", "amount": 5, "at": SOON, "balance": 0});
    let told = told(received.iter().map(|one| one.json()));
    assert_eq!(told, [json!(["balance.expired", LATER, expired])]);
    assert_sums(&app);
}

/// `verify` compares each event with the entry before it.
#[test]
fn an_event_of_expired_points_that_is_wrong_or_missing_is_found() {
    let mut app = with_lots();
    credit(&app, 5, &json!({"expiresAt": SOON}));
    credit(&app, 9, &json!({}));
    advance(&app, 60);
    assert_eq!(app.balance("ada"), 9);
    app.stop();
    let folder = tempfile::tempdir().unwrap();
    for (sql, finding) in [
        (
            "UPDATE activity SET amount = 4 WHERE kind = 16",
            "must have the member, the points",
        ),
        (
            "UPDATE activity SET available = 0 WHERE kind = 16",
            "must have the member, the points",
        ),
        (
            "UPDATE activity SET expires_at = 1 WHERE kind = 16",
            "must have the member, the points",
        ),
        (
            "DELETE FROM activity WHERE kind = 16",
            "has no event balance.expired after it",
        ),
        (
            "INSERT INTO activity (seq, at, program_id, kind, actor, member_id, amount, expires_at,
                available)
             SELECT seq + 1, at, program_id, kind, actor, member_id, amount, expires_at, available
             FROM activity WHERE kind = 16",
            "no points expired before it",
        ),
    ] {
        let path = folder.path().join("copy.db");
        std::fs::copy(app.database(), &path).unwrap();
        tamper(&path, sql);
        let connection = Connection::open(&path).unwrap();
        let found = verify::verify(&connection, |_| ()).unwrap().findings;
        assert!(
            found.iter().any(|one| one.contains(finding)),
            "{sql}: {found:?}"
        );
        drop(connection);
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }
}
