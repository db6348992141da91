//! The figures of members: random histories and random windows, compared with plain SQL.

use std::ops::Range;

use fastrand::Rng;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::{credit, millis, time};
use crate::figures_on_disk::{forget, import, verify, verify_figures};
use crate::points_life::{advance, with_lots};
use crate::support::{NOW, Response, SANDBOX_KEY, TestApp};

const MEMBERS: usize = 8;

/// What members did, from the rows of the file and without any code of the engine.
const DEEDS: &str = "
    CREATE TEMP TABLE act AS
        SELECT at, member_id AS m, 'mint' AS deed FROM activity
            WHERE program_id = 1 AND entry = 1 AND asset IS NULL
        UNION ALL SELECT created_at, member_id, 'redemption' FROM redemption WHERE program_id = 1
        UNION ALL SELECT at, member_id, 'redemption' FROM activity
            WHERE program_id = 1 AND entry = 2 AND asset IS NULL AND offer_id IS NULL
        UNION ALL SELECT at, member_id, 'exchange' FROM activity
            WHERE program_id = 1 AND kind = 20;
    CREATE INDEX temp.act_by_member ON act (m, at);
    CREATE TEMP TABLE earn AS
        SELECT at, member_id AS m FROM activity WHERE program_id = 1 AND asset IS NULL
            AND (entry = 1 AND matures_at IS NULL OR entry = 7 AND deferred IS NOT NULL);";

fn ask(app: &TestApp, query: &str) -> Response {
    app.get(&format!("/v1/analytics/members?{query}"))
}

/// The query of a window, in milliseconds.
fn between(from: i64, to: i64) -> String {
    format!("from={}&to={}", time(from), time(to))
}

