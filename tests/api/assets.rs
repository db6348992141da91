//! How the points of a program are kept: the settings, and their conversion to lots.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    cancel, check, credit, get_as, number, partner, post_once, race, scrip_error, until,
};
use crate::lots;
use crate::support::{LIVE_KEY, TestApp};

const ASSET: &str = "/v1/assets/default";
const CONVERT: &str = "/v1/assets/default/convert";

/// Converts the points of the sandbox to lots, and waits until all are in lots.
#[track_caller]
pub(crate) fn convert(app: &TestApp, body: &Value) -> Value {
    let converted = app.post(CONVERT, body).expect(200);
    opened(app);
    converted
}

/// Waits until the points of all members are in lots.
#[track_caller]
fn opened(app: &TestApp) -> Value {
    until(|| {
        let asset = app.get(ASSET).expect(200);
        (asset["converting"] == false).then_some(asset)
    })
}

/// The members with lots: their numbers, the points in their lots, and when these expire.
fn lots_made(app: &TestApp) -> Vec<(i64, i64, Option<i64>)> {
    let connection = app.sqlite();
    let sql = "SELECT member_id, amount, expires_at FROM activity WHERE entry = 11 ORDER BY seq";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.try_into());
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_program_begins_with_a_sum_and_its_asset_has_one_id() {
    let app = TestApp::start();
    let asset = app.get(ASSET).expect(200);
    let expected = json!({
        "name": "Points", "symbol": "pts", "inventory_mode": "SIMPLE", "burn_order": "fifo",
        "issuance_policy": "UNLIMITED", "scale": 0, "max_transaction_amount": null,
        "is_default": true, "converting": false, "status": "ACTIVE", "deleted_at": null,
        "version": 0,
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&asset[field], value, "{field}");
    }
    let id = asset["id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/v1/assets/{id}")).expect(200), asset);
    let list = app.get("/v1/assets").expect(200);
    assert_eq!(list["data"], json!([asset]));
    // That of another program is not found, with either id.
    let other = get_as(&app, LIVE_KEY, ASSET).expect(200);
    assert_ne!(other["id"], asset["id"]);
    let path = format!("/v1/assets/{}", other["id"].as_str().unwrap());
    scrip_error(app.get(&path), 404, "not_found");
    scrip_error(app.get("/v1/assets/points"), 404, "not_found");
}

#[test]
fn settings_are_changed_one_by_one_and_have_a_version() {
    let app = TestApp::start();
    let patch = |body: Value| app.patch(ASSET, &body);
    let changed = patch(json!({"max_transaction_amount": "500"})).expect(200);
    assert_eq!(changed["max_transaction_amount"], "500");
    let changed = patch(json!({"burn_order": "soonest_expiry"})).expect(200);
    assert_eq!(
        (&changed["max_transaction_amount"], &changed["burn_order"]),
        (&json!("500"), &json!("soonest_expiry"))
    );
    let same = patch(json!({"burn_order": "soonest_expiry"})).expect(200);
    assert_eq!(same, changed);
    let none = patch(json!({"max_transaction_amount": null})).expect(200);
    assert_eq!(none["max_transaction_amount"], Value::Null);
    for (field, value) in [
        ("max_transaction_amount", json!("0")),
        ("max_transaction_amount", json!(5)),
        ("max_transaction_amount", json!("9007199254740992")),
        ("burn_order", json!("lifo")),
        ("burn_order", json!(null)),
        ("name", json!("Beans")),
        ("symbol", json!("b")),
    ] {
        let message = scrip_error(patch(json!({field: value})), 400, "bad_request");
        assert!(message.starts_with(field), "{message}");
    }
    let fine = patch(json!({"max_transaction_amount": "1.5"}));
    scrip_error(fine, 400, "invalid_scale");
    assert_eq!(app.get(ASSET).expect(200), none);
    check(&app);
    let app = app.restart();
    assert_eq!(app.get(ASSET).expect(200), none);
}

