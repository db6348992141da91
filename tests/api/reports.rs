use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    call, cancel, column, credit, encode, get_as, live, millis, move_to, names, number, post_as,
    post_once, program, scrip_error, time, try_redeem,
};
use crate::support::{LIVE_KEY, SANDBOX_KEY, TestApp};

const REPORT: &str = "/v1/reports/program-activity";
const NOON: &str = "2026-06-15T12:00:00.000Z";
const TWELVE: [&str; 12] = [
    "asset_count",
    "event_count",
    "journal_count",
    "last_activity_at",
    "program_id",
    "program_name",
    "reward_count",
    "rule_count",
    "tier_count",
    "total_issued",
    "total_redeemed",
    "unique_participants",
];

/// The rows of a report on one page.
#[track_caller]
fn report(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get(&format!("{REPORT}?{query}")).expect(200);
    assert_eq!(page["pagination"]["next_cursor"], Value::Null);
    page["data"].as_array().unwrap().clone()
}

/// The only row of a report.
#[track_caller]
fn only(app: &TestApp, query: &str) -> Value {
    let mut rows = report(app, query);
    assert_eq!(rows.len(), 1, "{query}");
    rows.remove(0)
}

/// A period as two parameters.
fn period(from: i64, to: i64) -> String {
    format!("from={}&to={}", time(from), time(to))
}

/// Advances the clock by a second, so that everything has a different time.
fn tick(app: &TestApp) {
    app.clock.advance(Duration::from_secs(1));
}

/// A history with every kind of event, each a second after the one before; 18 events and 7 ledger
/// entries.
fn history() -> TestApp {
    let app = TestApp::start();
    let put = |path: &str, body: Value| {
        tick(&app);
        app.put(path, &body).expect(200);
    };
    // A member who signs up with a tier is one event; a name is none.
    put("/v1/members/ada", json!({"tier": "gold"}));
    tick(&app);
    credit(&app, "ada", 250_000);
    put("/v1/members/ada", json!({"tier": "silver"}));
    put("/v1/members/ada", json!({"displayName": "Ada"}));
    tick(&app);
    let debit = json!({"externalUserID": "ada", "amount": 1000});
    app.post("/v1/wallet/debit", &debit).expect(200);
    let offers = [175_000, 10, 1].map(|price| app.offer(json!({"pointsPrice": price})));
    app.delete(&format!("/v1/offers/{}", offers[2])).expect(200);
    tick(&app);
    let completed = app.redeem("ada", &offers[0]);
    for status in ["OPEN", "COMPLETED", "COMPLETED"] {
        tick(&app);
        move_to(&app, &completed, status).expect(200);
    }
    tick(&app);
    let canceled = app.redeem("ada", &offers[1]);
    tick(&app);
    cancel(&app, &canceled).expect(200);
    // An exchange is no event, except for the member it signs up.
    for _ in 0..2 {
        tick(&app);
        app.token("bob");
    }
    tick(&app);
    credit(&app, "bob", 50);
    tick(&app);
    put("/v1/members/carl", json!({"tier": "bronze"}));
    tick(&app);
    app.delete("/v1/members/carl").expect(200);
    app.clock.advance(Duration::from_millis(1_123));
    app.delete("/v1/members/bob").expect(200);
    put("/v1/members/bob", json!({}));
    tick(&app);
    app.token("bob");
    app
}

#[test]
fn all_twelve_fields_are_what_they_say() {
    let app = history();
    let row = only(&app, "");
    assert_eq!(names(&row), TWELVE);
    let id = app.get("/v1/programs").expect(200)["data"][0]["id"].clone();
    let last = "SELECT max(at) FROM activity WHERE entry IS NOT NULL";
    let last = time(number(&app, last));
    assert_eq!(last[19..], *".123Z");
    let expected = json!({
        "asset_count": 1,
        "event_count": 18,
        "journal_count": 7,
        "last_activity_at": last,
        "program_id": id,
        "program_name": "Sandbox",
        "reward_count": 2,
        "rule_count": 0,
        "tier_count": 2,
        "total_issued": "250050.00",
        "total_redeemed": "175010.00",
        "unique_participants": 2,
    });
    assert_eq!(row, expected);
    let app = app.restart();
    assert_eq!(only(&app, ""), expected);
}

