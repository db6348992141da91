//! Points that have dates: in wallets, in transactions and in the figures.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{cancel, encode, millis, names, post_once, race, time, try_redeem};
use crate::support::{Response, TestApp};

/// The first day of the tests' clock.
const NOW: &str = "2026-06-15T12:00:00.000Z";
const DAY: i64 = 86_400;

/// A server whose program keeps its points in lots.
pub(crate) fn with_lots() -> TestApp {
    with_lots_at(NOW)
}

pub(crate) fn with_lots_at(now: &str) -> TestApp {
    let app = TestApp::start_at(now, |_| ());
    let body = json!({"to": "LOT"});
    app.post("/v1/assets/default/convert", &body).expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);
    app
}

/// Credits ada, with additional fields.
#[track_caller]
pub(crate) fn credit(app: &TestApp, amount: i64, extra: &Value) {
    let mut body = json!({"externalUserID": "ada", "amount": amount});
    let fields = extra.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    app.post("/v1/wallet/credit", &body).expect(200);
}

pub(crate) fn debit(app: &TestApp, amount: i64) -> Response {
    let body = json!({"externalUserID": "ada", "amount": amount});
    app.post("/v1/wallet/debit", &body)
}

/// Advances the program's clock, and waits until everything is applied that is due then.
#[track_caller]
pub(crate) fn advance(app: &TestApp, seconds: i64) {
    let body = json!({"advanceSeconds": seconds});
    app.post("/v1/sandbox/clock", &body).expect(200);
}

/// A time after the first moment of a test.
fn after(seconds: i64) -> String {
    after_millis(seconds * 1000)
}

fn after_millis(later: i64) -> String {
    time(millis(NOW) + later)
}

pub(crate) fn wallet(app: &TestApp, member: &str) -> Value {
    let path = format!("/v1/wallet?externalUserID={}", encode(member));
    app.get(&path).expect(200)
}

/// Ada's balance, and the points that she received and spent.
#[track_caller]
fn sums(app: &TestApp) -> [i64; 3] {
    let wallet = wallet(app, "ada");
    ["balance", "amountReceived", "amountSpent"].map(|field| wallet[field].as_i64().unwrap())
}

/// Ada's transactions, newest first: the type, the points, the reason, and the balance after it.
#[track_caller]
pub(crate) fn transactions(app: &TestApp) -> Vec<(String, i64, Value, i64)> {
    let path = "/v1/wallet/transactions?externalUserID=ada&limit=100&includeArchived=true";
    let page = app.get(path).expect(200);
    let all = page["transactions"].as_array().unwrap().iter();
    all.map(|row| {
        let kind = row["type"].as_str().unwrap().to_owned();
        let number = |field: &str| row[field].as_i64().unwrap();
        let reason = row["reason"].clone();
        (kind, number("amount"), reason, number("balanceAfter"))
    })
    .collect()
}

/// Compares ada's transactions, newest first.
#[track_caller]
fn assert_transactions(app: &TestApp, expected: &[(&str, i64, Option<&str>, i64)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(kind, amount, reason, after)| ((*kind).to_owned(), *amount, json!(reason), *after))
        .collect();
    assert_eq!(transactions(app), expected);
}

/// The instants at which ada's points expire, with the points.
#[track_caller]
fn expiring(app: &TestApp) -> Vec<(i64, String)> {
    let wallet = wallet(app, "ada");
    let all = wallet["expiring"].as_array().unwrap().iter();
    all.map(|one| {
        assert_eq!(names(one), ["amount", "at"]);
        let at = one["at"].as_str().unwrap().to_owned();
        (one["amount"].as_i64().unwrap(), at)
    })
    .collect()
}