#[test]
fn a_single_credit_or_debit_may_not_exceed_the_limit() {
    let app = TestApp::start();
    app.member("ada", 1_000);
    app.patch(ASSET, &json!({"max_transaction_amount": "500"}))
        .expect(200);
    let moved = |path: &str, amount: u64| {
        app.post(path, &json!({"externalUserID": "ada", "amount": amount}))
    };
    for path in ["/v1/wallet/credit", "/v1/wallet/debit"] {
        let message = moved(path, 501).expect_error(422, "VALIDATION");
        assert_eq!(
            message,
            "amount must be at most 500, the limit of a single credit or debit"
        );
        moved(path, 500).expect(200);
    }
    // A redemption is neither.
    let offer = app.offer(json!({"pointsPrice": 900}));
    let redemption = app.redeem("ada", &offer);
    cancel(&app, &redemption).expect(200);
    assert_eq!(app.balance("ada"), 1_000);
    app.patch(ASSET, &json!({"max_transaction_amount": null}))
        .expect(200);
    moved("/v1/wallet/credit", 501).expect(200);
}

#[test]
fn a_dry_run_says_what_the_conversion_does_and_changes_nothing() {
    let app = TestApp::start();
    for (member, points) in [("ann", 10), ("bob", 0), ("cyd", 30), ("dee", 40)] {
        app.member(member, points);
    }
    app.delete("/v1/members/cyd?retainBalance=true").expect(200);
    app.delete("/v1/members/dee").expect(200);
    let offer = app.offer(json!({"pointsPrice": 3}));
    app.redeem("ann", &offer);
    let ask = |extra: Value| {
        let mut body = json!({"to": "LOT"});
        let fields = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        body
    };
    let before = crate::client::rows(&app);
    let dry = app
        .post(
            CONVERT,
            &ask(json!({"expiry": {"after": "P1M"}, "dry_run": true})),
        )
        .expect(200);
    let counted = json!({"dry_run": true, "members": 2, "lots": 2, "points": "37",
        "would_expire_first": "2026-07-15T12:00:00.000Z"});
    assert_eq!(dry, counted);
    assert_eq!(crate::client::rows(&app), before);
    assert_eq!(app.get(ASSET).expect(200)["inventory_mode"], "SIMPLE");

    let done = convert(&app, &ask(json!({"expiry": {"after": "P1M"}})));
    let mut expected = counted;
    expected["dry_run"] = json!(false);
    assert_eq!(done, expected);
    let expires_at = Some(crate::client::millis("2026-07-15T12:00:00Z"));
    let made = lots_made(&app);
    let of = |made: &[(i64, i64, Option<i64>)]| {
        let mut parts: Vec<_> = made.iter().map(|(_, points, at)| (*points, *at)).collect();
        parts.sort_unstable();
        parts
    };
    assert_eq!(of(&made), [(7, expires_at), (30, expires_at)]);
    assert_eq!(app.balance("ann"), 7);
    check(&app);
    // Also the points of a removed member expire, and no other's come back.
    app.clock.advance(Duration::from_hours(24 * 30));
    app.put("/v1/members/cyd", &json!({})).expect(200);
    assert_eq!((app.balance("ann"), app.balance("cyd")), (0, 0));
    check(&app);
}

#[test]
fn points_are_converted_once_and_never_back() {
    let app = TestApp::start();
    app.member("ada", 5);
    for (body, field) in [
        (json!({}), "to"),
        (json!({"to": "lot"}), "to"),
        (json!({"to": "SIMPLE"}), "to"),
        (json!({"to": "LOT", "expires_at": "soon"}), "expires_at"),
        (
            json!({"to": "LOT", "expires_at": "2026-06-15T12:00:00Z"}),
            "expires_at",
        ),
        (
            json!({"to": "LOT", "expiry": {"after": "1M"}}),
            "expiry.after",
        ),
        (
            json!({"to": "LOT", "expiry": {"after": "P1M"}, "expires_at": "2027-01-01T00:00:00Z"}),
            "expiry",
        ),
        (json!({"to": "LOT", "dry_run": "yes"}), "dry_run"),
    ] {
        let message = scrip_error(app.post(CONVERT, &body), 400, "bad_request");
        assert!(message.starts_with(field), "{body}: {message}");
    }
    scrip_error(
        app.post("/v1/assets/other/convert", &json!({"to": "LOT"})),
        404,
        "not_found",
    );
    assert_eq!(app.get(ASSET).expect(200)["version"], 0);
    let body = json!({"to": "LOT"});
    let first = post_once(&app, "once", CONVERT, &body);
    let again = post_once(&app, "once", CONVERT, &body);
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    assert_eq!(first.expect(200), again.expect(200));
    let asset = opened(&app);
    for body in [body, json!({"to": "LOT", "dry_run": true})] {
        scrip_error(app.post(CONVERT, &body), 409, "already_lots");
    }
    let other = post_once(
        &app,
        "once",
        CONVERT,
        &json!({"to": "LOT", "expires_at": null}),
    );
    scrip_error(other, 409, "idempotency_conflict");
    let back = scrip_error(
        app.post(CONVERT, &json!({"to": "SIMPLE"})),
        400,
        "bad_request",
    );
    assert!(back.contains("never put back into a sum"), "{back}");
    assert_eq!(app.get(ASSET).expect(200), asset);
    assert_eq!(lots_made(&app).len(), 1);
    check(&app);
}