#[test]
fn points_agree_with_the_summary_of_the_program() {
    let app = history();
    let (_, key) = program(&app, SANDBOX_KEY, "Second");
    call(&app, &key, "PUT", "/v1/members/eve", &json!({})).expect(200);
    let points = json!({"externalUserID": "eve", "amount": 9_007_199_254_740_991_u64});
    post_as(&app, &key, "/v1/wallet/credit", &points).expect(200);
    let rows = report(&app, "");
    for (row, key) in rows.iter().zip([SANDBOX_KEY, &key]) {
        let summary = get_as(&app, key, "/v1/analytics/summary").expect(200);
        for (amount, points) in [
            ("total_issued", "pointsMinted"),
            ("total_redeemed", "pointsSpent"),
        ] {
            assert_eq!(row[amount], format!("{}.00", summary[points]));
        }
    }
    assert_eq!(rows[1]["total_issued"], "9007199254740991.00");
}

#[test]
fn a_time_has_a_fraction_only_if_it_is_not_zero() {
    let app = TestApp::start();
    app.member("ada", 5);
    assert_eq!(only(&app, "")["last_activity_at"], "2026-06-15T12:00:00Z");
    for (advance, shown) in [
        (20, "2026-06-15T12:00:00.020Z"),
        (979, "2026-06-15T12:00:00.999Z"),
        (1, "2026-06-15T12:00:01Z"),
    ] {
        app.clock.advance(Duration::from_millis(advance));
        credit(&app, "ada", 1);
        assert_eq!(only(&app, "")["last_activity_at"], shown);
    }
}

/// One number over a window, by plain SQL.
fn counted(app: &TestApp, what: &str, (from, to): (i64, i64)) -> i64 {
    let sql = format!(
        "SELECT coalesce({what}, 0) FROM activity
         WHERE program_id = 1 AND at >= {from} AND at <= {to}"
    );
    number(app, &sql)
}

const EVENTS: &str = "sum(kind <= 13)";
const MINTED: &str = "sum(CASE entry WHEN 1 THEN amount END)";
const SPENT: &str = "sum(CASE entry WHEN 2 THEN amount END)";

/// Checks a window with plain SQL; returns events, mints and spends.
#[track_caller]
fn check_window(app: &TestApp, all: &Value, window: (i64, i64)) -> [i64; 3] {
    let found = report(app, &period(window.0, window.1));
    let sums = [EVENTS, MINTED, SPENT].map(|what| counted(app, what, window));
    if sums[0] == 0 {
        assert!(found.is_empty(), "{window:?}");
        return sums;
    }
    let mut expected = all.clone();
    expected["event_count"] = json!(sums[0]);
    expected["total_issued"] = json!(format!("{}.00", sums[1]));
    expected["total_redeemed"] = json!(format!("{}.00", sums[2]));
    assert_eq!(found, [expected], "{window:?}");
    sums
}

#[test]
fn a_period_has_both_its_ends_to_the_millisecond() {
    let app = history();
    let all = only(&app, "");
    let last = number(&app, "SELECT max(at) FROM activity");
    let first = millis(NOON);
    let mut sum = [0; 3];
    let mut end = first;
    for at in (first..=last + 1_000).step_by(1_000).chain([last - 1_877]) {
        // Exactly at the millisecond, around it, and everything up to it.
        for window in [(at, at), (at - 1, at - 1), (at + 1, at + 1)] {
            check_window(&app, &all, window);
        }
        for window in [
            (first, at),
            (at, last),
            (at + 1, last + 1),
            (at - 1, at + 1),
        ] {
            if window.0 <= window.1 {
                check_window(&app, &all, window);
            }
        }
        // Windows that touch but do not overlap add up.
        if at >= end {
            let part = check_window(&app, &all, (end, at));
            (0..3).for_each(|i| sum[i] += part[i]);
            end = at + 1;
        }
    }
    assert_eq!(sum, [18, 250_050, 175_010]);
    let ever = "from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59.999Z";
    assert_eq!(only(&app, ever), all);
}

#[test]
fn times_may_have_any_offset_and_what_is_finer_than_a_millisecond_is_cut() {
    let app = TestApp::start();
    app.member("ada", 5);
    let east = encode("2026-06-15T14:00:00+02:00");
    let all = only(&app, "");
    for (from, to) in [
        (east.as_str(), east.as_str()),
        ("2026-06-15T12:00:00.0009Z", "2026-06-15T12:00:00.0001Z"),
        ("2026-06-15T11:59:59.999Z", "2026-06-15T12:00:00Z"),
    ] {
        assert_eq!(only(&app, &format!("from={from}&to={to}")), all, "{from}");
    }
    let earlier = period(millis(NOON) - 1, millis(NOON) - 1);
    assert_eq!(report(&app, &earlier), [] as [Value; 0]);
}

