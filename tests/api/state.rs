//! Tags, counters and attributes of participants.

use std::time::Duration;

use serde_json::{Value, json};

use crate::balances::Flat as _;
use crate::support::{LIVE_KEY, Response, TestApp};

/// A participant, by the path of its resource.
pub(crate) fn participant(app: &TestApp, id: &str) -> String {
    let body = json!({"external_id": id});
    let participant = app.post("/v1/participants", &body).json();
    format!("/v1/participants/{}", participant["id"].as_str().unwrap())
}

fn tags(app: &TestApp, of: &str) -> Vec<String> {
    let list = app.get(&format!("{of}/state/tags")).expect(200);
    assert_eq!(list["pagination"]["has_more"], false);
    let rows = list["data"].as_array().unwrap().iter();
    rows.map(|row| row["tag"].as_str().unwrap().to_owned())
        .collect()
}

fn history(app: &TestApp, of: &str, query: &str) -> Vec<Value> {
    let path = format!("{of}/activity/state-history?{query}");
    let page = app.get(&path).expect(200);
    page["data"].as_array().unwrap().clone()
}

/// The changes of a list, newest first, in short: kind, operation, key, and the values.
fn short(rows: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows = rows.iter().map(|row| {
        ["state_type", "operation", "key", "old_value", "new_value"]
            .map(|name| text(&row[name]))
            .join(" ")
    });
    rows.collect()
}

#[track_caller]
fn assert_refused(response: &Response, named: &str) {
    assert_eq!(response.status, 400, "{}", response.text());
    let error = response.json();
    assert_eq!(error["code"], "bad_request");
    assert_eq!(error["details"]["field"], named, "{error}");
}

#[track_caller]
fn delete(app: &TestApp, path: &str) {
    let response = app.delete(path);
    assert_eq!((response.status, response.text()), (204, String::new()));
}

/// A counter that is never reset.
fn counter(key: &str, value: &str) -> Value {
    json!({"key": key, "value": value, "reset_after": null, "last_reset_at": null})
}

