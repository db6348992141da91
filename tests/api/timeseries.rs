use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    Bucket, ask, buckets, cancel, column, credit, live, millis, names, time, wait_until,
};
use crate::support::{NOW, TestApp};

const HOUR: i64 = 3_600_000;

/// The bounds of the buckets: every start and the last end. Each bucket begins where the one before
/// it ends.
#[track_caller]
fn bounds(app: &TestApp, query: &str) -> Vec<String> {
    let buckets = buckets(app, query);
    for pair in buckets.windows(2) {
        assert_eq!(pair[0].end, pair[1].start);
    }
    let starts = buckets.iter().map(|bucket| bucket.start);
    starts
        .chain(buckets.last().map(|bucket| bucket.end))
        .map(time)
        .collect()
}

/// The length of each bucket, in minutes.
#[track_caller]
fn minutes(app: &TestApp, query: &str) -> Vec<i64> {
    let length = |bucket: &Bucket| (bucket.end - bucket.start) / 60_000;
    buckets(app, query).iter().map(length).collect()
}

/// Signups, points minted and points spent of each bucket.
#[track_caller]
fn figures(app: &TestApp, query: &str) -> Vec<[i64; 3]> {
    let figures = |b: &Bucket| [b.signups, b.minted, b.spent];
    buckets(app, query).iter().map(figures).collect()
}

#[track_caller]
fn total(app: &TestApp, query: &str) -> [i64; 3] {
    let add = |sum: [i64; 3], more: [i64; 3]| std::array::from_fn(|i| sum[i] + more[i]);
    figures(app, query).into_iter().fold([0; 3], add)
}

/// The largest allowed range, in one bucket or few.
const EVER: &str = "from=2000-01-01&to=2200-01-01&interval=month";

#[test]
fn the_window_of_the_documents_has_22_days() {
    let app = TestApp::start();
    app.member("ada", 100);
    let query = "from=2026-06-01T00:00:00Z&to=2026-06-23T00:00:00Z&interval=day";
    let body = ask(&app, query).expect(200);
    assert_eq!(names(&body), ["buckets"]);
    let fields = [
        "endTime",
        "pointsMinted",
        "pointsSpent",
        "signups",
        "startTime",
    ];
    assert_eq!(names(&body["buckets"][0]), fields);
    assert_eq!(body["buckets"][0]["startTime"], 1_780_272_000_000_i64);
    assert_eq!(body["buckets"][21]["endTime"], 1_782_172_800_000_i64);
    let mut expected = vec![[0; 3]; 22];
    expected[14] = [1, 100, 0];
    assert_eq!(
        figures(&app, query),
        expected,
        "zeros where nothing happened"
    );
    let days = bounds(&app, query);
    assert_eq!(days.len(), 23);
    for (day, bound) in (1..).zip(days) {
        assert_eq!(bound, format!("2026-06-{day:02}T00:00:00.000Z"));
    }
}

#[test]
fn a_program_in_which_nothing_happened_has_zeros() {
    let app = TestApp::start();
    let query = "from=2026-06-01&to=2026-06-03&interval=hour";
    assert_eq!(figures(&app, query), vec![[0; 3]; 48]);
}

#[test]
fn a_window_is_half_open_to_the_millisecond() {
    let app = TestApp::start();
    let offer = app.offer(json!({"pointsPrice": 1}));
    for (number, points) in [(1, 10), (2, 100), (3, 1_000)] {
        let member = format!("member{number}");
        app.member(&member, points);
        app.redeem(&member, &offer);
        app.clock.advance(Duration::from_millis(1));
    }
    let now = millis(NOW);
    let between = |from: i64, to: i64| {
        let (from, to) = (time(now + from), time(now + to));
        total(&app, &format!("from={from}&to={to}&interval=hour"))
    };
    assert_eq!(between(-1, 0), [0, 0, 0], "what happens at `to` is outside");
    assert_eq!(
        between(0, 1),
        [1, 10, 1],
        "what happens at `from` is inside"
    );
    assert_eq!(between(1, 2), [1, 100, 1]);
    assert_eq!(between(2, 3), [1, 1_000, 1]);
    assert_eq!(between(3, 4), [0, 0, 0]);
    assert_eq!(between(-1, 2), [2, 110, 2]);
    assert_eq!(between(1, 4), [2, 1_100, 2]);
}