#[test]
fn since_is_strictly_after_and_changes_no_figure() {
    let app = history();
    let (_, key) = program(&app, SANDBOX_KEY, "Of events only");
    call(&app, &key, "PUT", "/v1/members/eve", &json!({})).expect(200);
    program(&app, SANDBOX_KEY, "Quiet");
    let all = report(&app, "");
    assert_eq!(all.len(), 3);
    let last = number(&app, "SELECT max(at) FROM activity WHERE entry IS NOT NULL");
    let since = |at: i64| format!("since={}", time(at));
    // A program without ledger entries is left out for any period.
    for at in [last - 1, millis(NOON), millis("0000-01-01T00:00:00Z")] {
        assert_eq!(report(&app, &since(at)), all[..1]);
    }
    for at in [last, last + 1, millis("9999-12-31T23:59:59.999Z")] {
        assert_eq!(report(&app, &since(at)), [] as [Value; 0]);
    }
    // Together with a period, each parameter has its own effect.
    let noon = millis(NOON);
    let window = period(noon, noon + 1_000);
    let early = report(&app, &window);
    assert_eq!(early.len(), 1);
    assert_eq!(early[0]["event_count"], 1);
    assert_eq!(
        report(&app, &format!("{window}&{}", since(last - 1))),
        early
    );
    assert!(report(&app, &format!("{window}&{}", since(last))).is_empty());
    let before = period(noon - 1_000, noon - 1);
    assert!(report(&app, &format!("{before}&{}", since(noon))).is_empty());
}

#[test]
fn quiet_programs_have_zeros_and_are_left_out_of_a_period() {
    let app = TestApp::start();
    let (_, key) = program(&app, SANDBOX_KEY, "Of events only");
    let (_, offers) = program(&app, SANDBOX_KEY, "Of offers only");
    let made = json!({"title": "An offer"});
    post_as(&app, &offers, "/v1/offers", &made).expect(201);
    tick(&app);
    call(&app, &key, "PUT", "/v1/members/eve", &json!({})).expect(200);
    let rows = report(&app, "");
    let titles: Vec<_> = rows.iter().map(|row| &row["program_name"]).collect();
    assert_eq!(titles, ["Sandbox", "Of events only", "Of offers only"]);
    let zeros = ["event_count", "journal_count", "unique_participants"];
    for row in &rows {
        assert_eq!(names(row), TWELVE);
        assert_eq!(row["last_activity_at"], Value::Null);
        assert_eq!(row["total_issued"], "0.00");
        assert_eq!(row["total_redeemed"], "0.00");
        assert_eq!(row["asset_count"], 1);
        assert_eq!(row["journal_count"], 0);
    }
    for name in zeros {
        assert_eq!((&rows[0][name], &rows[2][name]), (&json!(0), &json!(0)));
    }
    assert_eq!(rows[1]["event_count"], 1);
    assert_eq!(rows[1]["tier_count"], 1);
    assert_eq!(rows[2]["reward_count"], 1);
    // Creating an offer is no event, so that a period includes only the second.
    let at = millis(NOON) + 1_000;
    assert_eq!(report(&app, &period(at - 5_000, at + 5_000)), rows[1..2]);
    assert!(report(&app, &period(at + 1, at + 5_000)).is_empty());
}

#[test]
fn what_is_archived_or_removed_is_not_counted_and_counts_again_once_it_is_back() {
    let app = TestApp::start();
    let counts = || {
        let row = only(&app, "");
        let count = |name: &str| row[name].as_i64().unwrap();
        [
            count("reward_count"),
            count("tier_count"),
            count("unique_participants"),
            count("event_count"),
        ]
    };
    let tier = |id: &str, tier: &str| {
        let path = format!("/v1/members/{id}");
        app.put(&path, &json!({"tier": tier})).expect(200);
    };
    tier("ada", "gold");
    tier("bob", "gold");
    tier("eve", "silver");
    let free = app.offer(json!({}));
    assert_eq!(counts(), [1, 2, 0, 3]);
    // An offer without a price writes no ledger entry.
    app.redeem("ada", &free);
    assert_eq!(counts(), [1, 2, 0, 4]);
    credit(&app, "ada", 5);
    credit(&app, "ada", 5);
    assert_eq!(counts(), [1, 2, 1, 6]);
    app.delete(&format!("/v1/offers/{free}")).expect(200);
    app.delete("/v1/members/eve").expect(200);
    assert_eq!(counts(), [0, 1, 1, 7]);
    tier("eve", "silver");
    assert_eq!(counts(), [0, 2, 1, 7]);
    tier("eve", "gold");
    assert_eq!(counts(), [0, 1, 1, 8]);
    // With the rest forfeited, and later retained.
    app.delete("/v1/members/ada").expect(200);
    assert_eq!(counts(), [0, 1, 1, 10]);
    app.delete("/v1/members/bob?retainBalance=true").expect(200);
    assert_eq!(counts(), [0, 1, 1, 11]);
    app.delete("/v1/members/eve?erase=true").expect(200);
    assert_eq!(counts(), [0, 0, 1, 12]);
    assert_eq!(only(&app, "")["journal_count"], 3);
}

