//! Files that the operator sends in conversations: sending, reading, retrying, and their end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    attach, attaching, call, encode, get_as, live, number, organization, partner, picture, post_as,
    program, race, rows, say, say_as_agent, support, webhook,
};
use crate::support::receiver::Receiver;
use crate::support::stream::HEARTBEAT;
use crate::support::{LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

const PIECE: usize = 65_536;
const LARGEST: usize = 1_048_576;

/// A server, and the support conversation of its member Ada.
fn with_ada() -> (TestApp, String) {
    let app = TestApp::start();
    app.member("ada", 0);
    let conversation = support(&app, "ada");
    (app, conversation)
}

/// The newest message of a conversation as the key sees it.
#[track_caller]
fn newest(app: &TestApp, conversation: &str) -> Value {
    let path = format!("/v1/conversations/{conversation}/messages?limit=1");
    app.get(&path).expect(200)["messages"][0].clone()
}

/// The path of a message's file.
#[track_caller]
fn url(message: &Value) -> String {
    message["attachments"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The response to a path without a credential.
fn open(app: &TestApp, path: &str) -> Response {
    app.request("GET", path).send()
}

/// Sends any body with any headers.
fn send(app: &TestApp, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = app.request("POST", path).bearer(SANDBOX_KEY);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    request.raw(body).send()
}

fn pieces(app: &TestApp) -> i64 {
    number(app, "SELECT count(*) FROM attachment_piece")
}

/// A file of each type: the type, a name, the name as a header has it, and the bytes.
const FILES: [(&str, &str, &str, &[u8]); 4] = [
    (
        "image/png",
        "a plan.png",
        "a%20plan.png",
        b"\x89PNG\r\n\x1a\n and more",
    ),
    (
        "image/jpeg",
        "photo_1-2~.jpg",
        "photo_1-2~.jpg",
        b"\xff\xd8\xff\xe0 and more",
    ),
    (
        "image/webp",
        "\u{3b1}\u{3b2} \"1\".webp",
        "%CE%B1%CE%B2%20%221%22.webp",
        b"RIFF1234WEBPVP8 ",
    ),
    (
        "application/pdf",
        "menu; filename=100%.pdf",
        "menu%3B%20filename%3D100%25.pdf",
        b"%PDF-1.7",
    ),
];

#[test]
fn a_file_of_each_type_is_a_message_that_both_sides_see() {
    let (app, conversation) = with_ada();
    let token = app.token("ada");
    for (kind, name, _, file) in FILES {
        let path = format!(
            "/v1/conversations/{conversation}/attachments?name={}",
            encode(name)
        );
        let message = send(&app, &path, &[("Content-Type", kind)], file).expect(201);
        let mut expected = message.clone();
        let url = expected["attachments"][0]["url"].take();
        assert!(url.as_str().unwrap().starts_with("/a/"), "{url}");
        assert!(expected["id"].take().as_str().unwrap().starts_with("msg_"));
        assert_eq!(
            expected,
            json!({
                "id": null, "authorID": "agent", "role": "agent", "type": "text", "body": "",
                "createdAt": "2026-06-15T12:00:00.000Z",
                "attachments": [{
                    "name": name, "type": kind, "size": file.len(), "url": null,
                    "expiresAt": "2026-06-15T12:15:00.000Z",
                }],
            })
        );
        // Only the address is another one each time.
        let path = format!("/v1/conversations/{conversation}/messages?limit=1");
        for credential in [SANDBOX_KEY, &token] {
            let mut listed = get_as(&app, credential, &path).expect(200)["messages"][0].take();
            assert_eq!(open(&app, &self::url(&listed)).bytes, file);
            listed["attachments"][0]["url"] = url.clone();
            assert_eq!(listed, message);
        }
    }
}

#[test]
fn everyone_with_its_address_gets_a_file_as_a_download() {
    let (app, conversation) = with_ada();
    for (kind, name, encoded, file) in FILES {
        let path = format!(
            "/v1/conversations/{conversation}/attachments?name={}",
            encode(name)
        );
        let message = send(&app, &path, &[("Content-Type", kind)], file).expect(201);
        let got = open(&app, &url(&message));
        assert_eq!((got.status, &got.bytes[..]), (200, file));
        let disposition = format!("attachment; filename*=UTF-8''{encoded}");
        for (header, value) in [
            ("content-type", kind),
            ("content-disposition", &disposition),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "private, max-age=900"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(got.header(header), Some(value), "{header}");
        }
        let head = app.request("HEAD", &url(&message)).send();
        assert_eq!((head.status, head.bytes.len()), (200, 0));
    }
}

#[test]
fn a_file_is_stored_in_pieces_and_returned_whole_up_to_a_megabyte() {
    let (app, conversation) = with_ada();
    let mut stored = 0;
    for size in [
        8,
        PIECE - 1,
        PIECE,
        PIECE + 1,
        2 * PIECE,
        LARGEST - 1,
        LARGEST,
    ] {
        let file = picture(size, u8::try_from(size % 251).unwrap());
        let message = attach(&app, &conversation, "large.png", &file);
        let got = open(&app, &url(&message));
        assert_eq!(got.status, 200);
        assert!(got.bytes == file, "{size}");
        stored += size.div_ceil(PIECE);
        assert_eq!(pieces(&app), i64::try_from(stored).unwrap(), "{size}");
    }
    let app = app.restart();
    let again = open(&app, &url(&newest(&app, &conversation)));
    assert_eq!(again.bytes.len(), LARGEST);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM attachment WHERE discard_at NOT NULL"
        ),
        0
    );
}

#[test]
fn a_file_is_an_answer_of_the_operator_like_any_other_message() {
    let (app, conversation) = with_ada();
    let token = app.token("ada");
    say(&app, &token, &conversation, "Where is it?");
    let waiting = || app.get("/v1/conversations?waiting=true").expect(200)["waitingCount"].clone();
    assert_eq!(waiting(), 1);
    app.clock.advance(Duration::from_secs(1));
    attach(&app, &conversation, "map.png", &picture(100, 0));
    assert_eq!(waiting(), 0);
    let path = format!("/v1/conversations/{conversation}");
    let shown = app.get(&path).expect(200);
    assert_eq!(
        shown["lastMessage"],
        json!({"text": "", "role": "agent", "createdAt": "2026-06-15T12:00:01.000Z"})
    );
    assert_eq!(shown["lastMessageAt"], "2026-06-15T12:00:01.000Z");
    // It is the first message of a conversation as well.
    app.member("bob", 0);
    let bobs = support(&app, "bob");
    attach(&app, &bobs, "first.png", &picture(100, 0));
    assert_eq!(newest(&app, &bobs)["attachments"][0]["name"], "first.png");
}

#[test]
fn what_is_not_a_file_of_its_type_is_refused_by_name() {
    let (app, conversation) = with_ada();
    let before = rows(&app);
    let base = format!("/v1/conversations/{conversation}/attachments");
    let named = format!("{base}?name=a.png");
    let png = picture(100, 0);
    let types = "Content-Type must be image/png, image/jpeg, image/webp or application/pdf";
    for kind in [
        "image/gif",
        "image/png; charset=utf-8",
        "application/json",
        "text/html",
        "",
    ] {
        let refused = send(&app, &named, &[("Content-Type", kind)], &png);
        assert_eq!(refused.expect_error(422, "VALIDATION"), types, "{kind}");
    }
    let refused = send(&app, &named, &[], &png);
    assert_eq!(refused.expect_error(422, "VALIDATION"), types);
    for (kind, file) in [
        ("image/png", &b""[..]),
        ("image/png", b"\x89PNG\r\n\x1a"),
        ("image/png", b"%PDF-1.7"),
        ("image/jpeg", &png),
        ("image/webp", b"RIFF1234WAVE"),
        ("application/pdf", b" %PDF-1.7"),
        ("application/pdf", b"<script>alert(1)</script>"),
    ] {
        let refused = send(&app, &named, &[("Content-Type", kind)], file);
        let message = refused.expect_error(422, "VALIDATION");
        assert_eq!(
            message,
            format!("the body must be a file of the Content-Type, {kind}")
        );
    }
    for (query, says) in [
        ("", "name is required"),
        ("?name=", "name must be 1 to 255 characters long"),
        ("?name=%20%20", "name must contain a visible character"),
        (
            &format!("?name={}", "x".repeat(256)),
            "name must be 1 to 255 characters long",
        ),
        ("?name=a%0Ab", "name must not contain control characters"),
        ("?name=..%2Fa.png", "name must not contain / or \\"),
        ("?name=a%5Cb", "name must not contain / or \\"),
        ("?name=a&name=b", "name must be given only once"),
        ("?name=%FF", "name must be UTF-8 once decoded"),
    ] {
        let path = format!("{base}{query}");
        let refused = send(&app, &path, &[("Content-Type", "image/png")], &png);
        assert_eq!(refused.expect_error(422, "VALIDATION"), says);
    }
    let large = picture(LARGEST + 1, 0);
    let refused = send(&app, &named, &[("Content-Type", "image/png")], &large);
    let message = refused.expect_error(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(message, "the body must be at most 1048576 bytes");
    assert_eq!(rows(&app), before);
    // The largest name, without the blanks around it, and a type in capitals.
    let path = format!("{base}?name=+{}+", "x".repeat(255));
    send(&app, &path, &[("Content-Type", "IMAGE/PNG")], &png).expect(201);
}

#[test]
fn only_a_key_of_the_program_sends_files_and_only_to_members() {
    let (app, conversation) = with_ada();
    let token = app.token("ada");
    let before = rows(&app);
    let base = |id: &str| format!("/v1/conversations/{id}/attachments?name=a.png");
    let send_as = |credential: &str, path: &str| {
        let request = app.request("POST", path).bearer(credential);
        let request = request.header("Content-Type", "image/png");
        // More than a piece: nothing may be left of it.
        request.raw(picture(PIECE + 1, 0)).send()
    };
    send_as(&token, &base(&conversation)).expect_error(403, "FORBIDDEN");
    send_as(PARTNER_SANDBOX_KEY, &base(&conversation)).expect_error(403, "FORBIDDEN");
    send_as("nonsense", &base(&conversation)).expect_error(401, "UNAUTHORIZED");
    for id in ["cnv_1", "x", "cnv_01a1fda8-194e-75c2-b11a-dd34b93c1d23"] {
        send_as(SANDBOX_KEY, &base(id)).expect_error(404, "NOT_FOUND");
    }
    send_as(LIVE_KEY, &base(&conversation)).expect_error(404, "NOT_FOUND");
    assert_eq!(rows(&app), before);
    let (_, neighbour) = program(&app, SANDBOX_KEY, "Another");
    send_as(&neighbour, &base(&conversation)).expect_error(404, "NOT_FOUND");
    let message = attach(&app, &conversation, "a.png", &picture(9, 0));
    app.delete("/v1/members/ada").expect(200);
    send_as(SANDBOX_KEY, &base(&conversation)).expect_error(404, "NOT_FOUND");
    // The file of a member who is removed, but not erased, can still be read.
    assert_eq!(open(&app, &url(&message)).status, 200);
    assert_eq!(pieces(&app), 1);
}

#[test]
fn a_file_of_an_organization_that_is_not_active_is_not_served() {
    let app = TestApp::start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Tenant"}));
    call(&app, &tenant.key, "PUT", "/v1/members/ada", &json!({})).expect(200);
    let list = get_as(&app, &tenant.key, "/v1/conversations?externalUserID=ada").expect(200);
    let id = list["conversations"][0]["id"].as_str().unwrap();
    let path = format!("/v1/conversations/{id}/attachments?name=a.png");
    let upload = || {
        let request = app.request("POST", &path).bearer(&tenant.key);
        let request = request.header("Content-Type", "image/png");
        request.raw(picture(2 * PIECE, 0)).send()
    };
    let link = url(&upload().expect(201));
    let set = |status: &str| {
        partner(
            &app,
            "PUT",
            &tenant.path("/status"),
            &json!({"status": status}),
        )
        .expect(200);
    };
    set("suspended");
    open(&app, &link).expect_error(404, "NOT_FOUND");
    upload().expect_error(403, "FORBIDDEN");
    set("active");
    assert_eq!(open(&app, &link).status, 200);
}

#[test]
fn a_file_that_is_sent_again_is_sent_once() {
    let (app, conversation) = with_ada();
    for size in [100, 3 * PIECE] {
        let key = format!("key of {size}");
        let once = |name: &str, file: Vec<u8>| {
            let request = attaching(&app, &conversation, name, file);
            request.idempotency_key(&key).send()
        };
        let first = once("again.png", picture(size, 1));
        assert_eq!(first.header("idempotency-replayed"), None);
        let before = rows(&app);
        let second = once("again.png", picture(size, 1));
        assert_eq!(second.header("idempotency-replayed"), Some("true"));
        assert_eq!(second.bytes, first.bytes);
        first.expect(201);
        once("again.png", picture(size, 2)).expect_error(409, "IDEMPOTENCY_KEY_REUSED");
        once("other.png", picture(size, 1)).expect_error(409, "IDEMPOTENCY_KEY_REUSED");
        let request = attaching(&app, &conversation, "again.png", *b"\x89PNG\r\n\x1a\n");
        let request = request.idempotency_key(&key);
        request.send().expect_error(409, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(rows(&app), before);
    }
    // Of two at the same time, the second replays the first, or finds it unfinished and is undone.
    let twin = || {
        let request = attaching(&app, &conversation, "twin.png", picture(LARGEST, 3));
        request.idempotency_key("of both").send()
    };
    assert_eq!(race([&twin, &twin]), [201, 201]);
    let path = format!("/v1/conversations/{conversation}/messages");
    let page = app.get(&path).expect(200);
    assert_eq!(page["messages"].as_array().unwrap().len(), 3);
    assert_eq!(number(&app, "SELECT count(*) FROM attachment"), 3);
    assert_eq!(pieces(&app), 1 + 3 + 16);
}

#[test]
fn two_files_at_the_same_time_are_two_messages_each_with_its_own_bytes() {
    let (app, conversation) = with_ada();
    let files = [picture(LARGEST, 1), picture(LARGEST - 7, 2)];
    let one = |at: usize| {
        let name = format!("{at}.png");
        attaching(&app, &conversation, &name, files[at].clone()).send()
    };
    assert_eq!(race([&|| one(0), &|| one(1)]), [201, 201]);
    let path = format!("/v1/conversations/{conversation}/messages");
    let page = app.get(&path).expect(200);
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    for message in messages {
        let name = message["attachments"][0]["name"].as_str().unwrap();
        let at: usize = name.split('.').next().unwrap().parse().unwrap();
        assert!(open(&app, &url(message)).bytes == files[at]);
    }
}

#[test]
fn an_address_ends_after_a_quarter_of_an_hour_by_the_servers_clock() {
    let (app, conversation) = with_ada();
    let message = attach(&app, &conversation, "a.png", &picture(100, 0));
    let link = url(&message);
    // The clock of the program makes no difference.
    let advance = json!({"advanceSeconds": 86_400});
    app.post("/v1/sandbox/clock", &advance).expect(200);
    assert_eq!(open(&app, &link).status, 200);
    app.clock.advance(Duration::from_secs(15 * 60 - 1));
    let last = open(&app, &link);
    assert_eq!(last.status, 200);
    assert_eq!(last.header("cache-control"), Some("private, max-age=1"));
    app.clock.advance(Duration::from_secs(1));
    let expired = open(&app, &link).expect_error(404, "NOT_FOUND");
    // A list has a new address.
    let fresh = newest(&app, &conversation);
    assert_eq!(
        fresh["attachments"][0]["expiresAt"],
        "2026-06-15T12:30:00.000Z"
    );
    assert_eq!(open(&app, &url(&fresh)).status, 200);

    // Nothing else opens a file, and the response does not tell why.
    let good = url(&fresh);
    let tail = good.len() - 1;
    let flipped = if good.ends_with('A') { "B" } else { "A" };
    let token = app.token("ada");
    for forged in [
        format!("{}{flipped}", &good[..tail]),
        good[..tail].to_owned(),
        format!("{good}A"),
        format!("/a/{token}"),
        "/a/v4.local.".to_owned(),
        "/a/x".to_owned(),
        "/a/%E2%98%95".to_owned(),
    ] {
        let refused = open(&app, &forged).expect_error(404, "NOT_FOUND");
        assert_eq!(refused, expired, "{forged}");
    }
    open(&app, "/a/%FF").expect_error(400, "BAD_REQUEST");
    open(&app, "/a/").expect_error(404, "NOT_FOUND");
    // A signature is no credential.
    let signature = good.strip_prefix("/a/").unwrap();
    get_as(&app, signature, "/v1/wallet").expect_error(401, "UNAUTHORIZED");
    // It is valid after a restart.
    let app = app.restart();
    assert_eq!(open(&app, &good).status, 200);
}

#[test]
fn an_erasure_ends_the_address_and_removes_the_bytes() {
    let (mut app, conversation) = with_ada();
    app.member("bob", 0);
    let bobs = support(&app, "bob");
    // Texts that are searched for, at the start, across pieces and at the end.
    let mut file = picture(LARGEST, b'.');
    for at in [8, PIECE - 7, 9 * PIECE + 3000, LARGEST - 13] {
        file[at..at + 13].copy_from_slice(b"ADAS-PASSPORT");
    }
    let request = attaching(&app, &conversation, "passport of ada.png", file.clone());
    let sent = request
        .idempotency_key("of the passport")
        .send()
        .expect(201);
    for number in 0..70 {
        let small = [&picture(8, 0)[..], b"ADAS-PASSPORT"].concat();
        attach(&app, &conversation, &format!("small{number}"), &small);
    }
    attach(
        &app,
        &bobs,
        "bobs.png",
        &[&picture(8, 0)[..], b"BOBS-PASSPORT"].concat(),
    );
    let link = url(&sent);
    let ids = "SELECT count(*) FROM attachment WHERE size > 0";
    assert_eq!(number(&app, ids), 72);
    app.delete("/v1/members/ada?erase=true").expect(200);
    open(&app, &link).expect_error(404, "NOT_FOUND");
    assert_eq!(number(&app, ids), 1);
    assert_eq!(pieces(&app), 1);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM attachment WHERE discard_at NOT NULL"
        ),
        0
    );

    // That a file was sent stays, as with other messages.
    let page = app.get(&format!(
        "/v1/conversations/{conversation}/messages?limit=100"
    ));
    let page = page.expect(200);
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 71);
    for message in messages {
        assert_eq!(message["body"], Value::Null);
        let expected = json!([{
            "name": "", "url": null, "expiresAt": message["createdAt"], "type": "image/png",
            "size": 0,
        }]);
        assert_eq!(message["attachments"], expected);
    }
    let again = attaching(&app, &conversation, "passport of ada.png", file);
    let again = again.idempotency_key("of the passport").send();
    again.expect_error(404, "NOT_FOUND");

    app.stop();
    let connection = stampcard::store::open_read_only(&app.database()).unwrap();
    let report = stampcard::service::verify::verify(&connection, |_| ()).unwrap();
    assert_eq!((report.findings, report.erased_files), (Vec::new(), 71));
    drop(connection);
    // A stop finishes overwriting unused bytes.
    for name in ["test.db", "test.db-wal"] {
        let bytes = std::fs::read(app.database().with_file_name(name)).unwrap_or_default();
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(
            !holds(b"ADAS-PASSPORT") && !holds(b"passport of ada"),
            "{name}"
        );
        assert_eq!(holds(b"BOBS-PASSPORT"), name == "test.db");
    }
}