/// The sums of the summary are those of all wallets, and the file agrees with the log.
#[track_caller]
pub(crate) fn assert_sums(app: &TestApp) {
    let summary = app.summary();
    let of = |name: &str| summary[name].as_i64().unwrap();
    let left = of("pointsMinted") + of("pointsRefunded")
        - ["Spent", "Forfeited", "Debited", "Expired", "Voided"]
            .map(|name| of(&format!("points{name}")))
            .iter()
            .sum::<i64>();
    let list = app.get("/v1/members?includeArchived=true&limit=100");
    let list = list.expect(200);
    let members = list["members"].as_array().unwrap();
    let sum = |field: &str| -> i64 {
        let wallets = members.iter().map(|member| &member["wallet"]);
        wallets.map(|wallet| wallet[field].as_i64().unwrap()).sum()
    };
    assert_eq!(left, sum("balance") + sum("held") + sum("pending"));
    assert_eq!(of("pointsPending"), sum("pending"));
    assert_eq!(of("pointsHeld"), sum("held"));
    for wallet in members.iter().map(|member| &member["wallet"]) {
        let of = |field: &str| wallet[field].as_i64().unwrap();
        let apart = of("amountReceived") - of("amountSpent");
        assert_eq!(apart, of("balance") + of("held"), "{wallet}");
    }
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

#[test]
fn a_wallet_shows_what_is_pending_and_what_expires_next() {
    let app = with_lots();
    for (amount, day) in [
        (1, 9),
        (2, 3),
        (4, 7),
        (8, 3),
        (16, 1),
        (32, 5),
        (64, 8),
        (128, 2),
    ] {
        credit(&app, amount, &json!({"expiresAt": after(day * DAY)}));
    }
    credit(&app, 256, &json!({"expiresAt": null}));
    let pending = json!({"maturesAt": after(DAY), "expiresAt": after(2 * DAY)});
    credit(&app, 512, &pending);
    let next = |days: [(i64, i64); 5]| days.map(|(amount, day)| (amount, after(day * DAY)));
    assert_eq!(
        expiring(&app),
        next([(16, 1), (128, 2), (10, 3), (32, 5), (4, 7)])
    );
    let shown = wallet(&app, "ada");
    assert_eq!(
        (&shown["pending"], &shown["held"]),
        (&json!(512), &json!(0))
    );
    assert_eq!(sums(&app), [511, 511, 0]);

    // Other answers show the same wallet.
    let eligibility = app.get("/v1/eligibility?externalUserID=ada").expect(200);
    assert_eq!(eligibility["wallet"], shown);
    let member = app.get("/v1/members/ada").expect(200);
    assert_eq!(member["wallet"], shown);
    let list = app.get("/v1/members").expect(200);
    assert_eq!(list["members"][0]["wallet"], shown);

    // The answer names the newest row of the log, of any member.
    app.member("bob", 5);
    let newest = app.sqlite();
    let newest: i64 = newest
        .query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))
        .unwrap();
    let later = wallet(&app, "ada");
    assert_eq!(later["asOf"], newest);
    assert!(later["asOf"].as_i64() > shown["asOf"].as_i64());
    assert_eq!(wallet(&app, "bob")["expiring"], json!([]));

    advance(&app, DAY);
    assert_eq!(
        expiring(&app),
        next([(640, 2), (10, 3), (32, 5), (4, 7), (64, 8)])
    );
    assert_eq!(sums(&app), [1007, 1023, 16]);
    assert_eq!(wallet(&app, "ada")["pending"], 0);
    assert_sums(&app);
}

#[test]
fn a_program_without_lots_shows_none_of_it() {
    let app = TestApp::start();
    app.member("ada", 70);
    let wallet = wallet(&app, "ada");
    assert_eq!(
        [&wallet["pending"], &wallet["held"], &wallet["expiring"]],
        [&json!(0), &json!(0), &json!([])]
    );
    let summary = app.summary();
    for name in [
        "pointsExpired",
        "pointsVoided",
        "pointsPending",
        "pointsHeld",
    ] {
        assert_eq!(summary[name], 0, "{name}");
    }
}

#[test]
fn expired_credits_are_gone_and_old_debits_stay() {
    let app = with_lots();
    let soon = json!({"expiresAt": after(10 * DAY), "reason": "soon"});
    credit(&app, 100, &soon);
    debit(&app, 40).expect(200);
    credit(&app, 50, &json!({}));
    advance(&app, 10 * DAY);
    // The debit took of the points that expired, so that only the rest of them expires.
    assert_eq!(sums(&app), [50, 150, 100]);
    assert_transactions(
        &app,
        &[
            ("DEBIT", 60, Some("expired"), 50),
            ("CREDIT", 50, None, 110),
            ("DEBIT", 40, None, 60),
            ("CREDIT", 100, Some("soon"), 100),
        ],
    );
    let summary = app.summary();
    assert_eq!(
        (&summary["pointsExpired"], &summary["pointsDebited"]),
        (&json!(60), &json!(40))
    );
    assert_sums(&app);
}