#[test]
fn of_two_conversions_at_once_one_is_refused() {
    let app = TestApp::start();
    app.member("ada", 5);
    let one = || app.post(CONVERT, &json!({"to": "LOT"}));
    let other = || app.post(CONVERT, &json!({"to": "LOT", "expiry": {"after": "P1M"}}));
    assert_eq!(race([&one, &other]), [200, 409]);
    opened(&app);
    assert_eq!(
        number(&app, "SELECT count(*) FROM activity WHERE kind = 52"),
        1
    );
    check(&app);
}

#[test]
fn what_was_spent_before_a_conversion_is_refunded_into_a_lot_after_it() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 40}));
    let spent = app.redeem("ada", &offer);
    // The member gets a lot by the conversion, and another one by the refund.
    convert(
        &app,
        &json!({"to": "LOT", "expires_at": "2026-06-16T00:00:00Z"}),
    );
    cancel(&app, &spent).expect(200);
    assert_eq!(app.balance("ada"), 100);
    let body = json!({"externalUserID": "ada", "amount": 30});
    app.post("/v1/wallet/debit", &body).expect(200);
    app.clock.advance(Duration::from_hours(24));
    app.put("/v1/members/bob", &json!({})).expect(200);
    // The oldest lot was debited; what was left of it has expired.
    assert_eq!(app.balance("ada"), 40);
    check(&app);
}

/// What is due in a program whose organization is suspended waits, also if it became due by the
/// conversion.
#[test]
fn a_conversion_goes_on_in_a_suspended_organization_and_what_expires_waits() {
    let mut app = TestApp::start();
    let list = partner(&app, "GET", "/partner/organizations", &Value::Null).expect(200);
    let id = list["organizations"][0]["id"].as_str().unwrap().to_owned();
    let set = |app: &TestApp, status: &str| {
        let path = format!("/partner/organizations/{id}/status");
        partner(app, "PUT", &path, &json!({"status": status})).expect(200);
    };
    let now = app.clock.now().as_millis();
    set(&app, "suspended");
    app.stop();
    lots::insert_sums(&app.sqlite(), 600, now);
    lots::begin_conversion(&app.sqlite(), now, Some(now + 1_000));
    app.clock.advance(Duration::from_secs(2));
    let app = app.restart();
    until(|| {
        let left = "SELECT count(*) FROM asset WHERE opening_after IS NOT NULL";
        (number(&app, left) == 0).then_some(())
    });
    let expired = |app: &TestApp| number(app, "SELECT count(*) FROM activity WHERE entry = 6");
    assert_eq!((lots_made(&app).len(), expired(&app)), (600, 0));
    check(&app);
    set(&app, "active");
    until(|| (expired(&app) == 600).then_some(()));
    assert_eq!(app.balance("m600"), 0);
    check(&app);
}

