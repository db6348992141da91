//! The inbox: conversations that wait for a reply, their order and last message; and conversations
//! that the operator starts.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::client::{
    column, get_as, number, post_as, post_once, say, say_as_agent, support, webhook,
};
use crate::figures_on_disk::verify;
use crate::support::receiver::Receiver;
use crate::support::{LIVE_KEY, SANDBOX_KEY, TestApp};

const LIST: &str = "/v1/conversations";

#[track_caller]
fn inbox(app: &TestApp, query: &str) -> Value {
    app.get(&format!("{LIST}?sort=waiting{query}")).expect(200)
}

/// The members whose conversations are listed, in order.
#[track_caller]
fn who(app: &TestApp, query: &str) -> Vec<String> {
    let page = inbox(app, query);
    let members = column(&page["conversations"], "externalUserID");
    members.into_iter().map(str::to_owned).collect()
}

fn second(app: &TestApp) {
    app.clock.advance(Duration::from_secs(1));
}

/// Sends a message in a member's support conversation as the member.
fn write(app: &TestApp, member: &str, text: &str) {
    second(app);
    say(app, &app.token(member), &support(app, member), text);
}

fn answer(app: &TestApp, member: &str, text: &str) {
    second(app);
    say_as_agent(app, &support(app, member), text);
}

/// A member receives the same response as before, whatever the parameters.
fn reads_as_a_member(app: &TestApp) {
    let own = get_as(app, &app.token("bob"), &format!("{LIST}?sort=waiting")).expect(200);
    assert_eq!(own["conversations"][0]["waiting"], true);
    for bad in ["sort=newest", "silent=maybe", "search=%00"] {
        let path = format!("{LIST}?{bad}");
        let message = get_as(app, &app.token("bob"), &path).expect_error(422, "VALIDATION");
        assert!(
            message.starts_with(bad.split_once('=').unwrap().0),
            "{message}"
        );
    }
    let one = format!("{LIST}/{}", own["conversations"][0]["id"].as_str().unwrap());
    let one = get_as(app, &app.token("bob"), &one).expect(200);
    assert_eq!(own["conversations"][0], one);
    for field in ["displayName", "lastMessage", "waitingSince"] {
        assert_eq!(own["conversations"][0].get(field), None, "{field}");
    }
    assert_eq!(own.get("waitingCount"), None);
}

