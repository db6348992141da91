//! The page of redemptions: it stays still, and redemptions can be found.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::pages::{look_at, show};
use super::{SETTLED, sign_in};
use crate::driver::{Browser, wait_until};
use crate::support::{SANDBOX_KEY, TestApp};

fn name(app: &TestApp, id: &str, name: &str) {
    app.member(id, 500);
    let path = format!("/v1/members/{id}");
    let body = json!({"displayName": Some(name).filter(|name| !name.is_empty())});
    app.put(&path, &body).expect(200);
}

/// Goes to an address below `#/redemptions`, as a link would.
fn go(browser: &Browser, rest: &str) {
    browser.evaluate(&format!(
        "(() => {{ location.hash = '#/redemptions{rest}'; }})()"
    ));
    browser.until(&format!("location.hash === '#/redemptions{rest}'"));
    browser.until(SETTLED);
}

fn status(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/v1/redemptions/{id}")).expect(200)["status"].take()
}

/// The ids in a column, without those that have left.
fn column(browser: &Browser, status: &str) -> Value {
    browser.evaluate(&format!(
        "[...document.querySelectorAll('[data-status={status}] .ticket:not([data-gone])')] \
         .map((card) => card.dataset.redemption)"
    ))
}

fn until_count(browser: &Browser, status: &str, count: &str) {
    browser.until(&format!(
        "document.querySelector('[data-status={status}] .column-count').textContent === '{count}'"
    ));
}

#[test]
fn a_card_that_arrives_is_never_the_one_that_moves_and_undo_sends_nothing() {
    let app = TestApp::start();
    for (id, shown) in [
        ("ada", "Ada Lovelace"),
        ("bob", "Bob Kahn"),
        ("cyd", ""),
        ("dee", ""),
    ] {
        name(&app, id, shown);
    }
    let coffee = app.offer(json!({"title": "Coffee", "pointsPrice": 10}));
    let (ada, bob) = (app.redeem("ada", &coffee), app.redeem("bob", &coffee));
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    go(&browser, "?order=newest");
    browser.until_text("#live", "Live");
    assert_eq!(column(&browser, "SUBMITTED"), json!([bob, ada]));

    // The pointer is on the first card; a new one would take its place.
    let place = browser.point_at(&format!("[data-redemption={bob}] [data-move=OPEN]"));
    let cyd = app.redeem("cyd", &coffee);
    browser.until_text("[data-hold-slot=redemption]", "1 new");
    until_count(&browser, "SUBMITTED", "3");
    assert_eq!(column(&browser, "SUBMITTED"), json!([bob, ada]));
    browser.press_at(&place);
    browser.until_text("#notices", "Bob Kahn's Coffee: Open.");
    browser.until_text(
        &format!("[data-status=OPEN] [data-redemption={bob}]"),
        "Bob Kahn",
    );
    // It is shown and counted as moved, and keeps its place until the pointer has left.
    until_count(&browser, "SUBMITTED", "2");
    until_count(&browser, "OPEN", "1");
    assert_eq!(
        browser.evaluate(&format!(
            "document.querySelector('[data-status=SUBMITTED] .ticket').dataset.redemption === '{bob}' \
             && document.querySelector('[data-status=SUBMITTED] .ticket').matches('[data-gone]')"
        )),
        json!(true)
    );
    // The card in the old place has no effect any more; nothing was sent yet.
    browser.press_at(&place);
    for id in [&ada, &bob, &cyd] {
        assert_eq!(status(&app, id), "SUBMITTED");
    }
    browser.click_on("Undo");
    until_count(&browser, "SUBMITTED", "3");
    until_count(&browser, "OPEN", "0");
    // The pointer has left, so new cards are shown.
    browser.point_at("h1");
    browser.until("!document.querySelector('[data-gone]')");
    browser.until(&format!(
        "document.querySelector('[data-status=SUBMITTED] .ticket').dataset.redemption === '{cyd}'"
    ));
    assert_eq!(column(&browser, "SUBMITTED"), json!([cyd, bob, ada]));
    assert_eq!(column(&browser, "OPEN"), json!([]));
    moves_with_the_keyboard(&browser, &app, [&ada, &bob, &cyd], &coffee);
}

