//! The inbox in a real browser.

use std::time::Duration;

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{look_at, show, sign_in};
use crate::driver::{Browser, Screen};
use crate::support::{SANDBOX_KEY, TestApp};

/// Makes every response to a POST get lost after the server has sent it.
const LOSE: &str = "(() => { const send = window.fetch; window.lost = 0; \
    window.fetch = async (url, request) => { const answer = await send(url, request); \
    if (request?.method !== 'POST') return answer; window.lost += 1; \
    throw new TypeError('lost'); }; window.find = () => { window.fetch = send; }; return true; })()";

fn support(app: &TestApp, member: &str) -> String {
    let path = format!("/v1/conversations?externalUserID={member}");
    let list = app.get(&path).expect(200);
    let mut all = list["conversations"].as_array().unwrap().iter();
    let found = all.find(|each| each["type"] == "support").unwrap();
    found["id"].as_str().unwrap().to_owned()
}

/// Sends a message as the member.
fn write(app: &TestApp, member: &str, text: &str) {
    app.clock.advance(Duration::from_secs(1));
    let path = format!("/v1/conversations/{}/messages", support(app, member));
    let request = app.request("POST", &path).bearer(&app.token(member));
    request.json(&json!({"message": text})).send().expect(200);
}

fn answer(app: &TestApp, member: &str, text: &str) {
    app.clock.advance(Duration::from_secs(1));
    let path = format!("/v1/conversations/{}/messages", support(app, member));
    let body = json!({"message": text, "as": "agent"});
    app.post(&path, &body).expect(200);
}

fn messages(app: &TestApp, id: &str) -> Vec<Value> {
    let path = format!("/v1/conversations/{id}/messages?limit=100");
    app.get(&path).expect(200)["messages"]
        .as_array()
        .unwrap()
        .clone()
}

/// The members whose conversations are listed, in order.
fn names(browser: &Browser) -> Vec<String> {
    let names = browser.evaluate(
        "[...document.querySelectorAll('.conversation-name')].map((name) => name.textContent)",
    );
    serde_json::from_value(names).unwrap()
}

fn row(app: &TestApp, member: &str) -> String {
    format!(".conversations [data-id='{}']", support(app, member))
}

/// Moves the pointer and the focus out of every list, so that none has to keep its order.
fn point_away(browser: &Browser) {
    browser.evaluate("document.activeElement.blur()");
    browser.point_at(".top");
}

#[test]
fn those_who_wait_come_first_and_nothing_that_was_begun_is_lost() {
    let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 86_400);
    for (id, name) in [("ada", "Ada Lovelace"), ("bob", "Bob"), ("cyd", "Cyd")] {
        app.put(&format!("/v1/members/{id}"), &json!({"displayName": name}))
            .expect(200);
    }
    write(&app, "ada", "Can it be Sunday?");
    answer(&app, "ada", "Sunday it is.");
    write(&app, "bob", "Is the kitchen open?");
    app.redeem("cyd", &app.offer(json!({"title": "Matinee"})));
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "inbox");
    browser.until("document.querySelectorAll('.conversation-name').length === 2");
    shows_who_waits(&browser, &app);
    keeps_drafts(&browser, &app);
    looks_right(&mut browser, &app);
    answers_on_a_phone(&mut browser, &app);
    browser.assert_quiet(|_| false);
}

fn shows_who_waits(browser: &Browser, app: &TestApp) {
    assert_eq!(names(browser), ["Bob", "Ada Lovelace"]);
    browser.until_text("[data-page=inbox]", "Inbox 1 waiting");
    let last = browser.text(&format!("{} .conversation-last", row(app, "ada")));
    assert_eq!(last, "You: Sunday it is.");
    browser.until_text(&row(app, "bob"), "Is the kitchen open?");
    browser.until_text(&row(app, "bob"), "Waiting");
    // Live: a member who writes again keeps the place in the queue, a new one is added at its end.
    point_away(browser);
    write(app, "ada", "At ten?");
    browser.until_text("[data-page=inbox]", "Inbox 2 waiting");
    browser.until_text(&row(app, "ada"), "At ten?");
    write(app, "bob", "Hello?");
    browser.until_text(&row(app, "bob"), "Hello?");
    assert_eq!(names(browser), ["Bob", "Ada Lovelace"]);
    // Conversations without messages are listed on request.
    browser.click("input[name=silent]");
    browser.until("document.querySelectorAll('.conversation-name').length === 3");
    browser.until_text(".conversations", "Matinee");
    browser.fill(".inbox-list input[type=search]", "LOVELACE");
    browser.until("document.querySelectorAll('.conversation-name').length === 1");
    assert_eq!(names(browser), ["Ada Lovelace"]);
    browser.evaluate("document.querySelector('.inbox-list input[type=search]').select()");
    browser.press(Key::Backspace);
    browser.until("document.querySelectorAll('.conversation-name').length === 3");
}

