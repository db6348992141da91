//! A program's own keys, listed, created and revoked with one of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    call, get_as, organization, partner, partner_get, post_as, post_once, program, rows, until,
};
use crate::support::{LIVE_KEY, PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

const KEYS: &str = "/v1/keys";
const HOUR: Duration = Duration::from_hours(1);

fn list(app: &TestApp, key: &str) -> Vec<Value> {
    let list = get_as(app, key, KEYS).expect(200);
    list["keys"].as_array().unwrap().clone()
}

/// The id of a new key, and the key.
fn create(app: &TestApp, with: &str, name: &str) -> (String, String) {
    let made = post_as(app, with, KEYS, &json!({"name": name})).expect(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["key"]["id"]), text(&made["plainKey"]))
}

fn revoke(app: &TestApp, with: &str, id: &str) -> crate::support::Response {
    call(app, with, "DELETE", &format!("{KEYS}/{id}"), &Value::Null)
}

#[test]
fn a_key_is_made_shown_once_used_and_revoked() {
    let app = TestApp::start();
    let made = app.post(KEYS, &json!({"name": " till\u{a0}"})).expect(201);
    let plain = made["plainKey"].as_str().unwrap();
    let prefix = made["key"]["keyPrefix"].as_str().unwrap();
    assert!(plain.starts_with(prefix) && plain.len() == prefix.len() + 42);
    assert!(prefix.starts_with("expys_sandbox_"));
    let id = made["key"]["id"].as_str().unwrap();
    let row = json!({
        "id": id, "name": "till", "keyPrefix": prefix, "createdAt": "2026-06-15T12:00:00.000Z",
        "lastUsedAt": null, "current": false,
    });
    assert_eq!(made["key"], row);

    let keys = list(&app, SANDBOX_KEY);
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], row, "the newest first");
    assert_eq!(keys[1]["current"], true);
    assert!(
        !json!(keys).to_string().contains(plain),
        "the key is shown once"
    );

    // It opens the same program, and the list marks the key of the request.
    app.member("ada", 7);
    get_as(&app, plain, "/v1/members/ada").expect(200);
    let current: Vec<_> = list(&app, plain)
        .iter()
        .map(|key| key["current"].clone())
        .collect();
    assert_eq!(current, [true, false]);

    assert_eq!(revoke(&app, SANDBOX_KEY, id).status, 204);
    get_as(&app, plain, "/v1/members").expect_error(401, "UNAUTHORIZED");
    revoke(&app, SANDBOX_KEY, id).expect_error(404, "NOT_FOUND");
    assert_eq!(list(&app, SANDBOX_KEY).len(), 1);
    let app = app.restart();
    get_as(&app, plain, "/v1/members").expect_error(401, "UNAUTHORIZED");
}

#[test]
fn the_key_in_use_does_not_revoke_itself_but_another_one_does() {
    let app = TestApp::start();
    let (id, key) = create(&app, SANDBOX_KEY, "second");
    let own = list(&app, SANDBOX_KEY)[1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = rows(&app);
    let refused = revoke(&app, SANDBOX_KEY, &own);
    let message = refused.expect_error(409, "KEY_IN_USE");
    assert!(message.contains("another key"), "{message}");
    revoke(&app, &key, &id).expect_error(409, "KEY_IN_USE");
    assert_eq!(rows(&app), before);
    assert_eq!(revoke(&app, &key, &own).status, 204);
    app.get(KEYS).expect_error(401, "UNAUTHORIZED");
    assert_eq!(list(&app, &key).len(), 1);
}

#[test]
fn keys_of_other_programs_are_neither_seen_nor_revoked() {
    let app = TestApp::start();
    let (_, neighbour) = program(&app, SANDBOX_KEY, "Neighbour");
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Tenant"}));
    let before = rows(&app);
    for other in [&neighbour, &tenant.key, &LIVE_KEY.to_owned()] {
        let keys = list(&app, other);
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0]["current"], true);
        let id = keys[0]["id"].as_str().unwrap();
        revoke(&app, SANDBOX_KEY, id).expect_error(404, "NOT_FOUND");
        get_as(&app, other, "/v1/members").expect(200);
    }
    let partners = partner_get(&app, "/partner/organizations");
    let unknown = partners["organizations"][0]["id"].as_str().unwrap();
    for id in [unknown, "x", "%20", &"9".repeat(300)] {
        revoke(&app, SANDBOX_KEY, id).expect_error(404, "NOT_FOUND");
    }
    assert_eq!(rows(&app), before);
    // A live key creates a live key.
    let (_, live) = create(&app, LIVE_KEY, "live");
    assert!(live.starts_with("expys_live_"));
    assert_eq!(list(&app, SANDBOX_KEY).len(), 1);
}

