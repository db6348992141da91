//! The life of points: when those of a credit expire, by the program's calendar.

use std::time::Duration;

use serde_json::{Value, json};
use stampcard::domain::Timestamp;

use crate::assets::convert;
use crate::client::{check, live, number, scrip_error, time, wait_until};
use crate::support::TestApp;

/// A sandbox whose points are in lots, with the clock at a time.
fn start_at(now: &str) -> TestApp {
    let app = TestApp::start_at(now, |_| ());
    convert(&app, &json!({"to": "LOT"}));
    app.put("/v1/members/ada", &json!({})).expect(200);
    app
}

fn path(app: &TestApp) -> String {
    let list = app.get("/v1/programs").expect(200);
    format!("/v1/programs/{}", list["data"][0]["id"].as_str().unwrap())
}

fn set(app: &TestApp, settings: &Value) -> Value {
    app.patch(&path(app), settings).expect(200)
}

/// When the points of a credit expire.
#[track_caller]
fn credited(app: &TestApp, fields: &Value) -> Option<String> {
    let mut body = json!({"externalUserID": "ada", "amount": 5});
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    app.post("/v1/wallet/credit", &body).expect(200);
    let last = "SELECT coalesce(expires_at, 0) FROM activity WHERE entry = 1 ORDER BY seq DESC";
    Some(number(app, last)).filter(|at| *at != 0).map(time)
}

#[test]
fn a_month_after_the_last_day_of_january_is_the_last_day_of_february() {
    for (now, after, end) in [
        ("2026-01-31T12:00:00Z", "P1M", "2026-02-28T12:00:00.000Z"),
        ("2028-01-31T12:00:00Z", "P1M", "2028-02-29T12:00:00.000Z"),
        ("2028-02-29T00:00:00Z", "P1Y", "2029-02-28T00:00:00.000Z"),
        ("2028-02-29T00:00:00Z", "P4Y", "2032-02-29T00:00:00.000Z"),
        ("2026-05-31T12:00:00Z", "P30D", "2026-06-30T12:00:00.000Z"),
        ("2026-05-31T12:00:00Z", "P2W", "2026-06-14T12:00:00.000Z"),
    ] {
        let app = start_at(now);
        let shown = set(&app, &json!({"expiry": {"after": after}}));
        let same = app.get(&path(&app)).expect(200);
        assert_eq!(shown["expiry"], same["expiry"]);
        assert_eq!(
            credited(&app, &json!({})).as_deref(),
            Some(end),
            "{now} {after}"
        );
        assert_eq!(app.balance("ada"), 5);
        // They are there until then, to the millisecond.
        let last = Timestamp::parse(end).unwrap().as_millis() - 1;
        wait_until(&app, &time(last));
        let debit = json!({"externalUserID": "ada", "amount": 2});
        app.post("/v1/wallet/debit", &debit).expect(200);
        app.clock.advance(Duration::from_millis(1));
        app.post("/v1/wallet/debit", &debit)
            .expect_error(422, "INSUFFICIENT_POINTS");
        assert_eq!(app.balance("ada"), 0);
        check(&app);
    }
}

#[test]
fn a_period_is_shown_in_months_and_days() {
    let app = start_at("2026-06-15T12:00:00Z");
    for (sent, shown) in [
        (json!({"after": "P1Y6M"}), json!({"after": "P18M"})),
        (json!({"after": "P2W1D"}), json!({"after": "P15D"})),
        (
            json!({"after": "P90D", "extra": null}),
            json!({"after": "P90D"}),
        ),
        (json!({"at": "year_end"}), json!({"at": "year_end"})),
        (
            json!({"at": "year_end", "extra": "P1Y"}),
            json!({"at": "year_end", "extra": "P12M"}),
        ),
        (Value::Null, Value::Null),
    ] {
        assert_eq!(set(&app, &json!({"expiry": sent}))["expiry"], shown);
        assert_eq!(app.get(&path(&app)).expect(200)["expiry"], shown);
    }
}

#[test]
fn a_year_ends_at_midnight_of_the_program_s_zone() {
    let app = start_at("2026-12-31T12:00:00Z");
    let year_end = json!({"expiry": {"at": "year_end"}});
    set(&app, &year_end);
    let mut ends = Vec::new();
    for (zone, end) in [
        ("UTC", "2027-01-01T00:00:00.000Z"),
        // Its new year has begun.
        ("Pacific/Auckland", "2027-12-31T11:00:00.000Z"),
        ("America/Los_Angeles", "2027-01-01T08:00:00.000Z"),
    ] {
        let shown = set(&app, &json!({"time_zone": zone}));
        assert_eq!(shown["time_zone"], zone);
        assert_eq!(credited(&app, &json!({})).as_deref(), Some(end), "{zone}");
        ends.push(end);
    }
    set(&app, &json!({"expiry": {"at": "year_end", "extra": "P3M"}}));
    // By the clocks of the zone: midnight in summer time, an hour earlier by UTC.
    assert_eq!(
        credited(&app, &json!({})).as_deref(),
        Some("2027-04-01T07:00:00.000Z")
    );
    // What was credited before keeps its date.
    let (mut left, sum) = (20, |app: &TestApp| app.balance("ada"));
    assert_eq!(sum(&app), left);
    for end in [ends[0], ends[2], "2027-04-01T07:00:00Z", ends[1]] {
        wait_until(&app, end);
        app.put("/v1/members/bob", &json!({})).expect(200);
        left -= 5;
        assert_eq!(sum(&app), left, "{end}");
    }
    check(&app);
}