#[test]
fn buckets_are_laid_from_the_start_of_the_window_and_the_last_is_cut() {
    let app = TestApp::start();
    app.member("ada", 7);
    // At 12:00 the second bucket begins and the first one ends.
    let query = "from=2026-06-15T11:00:00Z&to=2026-06-15T13:30:00Z&interval=hour";
    assert_eq!(minutes(&app, query), [60, 60, 30]);
    assert_eq!(figures(&app, query), [[0, 0, 0], [1, 7, 0], [0, 0, 0]]);
    let query = "from=2026-06-15T11:00:00.001Z&to=2026-06-15T13:00:00.001Z&interval=hour";
    assert_eq!(figures(&app, query), [[1, 7, 0], [0, 0, 0]]);
    let expected = [
        "2026-06-15T11:00:00.001Z",
        "2026-06-15T12:00:00.001Z",
        "2026-06-15T13:00:00.001Z",
    ];
    assert_eq!(bounds(&app, query), expected);
    let query = "from=2026-06-15T12:00:00Z&to=2026-06-15T12:00:00.001Z&interval=month";
    assert_eq!(
        figures(&app, query),
        [[1, 7, 0]],
        "a window of a millisecond"
    );
}

#[test]
fn an_hour_a_day_a_week_and_a_month_from_any_time() {
    let app = TestApp::start();
    let window = "from=2026-05-20T17:45:10.5Z&to=2026-07-01T00:00:00Z&interval=";
    let ask = |interval: &str| bounds(&app, &format!("{window}{interval}"));
    let (hours, days) = (ask("hour"), ask("day"));
    assert_eq!(hours.len(), 41 * 24 + 7 + 1);
    assert_eq!(hours[1], "2026-05-20T18:45:10.500Z");
    assert_eq!(days.len(), 42 + 1);
    assert_eq!(days[12], "2026-06-01T17:45:10.500Z");
    let weeks = ask("week");
    assert_eq!(weeks.len(), 6 + 1);
    assert_eq!(weeks[2], "2026-06-03T17:45:10.500Z");
    let expected = [
        "2026-05-20T17:45:10.500Z",
        "2026-06-20T17:45:10.500Z",
        "2026-07-01T00:00:00.000Z",
    ];
    assert_eq!(ask("month"), expected);
    for bounds in [hours, days, weeks] {
        assert_eq!(bounds.last().unwrap(), "2026-07-01T00:00:00.000Z");
    }
}

#[test]
fn months_from_the_31st_end_on_the_last_day_of_shorter_ones() {
    let app = TestApp::start();
    let query = "from=2027-12-31&to=2028-06-30&interval=month";
    let expected = [
        "2027-12-31T00:00:00.000Z",
        "2028-01-31T00:00:00.000Z",
        "2028-02-29T00:00:00.000Z",
        "2028-03-31T00:00:00.000Z",
        "2028-04-30T00:00:00.000Z",
        "2028-05-31T00:00:00.000Z",
        "2028-06-30T00:00:00.000Z",
    ];
    assert_eq!(bounds(&app, query), expected);
    wait_until(&app, "2026-09-29T23:59:59.999Z");
    app.member("ada", 1);
    app.clock.advance(Duration::from_millis(1));
    app.member("bob", 10);
    let query = "from=2026-08-31&to=2026-12-01&interval=month";
    let expected = [[1, 1, 0], [1, 10, 0], [0; 3], [0; 3]];
    assert_eq!(figures(&app, query), expected);
}

