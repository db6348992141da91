//! What streams and webhooks tell of points that are going to expire.

use serde_json::{Value, json};
use stampcard::service::verify;

use crate::client::{check, number, scrip_error, webhook};
use crate::points_life::{advance, assert_sums, credit, debit, with_lots};
use crate::support::TestApp;
use crate::support::receiver::{Received, Receiver};
use crate::tampers::tamper;

const DAY: i64 = 86_400;
/// Three days before this, a notice of three days is sent.
const END: &str = "2026-06-25T12:00:00.000Z";
const NOTICE: &str = "2026-06-22T12:00:00.000Z";

fn set_notice(app: &TestApp, days: &Value) -> Value {
    let body = json!({"expiry_notice": days});
    let program = app.patch("/v1/programs/current", &body).expect(200);
    assert_eq!(program["expiry_notice"], *days);
    program
}

/// The time and the object of each notice.
fn told(received: &[Received]) -> Vec<Value> {
    let shown = |one: &Received| {
        let body = one.json();
        assert_eq!(body["type"], "wallet.expiring");
        json!([body["createdAt"], body["data"]])
    };
    received.iter().map(shown).collect()
}

fn notices(app: &TestApp) -> i64 {
    number(app, "SELECT count(*) FROM activity WHERE kind = 17")
}

/// The events that the report counts.
fn counted(app: &TestApp) -> Value {
    let report = app.get("/v1/reports/program-activity").expect(200);
    report["data"][0]["event_count"].clone()
}

#[test]
fn a_member_is_told_once_of_points_that_are_going_to_expire() {
    let app = with_lots();
    let hooks = Receiver::start();
    let hook = webhook(&app, &hooks.url("/"), &["wallet.expiring"]);
    set_notice(&app, &json!(3));
    credit(&app, 150, &json!({"expiresAt": END}));
    credit(&app, 60, &json!({"expiresAt": END}));
    credit(
        &app,
        7,
        &json!({"expiresAt": END, "maturesAt": "2026-06-23T00:00:00Z"}),
    );
    credit(&app, 500, &json!({}));
    debit(&app, 10).expect(200);
    let (before, newest) = (counted(&app), number(&app, "SELECT max(seq) FROM activity"));
    advance(&app, 7 * DAY - 1);
    assert_eq!(notices(&app), 0);
    advance(&app, 1);
    let data = json!({"externalUserID": "ada", "amount": 200, "at": END, "balance": 700});
    let expected = [json!([NOTICE, data])];
    let received = hooks.wait_for(1);
    assert_eq!(told(&received), expected);
    assert!(received[0].is_signed_with(&hook.secret));
    assert_eq!(counted(&app), before);
    let mut stream = app.events_after(newest);
    let streamed = loop {
        let event = stream.event().data;
        if event["type"] == "wallet.expiring" {
            break event;
        }
    };
    assert_eq!(
        json!([streamed["createdAt"], streamed["data"]]),
        expected[0]
    );
    // What matures after the notice is not announced, and neither is what comes later.
    credit(&app, 9, &json!({"expiresAt": END}));
    credit(&app, 9, &json!({"expiresAt": "2026-06-24T00:00:00Z"}));
    let before = counted(&app);
    let app = app.restart();
    advance(&app, 4 * DAY);
    assert_eq!(notices(&app), 1);
    assert_eq!((counted(&app), app.balance("ada")), (before, 500));
    assert_eq!(hooks.wait_for(1).len(), 1);
    assert_sums(&app);
    check(&app);
}