#[test]
fn what_the_partner_made_and_what_the_program_made_are_one_list_with_one_cap() {
    let app = TestApp::start_with(|settings| settings.limits.keys_each_max = 3);
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Tenant"}));
    let path = tenant.path("/api-keys");
    let (id, key) = create(&app, &tenant.key, "second");
    partner(&app, "POST", &path, &json!({"name": "third"})).expect(201);
    let names: Vec<_> = list(&app, &key)
        .iter()
        .map(|key| key["name"].clone())
        .collect();
    assert_eq!(names, ["third", "second", "first key"]);
    let refused = post_as(&app, &key, KEYS, &json!({"name": "fourth"}));
    let message = refused.expect_error(422, "LIMIT_REACHED");
    assert!(message.contains("at most 3 keys") && message.contains("limits.keys_each_max"));
    // A reset revokes all of them as well.
    post_as(&app, &key, "/v1/sandbox/reset", &json!({})).expect(200);
    assert_eq!(list(&app, &key).len(), 3);
    post_as(&app, &key, KEYS, &json!({"name": "fourth"})).expect_error(422, "LIMIT_REACHED");
    assert_eq!(revoke(&app, &tenant.key, &id).status, 204);
    assert_eq!(
        partner_get(&app, &path)["apiKeys"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    create(&app, &tenant.key, "fourth");
}

#[test]
fn a_lost_answer_is_replayed_with_the_key_in_it() {
    let app = TestApp::start();
    let body = json!({"name": "till"});
    let first = post_once(&app, "k", KEYS, &body).expect(201);
    let again = post_once(&app, "k", KEYS, &body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    assert_eq!(list(&app, SANDBOX_KEY).len(), 2);
    post_once(&app, "k", KEYS, &json!({"name": "other"}))
        .expect_error(409, "IDEMPOTENCY_KEY_REUSED");
}

#[test]
fn a_key_says_when_it_was_last_used_also_after_a_restart() {
    let app = TestApp::start();
    let (id, key) = create(&app, SANDBOX_KEY, "till");
    let last = |app: &TestApp| {
        let keys = list(app, SANDBOX_KEY);
        let mut keys = keys.iter();
        keys.find(|key| key["id"] == id.as_str()).unwrap()["lastUsedAt"].clone()
    };
    assert_eq!(last(&app), Value::Null);
    app.clock.advance(HOUR);
    // The server reads its clock once a second for this.
    until(|| {
        get_as(&app, &key, "/v1/members").expect(200);
        (last(&app) == "2026-06-15T13:00:00.000Z").then_some(())
    });
    app.clock.advance(HOUR);
    let app = app.restart();
    assert_eq!(last(&app), "2026-06-15T13:00:00.000Z");
    let verified = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    // A reset keeps the key and its details.
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    assert_eq!(last(&app), "2026-06-15T13:00:00.000Z");
}

#[test]
fn a_revoked_keys_stream_ends() {
    let app = TestApp::start_with(|settings| settings.server.stream_heartbeat = 1);
    let (id, key) = create(&app, SANDBOX_KEY, "till");
    let mut stream = app.stream(&key, "/v1/activity/stream");
    let mut mine = app.stream(SANDBOX_KEY, "/v1/activity/stream");
    assert_eq!(revoke(&app, SANDBOX_KEY, &id).status, 204);
    stream.expect_end();
    app.member("ada", 0);
    assert_eq!(mine.event().name.as_deref(), Some("member.created"));
}

#[test]
fn a_key_finds_out_which_of_several_programs_it_opens() {
    let app = TestApp::start();
    let (id, second) = program(&app, SANDBOX_KEY, "Second");
    let current = "/v1/programs/current";
    let found = get_as(&app, &second, current);
    let tag = found.header("etag").unwrap().to_owned();
    let found = found.expect(200);
    assert_eq!(
        (&found["id"], &found["name"]),
        (&json!(id), &json!("Second"))
    );
    assert_ne!(app.get(current).expect(200)["id"], found["id"]);
    let rename = |tag: &str| {
        let request = app.request("PATCH", current).bearer(&second);
        let request = request.header("If-Match", tag);
        request.json(&json!({"name": "Renamed"})).send()
    };
    assert_eq!(rename(&tag).expect(200)["name"], "Renamed");
    assert_eq!(rename(&tag).status, 412);
    assert_eq!(
        get_as(&app, &second, current).expect(200)["name"],
        "Renamed"
    );
    // After a reset it is the new program's.
    post_as(&app, &second, "/v1/sandbox/reset", &json!({})).expect(200);
    let after = get_as(&app, &second, current).expect(200);
    assert_eq!(after["name"], "Renamed");
    assert_ne!(after["id"], found["id"]);
}

#[test]
fn the_sandbox_tells_how_far_its_clock_is_ahead() {
    let app = TestApp::start();
    let clock = "/v1/sandbox/clock";
    let at = |now: &str, ahead: u64| json!({"now": now, "aheadSeconds": ahead});
    assert_eq!(
        app.get(clock).expect(200),
        at("2026-06-15T12:00:00.000Z", 0)
    );
    let body = json!({"advanceSeconds": 86_400});
    let ahead = at("2026-06-16T12:00:00.000Z", 86_400);
    assert_eq!(app.post(clock, &body).expect(200), ahead);
    assert_eq!(app.get(clock).expect(200), ahead);
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    assert_eq!(app.get(clock).expect(200)["aheadSeconds"], 0);
}

#[test]
fn the_partner_sees_the_servers_state() {
    let app = TestApp::start();
    let server = partner_get(&app, "/partner/server");
    assert_eq!(server["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(server["startedAt"], "2026-06-15T12:00:00.000Z");
    assert_eq!(server["takesWrites"], true);
    assert_eq!(server["reason"], Value::Null);
    let bytes = |field: &str| server["database"][field].as_u64().unwrap();
    assert!(bytes("bytes") + bytes("logBytes") > 4096, "{server}");
    for unknown in ["lastVerify", "lastBackup"] {
        assert_eq!(server[unknown], Value::Null);
    }
}