#[test]
fn a_time_may_have_any_offset_and_fractions() {
    let app = TestApp::start();
    app.member("ada", 5);
    for (from, to) in [
        ("2026-06-15T12:00:00Z", "2026-06-15T13:00:00Z"),
        ("2026-06-15+12:00:00Z", "2026-06-15%2013:00:00Z"),
        ("2026-06-15t12:00:00z", "2026-06-15T13:00:00.000000000Z"),
        (
            "2026-06-15T14:00:00%2B02:00",
            "2026-06-15T15:00:00%2b02%3A00",
        ),
        ("2026-06-15T07:00:00-05:00", "2026-06-15T18:45:00%2B05:45"),
        (
            "2026-06-16T11:59:00.000%2B23:59",
            "2026-06-14T13:01:00-23:59",
        ),
        (
            "2026-06-15T12:00:00.0009Z",
            "2026-06-15T13:00:00.0009-00:00",
        ),
    ] {
        let query = format!("from={from}&to={to}&interval=hour");
        let only = Bucket {
            start: millis(NOW),
            end: millis(NOW) + HOUR,
            signups: 1,
            minted: 5,
            spent: 0,
        };
        assert_eq!(buckets(&app, &query), [only], "{query}");
    }
}

#[test]
fn a_bare_date_is_midnight_in_the_zone() {
    let app = TestApp::start();
    for (zone, start, end) in [
        ("", "2026-06-01T00:00:00.000Z", "2026-06-03T00:00:00.000Z"),
        (
            "&tz=UTC",
            "2026-06-01T00:00:00.000Z",
            "2026-06-03T00:00:00.000Z",
        ),
        (
            "&tz=Europe/Berlin",
            "2026-05-31T22:00:00.000Z",
            "2026-06-02T22:00:00.000Z",
        ),
        (
            "&tz=America%2FNew_York",
            "2026-06-01T04:00:00.000Z",
            "2026-06-03T04:00:00.000Z",
        ),
        (
            "&tz=Asia/Kathmandu",
            "2026-05-31T18:15:00.000Z",
            "2026-06-02T18:15:00.000Z",
        ),
        (
            "&tz=Asia/Kolkata",
            "2026-05-31T18:30:00.000Z",
            "2026-06-02T18:30:00.000Z",
        ),
        (
            "&tz=Pacific/Kiritimati",
            "2026-05-31T10:00:00.000Z",
            "2026-06-02T10:00:00.000Z",
        ),
    ] {
        let query = format!("from=2026-06-01&to=2026-06-03&interval=day{zone}");
        let found = bounds(&app, &query);
        assert_eq!(found.len(), 3, "{query}");
        assert_eq!((&*found[0], &*found[2]), (start, end), "{query}");
    }
    // A time is absolute; only the steps depend on the zone.
    let query = "from=2026-06-01T00:00:00Z&to=2026-06-02&interval=day&tz=Europe/Berlin";
    assert_eq!(minutes(&app, query), [22 * 60]);
}

#[test]
fn days_weeks_and_months_follow_the_clocks_of_the_zone() {
    let app = TestApp::start();
    for (zone, window, interval, expected) in [
        (
            "Europe/Berlin",
            "from=2026-03-28&to=2026-03-31",
            "day",
            vec![1440, 1380, 1440],
        ),
        (
            "Europe/Berlin",
            "from=2026-10-24&to=2026-10-27",
            "day",
            vec![1440, 1500, 1440],
        ),
        ("UTC", "from=2026-10-24&to=2026-10-27", "day", vec![1440; 3]),
        (
            "Europe/Berlin",
            "from=2026-03-29&to=2026-03-30",
            "hour",
            vec![60; 23],
        ),
        (
            "Europe/Berlin",
            "from=2026-10-25&to=2026-10-26",
            "hour",
            vec![60; 25],
        ),
        (
            "Europe/Berlin",
            "from=2026-10-19&to=2026-11-02",
            "week",
            vec![7 * 1440 + 60, 7 * 1440],
        ),
        (
            "Europe/Berlin",
            "from=2026-03-01&to=2026-05-01",
            "month",
            vec![31 * 1440 - 60, 30 * 1440],
        ),
        (
            "Australia/Lord_Howe",
            "from=2026-10-03&to=2026-10-05",
            "day",
            vec![1440, 1410],
        ),
        (
            "Asia/Kathmandu",
            "from=2026-10-03&to=2026-10-05",
            "day",
            vec![1440; 2],
        ),
        // 30 December 2011 was left out in Samoa.
        (
            "Pacific/Apia",
            "from=2011-12-29&to=2012-01-01",
            "day",
            vec![1440; 2],
        ),
    ] {
        let query = format!("{window}&interval={interval}&tz={zone}");
        assert_eq!(minutes(&app, &query), expected, "{query}");
    }
}