/// The figures of a window by SQL.
fn by_sql(connection: &Connection, from: i64, to: i64) -> Value {
    let before = from - (to - from);
    let count = |sql: &str| {
        let mut statement = connection.prepare_cached(sql).unwrap();
        let numbers = [from, to, before];
        let used = statement.parameter_count();
        let used = rusqlite::params_from_iter(&numbers[..used]);
        statement
            .query_row(used, |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let by = |deed: &str| {
        count(&format!(
            "SELECT count(DISTINCT m) FROM act WHERE at >= ?1 AND at < ?2 AND deed = '{deed}'"
        ))
    };
    let earlier = "EXISTS (SELECT 1 FROM act e WHERE e.m = act.m AND e.at < ?1)";
    let lately = "EXISTS (SELECT 1 FROM act e WHERE e.m = act.m AND e.at >= ?3 AND e.at < ?1)";
    let within = "SELECT count(DISTINCT m) FROM act WHERE at >= ?1 AND at < ?2";
    json!({
        "active": count(within),
        "earning": count("SELECT count(DISTINCT m) FROM earn WHERE at >= ?1 AND at < ?2"),
        "redeeming": by("redemption"),
        "new": count("SELECT count(*) FROM member
            WHERE program_id = 1 AND created_at >= ?1 AND created_at < ?2"),
        "returning": count(&format!("{within} AND {earlier}")),
        "reactivated": count(&format!("{within} AND {earlier} AND NOT {lately}")),
        "activeBy": {
            "mint": by("mint"),
            "redemption": by("redemption"),
            "exchange": by("exchange"),
            "event": 0,
        },
    })
}

/// Lives a random history of a program with dates, further assets, removals and starts.
fn lived(rng: &mut Rng, steps: usize) -> TestApp {
    let mut app = with_lots();
    let offers = [0, 3].map(|price| {
        app.offer(json!({"pointsPrice": price, "redemptionLimit":
        {"perMember": null, "per": "ever"}}))
    });
    let gems = json!({"program_id": "current", "symbol": "GEM", "name": "Gems", "scale": 0,
        "inventory_mode": "SIMPLE", "issuance_policy": "UNLIMITED"});
    let gems = app.post("/v1/assets", &gems).expect(201)["id"].clone();
    for _ in 0..steps {
        let name = format!("u{}", rng.usize(0..MEMBERS));
        let body = |fields: &Value| {
            let mut body = json!({"externalUserID": name});
            let fields = fields.as_object().unwrap().clone();
            body.as_object_mut().unwrap().extend(fields);
            body
        };
        // Some are refused, such as those of a removed member.
        let status = match rng.u8(0..24) {
            0..3 => app.put(&format!("/v1/members/{name}"), &json!({})).status,
            3..6 => {
                app.post("/v1/wallet/credit", &body(&json!({"amount": 9})))
                    .status
            }
            6..9 => {
                let ahead = rng.i64(1..200_000_000);
                let now = app.get("/v1/sandbox/clock").expect(200)["now"].clone();
                let matures = time(millis(now.as_str().unwrap()) + ahead);
                let deferred = body(&json!({"amount": 5, "maturesAt": matures}));
                app.post("/v1/wallet/credit", &deferred).status
            }
            9..13 => {
                let redemption = body(&json!({"offer": offers[rng.usize(0..2)]}));
                app.post("/v1/redemptions", &redemption).status
            }
            13..15 => app.post("/v1/auth/exchange", &body(&json!({}))).status,
            15 => amount(&app, &name),
            16 => gem(&app, &name, &gems),
            17 => {
                let erase = if rng.bool() { "?erase=true" } else { "" };
                app.delete(&format!("/v1/members/{name}{erase}")).status
            }
            18 if rng.u8(0..4) == 0 => {
                if rng.bool() {
                    app.stop();
                    forget(&app);
                }
                app = app.restart();
                200
            }
            _ => {
                advance(&app, rng.i64(0..40_000));
                200
            }
        };
        assert!(matches!(status, 200 | 201 | 404 | 409 | 422), "{status}");
    }
    app
}

/// The id of a participant, if there is one.
fn participant(app: &TestApp, name: &str) -> Option<String> {
    let found = app
        .get(&format!("/v1/participants?external_id={name}"))
        .json();
    found["data"][0]["id"].as_str().map(str::to_owned)
}

/// Redeems an amount of points.
fn amount(app: &TestApp, name: &str) -> u16 {
    let Some(id) = participant(app, name) else {
        return 404;
    };
    let body = json!({"program_id": "current", "asset_id": "default", "amount": "2",
        "description": "An amount"});
    app.post(&format!("/v1/participants/{id}/redemptions"), &body)
        .status
}

/// Credits a further asset, which counts in no figure.
fn gem(app: &TestApp, name: &str, asset: &Value) -> u16 {
    let Some(id) = participant(app, name) else {
        return 404;
    };
    let body = json!({"program_id": "current", "asset_id": asset, "description": "A gem",
        "type": "CREDIT", "amount": "4"});
    app.post(&format!("/v1/participants/{id}/balances/adjust"), &body)
        .status
}

/// Random windows with ends at activities, directly beside them and anywhere.
fn windows(connection: &Connection, rng: &mut Rng, count: usize) -> Vec<(i64, i64)> {
    let mut statement = connection
        .prepare("SELECT DISTINCT at FROM activity WHERE program_id = 1 ORDER BY at")
        .unwrap();
    let times = statement.query_map([], |row| row.get(0)).unwrap();
    let times: Vec<i64> = times.map(Result::unwrap).collect();
    let all: Range<i64> = times[0] - 10_000_000..times[times.len() - 1] + 10_000_000;
    let mut end = || match rng.u8(0..4) {
        0 => rng.i64(all.clone()),
        1 => times[rng.usize(0..times.len())],
        _ => times[rng.usize(0..times.len())] + rng.i64(-2..=2),
    };
    let pairs = (0..count).map(|_| (end(), end()));
    pairs
        .map(|(one, other)| (one.min(other), one.max(other) + i64::from(one == other)))
        .collect()
}

/// Compares windows with SQL.
#[track_caller]
fn compare(app: &TestApp, rng: &mut Rng, count: usize) {
    let connection = app.sqlite();
    connection.execute_batch(DEEDS).unwrap();
    for (from, to) in windows(&connection, rng, count) {
        let figures = ask(app, &between(from, to)).expect(200);
        assert_eq!(figures, by_sql(&connection, from, to), "{from} {to}");
        check_parts(&figures);
    }
    for (from, to) in windows(&connection, rng, count / 50) {
        let interval = ["hour", "day", "week", "month"][rng.usize(0..4)];
        let window = format!("{}&interval={interval}", between(from, to));
        let answer = ask(app, &format!("{window}&tz=Asia/Kathmandu")).expect(200);
        let buckets = answer["buckets"].as_array().unwrap();
        let mut first = 0;
        for bucket in buckets {
            let [from, to] = ["startTime", "endTime"].map(|field| bucket[field].as_i64().unwrap());
            let mut figures = bucket.clone();
            for field in ["startTime", "endTime"] {
                figures.as_object_mut().unwrap().remove(field);
            }
            assert_eq!(figures, by_sql(&connection, from, to), "{from} {to}");
            first += number(bucket, "active") - number(bucket, "returning");
        }
        // Nobody is active for the first time in two buckets.
        assert_eq!(
            first,
            number(&answer, "active") - number(&answer, "returning")
        );
        let measures = "activeMembers,earningMembers,redeemingMembers,signups";
        let path =
            format!("/v1/analytics/timeseries?{window}&tz=Asia/Kathmandu&measures={measures}");
        let series = app.get(&path).expect(200);
        let fields = ["active", "earning", "redeeming", "new"];
        for (bucket, measured) in buckets.iter().zip(series["buckets"].as_array().unwrap()) {
            for (field, measure) in fields.iter().zip(measures.split(',')) {
                assert_eq!(bucket[field], measured[measure], "{measured}");
            }
            assert_eq!(bucket["startTime"], measured["startTime"]);
        }
    }
}

fn number(figures: &Value, field: &str) -> i64 {
    figures[field].as_i64().unwrap()
}

/// Checks what is a part of what.
#[track_caller]
fn check_parts(figures: &Value) {
    let of = |field| number(figures, field);
    let deeds: Vec<i64> = ["mint", "redemption", "exchange", "event"]
        .map(|deed| number(&figures["activeBy"], deed))
        .to_vec();
    assert!(deeds.iter().all(|deed| *deed <= of("active")), "{figures}");
    assert!(deeds.iter().sum::<i64>() >= of("active"), "{figures}");
    assert!(of("returning") <= of("active") && of("reactivated") <= of("returning"));
    assert_eq!(of("redeeming"), deeds[1]);
}

/// A history, with starts from what was saved and from the log.
fn check(seed: u64, steps: usize, count: usize) {
    let mut rng = Rng::with_seed(seed);
    let mut app = lived(&mut rng, steps);
    compare(&app, &mut rng, count);
    app = app.restart();
    compare(&app, &mut rng, count / 4);
    app.stop();
    forget(&app);
    app = app.restart();
    compare(&app, &mut rng, count / 4);
    assert_eq!(verify(&app), Vec::<String>::new());
}

#[test]
fn the_members_of_any_window_are_those_of_sql() {
    for seed in 1..=3 {
        check(seed, 160, 200);
    }
}

#[test]
#[ignore = "takes minutes"]
fn the_members_of_any_window_are_those_of_sql_in_many_histories() {
    for seed in 100..150 {
        check(seed, 500, 1_000);
    }
}

/// Enough visits for blocks of them, and rows in the past, as an import brings them.
#[test]
fn visits_in_blocks_and_in_the_past_are_counted() {
    let mut rng = Rng::with_seed(7);
    let mut app = TestApp::start();
    app.member("ada", 5);
    app.stop();
    let start = millis(NOW) - 2_000_000_000;
    for member in 0..5 {
        let begins = time(start + member * 1_000);
        import(&app, &format!("old{member}"), &begins, 5_000 + member, 600);
    }
    app = app.restart();
    compare(&app, &mut rng, 100);
    credit(&app, "ada", 3);
    let segments = "SELECT count(*) FROM snapshot_segment WHERE measure > 127";
    app.stop();
    assert!(crate::client::number(&app, segments) > 2);
    import(&app, "older", &time(start - 1), 7_000, 300);
    assert_eq!(verify_figures(&app), Vec::<String>::new());
    app = app.restart();
    compare(&app, &mut rng, 100);
    app = app.restart();
    compare(&app, &mut rng, 50);
    app.stop();
    assert_eq!(verify_figures(&app), Vec::<String>::new());
}

#[test]
fn a_window_without_activities_has_no_members() {
    let app = TestApp::start();
    let none = json!({
        "active": 0, "earning": 0, "redeeming": 0, "new": 0, "returning": 0, "reactivated": 0,
        "activeBy": {"mint": 0, "redemption": 0, "exchange": 0, "event": 0},
    });
    let june = "from=2026-06-01&to=2026-07-01";
    assert_eq!(ask(&app, june).expect(200), none);
    app.member("ada", 5);
    assert_eq!(ask(&app, "from=2026-05-01&to=2026-06-01").expect(200), none);
    let weeks = ask(&app, &format!("{june}&interval=week&tz=Europe/Berlin")).expect(200);
    let buckets = weeks["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 5);
    assert_eq!(buckets[0]["startTime"], millis("2026-05-31T22:00:00Z"));
    let active: Vec<i64> = buckets.iter().map(|it| number(it, "active")).collect();
    assert_eq!(active, [0, 0, 1, 0, 0]);
}

/// Deferred points: the member is active at once, and earns when they mature.
#[test]
fn deferred_points_earn_when_they_mature() {
    let app = with_lots();
    let matures = time(millis(NOW) + 7_200_000);
    let body = json!({"externalUserID": "ada", "amount": 5, "maturesAt": matures});
    app.post("/v1/wallet/credit", &body).expect(200);
    let hours = |field: &str| -> Vec<i64> {
        let (from, to) = (millis(NOW), millis(NOW) + 4 * 3_600_000);
        let answer = ask(&app, &format!("{}&interval=hour", between(from, to))).expect(200);
        let buckets = answer["buckets"].as_array().unwrap();
        buckets.iter().map(|it| number(it, field)).collect()
    };
    assert_eq!(hours("earning"), [0, 0, 0, 0]);
    advance(&app, 4 * 3600);
    assert_eq!(hours("earning"), [0, 0, 1, 0]);
    assert_eq!(hours("active"), [1, 0, 0, 0]);
}

/// The query, and the parameter that the message must begin with.
const BAD: &[(&str, &str)] = &[
    ("", "from"),
    ("from=2026-06-01", "to"),
    ("from=2026-06-01&to=2026-06-01", "to"),
    ("from=2026-06-02&to=2026-06-01", "to"),
    ("from=2026-06-01&to=soon", "to"),
    ("from=yesterday&to=2026-06-02", "from"),
    ("from=2026-06-01&from=2026-06-01&to=2026-06-02", "from"),
    ("from=2026-06-01&to=2026-06-02&interval=", "interval"),
    ("from=2026-06-01&to=2026-06-02&interval=year", "interval"),
    ("from=1990-06-01&to=2026-06-02&interval=hour", "interval"),
    ("from=2026-06-01&to=2026-06-02&tz=Mars/Base", "tz"),
    ("from=2026-06-01&to=2026-06-02&tz=", "tz"),
];

#[test]
fn a_wrong_parameter_is_named() {
    let app = TestApp::start();
    for (query, parameter) in BAD {
        let message = ask(&app, query).expect_error(422, "VALIDATION");
        assert!(message.starts_with(parameter), "{query}: {message}");
    }
}

#[test]
fn an_answer_that_did_not_change_is_not_sent_again() {
    let app = TestApp::start();
    let path = "/v1/analytics/members?from=2026-06-01&to=2026-07-01&interval=day";
    let again = |tag: &str, agent: &str| {
        let request = app.request("GET", path).bearer(SANDBOX_KEY);
        let request = request.header("If-None-Match", tag);
        request.header("User-Agent", agent).send()
    };
    let tag = app.get(path).header("ETag").unwrap().to_owned();
    assert_eq!(again(&tag, "curl").status, 304);
    // Other clients get other times.
    let text = again(&tag, "expys-sdk-js").expect(200);
    assert_eq!(text["buckets"][0]["startTime"], "2026-06-01T00:00:00.000Z");
    app.member("ada", 5);
    let changed = again(&tag, "curl");
    assert_ne!(changed.header("ETag"), Some(tag.as_str()));
    assert_eq!(changed.expect(200)["new"], 1);
}