fn keeps_drafts(browser: &Browser, app: &TestApp) {
    browser.click(&row(app, "bob"));
    browser.until_text(".messages", "Hello?");
    browser.fill(".answer textarea", "It is, until ");
    browser.evaluate("document.querySelector('.answer textarea').kept = true");
    write(app, "bob", "Anybody there?");
    browser.until_text(".messages", "Anybody there?");
    let field = "document.querySelector('.answer textarea')";
    assert_eq!(browser.evaluate(&format!("{field}.kept")), json!(true));
    assert_eq!(
        browser.evaluate(&format!("document.activeElement === {field}")),
        json!(true)
    );
    browser.type_in("ten.");
    // Another conversation has a draft of its own.
    browser.click(&row(app, "ada"));
    browser.until_text(".messages", "At ten?");
    assert_eq!(browser.evaluate(&format!("{field}.value")), json!(""));
    browser.fill(".answer textarea", "Ten is fine.");
    browser.click(&row(app, "bob"));
    browser.until(&format!("{field}.value === 'It is, until ten.'"));
    browser.evaluate("location.reload()");
    browser.until_text(".messages", "Anybody there?");
    browser.until(&format!("{field}.value === 'It is, until ten.'"));
    browser.click_on("Send");
    browser.until_text(".messages", "It is, until ten.");
    assert_eq!(browser.evaluate(&format!("{field}.value")), json!(""));
    browser.until_text("[data-page=inbox]", "Inbox 1 waiting");
    browser.until(&format!(
        "!document.querySelector(\"{} .badge\")",
        row(app, "bob")
    ));
    browser.click(&row(app, "ada"));
    browser.until(&format!("{field}.value === 'Ten is fine.'"));
}

fn looks_right(browser: &mut Browser, app: &TestApp) {
    let mut problems = Vec::new();
    for (page, name) in [
        ("inbox".to_owned(), "inbox-list"),
        (format!("inbox/{}", support(app, "bob")), "inbox-thread"),
        ("inbox/new?member=ada".to_owned(), "inbox-start"),
    ] {
        show(browser, &page);
        problems.extend(look_at(browser, name));
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

fn answers_on_a_phone(browser: &mut Browser, app: &TestApp) {
    browser.resize(Screen::Phone);
    write(app, "bob", "Thank you. Is there tea?");
    show(browser, "inbox");
    browser.until_text(&row(app, "bob"), "Is there tea?");
    assert_eq!(names(browser), ["Ada Lovelace", "Bob"]);
    browser.click(&row(app, "ada"));
    browser.fill(".answer textarea", "Ten is fine.");
    browser.click_on("Send");
    browser.until_text(".messages", "Ten is fine.");
    browser.click_on("All conversations");
    browser.until(
        "document.querySelector('.conversation-name').textContent === 'Bob' \
         && document.querySelector('.inbox-list').checkVisibility()",
    );
    assert_eq!(names(browser), ["Bob", "Ada Lovelace"]);
    browser.resize(Screen::Desktop);
}

#[test]
fn the_list_and_what_is_read_stay_where_they_are() {
    let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 86_400);
    for number in 0..60 {
        let id = format!("guest{number:02}");
        app.member(&id, 0);
        let body = json!({"externalUserID": id, "message": "Welcome!"});
        app.post("/v1/conversations", &body).expect(201);
        app.clock.advance(Duration::from_secs(1));
    }
    for number in 1..=120 {
        answer(&app, "guest40", &format!("Word {number}."));
    }
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "inbox");
    browser.until("document.querySelectorAll('.conversation-name').length === 25");
    browser.click_on("Show more");
    browser.until("document.querySelectorAll('.conversation-name').length === 50");
    chooses_without_a_jump(&browser, &app);
    reads_back(&browser, &app);
    browser.assert_quiet(|_| false);
}

fn chooses_without_a_jump(browser: &Browser, app: &TestApp) {
    let listed = app
        .get("/v1/conversations?sort=waiting&limit=50")
        .expect(200);
    let far = listed["conversations"][45]["id"].as_str().unwrap();
    browser.evaluate(
        "(() => { const list = document.querySelector('.conversations'); list.kept = true; window.rows = [...list.querySelectorAll('li')]; \
         return true; })()",
    );
    browser.point_at(&format!(".conversations [data-id='{far}']"));
    browser.evaluate("window.at = document.querySelector('.conversations').scrollTop");
    browser.click(&format!(".conversations [data-id='{far}']"));
    browser.until(&format!(
        "document.querySelector(\"[data-id='{far}'][aria-current]\") \
         && document.querySelector('.messages').textContent.includes('Welcome!')"
    ));
    let stayed = "document.querySelector('.conversations').kept && window.at > 0 && \
        Math.abs(document.querySelector('.conversations').scrollTop - window.at) < 2 && \
        window.rows.every((row, at) => \
        row === document.querySelectorAll('.conversations li')[at]) && scrollY === 0";
    browser.until(stayed);
    // Going back and forth does not rebuild it either.
    browser.evaluate("history.back()");
    browser.until("!document.querySelector('.conversations [aria-current]')");
    browser.until(stayed);
    point_away(browser);
    write(app, "guest10", "Hello?");
    browser.until_text("[data-page=inbox]", "Inbox 1 waiting");
    browser.until_text(".conversations li", "Hello?");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.conversations li').length"),
        json!(50),
        "what was loaded is kept"
    );
}