/// The card with the focus stays in place and then moves; leaving the page sends pending moves.
fn moves_with_the_keyboard(browser: &Browser, app: &TestApp, ids: [&str; 3], offer: &str) {
    let [ada, bob, cyd] = ids;
    let step = format!("[data-redemption={ada}] [data-move=OPEN]");
    browser.evaluate(&format!("document.querySelector('{step}').focus()"));
    let dee = app.redeem("dee", offer);
    browser.until_text("[data-hold-slot=redemption]", "1 new");
    browser.press(Key::Enter);
    browser.until_text("#notices", "Ada Lovelace's Coffee: Open.");
    browser.until(&format!(
        "document.activeElement.matches('[data-status=OPEN] [data-redemption={ada}] [data-move]')"
    ));
    browser.until(&format!(
        "document.querySelector('[data-status=SUBMITTED] .ticket').dataset.redemption === '{dee}'"
    ));
    // The next step sends the one before; leaving the page sends the rest.
    browser.press(Key::Enter);
    browser.until_text("#notices", "Ada Lovelace's Coffee: Awaiting vendor.");
    until_status(app, ada, "OPEN");
    browser.goto("/docs");
    until_status(app, ada, "AWAITING_VENDOR");
    let (urls, _) = browser.traffic();
    let sent = |id: &str| {
        urls.iter()
            .any(|url| url.ends_with(&format!("/redemptions/{id}")))
    };
    assert!(
        sent(ada) && ![bob, cyd, &dee].iter().any(|id| sent(id)),
        "{urls:?}"
    );
    for id in [bob, cyd, &dee] {
        assert_eq!(status(app, id), "SUBMITTED");
    }
}

/// Waits until the server has a move.
#[track_caller]
pub(crate) fn until_status(app: &TestApp, id: &str, wanted: &str) {
    wait_until(|| status(app, id) == wanted);
}

/// A program with 120 waiting redemptions, the oldest of a member whose name has several spellings.
fn waiting() -> (TestApp, String) {
    let app = TestApp::start();
    let coffee = app.offer(json!({"title": "Coffee"}));
    let train = app.offer(json!({"title": "Night train", "pointsPrice": 40}));
    name(&app, "zoe", "Zoë Ärzte");
    let oldest = app.redeem("zoe", &train);
    for at in 1..120 {
        let id = format!("guest-{at}");
        app.member(&id, 0);
        app.redeem(&id, &coffee);
    }
    (app, oldest)
}

const ROWS: &str = "document.querySelectorAll('tbody tr').length";

fn until_rows(browser: &Browser, count: usize) {
    browser.until(&format!("{ROWS} === {count}"));
}

#[test]
fn the_oldest_of_many_is_found_and_its_page_tells_what_happened() {
    let (app, oldest) = waiting();
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    // Its dates are those of the tests' clock.
    browser.set_time_zone("UTC");
    sign_in(&browser, SANDBOX_KEY);
    reaches_the_oldest(&browser, &oldest);
    keeps_what_is_asked_for(&browser, &oldest);
    tells_what_happened(&browser, &app, &oldest);
    // Of an unknown member.
    browser.assert_quiet(|message| message.contains("404"));
}

fn reaches_the_oldest(browser: &Browser, oldest: &str) {
    go(browser, "");
    // The longest wait comes first; the reverse order is one link away.
    let first = "document.querySelector('[data-status=SUBMITTED] .ticket').dataset.redemption";
    assert_eq!(browser.evaluate(first), json!(oldest));
    until_count(browser, "SUBMITTED", "120");
    browser.click_on("90 newer ones");
    browser.until_text("tbody tr:first-child", "Zoë Ärzte");
    until_rows(browser, 25);
    // From the other end it is reached page by page.
    browser.choose("label:has(option[value=oldest]) select", "newest");
    browser.until_text("tbody tr:first-child", "guest-119");
    for rows in [50, 75, 100, 120] {
        browser.click_on("Show more");
        until_rows(browser, rows);
    }
    browser.until_text("tbody tr:last-child", "Zoë Ärzte");
    browser.until("!document.querySelector('.more button')");
}