#[test]
fn a_refund_after_expiry_is_restored_and_expires_as_an_entry_of_its_own() {
    let app = with_lots();
    let offer = app.offer(json!({"pointsPrice": 80}));
    credit(&app, 100, &json!({"expiresAt": after(10 * DAY)}));
    let redemption = app.redeem("ada", &offer);
    advance(&app, 11 * DAY);
    cancel(&app, &redemption).expect(200);
    assert_eq!(sums(&app), [0, 180, 180]);
    assert_transactions(
        &app,
        &[
            ("DEBIT", 80, Some("expired"), 0),
            ("CREDIT", 80, Some("refund"), 80),
            ("DEBIT", 20, Some("expired"), 0),
            ("DEBIT", 80, Some("redemption"), 20),
            ("CREDIT", 100, None, 100),
        ],
    );
    let summary = app.summary();
    assert_eq!(summary["pointsExpired"], 100);
    assert_eq!(summary["pointsRefunded"], 80);
    assert_sums(&app);
}

#[test]
fn a_refund_gives_points_back_with_the_life_that_they_had() {
    let app = with_lots();
    let offer = app.offer(json!({"pointsPrice": 130}));
    credit(&app, 100, &json!({"expiresAt": after(10 * DAY)}));
    credit(&app, 60, &json!({"expiresAt": after(20 * DAY)}));
    let before = expiring(&app);
    let redemption = app.redeem("ada", &offer);
    assert_eq!(expiring(&app), [(30, after(20 * DAY))]);
    advance(&app, 10 * DAY - 1);
    cancel(&app, &redemption).expect(200);
    // Redeeming and canceling renews nothing.
    assert_eq!(expiring(&app), before);
    advance(&app, 1);
    assert_eq!(sums(&app), [60, 290, 230]);
    assert_sums(&app);
}

#[test]
fn points_are_there_from_the_millisecond_when_they_mature_until_the_one_when_they_expire() {
    let app = with_lots();
    for (amount, field, at) in [
        (1, "maturesAt", DAY * 1000),
        (10, "maturesAt", DAY * 1000 + 1),
        (100, "expiresAt", DAY * 1000),
        (1000, "expiresAt", DAY * 1000 + 1),
    ] {
        let mut dates = json!({"expiresAt": null});
        dates[field] = json!(after_millis(at));
        credit(&app, amount, &dates);
    }
    let offer = |price: i64| app.offer(json!({"pointsPrice": price}));
    let [all, one, too_many] = [1100, 1, 1001].map(offer);
    advance(&app, DAY - 1);
    try_redeem(&app, "ada", &one).expect(201);
    // What the redemption took of the first lot is not in the balance any more.
    assert_eq!(app.balance("ada"), 1099);
    try_redeem(&app, "ada", &all).expect_error(422, "INSUFFICIENT_POINTS");
    advance(&app, 1);
    // 99 points expired in this millisecond, and 1 is new: it is counted once.
    assert_eq!(app.balance("ada"), 1001);
    app.clock.advance(Duration::from_millis(1));
    try_redeem(&app, "ada", &too_many).expect_error(422, "INSUFFICIENT_POINTS");
    assert_eq!(app.balance("ada"), 11);
    debit(&app, 11).expect(200);
    assert_eq!(sums(&app), [0, 1111, 1111]);
    assert_sums(&app);
}

#[test]
fn matured_points_have_the_reason_of_their_credit() {
    let app = with_lots();
    let matures = |day: i64, reason: &str| json!({"maturesAt": after(day * DAY), "reason": reason});
    credit(&app, 10, &matures(1, "an order"));
    // Entries between the credit and its maturity, so that it has to be looked up.
    for _ in 0..20 {
        credit(&app, 1, &json!({}));
    }
    credit(&app, 20, &matures(2, "a second order"));
    credit(&app, 30, &matures(2, "a third order"));
    // It is past its time when it is made, and matures in the same commit.
    let begun = transactions(&app).len();
    credit(&app, 40, &matures(-1, "an old order"));
    advance(&app, 2 * DAY);
    let shown = transactions(&app);
    let expected = [
        ("CREDIT", 50, None, 120),
        ("CREDIT", 10, Some("an order"), 70),
        ("CREDIT", 40, Some("an old order"), 60),
    ];
    let expected = expected
        .map(|(kind, amount, reason, after)| (kind.to_owned(), amount, json!(reason), after));
    assert_eq!(shown[..3], expected);
    // Credits of points that are not there yet are no transactions.
    assert_eq!(shown.len(), begun + 3);
    assert_sums(&app);
}