#[test]
fn those_who_wait_come_first_and_the_longest_waiting_first_of_all() {
    let app = TestApp::start();
    for member in ["ada", "bob", "cyd", "dee", "eve"] {
        app.member(member, 0);
    }
    app.put("/v1/members/bob", &json!({"displayName": "Bob of York"}))
        .expect(200);
    app.redeem("eve", &app.offer(json!({"title": "Dinner"})));
    write(&app, "ada", "One");
    answer(&app, "ada", "Two");
    write(&app, "bob", "Three");
    write(&app, "cyd", "Four");
    answer(&app, "dee", "Five");
    // A second message does not move the member to the end of the queue.
    write(&app, "bob", &format!("{}é", "é".repeat(140)));
    assert_eq!(who(&app, ""), ["bob", "cyd", "dee", "ada"]);
    assert_eq!(
        who(&app, "&silent=true"),
        ["bob", "cyd", "dee", "ada", "eve"]
    );
    assert_eq!(who(&app, "&waiting=true"), ["bob", "cyd"]);
    assert_eq!(who(&app, "&externalUserID=cyd"), ["cyd"]);
    let page = inbox(&app, "");
    assert_eq!(page["waitingCount"], 2);
    let [first, last] = [0, 3].map(|place| page["conversations"][place].clone());
    assert_eq!(first["displayName"], "Bob of York");
    assert_eq!(first["waiting"], true);
    assert_eq!(first["waitingSince"], "2026-06-15T12:00:03.000Z");
    let preview = json!({"text": format!("{}…", "é".repeat(140)), "role": "member",
        "createdAt": "2026-06-15T12:00:06.000Z"});
    assert_eq!(first["lastMessage"], preview);
    assert_eq!(first["lastMessageAt"], preview["createdAt"]);
    assert_eq!(last["displayName"], Value::Null);
    assert_eq!(last["waitingSince"], Value::Null);
    let preview = json!({"text": "Two", "role": "agent", "createdAt": "2026-06-15T12:00:02.000Z"});
    assert_eq!(last["lastMessage"], preview);
    // The plain list shows the same of each, in its own order.
    let plain = app.get(LIST).expect(200);
    assert_eq!(
        column(&plain["conversations"], "externalUserID"),
        ["bob", "dee", "cyd", "ada", "eve"]
    );
    assert_eq!(plain["conversations"][0], first);
    let path = format!("{LIST}/{}", first["id"].as_str().unwrap());
    assert_eq!(app.get(&path).expect(200), first);
    let silent = app
        .get(&format!("{LIST}/{}", support(&app, "eve")))
        .expect(200);
    assert_eq!(
        (&silent["externalUserID"], &silent["lastMessage"]),
        (&json!("eve"), &Value::Null)
    );
    assert_eq!(plain["waitingCount"], 2);
    reads_as_a_member(&app);
    let refused = app
        .get(&format!("{LIST}?sort=age"))
        .expect_error(422, "VALIDATION");
    assert!(refused.starts_with("sort must be"), "{refused}");
    let other = app.get(&format!("{LIST}?limit=1")).expect(200)["nextCursor"].clone();
    let path = format!("{LIST}?sort=waiting&cursor={}", other.as_str().unwrap());
    app.get(&path).expect_error(422, "VALIDATION");
}

#[test]
fn nobody_waits_who_was_removed() {
    let app = TestApp::start();
    for member in ["ada", "bob"] {
        app.member(member, 0);
        write(&app, member, "Hello");
    }
    app.delete("/v1/members/ada").expect(200);
    let count = |app: &TestApp| inbox(app, "")["waitingCount"].as_i64().unwrap();
    assert_eq!(
        (count(&app), who(&app, "")),
        (1, vec!["bob".into(), "ada".into()])
    );
    assert_eq!(who(&app, "&waiting=true"), ["bob"]);
    let removed = inbox(&app, "")["conversations"][1].clone();
    assert_eq!(
        (&removed["waiting"], &removed["waitingSince"]),
        (&json!(false), &Value::Null)
    );
    // A restored member waits as before.
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(
        (count(&app), who(&app, "")),
        (2, vec!["ada".into(), "bob".into()])
    );
    app.delete("/v1/members/ada?erase=true").expect(200);
    assert_eq!(count(&app), 1);
    let erased = inbox(&app, "")["conversations"][1].clone();
    assert_eq!(erased["lastMessage"]["text"], Value::Null);
    assert_eq!(erased["lastMessage"]["role"], "member");
    assert_verified(&app);
}

#[track_caller]
fn assert_verified(app: &TestApp) {
    assert_eq!(verify(app), Vec::<String>::new());
}