#[test]
fn a_reset_of_the_sandbox_ends_the_addresses_of_its_files() {
    let (app, conversation) = with_ada();
    let link = url(&attach(&app, &conversation, "a.png", &picture(PIECE, 0)));
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    open(&app, &link).expect_error(404, "NOT_FOUND");
    let path = format!("/v1/conversations/{conversation}/messages");
    app.get(&path).expect_error(404, "NOT_FOUND");
}

#[test]
fn streams_and_webhooks_have_the_file_with_an_address_of_their_own_time() {
    let (app, conversation) = with_ada();
    let receiver = Receiver::start();
    webhook(&app, &receiver.url("/"), &["conversation.message_created"]);
    let token = app.token("ada");
    let path = format!("/v1/conversations/{conversation}/stream");
    let mut messages = app.stream(&token, &path);
    assert_eq!(messages.next().unwrap(), HEARTBEAT);
    let mut activity = app.stream(SANDBOX_KEY, "/v1/activity/stream");
    assert_eq!(activity.next().unwrap(), HEARTBEAT);
    let file = picture(2 * PIECE, 5);
    let sent = attach(&app, &conversation, "a.png", &file);
    let frame = messages.next().unwrap();
    let frame = frame.strip_prefix("data: ").unwrap().trim_end();
    let frame: Value = serde_json::from_str(frame).unwrap();
    let event = activity.event();
    let delivered = receiver.wait_for(1)[0].json();
    for mut shown in [frame, event.data["data"].clone(), delivered["data"].clone()] {
        assert!(open(&app, &url(&shown)).bytes == file);
        shown["attachments"][0]["url"] = sent["attachments"][0]["url"].clone();
        for (field, value) in sent.as_object().unwrap() {
            assert_eq!(shown[field], *value, "{field}");
        }
    }
    // An event that is read later has an address that is valid then.
    app.clock.advance(Duration::from_hours(2));
    let mut resumed = app.events_after(0);
    let shown = std::iter::from_fn(|| Some(resumed.event()))
        .find(|event| event.name.as_deref() == Some("conversation.message_created"))
        .unwrap();
    assert_eq!(
        shown.data["data"]["attachments"][0]["expiresAt"],
        "2026-06-15T14:15:00.000Z"
    );
    assert!(open(&app, &url(&shown.data["data"])).bytes == file);
    // Other messages have none.
    say_as_agent(&app, &conversation, "There it is.");
    assert_eq!(resumed.event().data["data"]["attachments"], json!([]));
}