#[test]
fn what_is_refused_or_replayed_moves_nothing() {
    let app = TestApp::start();
    app.member("ada", 5);
    let dear = app.offer(json!({"pointsPrice": 10}));
    let points = json!({"externalUserID": "ada", "amount": 1});
    post_once(&app, "k", "/v1/wallet/credit", &points).expect(200);
    let before = only(&app, "");
    tick(&app);
    post_once(&app, "k", "/v1/wallet/credit", &points).expect(200);
    try_redeem(&app, "ada", &dear).expect(422);
    try_redeem(&app, "nobody", &dear).expect(404);
    app.put("/v1/members/ada", &json!({"tier": "standard"}))
        .expect(200);
    app.put("/v1/members/ada", &json!({"tier": 7})).expect(422);
    let debit = json!({"externalUserID": "ada", "amount": 7});
    app.post("/v1/wallet/debit", &debit).expect(422);
    assert_eq!(only(&app, ""), before);
}

#[test]
fn nothing_crosses_the_environment() {
    let app = TestApp::start();
    app.member("ada", 5);
    let (sandbox, lives) = (
        || app.get(REPORT).bytes,
        || get_as(&app, LIVE_KEY, REPORT).bytes,
    );
    let (before, live_before) = (sandbox(), lives());
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let points = json!({"externalUserID": "lea", "amount": 9});
    live(&app, "POST", "/v1/wallet/credit", &points).expect(200);
    assert_eq!(sandbox(), before);
    assert_ne!(lives(), live_before);
    let live_before = lives();
    credit(&app, "ada", 3);
    assert_eq!(lives(), live_before);
}

#[test]
fn windows_that_cannot_be_used_are_400_and_the_parameter_named() {
    let app = TestApp::start();
    app.member("ada", 5);
    let good = "2026-06-15T12:00:00Z";
    let mut cases = vec![
        (format!("from={good}"), "to"),
        (format!("to={good}"), "from"),
        (format!("since={good}&from={good}"), "to"),
        (format!("from={good}&to=2026-06-15T11:59:59.999Z"), "to"),
    ];
    for bad in [
        "",
        "yesterday",
        "2026-06-15",
        "2026-06-15T12:00:00",
        "2026-06-31T00:00:00Z",
        "2026-06-15T24:00:00Z",
        "2026-06-15T12:00:60Z",
        "1781524800000",
        "2026-06-15T12:00:00+0200",
        "10000-01-01T00:00:00Z",
    ] {
        // A plus that is not encoded is a space.
        cases.push((format!("from={bad}&to={good}"), "from"));
        cases.push((format!("from={good}&to={bad}"), "to"));
        cases.push((format!("since={bad}"), "since"));
        cases.push((format!("from={bad}"), "from"));
    }
    for (query, names) in cases {
        let answer = app.get(&format!("{REPORT}?{query}"));
        let message = scrip_error(answer, 400, "bad_request");
        assert!(message.contains(names), "{query}: {message}");
    }
}