/// Whatever messages arrive during paging, each conversation of the first page's moment is shown
/// once, in the order of that moment.
#[test]
fn the_inbox_keeps_its_order_while_it_is_paged() {
    let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 86_400);
    let mut random = Rng::with_seed(15);
    let members: Vec<String> = (0..9).map(|number| format!("m{number}")).collect();
    let (mut tokens, mut threads) = (Vec::new(), Vec::new());
    for (place, member) in members.iter().enumerate() {
        app.member(member, 0);
        tokens.push(app.token(member));
        threads.push((place, support(&app, member)));
        let offer = app.offer(json!({}));
        let body = json!({"externalUserID": member, "offer": offer});
        let made = app.post("/v1/redemptions", &body).expect(201);
        threads.push((place, made["conversationId"].as_str().unwrap().to_owned()));
    }
    let speak = |random: &mut Rng| {
        let (member, thread) = &threads[random.usize(0..threads.len())];
        if random.usize(0..2) == 0 {
            app.clock.advance(Duration::from_millis(random.u64(0..2)));
        }
        if random.usize(0..3) == 0 {
            say_as_agent(&app, thread, "Yes?");
        } else {
            say(&app, &tokens[*member], thread, "Hello?");
        }
    };
    for _ in 0..14 {
        speak(&mut random);
    }
    for (round, query) in ["", "&silent=true", "&waiting=true", "&search=m"]
        .into_iter()
        .cycle()
        .take(12)
        .enumerate()
    {
        let ids = |page: &Value| -> Vec<String> {
            column(&page["conversations"], "id")
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        let expected = ids(&inbox(&app, query));
        let limit = 1 + round % 3;
        let mut page = inbox(&app, &format!("{query}&limit={limit}"));
        let mut seen = ids(&page);
        while let Some(cursor) = page["nextCursor"].as_str() {
            for _ in 0..2 {
                speak(&mut random);
            }
            if seen.len() < 3 {
                let start = json!({"externalUserID": "m1", "message": "One more thing"});
                app.post(LIST, &start).expect(201);
                app.redeem("m2", &app.offer(json!({})));
            }
            page = inbox(&app, &format!("{query}&limit={limit}&cursor={cursor}"));
            seen.extend(ids(&page));
        }
        assert_eq!(seen, expected, "round {round}, {query}");
    }
}

#[test]
fn the_inbox_is_searched_by_member() {
    let app = TestApp::start();
    for (id, name) in [("m1", "Zoë Ärzte"), ("m2", "Bob"), ("m3", "Ärmel")] {
        app.put(&format!("/v1/members/{id}"), &json!({"displayName": name}))
            .expect(200);
        write(&app, id, "Hello");
    }
    assert_eq!(who(&app, "&search=arzte"), ["m1"]);
    assert_eq!(who(&app, "&search=ar"), ["m1", "m3"]);
    assert_eq!(who(&app, "&search=nobody"), Vec::<String>::new());
    assert_eq!(
        who(&app, "&search=ar&externalUserID=m2"),
        Vec::<String>::new()
    );
    assert_eq!(who(&app, "&search=ar&externalUserID=m3"), ["m3"]);
    let plain = app.get(&format!("{LIST}?search=BOB")).expect(200);
    assert_eq!(column(&plain["conversations"], "externalUserID"), ["m2"]);
    // Conversations of removed members are found, too.
    app.delete("/v1/members/m1").expect(200);
    assert_eq!(who(&app, "&search=arzte"), ["m1"]);
    let refused = app.get(&format!("{LIST}?search={}", "x".repeat(256)));
    assert!(
        refused
            .expect_error(422, "VALIDATION")
            .starts_with("search ")
    );
}

#[test]
fn a_search_lists_the_conversations_of_the_newest_members_it_finds() {
    let app = TestApp::start();
    for number in 0..=100 {
        let body = json!({"displayName": "Ann"});
        app.put(&format!("/v1/members/n{number}"), &body)
            .expect(200);
        let start = json!({"externalUserID": format!("n{number}"), "message": "Hi"});
        app.post(LIST, &start).expect(201);
    }
    let found = who(&app, "&search=ann");
    assert_eq!(found.len(), 100);
    assert!(!found.contains(&"n0".to_owned()));
}