/// The end of the lots of a conversion comes while most members have no lot yet.
#[test]
fn points_expire_in_time_although_they_are_not_in_lots_yet() {
    let mut app = TestApp::start();
    let now = app.clock.now().as_millis();
    app.stop();
    lots::insert_sums(&app.sqlite(), 1_200, now);
    lots::begin_conversion(&app.sqlite(), now, Some(now + 1_000));
    app.clock.advance(Duration::from_secs(2));
    let app = app.restart();
    // The first write may come before the thread has reached this member.
    let body = json!({"externalUserID": "m1200", "amount": 1});
    app.post("/v1/wallet/debit", &body)
        .expect_error(422, "INSUFFICIENT_POINTS");
    credit(&app, "m1199", 3);
    assert_eq!(app.balance("m1199"), 3);
    opened(&app);
    until(|| {
        let expired = "SELECT count(*) FROM activity WHERE entry = 6";
        (number(&app, expired) == 1_200).then_some(())
    });
    assert_eq!((app.balance("m1"), app.balance("m1199")), (0, 3));
    check(&app);
}

#[test]
fn a_reset_of_the_sandbox_keeps_the_settings() {
    let app = TestApp::start();
    app.member("ada", 5);
    let body = json!({"to": "LOT", "expires_at": "2027-01-01T00:00:00Z"});
    convert(&app, &body);
    app.patch(
        ASSET,
        &json!({"max_transaction_amount": "9", "burn_order": "soonest_expiry"}),
    )
    .expect(200);
    let list = app.get("/v1/programs").expect(200);
    let path = format!("/v1/programs/{}", list["data"][0]["id"].as_str().unwrap());
    let settings = json!({"expiry": {"at": "year_end", "extra": "P3M"}, "time_zone": "Asia/Tokyo"});
    app.patch(&path, &settings).expect(200);
    let before = app.get(ASSET).expect(200);

    app.post("/v1/sandbox/reset", &json!({})).expect(200);

    let after = app.get(ASSET).expect(200);
    for field in [
        "inventory_mode",
        "burn_order",
        "max_transaction_amount",
        "converting",
    ] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_ne!(after["id"], before["id"]);
    let list = app.get("/v1/programs").expect(200);
    let newest = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|program| program["status"] == "ACTIVE");
    let newest = newest.unwrap();
    assert_eq!(newest["expiry"], settings["expiry"]);
    assert_eq!(newest["time_zone"], "Asia/Tokyo");
    app.member("bob", 5);
    let credited = "SELECT expires_at FROM activity WHERE entry = 1 ORDER BY seq DESC LIMIT 1";
    let end = crate::client::time(number(&app, credited));
    assert_eq!(end, "2027-03-31T15:00:00.000Z");
    check(&app);
}

/// Exports, also of a conversion that is not finished, and copies of them with one change.
pub(crate) mod moved {
    use super::*;
    use stampcard::clock::Clock;
    use stampcard::service::transfer::{self, ImportError};
    use stampcard::store::{self, Database};
    use tempfile::TempDir;

    /// A stopped server on whose file a conversion begins with the next start.
    fn unfinished() -> TestApp {
        let mut app = TestApp::start();
        for (member, points) in [("ann", 10), ("bob", 20)] {
            app.member(member, points);
        }
        let now = app.clock.now().as_millis();
        app.stop();
        lots::begin_conversion(&app.sqlite(), now, Some(now + 86_400_000));
        app
    }

    /// The rows of an export.
    pub(crate) fn export(app: &TestApp) -> Vec<Value> {
        let connection = store::open_read_only(&app.database()).unwrap();
        let mut lines = Vec::new();
        transfer::export(&connection, true, &mut lines, |_, _| ()).unwrap();
        let text = String::from_utf8(lines).unwrap();
        let rows = text.lines().map(serde_json::from_str);
        rows.map(Result::unwrap).collect()
    }

    /// Imports rows into a new file.
    pub(crate) fn import(rows: &[Value]) -> Result<(TestApp, TempDir), ImportError> {
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let mut database = Database::open_for_import(&path).unwrap();
        let text = crate::imports::sealed(&lines);
        let now = Clock::system().now();
        transfer::import(&mut database, text.as_bytes(), now, |_| ())?;
        drop(database);
        let app = TestApp::start_with(|settings| settings.database.path = path);
        Ok((app, folder))
    }