#[test]
fn an_upload_that_is_not_finished_is_seen_by_nobody_and_removed_after_an_hour() {
    let (mut app, conversation) = with_ada();
    attach(&app, &conversation, "whole.png", &picture(2 * PIECE, 1));
    app.stop();
    // As a crash leaves it: the row and some pieces, without a message.
    let unfinished =
        "INSERT INTO attachment (program_id, name, type, size, sha256, day, discard_at)
            SELECT program_id, 'cut.png', type, size, sha256, day, 1781528400000 FROM attachment;
        INSERT INTO attachment_piece SELECT max(id), 0, zeroblob(65536) FROM attachment";
    app.sqlite().execute_batch(unfinished).unwrap();
    let connection = stampcard::store::open_read_only(&app.database()).unwrap();
    let report = stampcard::service::verify::verify(&connection, |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    drop(connection);
    let app = app.restart();
    let path = format!("/v1/conversations/{conversation}/messages");
    let page = app.get(&path).expect(200);
    assert_eq!(page["messages"].as_array().unwrap().len(), 1);
    let wait = |seconds: u64| {
        app.clock.advance(Duration::from_secs(seconds));
        // Upkeep follows a write.
        app.member("bob", 1);
        app.member("bob", 1);
        pieces(&app)
    };
    assert_eq!(wait(3600 - 1), 3);
    assert_eq!(wait(1), 2);
    assert_eq!(number(&app, "SELECT count(*) FROM attachment"), 1);
    assert_eq!(open(&app, &url(&newest(&app, &conversation))).status, 200);
}

#[test]
fn a_live_program_has_files_of_its_own() {
    let app = TestApp::start();
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let body = json!({"externalUserID": "lea", "message": "Hello"});
    let started = post_as(&app, LIVE_KEY, "/v1/conversations", &body).expect(201);
    let path = format!(
        "/v1/conversations/{}/attachments?name=l.png",
        started["id"].as_str().unwrap()
    );
    let request = app.request("POST", &path).bearer(LIVE_KEY);
    let request = request.header("Content-Type", "image/png");
    let sent = request.raw(picture(50, 0)).send().expect(201);
    assert_eq!(open(&app, &url(&sent)).bytes.len(), 50);
    // Neither a reset nor a member of the same name in the sandbox concerns it.
    app.member("lea", 0);
    app.delete("/v1/members/lea?erase=true").expect(200);
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    assert_eq!(open(&app, &url(&sent)).bytes.len(), 50);
}
