use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    column, conversation, get_as, live, names, number, post_as, program, say, say_as_agent,
    support, webhook,
};
use crate::support::{LIVE_KEY, Response, SANDBOX_KEY, TestApp};

const LIST: &str = "/v1/conversations";

fn messages(conversation: &str) -> String {
    format!("{LIST}/{conversation}/messages")
}

/// A list as the sandbox key sees it.
#[track_caller]
fn list(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get(&format!("{LIST}{query}")).expect(200);
    page["conversations"].as_array().unwrap().clone()
}

fn try_message(app: &TestApp, credential: &str, conversation: &str, body: &Value) -> Response {
    post_as(app, credential, &messages(conversation), body)
}

/// The texts of a conversation, newest first.
#[track_caller]
fn texts(app: &TestApp, conversation: &str) -> Vec<String> {
    let page = app.get(&messages(conversation)).expect(200);
    let texts = column(&page["messages"], "body");
    texts.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_redemption_opens_a_conversation() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = app.offer(json!({"title": "Dinner"}));
    let body = json!({"externalUserID": "ada", "offer": offer});
    let redemption = app.post("/v1/redemptions", &body).expect(201);
    let found = list(&app, "?externalUserID=ada");
    let booking = &found[0];
    assert_eq!(
        names(booking),
        [
            "displayName",
            "externalUserID",
            "id",
            "lastMessage",
            "lastMessageAt",
            "redemptionID",
            "title",
            "type",
            "waiting",
            "waitingSince"
        ]
    );
    assert_eq!(booking["id"], redemption["conversationId"]);
    assert!(booking["id"].as_str().unwrap().starts_with("cnv_"));
    assert_eq!(booking["type"], "booking");
    assert_eq!(booking["title"], "Dinner");
    assert_eq!(booking["redemptionID"], redemption["id"]);
    assert_eq!(booking["lastMessageAt"], Value::Null);
    assert_eq!(booking["externalUserID"], "ada");
    assert_eq!(booking["waiting"], false);
    // The title is the one at the time of the booking.
    let path = format!("/v1/offers/{offer}");
    app.patch(&path, &json!({"title": "Supper"})).expect(200);
    assert_eq!(list(&app, "?externalUserID=ada")[0]["title"], "Dinner");
    // Creating a conversation is no event.
    let report = app.get("/v1/reports/program-activity").expect(200);
    assert_eq!(report["data"][0]["event_count"], 2);
}

#[test]
fn every_member_has_a_support_conversation_before_anything_is_said_in_it() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let page = get_as(&app, &token, LIST).expect(200);
    assert_eq!(names(&page), ["conversations", "nextCursor"]);
    let support = &page["conversations"][0];
    assert_eq!(
        names(support),
        [
            "externalUserID",
            "id",
            "lastMessageAt",
            "redemptionID",
            "title",
            "type",
            "waiting"
        ]
    );
    assert_eq!(support["type"], "support");
    for field in ["title", "lastMessageAt", "redemptionID"] {
        assert_eq!(support[field], Value::Null, "{field}");
    }
    let id = support["id"].as_str().unwrap();
    let empty = get_as(&app, &token, &messages(id)).expect(200);
    assert_eq!(empty, json!({"messages": [], "nextCursor": null}));
    assert_eq!(number(&app, "SELECT count(*) FROM conversation"), 0);
    // The program's key does not see it yet.
    assert_eq!(list(&app, ""), Vec::<Value>::new());
    say(&app, &token, id, "Hello");
    let after = get_as(&app, &token, LIST).expect(200);
    assert_eq!(after["conversations"].as_array().unwrap().len(), 1);
    assert_eq!(after["conversations"][0]["id"], id, "the id it had before");
    assert_eq!(list(&app, "")[0]["id"], id);
    let app = app.restart();
    assert_eq!(support_id(&app), id);
}

fn support_id(app: &TestApp) -> String {
    support(app, "ada")
}