#[test]
fn what_happens_falls_into_the_day_that_the_zone_shows() {
    let app = TestApp::start();
    // The last moment of 25 October 2026 in Berlin, which has 25 hours, and the first of the 26th.
    wait_until(&app, "2026-10-25T22:59:59.999Z");
    app.member("ada", 1);
    app.clock.advance(Duration::from_millis(1));
    app.member("bob", 10);
    let query = |zone: &str| format!("from=2026-10-25&to=2026-10-27&interval=day&tz={zone}");
    let berlin = figures(&app, &query("Europe/Berlin"));
    assert_eq!(berlin, [[1, 1, 0], [1, 10, 0]]);
    assert_eq!(
        figures(&app, &query("Asia/Kolkata")),
        [[0; 3], [2, 11, 0]],
        "it is 4:30 of the 26th there"
    );
    assert_eq!(figures(&app, &query("UTC")), [[2, 11, 0], [0; 3]]);
}

/// Signups of an offer are members whose first redemption of it was in the bucket.
#[test]
fn one_offer_has_signups_and_gross_spending_of_its_own() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    let [coffee, tea] = [30, 20].map(|price| app.offer(json!({"pointsPrice": price})));
    let free = app.offer(json!({}));
    app.clock.advance(Duration::from_hours(1));
    let first = app.redeem("ada", &coffee);
    app.redeem("ada", &tea);
    app.redeem("ada", &free);
    app.clock.advance(Duration::from_hours(1));
    cancel(&app, &first).expect(200);
    app.redeem("ada", &coffee);
    app.clock.advance(Duration::from_hours(1));
    app.redeem("bob", &coffee);
    let window = "from=2026-06-15T12:00:00Z&to=2026-06-15T16:00:00Z&interval=hour";
    let of = |offer: &str| figures(&app, &format!("{window}&offer={offer}"));
    assert_eq!(of(&coffee), [[0, 0, 0], [1, 0, 30], [0, 0, 30], [1, 0, 30]]);
    assert_eq!(of(&tea), [[0, 0, 0], [1, 0, 20], [0, 0, 0], [0, 0, 0]]);
    assert_eq!(of(&free), [[0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]);
    let whole = [[2, 200, 0], [0, 0, 50], [0, 0, 30], [0, 0, 30]];
    assert_eq!(figures(&app, window), whole, "a refund lowers nothing");
    app.delete(&format!("/v1/offers/{tea}")).expect(200);
    assert_eq!(of(&tea)[1], [1, 0, 20], "archived offers keep their past");
}

#[test]
fn an_offer_that_is_not_the_programs_is_refused_by_name() {
    let app = TestApp::start();
    let other = live(&app, "POST", "/v1/offers", &json!({"title": "Live"})).expect(201);
    let other = other["id"].as_str().unwrap();
    let own = app.offer(json!({}));
    let bare = own.strip_prefix("off_").unwrap();
    let window = "from=2026-06-01&to=2026-06-02&interval=day";
    for offer in [
        other,
        bare,
        "off_019e0000-0000-7000-8000-000000000000",
        "off_",
        "x",
        "",
        "1",
    ] {
        let response = ask(&app, &format!("{window}&offer={offer}"));
        let message = response.expect_error(422, "VALIDATION");
        assert!(message.contains("offer"), "{offer}: {message}");
    }
    let path = format!("/v1/analytics/timeseries?{window}&offer={own}");
    live(&app, "GET", &path, &Value::Null).expect_error(422, "VALIDATION");
    app.get(&path).expect(200);
}