#[test]
fn details_say_which_field_was_wrong_and_what_came() {
    let app = TestApp::start();
    let create = |body: Value| app.post("/v1/programs", &body);
    let long = "x".repeat(300);
    let cases = [
        (
            app.get(&format!("{REPORT}?since=soon")),
            ["since", "invalid"],
            Some("soon"),
        ),
        (
            app.get(&format!("{REPORT}?from=2026-06-01T00:00:00Z")),
            ["to", "required"],
            None,
        ),
        (
            app.get("/v1/programs?limit=0"),
            ["limit", "invalid"],
            Some("0"),
        ),
        (create(json!({})), ["name", "required"], None),
        (create(json!({"name": 7})), ["name", "invalid"], Some("7")),
        (
            create(json!({"name": {"a": 1}})),
            ["name", "invalid"],
            Some("an object"),
        ),
        (
            create(json!({"name": long})),
            ["name", "invalid"],
            Some(&long[..64]),
        ),
    ];
    for (answer, [field, reason], received) in cases {
        let body = answer.expect(400);
        let details = &body["details"];
        assert_eq!(details["field"], field, "{body}");
        assert_eq!(details["reason"], reason, "{body}");
        assert_eq!(
            details.get("received").and_then(Value::as_str),
            received,
            "{body}"
        );
        assert_eq!(details["message"], body["message"], "{body}");
    }
    // An error that concerns no field names none.
    let unknown = app.get("/v1/programs/x").expect(404);
    assert_eq!(names(&unknown), ["code", "message"]);
    let broken = app
        .request("POST", "/v1/programs")
        .bearer(SANDBOX_KEY)
        .raw("{");
    assert_eq!(names(&broken.send().expect(400)), ["code", "message"]);
}

/// Every program of a report, page by page.
#[track_caller]
fn walk(app: &TestApp, limit: usize) -> Vec<String> {
    let (mut all, mut query) = (Vec::new(), format!("?limit={limit}"));
    loop {
        let page = app.get(&format!("{REPORT}{query}")).expect(200);
        let names = column(&page["data"], "program_name");
        assert!(!names.is_empty() && names.len() <= limit);
        all.extend(names.into_iter().map(str::to_owned));
        let pagination = &page["pagination"];
        assert_eq!(
            pagination["has_more"],
            pagination["next_cursor"].is_string()
        );
        let Some(cursor) = pagination["next_cursor"].as_str() else {
            return all;
        };
        query = format!("?limit={limit}&cursor={cursor}");
    }
}

#[test]
fn a_walk_through_1000_programs_has_no_gap_and_no_double_while_more_are_made() {
    let app = TestApp::start();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let app = &app;
            scope.spawn(move || {
                for number in 0..125 {
                    program(app, SANDBOX_KEY, &format!("Program {thread} {number}"));
                }
            });
        }
    });
    let first = app.get(REPORT).expect(200);
    assert_eq!(first["data"].as_array().unwrap().len(), 50);
    let whole = walk(&app, 200);
    assert_eq!(whole.len(), 1001);
    assert_eq!(whole[0], "Sandbox", "the oldest first");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::SeqCst) {
                program(&app, SANDBOX_KEY, &format!("Later {number}"));
                number += 1;
            }
        });
        for limit in [200, 7] {
            let walked = walk(&app, limit);
            let distinct: BTreeSet<_> = walked.iter().collect();
            assert_eq!(distinct.len(), walked.len(), "no double by {limit}");
            assert_eq!(walked[..whole.len()], whole, "no gap by {limit}");
        }
        done.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_page_may_lose_and_gain_programs_behind_its_cursor() {
    let app = TestApp::start();
    let ids: Vec<_> = (0..5)
        .map(|number| program(&app, SANDBOX_KEY, &format!("Program {number}")).0)
        .collect();
    let page = app.get(&format!("{REPORT}?limit=3")).expect(200);
    let titles = column(&page["data"], "program_name");
    assert_eq!(titles, ["Sandbox", "Program 0", "Program 1"]);
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    // The program at the cursor is removed, and one behind it.
    for id in [&ids[1], &ids[2]] {
        let path = format!("/v1/programs/{id}");
        app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
    }
    let rest = app.get(&format!("{REPORT}?cursor={cursor}")).expect(200);
    let titles = column(&rest["data"], "program_name");
    assert_eq!(titles, ["Program 3", "Program 4"]);
    assert_eq!(rest["pagination"]["has_more"], false);
}

#[test]
fn pages_of_a_period_skip_the_quiet_ones() {
    let app = TestApp::start();
    for number in 0..9 {
        let (_, key) = program(&app, SANDBOX_KEY, &format!("Program {number}"));
        if number % 4 == 0 {
            call(&app, &key, "PUT", "/v1/members/eve", &json!({})).expect(200);
        }
    }
    let window = period(millis(NOON), millis(NOON));
    let path = format!("{REPORT}?{window}&limit=2");
    let page = app.get(&path).expect(200);
    let titles = column(&page["data"], "program_name");
    assert_eq!(titles, ["Program 0", "Program 4"]);
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let page = app.get(&format!("{path}&cursor={cursor}")).expect(200);
    assert_eq!(column(&page["data"], "program_name"), ["Program 8"]);
    assert_eq!(page["pagination"]["has_more"], false);
}
