use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{
    Tenant, exchange, get_as, organization, partner, post_as, program, say_as_agent, support, until,
};
use crate::support::receiver::PATIENCE;
use crate::support::stream::{EventStream, HEARTBEAT};
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

const ACTIVITY: &str = "/v1/activity/stream";

/// A server whose streams have a heartbeat every second.
fn start() -> TestApp {
    TestApp::start_with(|settings| settings.server.stream_heartbeat = 1)
}

fn of(conversation: &str) -> String {
    format!("/v1/conversations/{conversation}/stream")
}

#[test]
fn a_quiet_stream_beats() {
    let app = start();
    app.member("ada", 0);
    let token = app.token("ada");
    let path = of(&support(&app, "ada"));
    for (credential, path) in [(SANDBOX_KEY, ACTIVITY), (&token, &path)] {
        let mut stream = app.stream(credential, path);
        assert_eq!(stream.next().unwrap(), HEARTBEAT, "at once");
        let begun = Instant::now();
        for _ in 0..2 {
            assert_eq!(stream.next().unwrap(), HEARTBEAT);
        }
        let passed = begun.elapsed();
        assert!(passed >= Duration::from_millis(1500), "{passed:?}");
    }
}

#[test]
fn a_message_stream_ends_with_its_token() {
    let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 2);
    app.member("ada", 0);
    let id = support(&app, "ada");
    let mut stream = app.stream(&app.token("ada"), &of(&id));
    let begun = Instant::now();
    say_as_agent(&app, &id, "In time");
    assert_eq!(stream.event().data["body"], "In time");
    stream.expect_end();
    let passed = begun.elapsed();
    assert!(passed < PATIENCE / 4, "{passed:?}");
    // Another token opens another stream.
    let mut next = app.stream(&app.token("ada"), &of(&id));
    say_as_agent(&app, &id, "Again");
    assert_eq!(next.event().data["body"], "Again");
}

#[test]
fn a_message_stream_ends_when_its_member_is_removed() {
    let app = start();
    for erase in ["", "?erase=true"] {
        app.member("ada", 0);
        let token = app.token("ada");
        let id = support(&app, "ada");
        let mut stream = app.stream(&token, &of(&id));
        assert_eq!(stream.next().unwrap(), HEARTBEAT);
        app.delete(&format!("/v1/members/ada{erase}")).expect(200);
        stream.expect_end();
        get_as(&app, &token, &of(&id)).expect_error(401, "UNAUTHORIZED");
    }
}

#[test]
fn an_activity_stream_ends_when_its_key_may_do_nothing_any_more() {
    let app = start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "A tenant"}));
    let suspend = |status: &str| {
        let path = tenant.path("/status");
        partner(&app, "PUT", &path, &json!({"status": status})).expect(200);
    };
    let mut stream = app.stream(&tenant.key, ACTIVITY);
    suspend("suspended");
    stream.expect_end();
    get_as(&app, &tenant.key, ACTIVITY).expect_error(403, "FORBIDDEN");
    suspend("active");
    let mut stream = app.stream(&tenant.key, ACTIVITY);
    revoke(&app, &tenant);
    stream.expect_end();
    get_as(&app, &tenant.key, ACTIVITY).expect_error(401, "UNAUTHORIZED");

    let (id, key) = program(&app, SANDBOX_KEY, "Another");
    let mut stream = app.stream(&key, ACTIVITY);
    let mut mine = app.stream(SANDBOX_KEY, ACTIVITY);
    let archive = json!({"status": "ARCHIVED"});
    app.patch(&format!("/v1/programs/{id}"), &archive)
        .expect(200);
    stream.expect_end();
    // The other streams continue.
    app.member("ada", 0);
    assert_eq!(mine.event().name.as_deref(), Some("member.created"));
}

fn revoke(app: &TestApp, tenant: &Tenant) {
    let keys = partner(app, "GET", &tenant.path("/api-keys"), &Value::Null).expect(200);
    let key = keys["apiKeys"][0]["id"].as_str().unwrap();
    let path = tenant.path(&format!("/api-keys/{key}"));
    let revoked = partner(app, "DELETE", &path, &Value::Null);
    assert_eq!(revoked.status, 204);
}

#[test]
fn a_suspended_organizations_member_streams_end_too() {
    let app = start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "A tenant"}));
    let token = exchange(&app, &tenant.key, "ada");
    let list = get_as(&app, &token, "/v1/conversations").expect(200);
    let id = list["conversations"][0]["id"].as_str().unwrap();
    let mut stream = app.stream(&token, &of(id));
    let path = tenant.path("/status");
    partner(&app, "PUT", &path, &json!({"status": "suspended"})).expect(200);
    stream.expect_end();
}

