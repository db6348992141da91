use std::collections::HashSet;

use serde_json::{Value, json};
use stampcard::config::BucketTime;

use crate::client::{cancel, credit, live, move_to};
use crate::support::{LIVE_KEY, Response, SANDBOX_KEY, TestApp};

const SUMMARY: &str = "/v1/analytics/summary";
const OFFERS: &str = "/v1/analytics/offers";
const SERIES: &str = "/v1/analytics/timeseries?from=2026-06-01&to=2026-06-23&interval=day";
const ALL: [&str; 3] = [SUMMARY, OFFERS, SERIES];

fn tags(app: &TestApp) -> [String; 3] {
    ALL.map(|path| tag(&app.get(path)))
}

#[track_caller]
fn tag(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    let tag = response.header("ETag").expect("an answer has a tag");
    let inside = tag
        .strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .unwrap();
    assert!(!inside.is_empty() && !inside.contains('"'), "{tag}");
    tag.to_owned()
}

fn if_none_match(app: &TestApp, path: &str, tags: &str) -> Response {
    app.request("GET", path)
        .bearer(SANDBOX_KEY)
        .header("If-None-Match", tags)
        .send()
}

#[test]
fn whoever_has_the_answer_gets_no_body() {
    let app = TestApp::start();
    app.member("ada", 100);
    for path in ALL {
        let tag = tag(&app.get(path));
        let response = if_none_match(&app, path, &tag);
        assert_eq!((response.status, response.text().as_str()), (304, ""));
        assert_eq!(response.header("ETag"), Some(tag.as_str()));
        assert!(!response.header("X-Request-Id").unwrap().is_empty());
        assert!(
            response
                .header("Cache-Control")
                .unwrap()
                .contains("no-cache")
        );
    }
}

#[test]
fn a_list_and_weak_tags_are_understood() {
    let app = TestApp::start();
    app.member("ada", 100);
    for path in ALL {
        let tag = tag(&app.get(path));
        for (given, status) in [
            (format!("W/{tag}"), 304),
            (format!("\"x\", {tag}"), 304),
            (format!("\"x\",W/\"y\" ,W/{tag},\"z\""), 304),
            (format!("{tag} "), 304),
            ("\"x\"".to_owned(), 200),
            (tag.trim_matches('"').to_owned(), 200),
            (format!("w/{tag}"), 200),
            ("\"\"".to_owned(), 200),
            (",,".to_owned(), 200),
            (String::new(), 200),
        ] {
            let response = if_none_match(&app, path, &given);
            assert_eq!(response.status, status, "{given}");
        }
    }
}

#[test]
fn the_tag_is_different_for_every_query() {
    let app = TestApp::start();
    let offer = app.offer(json!({}));
    let of_offer = format!("{SERIES}&offer={offer}");
    let in_zone = format!("{SERIES}&tz=Europe/Berlin");
    let hours = SERIES.replace("=day", "=hour");
    let paths = [SUMMARY, OFFERS, SERIES, &of_offer, &in_zone, &hours];
    let tags: HashSet<_> = paths.iter().map(|path| tag(&app.get(path))).collect();
    assert_eq!(tags.len(), paths.len());
    for path in &paths[1..] {
        let of_summary = tag(&app.get(SUMMARY));
        assert_eq!(if_none_match(&app, path, &of_summary).status, 200);
    }
}

#[test]
fn every_write_of_the_program_changes_the_tag() {
    let app = TestApp::start();
    let mut seen: HashSet<String> = tags(&app).into();
    let mut check = |what: &str| {
        for tag in tags(&app) {
            assert!(seen.insert(tag), "{what} leaves a tag as it was");
        }
    };
    app.put("/v1/members/ada", &json!({})).expect(200);
    check("a signup");
    credit(&app, "ada", 100);
    check("a credit");
    let offer = app.offer(json!({"pointsPrice": 10}));
    check("an offer");
    let redemption = app.redeem("ada", &offer);
    check("a redemption");
    move_to(&app, &redemption, "OPEN").expect(200);
    check("a status");
    cancel(&app, &redemption).expect(200);
    check("a cancellation");
    let debit = json!({"externalUserID": "ada", "amount": 1});
    app.post("/v1/wallet/debit", &debit).expect(200);
    check("a debit");
    app.token("bob");
    check("an exchange");
    app.put("/v1/members/bob", &json!({"tier": "gold"}))
        .expect(200);
    check("a tier");
    app.delete(&format!("/v1/offers/{offer}")).expect(200);
    check("an archived offer");
    app.delete("/v1/members/ada").expect(200);
    check("a removal");
    app.put("/v1/members/ada", &json!({})).expect(200);
    check("a restoration");
}

