//! The expiration schedule, compared with the lots.

use serde_json::{Value, json};
use stampcard::domain::Timestamp;

use super::{DAY, Ids, all, ids, now, participant, refused, started, text};
use crate::support::TestApp;

/// How far the clocks of India are ahead.
const ZONE: i64 = 5 * 3_600_000 + 1_800_000;
const DAY_MS: i64 = DAY * 1000;

/// When a lot expires, and its points.
type Left = (Option<i64>, i64);

fn number(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}

/// The lots of all members with points left: when they expire, and their points.
fn live_lots(app: &TestApp, ids: &Ids) -> Vec<Left> {
    let mut lots = Vec::new();
    for name in ["ada", "bob", "cleo", "dora"] {
        let path = participant(app, ids, name);
        let path = format!(
            "/v1/participants/{path}/balances/lots?asset_id={}",
            ids.asset
        );
        for lot in all(app, &path, 200) {
            let end = lot["expires_at"]
                .as_str()
                .map(|at| Timestamp::parse(at).unwrap());
            let left: i64 = lot["remaining"].as_str().unwrap().parse().unwrap();
            if left > 0 {
                lots.push((end.map(Timestamp::as_millis), left));
            }
        }
    }
    lots
}

/// Checks a report by days.
fn check_days(row: &Value, lots: &[Left], (from, to): (i64, i64)) {
    // In this zone each day begins at the same time.
    let day_of = |at: i64| (at + ZONE).div_euclid(DAY_MS);
    let day_start = |day: i64| day * DAY_MS - ZONE;
    let buckets = row["buckets"].as_array().unwrap();
    let expected = (day_of(from)..=day_of(to)).map(|day| {
        let of_day = lots
            .iter()
            .filter(|(end, _)| end.is_some_and(|at| day_of(at) == day));
        let points: i64 = of_day.clone().map(|(_, left)| left).sum();
        json!({
            "bucket_start": Timestamp::from_millis(day_start(day)).unwrap().to_short(),
            "bucket_end": Timestamp::from_millis(day_start(day + 1)).unwrap().to_short(),
            "amount": points.to_string(),
            "lot_count": of_day.count(),
        })
    });
    assert_eq!(buckets, &expected.collect::<Vec<_>>());
    let sum = |admits: &dyn Fn(Option<i64>) -> bool| -> i64 {
        let lots = lots.iter().filter(|(end, _)| admits(*end));
        lots.map(|(_, left)| left).sum()
    };
    let first = day_of(from);
    let last = day_of(to);
    let before = sum(&|end| end.is_some_and(|at| day_of(at) < first));
    let after = sum(&|end| end.is_some_and(|at| day_of(at) > last));
    assert_eq!(number(&row["expiring_before_window"]), before);
    assert_eq!(number(&row["expiring_after_window"]), after);
    assert_eq!(number(&row["never_expiring"]), sum(&|end| end.is_none()));
    assert_eq!(number(&row["total_outstanding"]), sum(&|_| true));
}

/// Checks that a report by weeks or months has every point in one place.
fn check_sums(row: &Value) {
    let buckets = row["buckets"].as_array().unwrap();
    let mut sum: i64 = buckets.iter().map(|it| number(&it["amount"])).sum();
    for field in [
        "expiring_before_window",
        "expiring_after_window",
        "never_expiring",
    ] {
        sum += number(&row[field]);
    }
    assert_eq!(sum, number(&row["total_outstanding"]));
    for pair in buckets.windows(2) {
        assert_eq!(pair[0]["bucket_end"], pair[1]["bucket_start"]);
    }
}

#[test]
fn the_expiration_schedule_has_every_point_once() {
    let app = started(6);
    let ids = ids(&app);
    app.patch(
        "/v1/programs/current",
        &json!({"time_zone": "Asia/Kolkata"}),
    )
    .expect(200);
    let app = app.restart();
    let lots = live_lots(&app, &ids);
    assert!(lots.iter().any(|(end, _)| end.is_none()) && lots.len() > 5);
    let path = "/v1/reports/expiration-schedule";
    let start = now(&app);
    for (from, to) in [
        (0, 10 * DAY_MS),
        (3 * DAY_MS, 3 * DAY_MS),
        (-DAY_MS, 400 * DAY_MS),
    ] {
        let (from, to) = (start + from, start + to);
        let query = format!("{path}?from={}&to={}", text(from), text(to));
        let report = |granularity: &str| {
            let report = app.get(&format!("{query}&granularity={granularity}"));
            report.expect(200)["data"][0].clone()
        };
        check_days(&report("day"), &lots, (from, to));
        for granularity in ["week", "month"] {
            check_sums(&report(granularity));
        }
    }
    let wide = "from=1970-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&granularity=day";
    refused(&app, &format!("{path}?{wide}"), 400, "bad_request");
    refused(&app, path, 400, "bad_request");
}

#[test]
fn a_schedule_shows_points_that_are_not_in_lots_yet() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.member("bob", 30);
    let path = "/v1/reports/expiration-schedule?from=2026-06-01T00:00:00Z&to=2026-12-31T00:00:00Z";
    let none = app.get(path).expect(200);
    assert_eq!(none["data"], json!([]));
    let named = format!("{path}&asset_id={}", ids(&app).asset);
    refused(&app, &named, 400, "bad_request");
    let body = json!({"to": "LOT", "expires_at": "2026-08-15T00:00:00Z"});
    app.post("/v1/assets/default/convert", &body).expect(200);
    // Whether they are in lots yet or not.
    for _ in 0..20 {
        let row = app.get(path).expect(200)["data"][0].clone();
        assert_eq!(row["total_outstanding"], "100");
        let august = &row["buckets"][2];
        assert_eq!(
            (&august["amount"], &august["lot_count"]),
            (&json!("100"), &json!(2))
        );
    }
}