fn keeps_what_is_asked_for(browser: &Browser, oldest: &str) {
    browser.fill("[name=search]", "ARZTE night");
    until_rows(browser, 1);
    browser.until("location.hash.includes('search=ARZTE')");
    browser.until_text("tbody tr", "Night train");
    for (filters, rows) in [
        ("?view=list&search=arzte", 1),
        ("?view=list&member=guest-7", 1),
        ("?view=list&status=OPEN", 0),
        ("?view=list&from=2026-06-15&to=2026-06-15&search=night", 1),
        ("?view=list&to=2026-06-13", 0),
    ] {
        go(browser, filters);
        until_rows(browser, rows);
        let before =
            browser.evaluate("[location.hash, document.querySelector('.controls').innerText]");
        browser.evaluate("(() => { window.isOld = true; location.reload(); })()");
        browser.until("!window.isOld && document.querySelector('.controls')");
        browser.until(SETTLED);
        until_rows(browser, rows);
        let after =
            browser.evaluate("[location.hash, document.querySelector('.controls').innerText]");
        assert_eq!(before, after);
    }
    browser.click_on("Clear filters");
    until_rows(browser, 25);
    assert_eq!(browser.evaluate("location.hash"), "#/redemptions?view=list");
    browser.evaluate(
        "(() => { const field = [...document.querySelectorAll('.controls label')] \
         .find((label) => label.textContent.startsWith('Offer')).querySelector('select'); \
         field.value = [...field.options].find(({ text }) => text === 'Night train').value; \
         field.dispatchEvent(new Event('change', { bubbles: true })); })()",
    );
    until_rows(browser, 1);
    // An unknown member or offer is reported.
    go(browser, "?view=list&member=nobody");
    browser.until_text(".state", "no such member");
    go(browser, "?search=arzte");
    until_count(browser, "SUBMITTED", "1");
    browser.click(&format!("[data-redemption={oldest}] .ticket-title a"));
    browser.until(&format!("location.hash === '#/redemptions/{oldest}'"));
}

fn tells_what_happened(browser: &Browser, app: &TestApp, id: &str) {
    browser.until_text("h1", "Night train");
    browser.until_text(".facts", "Zoë Ärzte");
    browser.until_text("[data-event='redemption.created']", "by the key");
    browser.until_text("[data-event='wallet.debited']", "40 pts spent");
    // If one date is set, only that one is sent.
    app.patch(
        &format!("/v1/redemptions/{id}"),
        &json!({"endAt": "2026-07-01T20:00:07.125Z"}),
    )
    .expect(200);
    browser.click_on("Edit dates");
    browser.until("document.querySelector('dialog [name=endAt]')?.value.startsWith('2026-07-01T')");
    browser.evaluate(
        "(() => { const field = document.querySelector('dialog [name=startAt]'); \
         field.value = '2026-07-01T10:00'; \
         field.dispatchEvent(new Event('input', { bubbles: true })); })()",
    );
    browser.click_on("Save");
    browser.until("!document.querySelector('dialog')");
    browser.until_text(".facts", "Jul 1, 2026");
    browser.until("document.querySelectorAll('[data-event=\"redemption.changed\"]').length === 2");
    let stored = app.get(&format!("/v1/redemptions/{id}")).expect(200);
    assert_eq!(stored["endAt"], "2026-07-01T20:00:07.125Z");
    assert!(stored["startAt"].is_string(), "{stored}");
    // It is moved, and canceled before the move was sent: both are sent in order.
    browser.click("[data-move=OPEN]");
    browser.until_text("#notices", "Zoë Ärzte's Night train: Open.");
    browser.until_text(".badge", "Open");
    browser.click_on("Cancel it");
    browser.until_text("dialog", "gets 40 pts back");
    browser.fill("dialog [name=canceledNote]", "The train was full");
    browser.click_on("Cancel the redemption");
    browser.until_text(".facts", "The train was full");
    browser.until_text("[data-event='redemption.open']", "Submitted → Open");
    browser.until_text("[data-event='redemption.canceled']", "Open → Canceled");
    browser.until_text("[data-event='wallet.credited']", "40 pts returned");
    let last = app
        .get(&format!("/v1/redemptions/{id}/history"))
        .expect(200)["history"]
        .as_array()
        .unwrap()
        .len();
    browser.until(&format!(
        "document.querySelectorAll('.timeline li').length === {last}"
    ));
    browser.click(".facts a[href^='#/inbox/']");
    browser.until("location.hash.startsWith('#/inbox/cnv_')");
}

