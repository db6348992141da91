use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{
    call, conversation, credit, exchange, get_as, live, number, post_as, program, put_raw, say,
    say_as_agent, support, webhook,
};
use crate::support::receiver::Receiver;
use crate::support::stream::{EventStream, HEARTBEAT};
use crate::support::{LIVE_KEY, SANDBOX_KEY, TestApp};

const ACTIVITY: &str = "/v1/activity/stream";

fn of(conversation: &str) -> String {
    format!("/v1/conversations/{conversation}/stream")
}

/// The numbers of the events of the sandbox's first program, from the log.
fn events_in_the_log(app: &TestApp) -> Vec<i64> {
    let connection = app.sqlite();
    let sql = "SELECT seq FROM activity WHERE program_id = 1 AND kind BETWEEN 1 AND 13 ORDER BY 1";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_message_stream_holds_messages_and_nothing_else() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let id = support(&app, "ada");
    say(&app, &token, &id, "Before");
    let mut stream = app.stream(&token, &of(&id));
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.header("cache-control"), Some("no-cache"));
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    assert_eq!(stream.header("transfer-encoding"), Some("chunked"));
    assert!(stream.header("x-request-id").unwrap().starts_with("req_"));
    assert_eq!(stream.next().unwrap(), HEARTBEAT);
    say_as_agent(&app, &id, "Hello\n☕");
    credit(&app, "ada", 5);
    say(&app, &token, &id, "Good morning");
    let frames = [(); 2].map(|()| stream.next().unwrap());
    // The exact bytes: one line of data, no name, no id.
    let page = app
        .get(&format!("/v1/conversations/{id}/messages"))
        .expect(200);
    for (frame, message) in frames.iter().zip([1, 0]) {
        let message = &page["messages"][message];
        assert_eq!(*frame, format!("data: {message}\n\n"));
        assert_eq!(frame.lines().count(), 2);
    }
    assert!(frames[0].contains(r#""body":"Hello\n☕""#), "{}", frames[0]);
}

#[test]
fn an_activity_stream_holds_the_bodies_of_webhooks() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let mut before = app.stream(SANDBOX_KEY, ACTIVITY);
    assert_eq!(before.next().unwrap(), HEARTBEAT);
    app.member("ada", 0);
    let unheard = before.next().unwrap();
    webhook(
        &app,
        &receiver.url("/"),
        &["wallet.credited", "member.tier_changed"],
    );
    credit(&app, "ada", 5);
    let frame = before.next().unwrap();
    let body = String::from_utf8(receiver.wait_for(1)[0].body.clone()).unwrap();
    let seq = *events_in_the_log(&app).last().unwrap();
    assert_eq!(
        frame,
        format!("id: {seq}\nevent: wallet.credited\ndata: {body}\n\n")
    );
    // Events that no webhook subscribes to have the same form.
    let fields: Vec<_> = unheard
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(fields, ["id", "event", "data", ""]);
    let data = unheard.lines().nth(2).unwrap();
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(data["type"], "member.created");
    assert_eq!(data["environment"], "SANDBOX");
    assert_eq!(data["data"]["externalUserID"], "ada");
    // Only events of the catalogue are shown.
    app.offer(json!({}));
    app.token("ada");
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    let next = before.event();
    assert_eq!(next.name.as_deref(), Some("member.tier_changed"));
    assert_eq!(next.data["data"]["tier"], "gold");
}

#[test]
fn a_frame_has_one_line_of_data_whatever_the_attributes_look_like() {
    let app = TestApp::start();
    let mut stream = app.stream(SANDBOX_KEY, ACTIVITY);
    assert_eq!(stream.next().unwrap(), HEARTBEAT);
    let attributes = "{\r\n  \"plan\": \"gold\",\n\n  \"lines\": \"a\\nb\"\r}";
    let body = format!(r#"{{"tier": "gold", "attributes": {attributes}}}"#);
    assert_eq!(put_raw(&app, "/v1/members/ada", &body).status, 200);
    let frame = stream.next().unwrap();
    let lines: Vec<_> = frame.split(['\n', '\r']).collect();
    assert_eq!(lines.len(), 5, "{frame}");
    let data: Value = serde_json::from_str(lines[2].strip_prefix("data: ").unwrap()).unwrap();
    let expected = json!({"plan": "gold", "lines": "a\nb"});
    assert_eq!(data["data"]["attributes"], expected);
}

#[test]
fn a_stream_begins_now_unless_it_is_resumed() {
    let app = TestApp::start();
    app.member("ada", 0);
    let first = *events_in_the_log(&app).last().unwrap();
    credit(&app, "ada", 1);
    credit(&app, "ada", 2);
    let mut now = app.stream(SANDBOX_KEY, ACTIVITY);
    let mut resumed = app.events_after(first);
    let mut all = app.events_after(0);
    credit(&app, "ada", 3);
    let log = events_in_the_log(&app);
    assert_eq!(now.event().id, Some(log[3]));
    for seq in &log[1..] {
        assert_eq!(resumed.event().id, Some(*seq));
    }
    for seq in &log {
        assert_eq!(all.event().id, Some(*seq));
    }
    // Resumed at its end, it continues with new events.
    let mut at_end = app.events_after(log[3]);
    credit(&app, "ada", 4);
    let next = at_end.event();
    assert_eq!(next.data["data"]["amount"], 4);
}

#[test]
fn a_bad_last_event_id_is_refused_by_name() {
    let app = TestApp::start();
    app.member("ada", 0);
    let last = number(&app, "SELECT max(seq) FROM activity");
    for bad in [
        "",
        "x",
        "-1",
        "1.5",
        "1 2",
        "99999999999999999999",
        &(last + 1).to_string(),
    ] {
        let request = app.request("GET", ACTIVITY).bearer(SANDBOX_KEY);
        let refused = request.header("Last-Event-ID", bad).send();
        let message = refused.expect_error(422, "VALIDATION");
        assert!(message.starts_with("Last-Event-ID must be"), "{message}");
    }
}

#[test]
fn the_head_of_a_stream_can_be_asked_for() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let path = of(&support(&app, "ada"));
    for (credential, path) in [(SANDBOX_KEY, ACTIVITY), (&token, &path)] {
        let asked = EventStream::ask(
            app.address,
            "HEAD",
            path,
            credential,
            "Connection: close\r\n",
        );
        assert!(asked.head.starts_with("HTTP/1.1 200 "), "{}", asked.head);
        assert_eq!(asked.header("content-type"), Some("text/event-stream"));
    }
}