/// The program's expiry and zone, and what a credit then gets.
fn calendar(now: &str, settings: &Value) -> (TestApp, String) {
    let app = with_lots_at(now);
    let programs = app.get("/v1/programs").expect(200);
    let id = programs["data"][0]["id"].as_str().unwrap();
    let path = format!("/v1/programs/{id}");
    app.patch(&path, settings).expect(200);
    credit(&app, 7, &json!({}));
    let expires = expiring(&app);
    let [(7, at)] = &expires[..] else {
        panic!("{expires:?}");
    };
    let at = at.clone();
    (app, at)
}

#[test]
fn a_month_after_the_31st_of_january_is_the_last_day_of_february() {
    let expiry = json!({"expiry": {"after": "P1M"}});
    let (app, at) = calendar("2027-01-31T10:00:00.000Z", &expiry);
    assert_eq!(at, "2027-02-28T10:00:00.000Z");
    advance(&app, 28 * DAY - 1);
    assert_eq!(app.balance("ada"), 7);
    advance(&app, 1);
    assert_eq!(app.balance("ada"), 0);
    let (_, at) = calendar("2028-01-31T10:00:00.000Z", &expiry);
    assert_eq!(at, "2028-02-29T10:00:00.000Z");
}

#[test]
fn a_day_is_a_day_of_the_calendar_when_the_clocks_change() {
    let berlin = json!({"expiry": {"after": "P1D"}, "time_zone": "Europe/Berlin"});
    for (credited, expires, about) in [
        (
            "2027-03-27T11:00:00.000Z",
            "2027-03-28T10:00:00.000Z",
            "noon, 23 hours later",
        ),
        (
            "2027-03-27T01:30:00.000Z",
            "2027-03-28T01:30:00.000Z",
            "02:30 does not exist: 03:30",
        ),
        (
            "2027-10-30T10:00:00.000Z",
            "2027-10-31T11:00:00.000Z",
            "noon, 25 hours later",
        ),
        (
            "2027-10-30T00:30:00.000Z",
            "2027-10-31T00:30:00.000Z",
            "the first 02:30 of two",
        ),
    ] {
        let (app, at) = calendar(credited, &berlin);
        assert_eq!(at, expires, "{about}");
        let life = (millis(expires) - millis(credited)) / 1000;
        advance(&app, life - 1);
        assert_eq!(app.balance("ada"), 7, "{about}");
        advance(&app, 1);
        assert_eq!(app.balance("ada"), 0, "{about}");
        assert_sums(&app);
    }
}

#[test]
fn a_debit_in_the_millisecond_in_which_all_points_expire_finds_none() {
    let app = with_lots();
    credit(&app, 100, &json!({"expiresAt": after(10)}));
    app.clock.advance(Duration::from_secs(10));
    let message = debit(&app, 1).expect_error(422, "INSUFFICIENT_POINTS");
    assert!(message.contains('0'), "{message}");
    // The refusal did not undo what was due before it.
    assert_eq!(sums(&app), [0, 100, 100]);
    assert_transactions(
        &app,
        &[
            ("DEBIT", 100, Some("expired"), 0),
            ("CREDIT", 100, None, 100),
        ],
    );
    assert_sums(&app);
}