#[test]
fn what_happens_elsewhere_and_what_is_refused_leave_the_tag_as_it_is() {
    let app = TestApp::start();
    app.member("ada", 10);
    let before = tags(&app);
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let body = json!({"externalUserID": "lea", "amount": 5});
    live(&app, "POST", "/v1/wallet/credit", &body).expect(200);
    live(&app, "POST", "/v1/offers", &json!({"title": "Live"})).expect(201);
    let much = json!({"externalUserID": "ada", "amount": 11});
    app.post("/v1/wallet/debit", &much)
        .expect_error(422, "INSUFFICIENT_POINTS");
    for path in ["/v1/members/ada", "/v1/offers", SUMMARY] {
        app.get(path).expect(200);
    }
    assert_eq!(tags(&app), before);
    for (path, known) in ALL.iter().zip(&before) {
        assert_eq!(if_none_match(&app, path, known).status, 304);
    }
}

/// Two programs may have the same number of activities; their tags must differ.
#[test]
fn the_tag_of_one_program_is_none_of_another() {
    let app = TestApp::start();
    for path in ALL {
        let own = tag(&app.get(path));
        let response = app
            .request("GET", path)
            .bearer(LIVE_KEY)
            .header("If-None-Match", &own)
            .send();
        assert_eq!(response.status, 200);
        assert_ne!(tag(&response), own);
    }
}

#[test]
fn the_tag_is_the_same_after_a_restart() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.redeem("ada", &app.offer(json!({"pointsPrice": 10})));
    let before = tags(&app);
    let app = app.restart();
    assert_eq!(tags(&app), before);
    credit(&app, "ada", 1);
    for (new, old) in tags(&app).iter().zip(&before) {
        assert_ne!(new, old);
    }
}

#[test]
fn other_times_in_the_buckets_are_another_answer() {
    let mut app = TestApp::start();
    app.member("ada", 100);
    let before = tag(&app.get(SERIES));
    app.settings.analytics.bucket_time = BucketTime::Rfc3339;
    app = app.restart();
    assert_eq!(if_none_match(&app, SERIES, &before).status, 200);
}

#[test]
fn the_times_of_buckets_and_the_tag_go_by_the_user_agent() {
    let app = TestApp::start();
    app.member("ada", 100);
    let ask = |path: &str, agent: &str, known: Option<&str>| {
        let request = app.request("GET", path).bearer(SANDBOX_KEY);
        let request = request.header("User-Agent", agent);
        match known {
            Some(known) => request.header("If-None-Match", known),
            None => request,
        }
        .send()
    };
    let is_text = |response: &Response| {
        let first = &response.json()["buckets"][0];
        assert_eq!(first["startTime"].is_string(), first["endTime"].is_string());
        first["startTime"].is_string()
    };
    let plain = app.get(SERIES);
    assert!(!is_text(&plain));
    let sdk = ask(SERIES, "expys-sdk-go/1.4.0", None);
    assert!(is_text(&sdk));
    assert_ne!(tag(&sdk), tag(&plain));
    let vary = Some("Authorization, X-API-Key, User-Agent");
    for response in [&plain, &sdk] {
        assert_eq!(response.header("Vary"), vary);
    }
    for (agent, text) in [
        ("expys-sdk-js", true),
        ("expys-sdk", false),
        ("Mozilla/5.0 expys-sdk-js", false),
        ("Expys-Sdk-js", false),
    ] {
        assert_eq!(is_text(&ask(SERIES, agent, None)), text, "{agent}");
        let (same, other) = if text { (&sdk, &plain) } else { (&plain, &sdk) };
        let known = ask(SERIES, agent, Some(&tag(same)));
        assert_eq!((known.status, known.header("Vary")), (304, vary), "{agent}");
        assert_eq!(ask(SERIES, agent, Some(&tag(other))).status, 200, "{agent}");
    }
    for path in &ALL[..2] {
        let (one, other) = (app.get(path), ask(path, "expys-sdk-js", None));
        assert_eq!((tag(&one), one.text()), (tag(&other), other.text()));
        assert_eq!(one.header("Vary"), Some("Authorization, X-API-Key"));
    }
}