fn assert_verified(app: &TestApp) {
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

#[test]
fn tags_are_in_lower_case_and_each_once() {
    let app = TestApp::start();
    let ada = participant(&app, "ada");
    let tag = |name: &str| format!("{ada}/state/tags/{name}");
    assert_eq!(
        app.put(&tag("VIP"), &Value::Null).expect(201),
        json!({"tag": "vip"})
    );
    assert_eq!(
        app.put(&tag("vip"), &Value::Null).expect(200),
        json!({"tag": "vip"})
    );
    app.put(&tag("a%2Fb%20%C3%84"), &Value::Null).expect(201);
    assert_eq!(tags(&app, &ada), ["a/b ä", "vip"]);
    let replaced = app.put(
        &format!("{ada}/state/tags"),
        &json!({"tags": ["New", "vip", "new"]}),
    );
    assert_eq!(replaced.expect(200), json!({"tags": ["new", "vip"]}));
    delete(&app, &tag("Vip"));
    app.delete(&tag("vip")).expect_refusal(404, "not_found");
    assert_eq!(tags(&app, &ada), ["new"]);
    assert_eq!(app.get(&ada).expect(200)["tags"], json!(["new"]));
    let rows = history(&app, &ada, "state_type=tag");
    assert_eq!(
        short(&rows),
        [
            "tag remove vip - -",
            "tag add new - -",
            "tag remove a/b ä - -",
            "tag add a/b ä - -",
            "tag add vip - -",
        ]
    );
    assert_verified(&app);
}

#[test]
fn tags_of_a_participant_are_replaced_if_they_are_sent() {
    let app = TestApp::start();
    let body = json!({"external_id": "ada", "tags": ["B", "a"]});
    let ada = app.post("/v1/participants", &body).expect(201);
    assert_eq!(ada["tags"], json!(["a", "b"]));
    let version = ada["version"].clone();
    let path = format!("/v1/participants/{}", ada["id"].as_str().unwrap());
    let body = json!({"external_id": "ada", "display_name": "Ada"});
    let same = app.post("/v1/participants", &body).expect(200);
    assert_eq!(same["tags"], json!(["a", "b"]));
    let patched = app.patch(&path, &json!({"tags": ["b", "c"]})).expect(200);
    assert_eq!(patched["tags"], json!(["b", "c"]));
    assert!(patched["version"].as_i64() > version.as_i64());
    assert_eq!(patched["version"], same["version"], "tags are no settings");
    let cleared = app.patch(&path, &json!({"tags": []})).expect(200);
    assert_eq!(cleared["tags"], json!([]));
    for (tags, named) in [
        (json!("a"), "tags"),
        (json!([""]), "tags[0]"),
        (json!(["a", 7]), "tags[1]"),
        (json!(["\u{7}"]), "tags[0]"),
        (json!([" "]), "tags[0]"),
        (json!(["x".repeat(101)]), "tags[0]"),
        (json!(vec!["x"; 101]), "tags"),
    ] {
        let refused = app.patch(&path, &json!({"tags": tags}));
        assert_refused(&refused, named);
        app.put(&format!("{path}/state/tags"), &json!({"tags": tags}))
            .expect_refusal(400, "bad_request");
    }
    assert_verified(&app);
}

#[test]
fn a_participant_has_at_most_a_hundred_tags_and_counters() {
    let app = TestApp::start();
    let ada = participant(&app, "ada");
    let all: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
    app.put(&format!("{ada}/state/tags"), &json!({"tags": all}))
        .expect(200);
    app.put(&format!("{ada}/state/tags/t7"), &Value::Null)
        .expect(200);
    let other = format!("{ada}/state/tags/other");
    app.put(&other, &Value::Null)
        .expect_refusal(422, "limit_reached");
    delete(&app, &format!("{ada}/state/tags/t7"));
    app.put(&other, &Value::Null).expect(201);
    for number in 0..100 {
        let path = format!("{ada}/state/counters/c{number}");
        app.put(&path, &json!({"value": "1"})).expect(200);
    }
    let body = json!({"value": "2"});
    app.put(&format!("{ada}/state/counters/c7"), &body)
        .expect(200);
    app.put(&format!("{ada}/state/counters/other"), &body)
        .expect_refusal(422, "limit_reached");
    let list = app.get(&format!("{ada}/state/counters")).expect(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 100);
}

#[test]
fn counters_are_exact_decimals() {
    let app = TestApp::start();
    let ada = participant(&app, "ada");
    let path = format!("{ada}/state/counters/spent");
    app.get(&path).expect_refusal(404, "not_found");
    for (value, shown) in [
        ("0", "0"),
        ("-0.0", "0"),
        ("0012.50", "12.5"),
        ("-3.25", "-3.25"),
        (
            "9999999999999999999999999999",
            "9999999999999999999999999999",
        ),
        (
            "0.0000000000000000000000000001",
            "0.0000000000000000000000000001",
        ),
    ] {
        let set = app.put(&path, &json!({"value": value})).expect(200);
        assert_eq!(set, counter("spent", shown));
        assert_eq!(app.get(&path).expect(200), set);
    }
    for value in [
        json!("1e3"),
        json!(""),
        json!("."),
        json!("+1"),
        json!("1,5"),
        json!("10000000000000000000000000000"),
        json!("0.00000000000000000000000000001"),
        json!(7),
        Value::Null,
    ] {
        let refused = app.put(&path, &json!({"value": value}));
        assert_refused(&refused, "value");
    }
    let long = format!("{ada}/state/counters/{}", "k".repeat(101));
    app.put(&long, &json!({"value": "1"}))
        .expect_refusal(400, "bad_request");
    app.get(&long).expect_refusal(400, "bad_request");
    assert_verified(&app);
}

#[test]
fn a_counter_is_zero_when_its_time_is_over() {
    let app = TestApp::start();
    let ada = participant(&app, "ada");
    let path = format!("{ada}/state/counters/visits");
    let body = json!({"value": "5", "reset_after": "1h30m"});
    let set = app.put(&path, &body).expect(200);
    assert_eq!(set["reset_after"], "1h30m");
    let since = set["last_reset_at"].clone();
    app.clock.advance(Duration::from_millis(5_399_999));
    assert_eq!(app.get(&path).expect(200)["value"], "5");
    app.clock.advance(Duration::from_millis(1));
    let over = app.get(&path).expect(200);
    assert_eq!(over["value"], "0");
    assert_eq!(over["last_reset_at"], since, "a read writes nothing");
    assert_eq!(
        app.get(&ada).expect(200)["counters"],
        json!({"visits": "0"})
    );
    assert_eq!(history(&app, &ada, "").len(), 1);
    // The next write resets it first, and its time starts again.
    let again = app.put(&path, &json!({"value": "2"})).expect(200);
    assert_eq!(again["value"], "2");
    assert_eq!(again["reset_after"], "1h30m", "it is kept if it is absent");
    assert_ne!(again["last_reset_at"], since);
    let rows = history(&app, &ada, "key=visits");
    assert_eq!(
        short(&rows),
        [
            "counter set visits 0 2",
            "counter auto_reset visits 5 0",
            "counter set visits - 5",
        ]
    );
    // The time starts again with each value that is set, also with the same.
    app.clock.advance(Duration::from_hours(1));
    app.put(&path, &json!({"value": "2"})).expect(200);
    app.clock.advance(Duration::from_hours(1));
    assert_eq!(app.get(&path).expect(200)["value"], "2");
    assert_verified(&app);
    let never = app.put(&path, &json!({"value": "2", "reset_after": ""}));
    assert_eq!(never.expect(200), counter("visits", "2"));
    app.clock.advance(Duration::from_hours(10_000));
    assert_eq!(app.get(&path).expect(200)["value"], "2");
    let count = history(&app, &ada, "").len();
    app.put(&path, &json!({"value": "2.0", "reset_after": null}))
        .expect(200);
    assert_eq!(history(&app, &ada, "").len(), count, "nothing changed");
    for length in ["1d", "0h", "-1h", "h", " 1h"] {
        let body = json!({"value": "2", "reset_after": length});
        let refused = app.put(&path, &body);
        assert_refused(&refused, "reset_after");
    }
    assert_verified(&app);
}

#[test]
fn attributes_are_those_of_the_member() {
    let app = TestApp::start();
    let member = json!({"attributes": {"list": [1.50, "x"], "city": "Bath"}});
    app.put("/v1/members/ada", &member).expect(200);
    let ada = participant(&app, "ada");
    let path = format!("{ada}/state/attributes");
    let rows = json!([
        {"key": "city", "value": "Bath"},
        {"key": "list", "value": "[1.50,\"x\"]"},
    ]);
    let listed = app.get(&path).expect(200);
    assert_eq!(listed["data"][0], rows[0]);
    assert_eq!(listed["data"][1]["key"], "list");
    let version = app.get(&ada).expect(200)["version"].as_i64();
    let changes = json!({"attributes": {"city": "Rome", "born": "06-15"}});
    let merged = app.patch(&path, &changes).expect(200);
    assert_eq!(merged["attributes"]["city"], "Rome");
    assert_eq!(merged["attributes"]["born"], "06-15");
    assert!(app.get(&ada).expect(200)["version"].as_i64() > version);
    let city = format!("{path}/city");
    let set = app.put(&city, &json!({"value": "Oslo"})).expect(200);
    assert_eq!(set, json!({"key": "city", "value": "Oslo"}));
    app.put(&city, &json!({"value": "Oslo"})).expect(200);
    delete(&app, &format!("{path}/list"));
    app.delete(&format!("{path}/list"))
        .expect_refusal(404, "not_found");
    let shown = app.get("/v1/members/ada").expect(200);
    assert_eq!(
        shown["attributes"],
        json!({"born": "06-15", "city": "Oslo"})
    );
    let rows = history(&app, &ada, "state_type=attribute");
    let list = listed["data"][1]["value"].as_str().unwrap();
    assert_eq!(
        short(&rows),
        [
            format!("attribute delete list {list} -"),
            "attribute set city Rome Oslo".to_owned(),
            "attribute set city Bath Rome".to_owned(),
            "attribute set born - 06-15".to_owned(),
            format!("attribute set list - {list}"),
            "attribute set city - Bath".to_owned(),
        ]
    );
    for (path, body, named) in [
        (&city, json!({"value": ""}), "value"),
        (&city, json!({"value": 7}), "value"),
        (&city, json!({}), "value"),
        (
            &format!("{path}/{}", "k".repeat(256)),
            json!({"value": "x"}),
            "key",
        ),
        (&city, json!({"value": "x".repeat(17_000)}), "attributes"),
    ] {
        let refused = app.put(path, &body);
        assert_refused(&refused, named);
    }
    app.patch(&path, &json!({"attributes": {"a": 7}}))
        .expect_refusal(400, "bad_request");
    delete(&app, &city);
    delete(&app, &format!("{path}/born"));
    assert_eq!(app.get(&path).expect(200)["data"], json!([]));
    assert_verified(&app);
}

#[test]
fn every_attribute_that_changes_is_logged_by_whatever_surface() {
    let app = TestApp::start();
    let set = |attributes: Value| {
        app.put("/v1/members/ada", &json!({"attributes": attributes}))
            .expect(200);
    };
    set(json!({"a": 1, "b": "x"}));
    set(json!({"a": 1, "b": "x"}));
    set(json!({"a": "1", "c": null}));
    app.put("/v1/members/ada", &json!({"displayName": "Ada"}))
        .expect(200);
    app.put("/v1/members/ada", &json!({"attributes": null}))
        .expect(200);
    let ada = participant(&app, "ada");
    let patched = app.patch(&ada, &json!({"attributes": {"d": "y"}}));
    patched.expect(200);
    let rows = history(&app, &ada, "");
    assert_eq!(
        short(&rows),
        [
            "attribute set d - y",
            "attribute delete c null -",
            "attribute delete a 1 -",
            "attribute set c - null",
            "attribute delete b x -",
            "attribute set a 1 1",
            "attribute set b - x",
            "attribute set a - 1",
        ]
    );
    assert_verified(&app);
}

#[test]
fn the_history_is_filtered_and_has_pages() {
    let app = TestApp::start();
    let ada = participant(&app, "ada");
    for number in 0..5 {
        app.clock.advance(Duration::from_mins(1));
        app.put(&format!("{ada}/state/tags/t{number}"), &Value::Null)
            .expect(201);
        let counter = format!("{ada}/state/counters/c");
        app.put(&counter, &json!({"value": number.to_string()}))
            .expect(200);
    }
    let all = history(&app, &ada, "");
    assert_eq!(all.len(), 10);
    let [newest, oldest] = [&all[0], &all[9]].map(|row| row["changed_at"].as_str().unwrap());
    assert!(all[0]["changed_by_api_key_id"].is_string());
    assert_eq!(all[0]["event_id"], Value::Null);
    let program = app.get("/v1/programs/current").expect(200)["id"].clone();
    assert_eq!(all[0]["program_id"], program);
    for (query, count) in [
        ("state_type=tag".to_owned(), 5),
        ("state_type=counter&operation=set".to_owned(), 5),
        ("operation=delete".to_owned(), 0),
        ("key=c".to_owned(), 5),
        ("key=t3".to_owned(), 1),
        (format!("from={newest}"), 2),
        (format!("to={oldest}"), 2),
        (format!("event_from={newest}"), 2),
        (format!("event_to={oldest}"), 2),
        ("program_id=current".to_owned(), 10),
    ] {
        assert_eq!(history(&app, &ada, &query).len(), count, "{query}");
    }
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{ada}/activity/state-history?limit=3{cursor}");
        let page = app.get(&path).expect(200);
        paged.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["pagination"]["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    let path = format!("{ada}/activity/state-history");
    for query in [
        "limit=101",
        "state_type=tier",
        "operation=x",
        "from=2026-06-02T00:00:00Z&to=2026-06-01T00:00:00Z",
        "event_from=2026-06-02T00:00:00Z&event_to=2026-06-01T00:00:00Z",
    ] {
        app.get(&format!("{path}?{query}"))
            .expect_refusal(400, "bad_request");
    }
    let other = uuid::Uuid::from_u128(1);
    app.get(&format!("{path}?program_id={other}"))
        .expect_refusal(403, "forbidden");
    let live = app.request("GET", &path).bearer(LIVE_KEY).send();
    live.expect_refusal(404, "not_found");
}

#[test]
fn state_changes_whatever_the_status_is_and_outlives_a_restart() {
    let app = TestApp::start();
    let ada = participant(&app, "ada");
    for (status, tag) in [("SUSPENDED", "a"), ("CLOSED", "b")] {
        app.patch(&format!("{ada}/status"), &json!({"status": status}))
            .expect(200);
        app.put(&format!("{ada}/state/tags/{tag}"), &Value::Null)
            .expect(201);
        let counter = format!("{ada}/state/counters/{tag}");
        app.put(&counter, &json!({"value": "1.5"})).expect(200);
        app.put(
            &format!("{ada}/state/attributes/{tag}"),
            &json!({"value": "x"}),
        )
        .expect(200);
    }
    let before = app.get(&ada).expect(200);
    let app = app.restart();
    assert_eq!(app.get(&ada).expect(200), before);
    assert_eq!(before["tags"], json!(["a", "b"]));
    assert_eq!(before["counters"], json!({"a": "1.5", "b": "1.5"}));
    assert_verified(&app);
}

#[test]
fn an_erasure_deletes_the_state_and_the_texts_of_its_history() {
    let app = TestApp::start();
    let [ada, bob] = ["ada", "bob"].map(|id| participant(&app, id));
    for of in [&ada, &bob] {
        app.put(&format!("{of}/state/tags/secret"), &Value::Null)
            .expect(201);
        app.put(
            &format!("{of}/state/counters/secret"),
            &json!({"value": "7"}),
        )
        .expect(200);
        app.put(
            &format!("{of}/state/attributes/secret"),
            &json!({"value": "x"}),
        )
        .expect(200);
    }
    let erased = app.delete("/v1/members/ada?erase=true");
    erased.expect(200);
    let shown = app.get(&ada).expect(200);
    assert_eq!(shown["tags"], json!([]));
    assert_eq!(shown["counters"], json!({}));
    assert_eq!(shown["attributes"], json!({}));
    let rows = history(&app, &ada, "");
    assert_eq!(
        short(&rows),
        ["attribute set - - -", "counter set - - -", "tag add - - -"]
    );
    assert_eq!(short(&history(&app, &bob, "key=secret")).len(), 3);
    let count: i64 = app
        .sqlite()
        .query_row(
            "SELECT count(*) FROM log_text t JOIN activity a ON a.seq = t.seq
             WHERE a.kind = 37 AND t.text IS NULL AND t.commitment IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(count, 5, "three keys and two values");
    assert_verified(&app);
    // The participant may come back under the new id.
    app.patch(&format!("{ada}/status"), &json!({"status": "ACTIVE"}))
        .expect(200);
    app.put(&format!("{ada}/state/tags/new"), &Value::Null)
        .expect(201);
    assert_verified(&app);
}