#[test]
fn the_last_active_conversation_comes_first() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    let second = || app.clock.advance(Duration::from_secs(1));
    let mut ids = Vec::new();
    for member in ["ada", "ada", "bob"] {
        second();
        let offer = app.offer(json!({}));
        let body = json!({"externalUserID": member, "offer": offer});
        let made = app.post("/v1/redemptions", &body).expect(201);
        ids.push(made["conversationId"].as_str().unwrap().to_owned());
    }
    let all = || {
        let found = list(&app, "");
        let ids: Vec<_> = column(&json!(found), "id")
            .into_iter()
            .map(str::to_owned)
            .collect();
        ids
    };
    assert_eq!(all(), [&*ids[2], &ids[1], &ids[0]]);
    second();
    say_as_agent(&app, &ids[0], "Any news?");
    assert_eq!(all(), [&*ids[0], &ids[2], &ids[1]]);
    second();
    let help = support(&app, "ada");
    say(&app, &app.token("ada"), &help, "Help");
    assert_eq!(all(), [&*help, &ids[0], &ids[2], &ids[1]]);
    let found = list(&app, "?externalUserID=ada");
    assert_eq!(column(&json!(found), "id"), [&*help, &ids[0], &ids[1]]);
    assert_eq!(found[0]["lastMessageAt"], "2026-06-15T12:00:05.000Z");
    // Bob's support conversation comes last: it has no messages.
    let bobs = list(&app, "?externalUserID=bob");
    assert_eq!(column(&json!(bobs), "type"), ["booking", "support"]);

    let mut paged: Vec<String> = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = app.get(&format!("{LIST}{query}")).expect(200);
        let found = column(&page["conversations"], "id");
        paged.extend(found.into_iter().map(str::to_owned));
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        query = format!("?limit=1&cursor={next}");
    }
    assert_eq!(paged, all());
}

#[test]
fn those_who_wait_for_the_operator_can_be_listed() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    let [ada, bob] = ["ada", "bob"].map(|member| support(&app, member));
    say(&app, &app.token("ada"), &ada, "Help");
    say(&app, &app.token("bob"), &bob, "Help me too");
    assert_eq!(list(&app, "?waiting=true").len(), 2);
    say_as_agent(&app, &ada, "How?");
    let waiting = list(&app, "?waiting=true");
    assert_eq!(column(&json!(waiting), "id"), [&*bob]);
    assert_eq!(waiting[0]["waiting"], true);
    assert_eq!(list(&app, "?waiting=false").len(), 2);
    assert_eq!(list(&app, "?waiting=true&externalUserID=ada").len(), 0);
    for (query, name) in [
        ("?waiting=yes", "waiting"),
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?cursor=x", "cursor"),
    ] {
        let refused = app.get(&format!("{LIST}{query}"));
        let message = refused.expect_error(422, "VALIDATION");
        assert!(message.starts_with(name), "{message}");
    }
}

#[test]
fn both_sides_speak_and_everybody_reads_the_same() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let id = support(&app, "ada");
    say(&app, &token, &id, "Is the table mine?\nFor two ☕");
    app.clock.advance(Duration::from_secs(1));
    say_as_agent(&app, &id, "It is.");
    let own = get_as(&app, &token, &messages(&id)).expect(200);
    assert_eq!(own, app.get(&messages(&id)).expect(200));
    let path = format!("{}?externalUserID=ada", messages(&id));
    assert_eq!(own, app.get(&path).expect(200));
    let [newest, oldest] = [0, 1].map(|index| own["messages"][index].clone());
    assert_eq!(
        names(&newest),
        [
            "attachments",
            "authorID",
            "body",
            "createdAt",
            "id",
            "role",
            "type"
        ]
    );
    assert_eq!(newest["attachments"], json!([]));
    assert_eq!(newest["authorID"], "agent");
    assert_eq!(newest["role"], "agent");
    assert_eq!(newest["body"], "It is.");
    assert_eq!(newest["type"], "text");
    assert_eq!(newest["createdAt"], "2026-06-15T12:00:01.000Z");
    assert!(newest["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(oldest["authorID"], "ada");
    assert_eq!(oldest["role"], "member");
    assert_eq!(oldest["body"], "Is the table mine?\nFor two ☕");
    assert_eq!(own["nextCursor"], Value::Null);
}

#[test]
fn messages_come_by_page_and_stay_in_their_places() {
    let app = TestApp::start();
    app.member("ada", 0);
    let id = support(&app, "ada");
    for number in 1..=5 {
        say_as_agent(&app, &id, &number.to_string());
    }
    let page = |query: &str| app.get(&format!("{}?{query}", messages(&id))).expect(200);
    let first = page("limit=2");
    assert_eq!(column(&first["messages"], "body"), ["5", "4"]);
    say_as_agent(&app, &id, "6");
    let second = page(&format!(
        "limit=2&cursor={}",
        first["nextCursor"].as_str().unwrap()
    ));
    assert_eq!(column(&second["messages"], "body"), ["3", "2"]);
    let third = page(&format!(
        "limit=2&cursor={}",
        second["nextCursor"].as_str().unwrap()
    ));
    assert_eq!(column(&third["messages"], "body"), ["1"]);
    assert_eq!(third["nextCursor"], Value::Null);
    for (query, name) in [("limit=101", "limit"), ("cursor=x", "cursor")] {
        let refused = app.get(&format!("{}?{query}", messages(&id)));
        let message = refused.expect_error(422, "VALIDATION");
        assert!(message.starts_with(name), "{message}");
    }
}

#[test]
fn a_message_that_is_sent_again_is_said_once() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let id = support(&app, "ada");
    let send = |text: &str| {
        let request = app.request("POST", &messages(&id)).bearer(&token);
        let request = request.idempotency_key("one key");
        request.json(&json!({"message": text})).send()
    };
    let first = send("Hello");
    assert_eq!(first.header("idempotency-replayed"), None);
    let second = send("Hello");
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.bytes, first.bytes);
    assert_eq!(first.expect(200), json!({"ok": true}));
    assert_eq!(texts(&app, &id), ["Hello"]);
    send("Goodbye").expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(texts(&app, &id), ["Hello"]);
}