#[test]
fn a_redemption_is_found_by_its_code() {
    let app = TestApp::start();
    name(&app, "ada", "Ada Lovelace");
    name(&app, "bob", "Bob Kahn");
    let tea = app.offer(json!({"title": "Tea for two", "pointsPrice": 10}));
    let ids = [app.redeem("ada", &tea), app.redeem("bob", &tea)];
    let [ada, bob] = ids.each_ref().map(|id| {
        let redemption = app.get(&format!("/v1/redemptions/{id}")).expect(200);
        redemption["code"].as_str().unwrap().to_owned()
    });
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    go(&browser, "");
    let mut problems = look_at(&mut browser, "codes-board");
    for place in ["", "?view=list"] {
        go(&browser, place);
        for code in [&ada, &bob] {
            browser.until_text("#main", code);
        }
        browser.fill("[name=search]", &bob.to_lowercase());
        browser.until(&format!(
            "!document.querySelector('#main').textContent.includes('{ada}')"
        ));
        browser.until(SETTLED);
        browser.until_text("#main", "Bob Kahn");
        browser.until_text("#main", &bob);
        browser.click_on("Clear filters");
        browser.until_text("#main", &ada);
    }
    problems.extend(look_at(&mut browser, "codes-list"));
    go(&browser, &format!("/{}", ids[0]));
    browser.until_text(".facts", &ada);
    show(&browser, "members/bob");
    browser.until_text("[data-list=redemptions]", &bob);
    problems.extend(look_at(&mut browser, "codes-member"));
    assert_eq!(problems, Vec::<String>::new());
    browser.assert_quiet(|_| false);
}

#[test]
fn feedback_is_shown_with_the_redemption_and_the_offer() {
    let app = TestApp::start();
    name(&app, "ada", "Ada Lovelace");
    name(&app, "bob", "Bob Kahn");
    let tea = app.offer(json!({"title": "Tea for two", "pointsPrice": 10}));
    app.offer(json!({"title": "Coffee"}));
    let mut rated = String::new();
    for (member, rating) in [("bob", 10), ("ada", 7)] {
        let id = app.redeem(member, &tea);
        let path = format!("/v1/redemptions/{id}");
        app.patch(&path, &json!({"status": "COMPLETED"}))
            .expect(200);
        let body = json!({"rating": rating, "comment": "Warm & sweet.\nWe will be back."});
        let request = app.request("PUT", &format!("{path}/feedback"));
        let request = request.bearer(&app.token(member)).json(&body);
        request.send().expect(200);
        rated = id;
    }
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    let mut problems = Vec::new();
    for (place, shown) in [
        ("", "board"),
        ("?view=list", "list"),
        (&format!("/{rated}"), "detail"),
    ] {
        go(&browser, place);
        browser.until_text("#main", "7 of 10");
        browser.until_text("#main", "Warm & sweet.");
        problems.extend(look_at(&mut browser, &format!("feedback-{shown}")));
    }
    browser.until_text(".timeline", "Rated 7 of 10");
    browser.until_text(".timeline", "by the member");
    show(&browser, "offers");
    browser.resize(crate::driver::Screen::Desktop);
    browser.until_text("#main tbody tr:nth-child(2)", "8.5");
    browser.until_text("#main tbody tr:nth-child(2)", "2 ratings");
    problems.extend(look_at(&mut browser, "feedback-offers"));
    assert_eq!(problems, Vec::<String>::new());
}