#[test]
fn the_operator_starts_a_conversation() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    webhook(&app, &receiver.url("/"), &["conversation.message_created"]);
    app.put("/v1/members/ada", &json!({"displayName": "Ada Lovelace"}))
        .expect(200);
    let token = app.token("ada");
    let body = json!({"externalUserID": "ada", "title": " Your coat ", "message": "It is here."});
    let made = post_once(&app, "a coat", LIST, &body);
    let again = post_once(&app, "a coat", LIST, &body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(made.bytes, again.bytes);
    let made = made.expect(201);
    assert_eq!(number(&app, "SELECT count(*) FROM conversation"), 1);
    assert_eq!(
        (
            &made["type"],
            &made["title"],
            &made["redemptionID"],
            &made["waiting"]
        ),
        (
            &json!("support"),
            &json!("Your coat"),
            &Value::Null,
            &json!(false)
        )
    );
    assert_eq!(made["lastMessage"]["text"], "It is here.");
    assert_eq!(made["displayName"], "Ada Lovelace");
    let id = made["id"].as_str().unwrap();
    // The member sees it next to the support conversation, and can reply.
    let own = get_as(&app, &token, LIST).expect(200);
    assert_eq!(
        column(&own["conversations"], "type"),
        ["support", "support"]
    );
    assert_eq!(own["conversations"][0]["id"], id);
    say(&app, &token, id, "Thank you!");
    assert_eq!(inbox(&app, "")["conversations"][0]["waiting"], true);
    // The message is an event like any other.
    let told = receiver.wait_for(2)[0].json();
    assert_eq!(told["type"], "conversation.message_created");
    assert_eq!(told["data"]["conversationID"], id);
    assert_eq!(told["data"]["body"], "It is here.");
    // Other conversations of the same member are listed next to it.
    let plain = json!({"externalUserID": "ada", "message": "One more thing"});
    let second = app.post(LIST, &plain).expect(201);
    assert_eq!(second["title"], Value::Null);
    assert_ne!(second["id"], id);
    assert_verified(&app);
}

#[test]
fn a_conversation_that_cannot_be_started_is_refused_by_name() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    app.delete("/v1/members/bob").expect(200);
    for (body, start) in [
        (json!({"message": "Hi"}), "externalUserID is required"),
        (json!({"externalUserID": "ada"}), "message is required"),
        (
            json!({"externalUserID": "ada", "message": ""}),
            "message must be 1 to 4000",
        ),
        (
            json!({"externalUserID": "ada", "message": "Hi", "title": " "}),
            "title ",
        ),
        (
            json!({"externalUserID": "ada", "message": "Hi", "title": 7}),
            "title must be a string",
        ),
        (json!([]), "the body must be"),
    ] {
        let message = app.post(LIST, &body).expect_error(422, "VALIDATION");
        assert!(message.starts_with(start), "{body}: {message}");
    }
    let to = |member: &str| json!({"externalUserID": member, "message": "Hi"});
    for nobody in ["bob", "nobody"] {
        app.post(LIST, &to(nobody)).expect_error(404, "NOT_FOUND");
    }
    post_as(&app, LIVE_KEY, LIST, &to("ada")).expect_error(404, "NOT_FOUND");
    post_as(&app, &app.token("ada"), LIST, &to("ada")).expect_error(403, "FORBIDDEN");
    assert_eq!(number(&app, "SELECT count(*) FROM conversation"), 0);
    assert_eq!(number(&app, "SELECT count(*) FROM message"), 0);
}

#[test]
fn an_erasure_takes_the_title_of_a_conversation_that_the_operator_started() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"displayName": "Ada"}))
        .expect(200);
    app.redeem("ada", &app.offer(json!({"title": "Dinner"})));
    let body = json!({"externalUserID": "ada", "title": "Lovelace's coat", "message": "Here."});
    let request = app
        .request("POST", LIST)
        .bearer(SANDBOX_KEY)
        .idempotency_key("coat");
    request.json(&body).send().expect(201);
    let kept = || {
        number(
            &app,
            "SELECT count(*) FROM idempotency WHERE instr(response, 'coat')",
        )
    };
    assert_eq!(kept(), 1);
    app.delete("/v1/members/ada?erase=true").expect(200);
    let page = inbox(&app, "&silent=true");
    let titles: Vec<&Value> = page["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["title"])
        .collect();
    assert_eq!(titles, [&Value::Null, &json!("Dinner")]);
    assert_eq!(kept(), 0);
    assert_verified(&app);
}