    fn of<'a>(rows: &'a mut [Value], table: &str) -> &'a mut Value {
        rows.iter_mut().find(|row| row["table"] == table).unwrap()
    }

    #[test]
    fn a_conversion_that_had_not_finished_is_finished_after_an_import() {
        let app = unfinished();
        let mut rows = export(&app);
        let asset = of(&mut rows, "asset");
        assert_eq!(
            (&asset["inventory_mode"], &asset["opening_after"]),
            (&json!("LOT"), &json!(0))
        );
        let (copy, _folder) = import(&rows).unwrap();
        opened(&copy);
        assert_eq!(lots_made(&copy).len(), 2);
        assert_eq!((copy.balance("ann"), copy.balance("bob")), (10, 20));
        check(&copy);
    }

    /// The columns that a program did not have then are as for one that was never changed.
    #[test]
    fn an_export_from_before_there_were_such_settings_is_imported() {
        let mut app = TestApp::start();
        app.member("ann", 10);
        app.stop();
        let mut rows = export(&app);
        let counts = rows[0]["rows"].as_object_mut().unwrap();
        assert_eq!(counts.remove("asset"), Some(json!(0)));
        for row in rows.iter_mut().filter(|row| row["table"] == "program") {
            let program = row.as_object_mut().unwrap();
            assert_eq!(program.remove("time_zone"), Some(json!("UTC")));
        }
        let (copy, _folder) = import(&rows).unwrap();
        let asset = copy.get(ASSET).expect(200);
        assert_eq!(
            (&asset["inventory_mode"], &asset["version"]),
            (&json!("SIMPLE"), &json!(0))
        );
        assert_eq!(copy.balance("ann"), 10);
        let list = copy.get("/v1/programs").expect(200);
        assert_eq!(list["data"][0]["time_zone"], "UTC");
        check(&copy);
    }

    /// Refused with one sentence.
    #[track_caller]
    fn refused(rows: &[Value], with: &str) {
        let error = import(rows).map(drop).unwrap_err();
        let found = match error {
            ImportError::Contradiction(findings) => {
                assert_eq!(findings.len(), 1, "{findings:?}");
                findings[0].clone()
            }
            error => error.to_string(),
        };
        assert!(found.contains(with), "{found}");
    }

    #[test]
    fn an_import_refuses_settings_that_contradict_the_log() {
        let app = unfinished();
        let rows = export(&app);
        let changed = |field: &str, value: Value| {
            let mut rows = rows.clone();
            of(&mut rows, "asset")[field] = value;
            rows
        };
        let member = "opening_after must be 0 or a member of its program";
        let beyond = import(&changed("opening_after", json!(99))).map(drop);
        assert!(beyond.unwrap_err().to_string().contains(member));
        refused(
            &changed("opening_after", json!(-1)),
            "opening_after must be",
        );
        refused(&changed("program_id", json!(99)), "asset.program_id");
        refused(&changed("burn_order", json!("lifo")), "burn_order");
        refused(&changed("max_amount", json!(0)), "max_amount");
        refused(
            &changed("max_amount", json!(7)),
            "asset row 1: its max_amount does not match the log",
        );
        // Nothing is left to be put into lots, but the accounts have none.
        let left = "its points are not in lots";
        let ahead = import(&changed("opening_after", Value::Null)).map(drop);
        assert!(ahead.unwrap_err().to_string().contains(left));
        refused(
            &changed("inventory_mode", json!("SIMPLE")),
            "asset: the row does not meet the condition",
        );

        // A log with lots in a program without such settings.
        let app = app.restart();
        opened(&app);
        credit(&app, "ann", 1);
        let mut app = app;
        app.stop();
        let rows = export(&app);
        let mut simple = rows.clone();
        let asset = of(&mut simple, "asset");
        asset["inventory_mode"] = json!("SIMPLE");
        asset["opening_expires_at"] = Value::Null;
        refused(
            &simple,
            "asset row 1: its inventory_mode does not match the log",
        );
        let mut without = rows.clone();
        without.retain(|row| row["table"] != "asset" && row["kind"] != 52);
        for table in ["asset", "activity"] {
            let count = &mut without[0]["rows"][table];
            *count = json!(count.as_u64().unwrap() - 1);
        }
        refused(
            &without,
            "at that time the points of program row 1 were kept as a sum",
        );
        import(&rows).unwrap();
    }
}