#[test]
fn a_set_form_of_times_is_everybodys() {
    for (setting, is_text) in [(BucketTime::Number, false), (BucketTime::Rfc3339, true)] {
        let app = TestApp::start_with(|settings| settings.analytics.bucket_time = setting);
        for agent in ["expys-sdk-go", "curl"] {
            let request = app.request("GET", SERIES).bearer(SANDBOX_KEY);
            let response = request.header("User-Agent", agent).send();
            let vary = response.header("Vary").map(str::to_owned);
            assert_eq!(vary.as_deref(), Some("Authorization, X-API-Key"));
            let body = response.expect(200);
            assert_eq!(body["buckets"][0]["startTime"].is_string(), is_text);
        }
    }
}

#[test]
fn a_bad_credential_or_query_is_refused_whatever_tag_comes_with_it() {
    let app = TestApp::start();
    app.member("ada", 100);
    let token = app.token("ada");
    let known = tags(&app);
    for (path, known) in ALL.iter().zip(&known) {
        let ask = |credential: &str| {
            let request = app.request("GET", path).bearer(credential);
            request.header("If-None-Match", known).send()
        };
        ask("expys_sandbox_wrong").expect_error(401, "UNAUTHORIZED");
        ask(&token).expect_error(403, "FORBIDDEN");
    }
    let missing = "/v1/analytics/timeseries?from=2026-06-01&to=2026-06-23";
    let twice = format!("{SERIES}&interval=day");
    for path in [missing, twice.as_str()] {
        for given in [known[2].as_str(), "*", "\"x\""] {
            let message = if_none_match(&app, path, given).expect_error(422, "VALIDATION");
            assert!(message.contains("interval"), "{message}");
        }
    }
    let response = app.get(missing);
    assert_eq!((response.status, response.header("ETag")), (422, None));
}

#[test]
fn other_writes_and_lists_have_no_tag() {
    let app = TestApp::start();
    app.member("ada", 100);
    for path in ["/v1/members", "/v1/offers", "/v1/wallet?externalUserID=ada"] {
        let response = app.get(path);
        assert_eq!((response.status, response.header("ETag")), (200, None));
    }
    let body = json!({"externalUserID": "ada", "amount": 5});
    let response = app.post("/v1/wallet/credit", &body);
    assert_eq!(response.header("ETag"), None);
    assert_eq!(response.expect(200)["balance"], Value::from(105));
}

/// A timeseries that is computed in steps among other reads equals one that is computed in one
/// step.
#[test]
fn a_long_answer_is_that_of_its_parts_and_has_a_tag() {
    let app = TestApp::start();
    app.member("ada", 100);
    let series = |window: &str| format!("/v1/analytics/timeseries?interval=hour&{window}");
    let buckets = |window: &str| {
        let body = app.get(&series(window)).expect(200);
        body["buckets"].as_array().unwrap().clone()
    };
    // 1,100 hours, and the two halves of them.
    let mut parts = buckets("from=2026-05-15T00:00:00Z&to=2026-06-06T22:00:00Z");
    parts.extend(buckets("from=2026-06-06T22:00:00Z&to=2026-06-29T20:00:00Z"));
    let long = "from=2026-05-15T00:00:00Z&to=2026-06-29T20:00:00Z";
    assert_eq!((parts.len(), buckets(long)), (1100, parts));
    let path = series(long);
    let known = tag(&app.get(&path));
    let nothing = if_none_match(&app, &path, &known);
    assert_eq!((nothing.status, nothing.text()), (304, String::new()));
    assert_eq!(nothing.header("ETag"), Some(&*known));
    credit(&app, "ada", 1);
    assert_ne!(tag(&if_none_match(&app, &path, &known)), known);
    let wrong = app.get(&format!("{path}&offer=off_1"));
    wrong.expect_error(422, "VALIDATION");
    let none = app.get(&series("from=0001-01-01&to=9998-01-01"));
    none.expect_error(422, "VALIDATION");
}