#[test]
fn every_acknowledged_write_is_in_the_next_answer() {
    let app = TestApp::start();
    let offer = app.offer(json!({"pointsPrice": 3}));
    let window = "from=2026-06-15&to=2026-06-16&interval=day";
    let of_offer = format!("{window}&offer={offer}");
    for count in 1..=20 {
        let member = format!("member{count}");
        app.member(&member, 0);
        assert_eq!(
            figures(&app, window),
            [[count, (count - 1) * 5, (count - 1) * 3]]
        );
        credit(&app, &member, 5);
        assert_eq!(figures(&app, window)[0][1], count * 5);
        app.redeem(&member, &offer);
        assert_eq!(figures(&app, window)[0][2], count * 3);
        assert_eq!(figures(&app, &of_offer), [[count, 0, count * 3]]);
    }
}

#[test]
fn refunds_debits_and_removals_change_no_bucket() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let redemption = app.redeem("ada", &offer);
    let window = "from=2026-06-15&to=2026-06-16&interval=hour";
    let of_offer = format!("{window}&offer={offer}");
    let before = (figures(&app, window), figures(&app, &of_offer));
    cancel(&app, &redemption).expect(200);
    let debit = json!({"externalUserID": "bob", "amount": 9});
    app.post("/v1/wallet/debit", &debit).expect(200);
    app.delete("/v1/members/ada").expect(200);
    app.delete("/v1/members/bob?erase=true").expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);
    app.token("ada");
    let after = (figures(&app, window), figures(&app, &of_offer));
    assert_eq!(after, before);
}

/// Three weeks of events at irregular times.
fn weeks(app: &TestApp) -> Vec<String> {
    let offers = [7, 11, 13].map(|price| app.offer(json!({"pointsPrice": price})));
    for step in 0..60_u64 {
        // From a millisecond to fifteen hours, by a multiplicative generator.
        let gap = step.pow(3).wrapping_mul(48_271_000_003) % 54_000_000;
        app.clock.advance(Duration::from_millis(gap + 1));
        let member = format!("member{}", step / 3);
        app.member(&member, step * 17 + 20);
        let offer = &offers[usize::try_from(step % 3).unwrap()];
        let redemption = app.redeem(&member, offer);
        if step % 5 == 0 {
            cancel(app, &redemption).expect(200);
        }
    }
    offers.to_vec()
}

#[test]
fn the_parts_of_any_division_add_up_to_the_whole() {
    let app = TestApp::start();
    let offers = weeks(&app);
    let all = total(&app, EVER);
    let summary = app.summary();
    let field = |name: &str| summary[name].as_i64().unwrap();
    let expected = [
        field("memberCount"),
        field("pointsMinted"),
        field("pointsSpent"),
    ];
    assert_eq!(all, expected, "the timeseries of all time is the summary");
    assert_eq!(all[0], 20);
    for from in ["2026-06-15T12:00:00Z", "2026-06-02T03:04:05.678Z"] {
        for interval in ["hour", "day", "week", "month"] {
            for zone in ["UTC", "Europe/Berlin", "Asia/Kathmandu"] {
                let to = "2026-10-31T23:00:00.001Z";
                let query = format!("from={from}&to={to}&interval={interval}&tz={zone}");
                assert_eq!(total(&app, &query), all, "{query}");
            }
        }
    }
    let rows = app.get("/v1/analytics/offers").expect(200)["offers"].clone();
    assert_eq!(column(&rows, "offerId"), offers);
    let mut spent = 0;
    for (offer, row) in offers.iter().zip(rows.as_array().unwrap()) {
        let of_offer = total(&app, &format!("{EVER}&offer={offer}"));
        let expected = [&row["signups"], &json!(0), &row["pointsSpent"]];
        assert_eq!(of_offer.map(|n| json!(n)).each_ref(), expected);
        spent += of_offer[2];
    }
    assert_eq!(spent, all[2], "what offers took is what was spent");
}