#[test]
fn a_redemption_that_races_the_expiry_gets_the_points_or_leaves_them() {
    for round in 0..8 {
        let app = with_lots();
        let offers = [(); 3].map(|()| app.offer(json!({"pointsPrice": 60})));
        credit(&app, 100, &json!({"expiresAt": after(1)}));
        let (start, is_over) = (Barrier::new(4), AtomicBool::new(false));
        let (start, is_over) = (&start, &is_over);
        let statuses = std::thread::scope(|scope| {
            let app = &app;
            let redeeming = offers.each_ref().map(|offer| {
                scope.spawn(move || {
                    start.wait();
                    try_redeem(app, "ada", offer).status
                })
            });
            let clock = scope.spawn(move || {
                start.wait();
                while !is_over.load(Ordering::Relaxed) && app.clock.now().as_millis() % 1000 != 999
                {
                    app.clock.advance(Duration::from_millis(111));
                }
                app.clock.advance(Duration::from_millis(1));
            });
            let statuses = redeeming.map(|thread| thread.join().unwrap());
            is_over.store(true, Ordering::Relaxed);
            clock.join().unwrap();
            statuses
        });
        advance(&app, 2);
        let redeemed = statuses.iter().filter(|status| **status == 201).count();
        assert!(redeemed <= 1, "{round}: {statuses:?}");
        let left = if redeemed == 1 { 40 } else { 100 };
        let summary = app.summary();
        assert_eq!(summary["pointsExpired"], left, "{round}: {statuses:?}");
        assert_eq!(summary["pointsSpent"], 100 - left, "{round}");
        assert_eq!(sums(&app), [0, 100, 100], "{round}");
        assert_sums(&app);
    }
}

#[test]
fn a_removal_takes_pending_points_too() {
    let app = with_lots();
    credit(&app, 10, &json!({"expiresAt": after(DAY)}));
    credit(&app, 500, &json!({"maturesAt": after(2 * DAY)}));
    app.delete("/v1/members/ada").expect(200);
    let removed = || {
        let member = app.get("/v1/members/ada?includeArchived=true");
        member.expect(200)["wallet"].clone()
    };
    let wallet = removed();
    assert_eq!(
        [&wallet["balance"], &wallet["pending"], &wallet["expiring"]],
        [&json!(0), &json!(0), &json!([])]
    );
    advance(&app, 3 * DAY);
    let later = removed();
    assert_eq!(
        [&later["balance"], &later["amountReceived"]],
        [&json!(0), &json!(10)]
    );
    let summary = app.summary();
    assert_eq!(
        [&summary["pointsForfeited"], &summary["pointsExpired"]],
        [&json!(510), &json!(0)]
    );
    assert_sums(&app);
}

#[test]
fn a_retained_balance_matures_and_expires_as_it_would_have() {
    let app = with_lots();
    credit(&app, 10, &json!({"expiresAt": after(DAY)}));
    credit(&app, 20, &json!({"expiresAt": after(9 * DAY)}));
    credit(
        &app,
        500,
        &json!({"maturesAt": after(2 * DAY), "expiresAt": after(4 * DAY)}),
    );
    app.delete("/v1/members/ada?retainBalance=true").expect(200);
    advance(&app, 3 * DAY);
    let member = app.get("/v1/members/ada?includeArchived=true").expect(200);
    assert_eq!(member["wallet"]["balance"], 520);
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(
        expiring(&app),
        [(500, after(4 * DAY)), (20, after(9 * DAY))]
    );
    advance(&app, DAY);
    assert_eq!(sums(&app), [20, 530, 510]);
    assert_sums(&app);
}

#[test]
fn a_credit_with_dates_is_replayed_as_it_was() {
    let app = with_lots();
    let body = |expires_at: &str| {
        json!({"externalUserID": "ada", "amount": 100, "expiresAt": expires_at,
            "maturesAt": after(5)})
    };
    let (first, other) = (body(&after(10)), body(&after(11)));
    let send = |body: &Value| post_once(&app, "a-key", "/v1/wallet/credit", body);
    let answer = send(&first);
    assert_eq!(
        (answer.status, answer.header("Idempotency-Replayed")),
        (200, None)
    );
    let again = send(&first);
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    assert_eq!((again.status, &again.bytes), (answer.status, &answer.bytes));
    send(&other).expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    // After the points came and went, it still is the answer of then, and nothing more happens.
    advance(&app, 20);
    let late = send(&first);
    assert_eq!((late.status, &late.bytes), (answer.status, &answer.bytes));
    assert_eq!(sums(&app), [0, 100, 100]);
    assert_sums(&app);
}

#[test]
fn of_two_debits_at_once_one_gets_the_points() {
    let app = with_lots();
    credit(&app, 60, &json!({"expiresAt": after(DAY)}));
    credit(&app, 40, &json!({}));
    let send = || debit(&app, 70);
    assert_eq!(race([&send, &send]), [200, 422]);
    assert_eq!(sums(&app), [30, 100, 70]);
    assert_sums(&app);
}