#[test]
fn nobody_speaks_in_anothers_name() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let id = support(&app, "ada");
    let refused = |credential: &str, body: Value| {
        let response = try_message(&app, credential, &id, &body);
        response.expect_error(403, "FORBIDDEN")
    };
    let text = "Hello";
    let message = refused(SANDBOX_KEY, json!({"message": text}));
    assert!(message.contains("\"as\": \"agent\""), "{message}");
    refused(SANDBOX_KEY, json!({"message": text, "as": null}));
    refused(
        SANDBOX_KEY,
        json!({"message": text, "externalUserID": "ada"}),
    );
    refused(&token, json!({"message": text, "as": "agent"}));
    refused(&token, json!({"message": text, "as": "member"}));
    // Permission is checked before the body, and the body before the conversation.
    refused(SANDBOX_KEY, json!({"message": ""}));
    let body = json!({"message": "", "as": "agent"});
    let nowhere = try_message(&app, SANDBOX_KEY, "cnv_1", &body);
    nowhere.expect_error(422, "VALIDATION");
    assert_eq!(texts(&app, &id), Vec::<String>::new());
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let id = support(&app, "ada");
    let longest = "é".repeat(4000);
    for (body, start) in [
        (json!({}), "message is required"),
        (json!({"message": null}), "message "),
        (json!({"message": 7}), "message must be a string"),
        (json!({"message": ""}), "message must be 1 to 4000"),
        (
            json!({"message": format!("{longest}x")}),
            "message must be 1 to 4000",
        ),
        (
            json!({"message": "a\u{0}b"}),
            "message must not contain control",
        ),
        (
            json!({"message": "a\u{1b}[31mb"}),
            "message must not contain control",
        ),
        (
            json!({"message": "a\u{85}b"}),
            "message must not contain control",
        ),
        // The name of the field differs from the one in the response.
        (json!({"body": "Hello"}), "message is required"),
        (json!(["Hello"]), "the body must be"),
    ] {
        let refused = try_message(&app, &token, &id, &body);
        let message = refused.expect_error(422, "VALIDATION");
        assert!(message.starts_with(start), "{body}: {message}");
    }
    let body = json!({"message": "Hello", "as": "admin"});
    let refused = try_message(&app, SANDBOX_KEY, &id, &body);
    let message = refused.expect_error(422, "VALIDATION");
    assert!(message.starts_with("as "), "{message}");
    let huge = json!({"message": "x".repeat(262_144)});
    let refused = try_message(&app, &token, &id, &huge);
    refused.expect_error(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(texts(&app, &id), Vec::<String>::new());
    for good in [&*longest, "\t", "two\r\nlines", "👩‍👩‍👧", "data: x\n\nevent: y"] {
        say(&app, &token, &id, good);
        assert_eq!(texts(&app, &id)[0], good);
    }
}