#[test]
fn a_stop_ends_every_stream_as_http_says_and_waits_for_none() {
    let mut app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let path = of(&support(&app, "ada"));
    let mut streams = [
        app.stream(SANDBOX_KEY, ACTIVITY),
        app.stream(&token, &path),
        app.events_after(0),
    ];
    let last = streams[2].event().id.unwrap();
    let begun = Instant::now();
    app.stop();
    let passed = begun.elapsed();
    let limit = Duration::from_secs(app.settings.server.shutdown_timeout);
    assert!(passed < limit, "{passed:?}");
    for stream in &mut streams {
        stream.expect_end();
    }
    // The numbers are valid after a restart.
    let app = app.restart();
    let mut stream = app.events_after(last);
    app.member("bob", 0);
    assert_eq!(stream.event().data["data"]["externalUserID"], "bob");
}

#[test]
fn so_many_streams_can_be_open_at_a_time() {
    let app = TestApp::start_with(|settings| {
        settings.server.streams_max = 2;
        settings.server.stream_heartbeat = 1;
    });
    app.member("ada", 0);
    let token = app.token("ada");
    let path = of(&support(&app, "ada"));
    let first = app.stream(SANDBOX_KEY, ACTIVITY);
    let mut second = app.stream(&token, &path);
    for (credential, path) in [(SANDBOX_KEY, ACTIVITY), (&token, &path)] {
        let refused = get_as(&app, credential, path);
        assert!(refused.header("Retry-After").is_some());
        refused.expect_error(503, "OVERLOADED");
    }
    // Everything else continues.
    app.member("bob", 0);
    // A closed stream makes room once a heartbeat has found it closed.
    drop(first);
    until(|| {
        let asked = EventStream::ask(app.address, "GET", ACTIVITY, SANDBOX_KEY, "");
        asked.head.starts_with("HTTP/1.1 200 ").then_some(())
    });
    assert_eq!(second.next().unwrap(), HEARTBEAT);
}

/// More than fit into a queue, the sockets and the buffers in between.
const FLOOD: usize = 1700;

/// Sends messages until a stream without a reader overflows, a little ahead of one with a
/// reader.
fn flood(app: &TestApp, conversation: &str, read: &AtomicUsize) {
    let said = AtomicUsize::new(0);
    let text = "☕".repeat(4000);
    let path = format!("/v1/conversations/{conversation}/messages");
    let body = json!({"message": text, "as": "agent"});
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                for _ in 0..FLOOD / 10 {
                    let number = said.fetch_add(1, Ordering::Relaxed);
                    let start = Instant::now();
                    while number > read.load(Ordering::Relaxed) + 40 {
                        assert!(start.elapsed() < PATIENCE, "nobody reads");
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    post_as(app, SANDBOX_KEY, &path, &body).expect(200);
                }
            });
        }
    });
}

#[test]
fn a_client_that_does_not_read_is_told_of_the_gap_and_can_resume_without_one() {
    // However long the flood takes, its streams must not be cut for reading nothing.
    let app = TestApp::start_with(|settings| settings.server.write_timeout = 3600);
    app.member("ada", 0);
    let id = support(&app, "ada");
    let mut activity = app.stream(SANDBOX_KEY, ACTIVITY);
    let mut messages = app.stream(&app.token("ada"), &of(&id));
    let mut reads = app.stream(SANDBOX_KEY, ACTIVITY);
    let read = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            for _ in 0..FLOOD {
                reads.event();
                read.fetch_add(1, Ordering::Relaxed);
            }
        });
        flood(&app, &id, &read);
        reading
            .join()
            .expect("a stream with a reader misses nothing");
    });

    let mut seen = Vec::new();
    let gap = loop {
        let event = activity.event();
        match event.id {
            Some(id) => seen.push(id),
            None => break event,
        }
    };
    assert_eq!(gap.name.as_deref(), Some("gap"));
    assert!(gap.data["message"].is_string());
    activity.expect_end();
    assert!(seen.len() < FLOOD, "some were left out");
    let mut resumed = app.events_after(*seen.last().unwrap());
    while seen.len() < FLOOD {
        seen.push(resumed.event().id.unwrap());
    }
    let sql = "SELECT seq FROM activity WHERE kind = 13 ORDER BY seq";
    let connection = app.sqlite();
    let mut statement = connection.prepare(sql).unwrap();
    let log = statement.query_map([], |row| row.get(0)).unwrap();
    let log: Vec<i64> = log.map(Result::unwrap).collect();
    assert_eq!(seen, log);

    // A stream of messages holds nothing else, so that the notice is a comment there.
    let mut count = 0;
    let last = loop {
        let frame = messages.next().expect("it ends with a comment");
        if frame.starts_with(": too slow") {
            break frame;
        }
        count += usize::from(frame.starts_with("data: "));
    };
    assert!(last.contains("connect again"), "{last}");
    assert!(count < FLOOD, "some were left out");
    messages.expect_end();
}
