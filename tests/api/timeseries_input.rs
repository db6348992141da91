use crate::client::{ask, credit};
use crate::support::TestApp;

/// The error, and the parameter that the message must begin with.
const BAD: &[(&str, &str)] = &[
    // missing
    ("", "from"),
    ("to=2026-06-02&interval=day", "from"),
    ("from=2026-06-01&interval=day", "to"),
    ("from=2026-06-01&to=2026-06-02", "interval"),
    ("FROM=2026-06-01&to=2026-06-02&interval=day", "from"),
    // repeated, the same or not
    (
        "from=2026-06-01&from=2026-06-01&to=2026-06-02&interval=day",
        "from",
    ),
    (
        "from=2026-06-01&to=2026-06-02&to=2026-06-03&interval=day",
        "to",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&interval=hour",
        "interval",
    ),
    (
        "tz=UTC&from=2026-06-01&to=2026-06-02&interval=day&tz=UTC",
        "tz",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&offer=a&offer=b",
        "offer",
    ),
    (
        "from=2026-06-01&f%72om=2026-06-01&to=2026-06-02&interval=day",
        "from",
    ),
    // empty
    ("from=&to=2026-06-02&interval=day", "from"),
    ("from&to=2026-06-02&interval=day", "from"),
    ("from=2026-06-01&to=&interval=day", "to"),
    ("from=2026-06-01&to=2026-06-02&interval=", "interval"),
    ("from=2026-06-01&to=2026-06-02&interval=day&tz=", "tz"),
    ("from=2026-06-01&to=2026-06-02&interval=day&offer=", "offer"),
    // no text
    ("from=%FF&to=2026-06-02&interval=day", "from"),
    ("from=2026-06-01&to=2026-06-02&interval=day&tz=%FF", "tz"),
    // no window
    ("from=2026-06-01&to=2026-06-01&interval=day", "to"),
    (
        "from=2026-06-01T00:00:00Z&to=2026-06-01T02:00:00%2B02:00&interval=hour",
        "to",
    ),
    (
        "from=2026-06-01T00:00:00.0001Z&to=2026-06-01T00:00:00.0009Z&interval=hour",
        "to",
    ),
    ("from=2026-06-02&to=2026-06-01&interval=day", "to"),
    // no interval
    ("from=2026-06-01&to=2026-06-02&interval=minute", "interval"),
    ("from=2026-06-01&to=2026-06-02&interval=DAY", "interval"),
    ("from=2026-06-01&to=2026-06-02&interval=days", "interval"),
    ("from=2026-06-01&to=2026-06-02&interval=day%20", "interval"),
    ("from=2026-06-01&to=2026-06-02&interval=year", "interval"),
    ("from=2026-06-01&to=2026-06-02&interval=86400", "interval"),
    // no zone
    (
        "from=2026-06-01&to=2026-06-02&interval=day&tz=Mars/Base",
        "tz",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&tz=%2B02:00",
        "tz",
    ),
    ("from=2026-06-01&to=2026-06-02&interval=day&tz=../UTC", "tz"),
    ("from=2026-06-01&to=2026-06-02&interval=day&tz=CEST", "tz"),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&tz=Etc/Unknown",
        "tz",
    ),
    ("from=2026-06-01&to=2026-06-02&interval=day&tz=%20UTC", "tz"),
    ("from=2026-06-01&to=2026-06-02&interval=day&tz=UTC%00", "tz"),
    // no measures
    (
        "from=2026-06-01&to=2026-06-02&interval=day&measures=",
        "measures",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&measures=points",
        "measures",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&measures=Events",
        "measures",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&measures=events,",
        "measures",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&measures=events,%20signups",
        "measures",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&measures=events,events",
        "measures",
    ),
    (
        "from=2026-06-01&to=2026-06-02&interval=day&measures=events&measures=signups",
        "measures",
    ),
    // too many buckets
    ("from=2000-01-01&to=2026-06-02&interval=hour", "interval"),
    ("from=0001-01-01&to=9998-12-31&interval=month", "interval"),
    ("from=0001-01-01&to=9998-12-31&interval=hour", "interval"),
];