#[test]
fn a_resumed_stream_has_every_event_once_while_many_write() {
    const WRITERS: usize = 4;
    const EACH: usize = 60;
    let app = TestApp::start();
    let members = [(); WRITERS].map(|()| uuid::Uuid::new_v4().to_string());
    for member in &members {
        app.member(member, 0);
    }
    let app = &app;
    let seen = std::thread::scope(|scope| {
        for member in &members {
            scope.spawn(move || {
                for _ in 0..EACH {
                    credit(app, member, 1);
                }
            });
        }
        let mut seen: Vec<i64> = Vec::new();
        // A little further each time, so that it is cut in every place: in the log, where the log
        // ends, and among live events.
        let mut length = 1;
        while seen.len() < WRITERS * (EACH + 1) {
            let mut stream = app.events_after(seen.last().copied().unwrap_or(0));
            let left = WRITERS * (EACH + 1) - seen.len();
            for _ in 0..left.min(length) {
                seen.push(stream.event().id.unwrap());
            }
            length += 1;
        }
        seen
    });
    assert_eq!(seen, events_in_the_log(app));
}

#[test]
fn everybody_who_listens_gets_the_same() {
    let app = TestApp::start();
    let mut streams: Vec<_> = (0..20).map(|_| app.stream(SANDBOX_KEY, ACTIVITY)).collect();
    for number in 0..10 {
        app.member(&format!("m{number}"), 0);
    }
    let of_each: BTreeSet<Vec<i64>> = streams
        .iter_mut()
        .map(|stream| (0..10).map(|_| stream.event().id.unwrap()).collect())
        .collect();
    assert_eq!(of_each, BTreeSet::from([events_in_the_log(&app)]));
}

#[test]
fn nothing_of_another_program_is_seen() {
    let app = TestApp::start();
    let (_, neighbour) = program(&app, SANDBOX_KEY, "Another");
    let mut mine = app.stream(SANDBOX_KEY, ACTIVITY);
    let mut theirs = app.stream(&neighbour, ACTIVITY);
    let mut live_one = app.stream(LIVE_KEY, ACTIVITY);
    call(&app, &neighbour, "PUT", "/v1/members/theirs", &json!({})).expect(200);
    live(&app, "PUT", "/v1/members/lives", &json!({})).expect(200);
    app.member("mine", 0);
    let member = |stream: &mut EventStream| stream.event().data["data"]["externalUserID"].clone();
    assert_eq!(member(&mut mine), "mine");
    assert_eq!(member(&mut theirs), "theirs");
    assert_eq!(member(&mut live_one), "lives");
    // Resuming does not show it either.
    let mut all = app.events_after(0);
    assert_eq!(member(&mut all), "mine");
    credit(&app, "mine", 1);
    assert_eq!(all.event().name.as_deref(), Some("wallet.credited"));
}

#[test]
fn a_member_hears_only_the_conversation_that_was_asked_for() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    let token = app.token("ada");
    app.redeem("ada", &app.offer(json!({})));
    let [help, booking] = ["support", "booking"].map(|kind| conversation(&app, "ada", kind));
    let bobs = support(&app, "bob");
    let mut hears_help = app.stream(&token, &of(&help));
    let mut hears_booking = app.stream(&token, &of(&booking));
    say_as_agent(&app, &bobs, "To Bob");
    say_as_agent(&app, &booking, "About the booking");
    say_as_agent(&app, &help, "About anything");
    assert_eq!(hears_help.event().data["body"], "About anything");
    assert_eq!(hears_booking.event().data["body"], "About the booking");
    let refused = get_as(&app, &token, &of(&bobs));
    refused.expect_error(404, "NOT_FOUND");
}

#[test]
fn a_stream_has_its_own_kind_of_credential() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let path = of(&support(&app, "ada"));
    for key in [SANDBOX_KEY, LIVE_KEY] {
        get_as(&app, key, &path).expect_error(403, "FORBIDDEN");
    }
    get_as(&app, &token, ACTIVITY).expect_error(403, "FORBIDDEN");
    get_as(&app, "nonsense", &path).expect_error(401, "UNAUTHORIZED");
    // In the header only, because addresses end up in logs.
    let in_query = app.request("GET", &format!("{path}?access_token={token}"));
    in_query.send().expect_error(401, "UNAUTHORIZED");
    let live_token = exchange(&app, LIVE_KEY, "lea");
    get_as(&app, &live_token, &path).expect_error(404, "NOT_FOUND");
    let post = post_as(&app, SANDBOX_KEY, ACTIVITY, &json!({}));
    assert_eq!(post.header("allow"), Some("GET, HEAD"));
    post.expect_error(405, "METHOD_NOT_ALLOWED");
}