#[test]
fn a_change_of_the_expiry_concerns_later_credits_and_a_credit_can_override_it() {
    let app = start_at("2026-06-15T12:00:00Z");
    let of = |fields: Value| credited(&app, &fields);
    assert_eq!(of(json!({})), None);
    set(&app, &json!({"expiry": {"after": "P1D"}}));
    assert_eq!(of(json!({})).as_deref(), Some("2026-06-16T12:00:00.000Z"));
    assert_eq!(of(json!({"expiresAt": null})), None);
    let own = "2026-06-15T13:00:00.000Z";
    assert_eq!(of(json!({"expiresAt": own})).as_deref(), Some(own));
    set(&app, &json!({"expiry": {"after": "P2D"}}));
    assert_eq!(of(json!({})).as_deref(), Some("2026-06-17T12:00:00.000Z"));
    set(&app, &json!({"expiry": null}));
    assert_eq!(of(json!({})), None);
    let mut shown = Vec::new();
    for hours in [0, 1, 23, 24] {
        app.clock.advance(Duration::from_hours(hours));
        app.put("/v1/members/bob", &json!({})).expect(200);
        shown.push(app.balance("ada"));
    }
    assert_eq!(shown, [30, 25, 20, 15]);
    check(&app);
}

#[test]
fn points_that_mature_expire_as_the_program_says_and_not_before() {
    let app = start_at("2026-06-15T12:00:00Z");
    set(&app, &json!({"expiry": {"after": "P1D"}}));
    let body = |matures: &str| json!({"externalUserID": "ada", "amount": 5, "maturesAt": matures});
    let late = app
        .post("/v1/wallet/credit", &body("2026-06-16T12:00:00Z"))
        .expect_error(422, "VALIDATION");
    assert_eq!(
        late,
        "maturesAt must be before the points expire, which is 2026-06-16T12:00:00.000Z"
    );
    app.post("/v1/wallet/credit", &body("2026-06-16T11:59:59.999Z"))
        .expect(200);
    assert_eq!(app.balance("ada"), 0);
    wait_until(&app, "2026-06-16T11:59:59.999Z");
    app.put("/v1/members/bob", &json!({})).expect(200);
    assert_eq!(app.balance("ada"), 5);
    app.clock.advance(Duration::from_millis(1));
    app.put("/v1/members/bob", &json!({"displayName": "Bob"}))
        .expect(200);
    assert_eq!(app.balance("ada"), 0);
    check(&app);
}

#[test]
fn what_is_no_life_and_no_zone_is_refused_by_the_name_of_the_field() {
    let app = start_at("2026-06-15T12:00:00Z");
    let before = app.get(&path(&app)).expect(200);
    for (body, field) in [
        (json!({"expiry": {"after": "1M"}}), "expiry.after"),
        (json!({"expiry": {"after": "P0D"}}), "expiry.after"),
        (json!({"expiry": {"after": "PT24H"}}), "expiry.after"),
        (json!({"expiry": {"after": "P1.5M"}}), "expiry.after"),
        (json!({"expiry": {"after": "P101Y"}}), "expiry.after"),
        (json!({"expiry": {"after": 12}}), "expiry.after"),
        (
            json!({"expiry": {"at": "year_end", "extra": "3M"}}),
            "expiry.extra",
        ),
        (json!({"expiry": {"at": "month_end"}}), "expiry "),
        (json!({"expiry": {"extra": "P3M"}}), "expiry "),
        (
            json!({"expiry": {"after": "P1M", "at": "year_end"}}),
            "expiry ",
        ),
        (json!({"expiry": {}}), "expiry "),
        (json!({"expiry": "P12M"}), "expiry "),
        (json!({"time_zone": "Berlin"}), "time_zone"),
        (json!({"time_zone": "Etc/Unknown"}), "time_zone"),
        (json!({"time_zone": ""}), "time_zone"),
        (json!({"time_zone": null}), "time_zone"),
    ] {
        let refused = app.patch(&path(&app), &body);
        let message = scrip_error(refused, 400, "bad_request");
        assert!(message.starts_with(field), "{body}: {message}");
    }
    assert_eq!(app.get(&path(&app)).expect(200), before);
}

#[test]
fn without_lots_what_needs_them_names_the_call_that_makes_them() {
    let app = TestApp::start();
    app.member("ada", 5);
    let needs = "needs points that are kept in lots: POST /v1/assets/{id}/convert sets that up";
    let refused = app.patch(&path(&app), &json!({"expiry": {"after": "P1M"}}));
    let message = scrip_error(refused, 400, "bad_request");
    assert_eq!(message, format!("expiry {needs}"));
    // The zone is that of all of the program's calendar, and no end is what there is.
    set(&app, &json!({"time_zone": "Europe/Berlin", "expiry": null}));
    for field in ["expiresAt", "maturesAt"] {
        let body = json!({"externalUserID": "ada", "amount": 5, field: "2026-07-01T00:00:00Z"});
        let message = app
            .post("/v1/wallet/credit", &body)
            .expect_error(422, "VALIDATION");
        assert_eq!(message, format!("{field} {needs}"));
        let body = json!({"externalUserID": "ada", "amount": 1, field: null});
        app.post("/v1/wallet/credit", &body).expect(200);
    }
    assert_eq!(app.balance("ada"), 7);
    // Another program of the same server is not concerned.
    convert(&app, &json!({"to": "LOT"}));
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let body = json!({"externalUserID": "lea", "amount": 5, "expiresAt": "2026-07-01T00:00:00Z"});
    live(&app, "POST", "/v1/wallet/credit", &body).expect_error(422, "VALIDATION");
}