#[test]
fn another_members_conversation_does_not_exist() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    let token = app.token("bob");
    app.redeem("ada", &app.offer(json!({})));
    let (_, neighbour) = program(&app, SANDBOX_KEY, "Another");
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let said = json!({"message": "Hello", "as": "agent"});
    for id in [support(&app, "ada"), conversation(&app, "ada", "booking")] {
        get_as(&app, &token, &messages(&id)).expect_error(404, "NOT_FOUND");
        try_message(&app, &token, &id, &json!({"message": "Hello"})).expect_error(404, "NOT_FOUND");
        let stream = format!("{LIST}/{id}/stream");
        get_as(&app, &token, &stream).expect_error(404, "NOT_FOUND");
        // A key that names another member than the conversation's.
        let path = format!("{}?externalUserID=bob", messages(&id));
        app.get(&path).expect_error(404, "NOT_FOUND");
        for key in [&*neighbour, LIVE_KEY] {
            get_as(&app, key, &messages(&id)).expect_error(404, "NOT_FOUND");
            try_message(&app, key, &id, &said).expect_error(404, "NOT_FOUND");
        }
        assert_eq!(texts(&app, &id), Vec::<String>::new());
    }
    for id in ["cnv_1", "cnv_01a1fda8-194e-75c2-b11a-dd34b93c1d23", "x"] {
        app.get(&messages(id)).expect_error(404, "NOT_FOUND");
        try_message(&app, SANDBOX_KEY, id, &said).expect_error(404, "NOT_FOUND");
    }
    let path = format!("{LIST}?externalUserID=ada");
    get_as(&app, &token, &path).expect_error(403, "FORBIDDEN");
    app.get(&format!("{LIST}?externalUserID=nobody"))
        .expect_error(404, "NOT_FOUND");
}

#[test]
fn a_removed_members_conversations_can_be_read_but_nobody_speaks_there() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let id = support(&app, "ada");
    say(&app, &token, &id, "Hello");
    app.delete("/v1/members/ada").expect(200);
    let said = json!({"message": "Are you there?", "as": "agent"});
    try_message(&app, SANDBOX_KEY, &id, &said).expect_error(404, "NOT_FOUND");
    try_message(&app, &token, &id, &json!({"message": "I am"})).expect_error(401, "UNAUTHORIZED");
    get_as(&app, &token, LIST).expect_error(401, "UNAUTHORIZED");
    app.get(&format!("{LIST}?externalUserID=ada"))
        .expect_error(404, "NOT_FOUND");
    assert_eq!(texts(&app, &id), ["Hello"]);
    // A restored member has all conversations again.
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(support(&app, "ada"), id);
    say_as_agent(&app, &id, "Welcome back");
    assert_eq!(texts(&app, &id), ["Welcome back", "Hello"]);
}

#[test]
fn erasing_a_member_removes_every_text_for_good() {
    let mut app = TestApp::start();
    webhook(
        &app,
        "http://127.0.0.1:9/",
        &["member.created", "conversation.message_created"],
    );
    let profile = json!({"displayName": "Ada Lovelace", "attributes": {"hobby": "looms"}});
    app.put("/v1/members/ada.of.london", &profile).expect(200);
    app.member("bob", 0);
    let token = app.token("ada.of.london");
    let help = support(&app, "ada.of.london");
    app.redeem("ada.of.london", &app.offer(json!({"title": "Dinner"})));
    let booking = conversation(&app, "ada.of.london", "booking");
    say(&app, &token, &help, "My secret of support");
    say(&app, &token, &booking, "My secret of dinner");
    say_as_agent(&app, &booking, "Our answer to Ada");
    let bobs = support(&app, "bob");
    say_as_agent(&app, &bobs, "A word to Bob");
    app.delete("/v1/members/ada.of.london?erase=true")
        .expect(200);

    for (id, count) in [(&help, 1), (&booking, 2)] {
        let page = app.get(&messages(id)).expect(200);
        let all = page["messages"].as_array().unwrap();
        assert_eq!(all.len(), count, "that something was said stays");
        for message in all {
            assert_eq!(message["body"], Value::Null);
            assert_ne!(message["authorID"], "ada.of.london");
        }
    }
    assert_eq!(texts(&app, &bobs), ["A word to Bob"]);
    let kept = "SELECT count(*) FROM event_payload WHERE data IS NOT NULL";
    // His messages are in the log and the table of messages; the sign-up is kept.
    assert_eq!(number(&app, kept), 1, "Bob's own");

    // None of it is left in the file once free bytes are overwritten, as the documentation says.
    app.stop();
    app.sqlite().execute_batch("VACUUM").unwrap();
    let bytes = std::fs::read(app.database()).unwrap();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    for gone in [
        "My secret of",
        "Our answer",
        "Ada Lovelace",
        "of.london",
        "looms",
    ] {
        assert!(!holds(gone), "{gone} is still there");
    }
    assert!(holds("A word to Bob"));
}