#[test]
fn another_notice_announces_what_was_not_announced_and_nothing_twice() {
    let app = with_lots();
    let ends = [2, 8, 20, 40].map(|days| format!("2026-{}T12:00:00.000Z", day(days)));
    for (amount, end) in [1, 2, 4, 8].into_iter().zip(&ends) {
        credit(&app, amount, &json!({"expiresAt": end}));
    }
    let announced = || -> Vec<i64> {
        // Whatever is due is applied before a write.
        debit(&app, 1_000_000).expect(422);
        let connection = app.sqlite();
        let sql = "SELECT amount FROM activity WHERE kind = 17 ORDER BY seq";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    advance(&app, DAY);
    assert_eq!(announced(), [0; 0]);
    set_notice(&app, &json!(10));
    assert_eq!(announced(), [1, 2]);
    set_notice(&app, &json!(30));
    assert_eq!(announced(), [1, 2, 4]);
    for days in [json!(2), json!(null), json!(30), json!(1)] {
        set_notice(&app, &days);
        assert_eq!(announced(), [1, 2, 4]);
    }
    set_notice(&app, &json!(null));
    advance(&app, 30 * DAY);
    assert_eq!(announced(), [1, 2, 4]);
    assert_eq!(app.balance("ada"), 8);
    // The settings of a program are those of the one that follows it.
    set_notice(&app, &json!(5));
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    let program = app.get("/v1/programs/current").expect(200);
    assert_eq!(program["expiry_notice"], 5);
    app.put("/v1/members/ada", &json!({})).expect(200);
    credit(&app, 64, &json!({"expiresAt": "2026-06-25T12:00:00Z"}));
    advance(&app, 10 * DAY);
    assert_eq!(announced(), [1, 2, 4, 64]);
    check(&app);
}

/// Month and day, some days after the first day of a test.
fn day(days: u32) -> String {
    match 15 + days {
        day @ ..=30 => format!("06-{day:02}"),
        day => format!("07-{:02}", day - 30),
    }
}

#[test]
fn points_that_are_held_at_the_time_of_a_notice_are_not_announced() {
    let app = with_lots();
    set_notice(&app, &json!(3));
    credit(&app, 30, &json!({"expiresAt": END}));
    let list = app.get("/v1/participants?external_id=ada").expect(200);
    let path = format!(
        "/v1/participants/{}/balances",
        list["data"][0]["id"].as_str().unwrap()
    );
    let body = json!({"program_id": "current", "asset_id": "default", "amount": "20",
        "description": "An order"});
    app.post(&format!("{path}/hold"), &body).expect(200);
    advance(&app, 7 * DAY);
    let amount = "SELECT amount FROM activity WHERE kind = 17";
    assert_eq!(number(&app, amount), 10);
    app.post(&format!("{path}/release"), &body).expect(200);
    advance(&app, 4 * DAY);
    assert_eq!((notices(&app), app.balance("ada")), (1, 0));
    check(&app);
}

#[test]
fn a_program_without_lots_has_no_notice_and_a_wrong_one_names_the_range() {
    let app = TestApp::start();
    let needs = "needs points that are kept in lots: POST /v1/assets/{id}/convert sets that up";
    let refused = app.patch("/v1/programs/current", &json!({"expiry_notice": 7}));
    let message = scrip_error(refused, 400, "bad_request");
    assert_eq!(message, format!("expiry_notice {needs}"));
    set_notice(&app, &Value::Null);
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    let before = set_notice(&app, &json!(366));
    for wrong in [
        json!(0),
        json!(367),
        json!(1.5),
        json!("7"),
        json!({}),
        json!(true),
    ] {
        let refused = app.patch("/v1/programs/current", &json!({"expiry_notice": wrong}));
        let message = scrip_error(refused, 400, "bad_request");
        let expected = "expiry_notice must be a whole number from 1 to 366";
        assert!(message.starts_with(expected), "{wrong}: {message}");
    }
    assert_eq!(app.get("/v1/programs/current").expect(200), before);
}

/// `verify` compares each notice with the lots before it.
#[test]
fn a_notice_that_is_wrong_missing_or_repeated_is_found() {
    let mut app = with_lots();
    set_notice(&app, &json!(3));
    credit(&app, 5, &json!({"expiresAt": END}));
    credit(&app, 9, &json!({}));
    advance(&app, 7 * DAY);
    advance(&app, 1);
    credit(&app, 1, &json!({}));
    app.stop();
    let folder = tempfile::tempdir().unwrap();
    let content = "must have the points that expire the notice time";
    let copied = "INSERT INTO activity (seq, at, program_id, kind, actor, member_id, amount,
            expires_at, due_at, available)
         SELECT (SELECT max(seq) + 1 FROM activity), (SELECT max(at) FROM activity), program_id,
            kind, actor, member_id, amount, expires_at, due_at, available
         FROM activity WHERE kind = 17";
    for (place, (sql, finding)) in [
        ("UPDATE activity SET amount = 4 WHERE kind = 17", content),
        ("UPDATE activity SET available = 5 WHERE kind = 17", content),
        (
            "UPDATE activity SET expires_at = expires_at + 1 WHERE kind = 17",
            content,
        ),
        (
            "UPDATE activity SET due_at = due_at - 1 WHERE kind = 17",
            content,
        ),
        (
            "DELETE FROM activity WHERE kind = 17",
            "the notice of points of member row",
        ),
        (copied, "nothing was due in its program"),
        (
            "UPDATE activity SET available = 4 WHERE kind = 51 AND available = 3",
            "its expiry_notice does not match the log",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{place}.db"));
        std::fs::copy(app.database(), &path).unwrap();
        tamper(&path, sql);
        let connection = rusqlite::Connection::open(&path).unwrap();
        let found = verify::verify(&connection, |_| ()).unwrap().findings;
        let has = found.iter().any(|one| one.contains(finding));
        assert!(has, "{sql}: {found:?}");
    }
}