fn reads_back(browser: &Browser, app: &TestApp) {
    let id = support(app, "guest40");
    browser.evaluate(&format!("location.hash = '#/inbox/{id}'"));
    browser.until_text(".messages", "Word 120.");
    let log = "document.querySelector('.messages')";
    browser.until(&format!(
        "{log}.scrollHeight - {log}.scrollTop - {log}.clientHeight < 2"
    ));
    // When older messages load above, the message being read stays in its place.
    browser.evaluate(&format!(
        "(() => {{ const log = {log}; log.scrollTop = 0; window.read = log.querySelector('li'); \
         window.text = window.read.textContent; return true; }})()"
    ));
    browser.until_text(".messages", "Word 50.");
    browser.until(&format!(
        "window.read.isConnected && \
         Math.abs(window.read.getBoundingClientRect().top - {log}.getBoundingClientRect().top) < 80"
    ));
    // Messages that arrive meanwhile are only announced.
    write(app, "guest40", "Are you reading?");
    browser.until_text(".thread-below", "1 new message");
    write(app, "guest40", "Still?");
    browser.until_text(".thread-below", "2 new messages");
    browser.until(&format!(
        "Math.abs(window.read.getBoundingClientRect().top - {log}.getBoundingClientRect().top) < 80"
    ));
    browser.click_on("2 new messages");
    browser.until(&format!(
        "{log}.scrollHeight - {log}.scrollTop - {log}.clientHeight < 2"
    ));
    browser.until("document.querySelector('.thread-below button').hidden");
    // A reader at the end sees new messages.
    write(app, "guest40", "Now?");
    browser.until_text(".messages", "Now?");
    browser.until(&format!(
        "{log}.scrollHeight - {log}.scrollTop - {log}.clientHeight < 2"
    ));
}

#[test]
fn a_conversation_is_started_and_a_lost_answer_sends_once() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"displayName": "Ada Ärzte"}))
        .expect(200);
    app.member("bob", 0);
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "inbox");
    starts(&browser, &app);
    loses_answers(&browser, &app);
    browser.evaluate("location.hash = '#/inbox/new?member=bob'");
    browser.until_text(".chooser", "bob");
    browser.fill(".start textarea", "Your hat is here.");
    browser.evaluate(LOSE);
    browser.click_on("Start");
    browser.until_text(".start .form-error", "not known whether this arrived");
    browser.evaluate("window.find()");
    browser.click_on("Send again");
    browser.until("!location.hash.includes('new')");
    browser.until_text(".messages", "Your hat is here.");
    let found = app
        .get("/v1/conversations?sort=waiting&externalUserID=bob")
        .expect(200);
    assert_eq!(found["conversations"].as_array().unwrap().len(), 1);
    browser.assert_quiet(|_| false);
}

fn starts(browser: &Browser, app: &TestApp) {
    browser.click_on("Start a conversation");
    browser.fill(".chooser input", "arzte");
    browser.click_on("Ada Ärzte");
    browser.until_text(".chooser", "ada");
    browser.fill(".start input[name=title]", "Your coat");
    browser.fill(".start textarea", "It is here.");
    browser.click_on("Start");
    browser.until_text(".messages", "It is here.");
    browser.until_text(".thread-head", "Your coat");
    browser.until_text(".conversations", "Ada Ärzte");
    let list = app.get("/v1/conversations?externalUserID=ada").expect(200);
    let made = &list["conversations"][0];
    assert_eq!(
        (&made["title"], &made["type"]),
        (&json!("Your coat"), &json!("support"))
    );
    // Back leads to the list, not to the form.
    browser.evaluate("history.back()");
    browser.until("location.hash === '#/inbox'");
    let id = made["id"].as_str().unwrap();
    browser.click(&format!(".conversations [data-id='{id}']"));
    browser.until_text(".messages", "It is here.");
}

fn loses_answers(browser: &Browser, app: &TestApp) {
    let list = app.get("/v1/conversations?externalUserID=ada").expect(200);
    let id = list["conversations"][0]["id"].as_str().unwrap().to_owned();
    browser.evaluate(LOSE);
    browser.fill(".answer textarea", "Any time.");
    browser.click_on("Send");
    browser.until_text(".answer .form-error", "not known whether this arrived");
    let field = "document.querySelector('.answer textarea')";
    assert_eq!(
        browser.evaluate(&format!("{field}.value")),
        json!("Any time.")
    );
    assert_eq!(messages(app, &id).len(), 2, "it did arrive");
    browser.click_on("Send again");
    browser.until("window.lost >= 4");
    browser.until_text(".answer .form-error", "not known whether this arrived");
    // Also after a reload, which finds the responses again.
    browser.evaluate("location.reload()");
    browser.until_text(".answer .form-error", "not known whether this arrived");
    assert_eq!(
        browser.evaluate(&format!("{field}.value")),
        json!("Any time.")
    );
    browser.click_on("Send again");
    browser.until(&format!("{field}.value === ''"));
    let said = messages(app, &id);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0]["body"], "Any time.");
}
