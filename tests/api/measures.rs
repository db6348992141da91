//! The measures of a timeseries.

use serde_json::{Value, json};

use crate::client::{ask, cancel, names, number, try_redeem};
use crate::points_life::{advance, credit, debit, with_lots};
use crate::support::TestApp;

const HOUR: i64 = 3600;
/// The tests' clock starts at noon.
const DAY: &str = "from=2026-06-15T00:00:00Z&to=2026-06-17T00:00:00Z&interval=hour";
const POINTS: &str = "pointsMinted,pointsRefunded,pointsSpent,pointsForfeited,pointsDebited,\
                      pointsExpired,pointsVoided";
/// The kinds of ledger entries behind them, in this order.
const ENTRIES: [&str; 7] = ["1", "3, 12", "2", "4", "5", "6", "10"];

/// The buckets of a day.
fn hours(app: &TestApp, rest: &str) -> Vec<Value> {
    let body = ask(app, &format!("{DAY}{rest}")).expect(200);
    body["buckets"].as_array().unwrap().clone()
}

/// Sends an operation on ada's balance.
fn balance(app: &TestApp, operation: &str, body: &Value) {
    let ada = app.get("/v1/participants?external_id=ada").expect(200);
    let id = ada["data"][0]["id"].as_str().unwrap();
    let path = format!("/v1/participants/{id}/balances/{operation}");
    app.post(&path, body).expect(200);
}

/// A history in which points come and go in every way.
fn lived() -> (TestApp, String) {
    let app = with_lots();
    let coffee = app.offer(json!({"title": "Coffee", "pointsPrice": 40}));
    credit(&app, 500, &json!({}));
    credit(&app, 30, &json!({"expiresAt": "2026-06-15T14:30:00Z"}));
    credit(&app, 70, &json!({"maturesAt": "2026-06-15T15:00:00Z"}));
    advance(&app, HOUR);
    let redeemed = try_redeem(&app, "ada", &coffee).expect(201)["id"].clone();
    let tea = app.offer(json!({"title": "Tea", "pointsPrice": 35}));
    try_redeem(&app, "ada", &tea).expect(201);
    debit(&app, 7).expect(200);
    let held = json!({"program_id": "current", "asset_id": "default", "description": "A test",
        "type": "CREDIT", "amount": "25", "bucket": "HELD", "reference_id": "order"});
    balance(&app, "adjust", &held);
    advance(&app, 3 * HOUR);
    cancel(&app, redeemed.as_str().unwrap()).expect(200);
    let void = json!({"program_id": "current", "asset_id": "default", "description": "A test",
        "reference_id": "order"});
    balance(&app, "void-hold", &void);
    let accrued = json!({"program_id": "current", "asset_id": "default", "description": "A test",
        "type": "CREDIT", "amount": "11", "bucket": "HELD", "reference_id": "later"});
    balance(&app, "adjust", &accrued);
    advance(&app, 2 * HOUR);
    app.member("bob", 90);
    app.request("DELETE", "/v1/members/bob")
        .bearer(crate::support::SANDBOX_KEY)
        .send()
        .expect(200);
    advance(&app, 5 * HOUR);
    (app, coffee)
}

#[test]
fn the_measures_of_each_hour_are_sums_of_the_ledger() {
    let (app, _) = lived();
    let buckets = hours(
        &app,
        &format!("&measures={POINTS},outstanding,events,signups"),
    );
    assert_eq!(buckets.len(), 48);
    let mut seen = [0; ENTRIES.len()];
    let sum = |what: &str, condition: &str| {
        let sql = format!("SELECT coalesce({what}, 0) FROM activity WHERE {condition}");
        number(&app, &sql)
    };
    for bucket in &buckets {
        let [start, end] = ["startTime", "endTime"].map(|field| bucket[field].as_i64().unwrap());
        let within = format!("at >= {start} AND at < {end}");
        for ((measure, entries), seen) in POINTS.split(',').zip(ENTRIES).zip(&mut seen) {
            let entries = format!("entry IN ({entries}) AND {within}");
            let points = sum("sum(amount)", &entries);
            assert_eq!(bucket[measure], points, "{measure} {bucket}");
            *seen += points;
        }
        let total = |entries: &str| sum("sum(amount)", &format!("{entries} AND at < {end}"));
        let outstanding = total("entry IN (1, 3, 12)") - total("entry IN (2, 4, 5, 6, 10)");
        assert_eq!(bucket["outstanding"], outstanding, "{bucket}");
        let signups = sum("count(*)", &format!("kind = 1 AND {within}"));
        assert_eq!(bucket["signups"], signups);
    }
    assert!(seen.iter().all(|points| *points > 0), "{seen:?}");
    // At the end, all of it is ada's.
    let wallet = app.get("/v1/wallet?externalUserID=ada").expect(200);
    let of_ada: i64 = ["balance", "held", "pending"]
        .map(|field| wallet[field].as_i64().unwrap())
        .iter()
        .sum();
    assert_eq!(buckets[47]["outstanding"], of_ada);
    let events: i64 = buckets
        .iter()
        .map(|it| it["events"].as_i64().unwrap())
        .sum();
    let day = "start_date=2026-06-15&end_date=2026-06-17";
    let report = app
        .get(&format!("/v1/reports/program-activity?{day}"))
        .expect(200);
    assert_eq!(report["data"][0]["event_count"], events);
}

#[test]
fn a_bucket_has_exactly_the_measures_that_were_asked_for() {
    let (app, coffee) = lived();
    let names = |rest: &str| -> Vec<String> {
        let bucket = hours(&app, rest).remove(0);
        names(&bucket).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(
        names("&measures=outstanding,events"),
        ["endTime", "events", "outstanding", "startTime"]
    );
    let usual = [
        "endTime",
        "pointsMinted",
        "pointsSpent",
        "signups",
        "startTime",
    ];
    assert_eq!(names(""), usual);
    let same = hours(&app, "&measures=signups,pointsMinted,pointsSpent");
    assert_eq!(same, hours(&app, ""), "the usual three, asked for");
    // Those of one offer.
    let of_offer = format!("&offer={coffee}");
    let asked = format!("{of_offer}&measures=pointsSpent,signups,pointsMinted");
    assert_eq!(hours(&app, &asked), hours(&app, &of_offer));
    let refused = ask(
        &app,
        &format!("{DAY}{of_offer}&measures=signups,outstanding"),
    );
    let message = refused.expect(422)["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.starts_with("measures must be different measures of an offer"),
        "{message}"
    );
}

#[test]
fn outstanding_points_are_negative_while_members_owe_points() {
    let app = TestApp::start();
    app.member("ada", 10);
    let debit = json!({"program_id": "current", "asset_id": "default", "description": "A test",
        "type": "DEBIT", "amount": "25", "allow_negative": true});
    balance(&app, "adjust", &debit);
    let last = hours(&app, "&measures=outstanding").pop().unwrap();
    assert_eq!(last["outstanding"], -15);
}