/// Texts that are not a time or date, or not in the allowed range.
const BAD_TIMES: &[&str] = &[
    "yesterday",
    "1780272000000",
    "2026-06-01T00:00:00",
    "2026-06-01T00:00Z",
    "2026-06-01x00:00:00Z",
    "2026-06-01_00:00:00Z",
    "2026-06-0100:00:00Z",
    "2026-06-01T00:00:00%2B0200",
    "2026-06-01T00:00:00%2B24:00",
    "2026-06-01T24:00:00Z",
    "2026-06-01T00:60:00Z",
    "2016-12-31T23:59:60Z",
    "2016-12-31T18:59:60-05:00",
    "2026-06-31",
    "2026-02-29",
    "2026-02-29T00:00:00Z",
    "2026-13-01",
    "2026-6-1",
    "20260601",
    "2026-06",
    "2026-W23-1",
    "0000-12-31",
    "0000-06-01T00:00:00Z",
    "0001-01-01T00:00:00%2B00:01",
    "9999-01-01",
    "9999-12-31T23:59:59.999Z",
    "9998-12-31T23:59:59-00:01",
    "12026-06-01",
    "-2026-06-01",
    "%2B2026-06-01",
    "2026-06-01Z",
    "2026-06-01T00:00:00.Z",
    "2026-06-01T00:00:00Z%20",
    "%202026-06-01",
    "2026-06-01%00",
];

#[track_caller]
fn refuse(app: &TestApp, query: &str, parameter: &str) -> String {
    let response = ask(app, query);
    assert_eq!(response.status, 422, "{query}: {}", response.text());
    let message = response.expect_error(422, "VALIDATION");
    let named = message.split(' ').next();
    assert_eq!(named, Some(parameter), "{query}: {message}");
    message
}

#[test]
fn every_bad_query_is_refused_by_the_name_of_its_parameter() {
    let app = TestApp::start();
    app.member("ada", 0);
    credit(&app, "ada", 5);
    for (query, parameter) in BAD {
        refuse(&app, query, parameter);
    }
}

#[test]
fn every_bad_time_is_refused_at_either_end() {
    let app = TestApp::start();
    for time in BAD_TIMES {
        let query = format!("from={time}&to=2026-06-02&interval=day");
        let message = refuse(&app, &query, "from");
        assert!(
            message.contains("RFC 3339") && message.contains("date"),
            "{message}"
        );
        refuse(
            &app,
            &format!("from=2026-06-01&to={time}&interval=day"),
            "to",
        );
    }
}

#[test]
fn a_plus_that_is_not_encoded_is_read_as_one() {
    let app = TestApp::start();
    app.member("ada", 5);
    for (bare, encoded) in [
        (
            "/v1/analytics/timeseries?from=2026-06-15T14:00:00+02:00\
             &to=2026-06-15T15:00:00.5+02:00&interval=hour",
            "/v1/analytics/timeseries?from=2026-06-15T14:00:00%2B02:00\
             &to=2026-06-15T15:00:00.5%2B02:00&interval=hour",
        ),
        (
            "/v1/redemptions?from=2026-06-15+14:00:00+02:00",
            "/v1/redemptions?from=2026-06-15T12:00:00Z",
        ),
    ] {
        assert_eq!(app.get(bare).expect(200), app.get(encoded).expect(200));
    }
    // The blank before a time is not the plus of an offset.
    for time in ["2026-06-15+14:00", "2026-06-15T14:00:00+2:00", "+02:00"] {
        refuse(
            &app,
            &format!("from={time}&to=2026-06-16&interval=day"),
            "from",
        );
    }
}

#[test]
fn the_first_and_the_last_moment_that_can_be_asked_for() {
    let app = TestApp::start();
    app.member("ada", 5);
    for query in [
        "from=0001-01-01&to=0001-01-02&interval=hour",
        "from=9998-12-31&to=9998-12-31T23:59:59.999Z&interval=month&tz=Europe/Berlin",
        "from=0001-01-01&to=0800-01-01&interval=month&tz=America/New_York",
        "from=9200-01-01&to=9998-12-31T23:59:59.999Z&interval=month&tz=Pacific/Auckland",
    ] {
        let body = ask(&app, query).expect(200);
        assert_eq!(body["buckets"][0]["pointsMinted"], 0, "{query}");
    }
}

#[test]
fn parameters_that_it_does_not_know_are_ignored() {
    let app = TestApp::start();
    let query = "x=1&from=2026-06-01&x=2&to=2026-06-02&interval=day&timezone=Mars";
    ask(&app, query).expect(200);
}