#[test]
fn two_windows_that_meet_make_one() {
    let app = TestApp::start();
    weeks(&app);
    let (start, end) = (millis(NOW), app.clock.now().as_millis() + 1);
    let between = |from: i64, to: i64| {
        let query = format!("from={}&to={}&interval=month", time(from), time(to));
        total(&app, &query)
    };
    let all = between(start, end);
    for part in 1..40 {
        let middle = start + (end - start) * part / 40;
        let (early, late) = (between(start, middle), between(middle, end));
        let sum: [i64; 3] = std::array::from_fn(|i| early[i] + late[i]);
        assert_eq!(sum, all, "divided at {}", time(middle));
    }
}

#[test]
fn times_are_text_if_so_set() {
    let app = TestApp::start_with(|settings| {
        settings.analytics.bucket_time = stampcard::config::BucketTime::Rfc3339;
    });
    let query = "from=2026-06-01T00:00:00.5%2B02:00&to=2026-06-02&interval=day";
    let body = ask(&app, query).expect(200);
    let bucket = json!({
        "startTime": "2026-05-31T22:00:00.500Z", "endTime": "2026-06-01T22:00:00.500Z",
        "signups": 0, "pointsMinted": 0, "pointsSpent": 0,
    });
    assert_eq!(body["buckets"][0], bucket);
    assert_eq!(body["buckets"][1]["endTime"], "2026-06-02T00:00:00.000Z");
}

#[test]
fn ten_thousand_buckets_are_the_most() {
    let app = TestApp::start();
    app.member("ada", 5);
    let from = millis(NOW) - 9_999 * HOUR;
    let query = |to: i64| format!("from={}&to={}&interval=hour", time(from), time(to));
    let most = figures(&app, &query(from + 10_000 * HOUR));
    assert_eq!(most.len(), 10_000);
    assert_eq!(most[9_999], [1, 5, 0]);
    let message = ask(&app, &query(from + 10_000 * HOUR + 1)).expect_error(422, "VALIDATION");
    assert!(message.contains("10000"), "{message}");
    for (window, count) in [
        ("from=2000-01-01&to=2027-05-19&interval=day", 10_000),
        (
            "from=0001-01-01&to=9998-12-31T23:59:59.999Z&interval=month",
            0,
        ),
        ("from=1200-01-01&to=2033-05-01&interval=month", 10_000),
    ] {
        let response = ask(&app, window);
        if count == 0 {
            response.expect_error(422, "VALIDATION");
        } else {
            let body = response.expect(200);
            assert_eq!(body["buckets"].as_array().unwrap().len(), count, "{window}");
        }
    }
}

#[test]
fn sums_up_to_the_largest_total_are_exact() {
    const MOST: u64 = 9_007_199_254_740_991;
    const DEAREST: i64 = 2_147_483_647;
    let app = TestApp::start();
    let offer = app.offer(json!({"pointsPrice": DEAREST}));
    let cheap = app.offer(json!({"pointsPrice": 1}));
    app.member("ada", MOST - 990);
    app.clock.advance(Duration::from_hours(1));
    credit(&app, "ada", 990);
    app.redeem("ada", &offer);
    app.clock.advance(Duration::from_hours(1));
    app.redeem("ada", &cheap);
    let window = "from=2026-06-15T12:00:00Z&to=2026-06-15T15:00:00Z&interval=";
    let most = i64::try_from(MOST).unwrap();
    let expected = [[1, most - 990, 0], [0, 990, DEAREST], [0, 0, 1]];
    assert_eq!(figures(&app, &format!("{window}hour")), expected);
    let day = [[1, most, DEAREST + 1]];
    assert_eq!(figures(&app, &format!("{window}day")), day);
    let app = app.restart();
    assert_eq!(figures(&app, &format!("{window}hour")), expected);
}

#[test]
fn the_buckets_are_the_same_after_a_restart() {
    let app = TestApp::start();
    let offers = weeks(&app);
    let queries = [
        EVER.to_owned(),
        "from=2026-06-15&to=2026-07-15&interval=hour&tz=Asia/Kolkata".to_owned(),
        format!("{EVER}&offer={}", offers[1]),
    ];
    let before = queries.clone().map(|query| buckets(&app, &query));
    let app = app.restart();
    assert_eq!(queries.map(|query| buckets(&app, &query)), before);
}
