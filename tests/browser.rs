//! The dashboard in a real browser, against a real server.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first surprise, and reads best when it is short"
)]

#[path = "support/mod.rs"]
mod support;

#[path = "browser/budgets.rs"]
mod budgets;
#[path = "browser/charts.rs"]
mod charts;
#[path = "browser/dialogs.rs"]
mod dialogs;
#[path = "browser/documents.rs"]
mod documents;
#[path = "browser/driver.rs"]
mod driver;
#[path = "browser/files.rs"]
mod files;
#[path = "browser/first_steps.rs"]
mod first_steps;
#[path = "browser/forms.rs"]
mod forms;
#[path = "browser/gateways.rs"]
mod gateways;
#[path = "browser/inbox.rs"]
mod inbox;
#[path = "browser/kinds.rs"]
mod kinds;
#[path = "browser/lossy.rs"]
mod lossy;
#[path = "browser/lots.rs"]
mod lots;
#[path = "browser/member.rs"]
mod member_page;
#[path = "browser/modules.rs"]
mod modules;
#[path = "browser/offers.rs"]
mod offers;
#[path = "browser/pages.rs"]
mod pages;
#[path = "browser/pools.rs"]
mod pools;
#[path = "browser/program.rs"]
mod program;
#[path = "browser/redemptions.rs"]
mod redemptions;
#[path = "browser/still.rs"]
mod still;
#[path = "browser/world.rs"]
mod world;

use std::time::Duration;

use fantoccini::key::Key;
use percent_encoding::NON_ALPHANUMERIC;
use serde_json::{Value, json};
use stampcard::domain::EventName;

use driver::{Browser, Screen, wait_until};
use pages::{barriers, barriers_in, look_at, pages, show};
use support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};
use world::{World, member};

/// Nothing is loading any more, and every chart is drawn.
const SETTLED: &str = "!document.querySelector('.skeleton, [aria-busy]') \
    && [...document.querySelectorAll('.plot')].every((plot) => \
    plot.querySelector('.plot-grid line') && \
    plot.querySelector('svg').getBoundingClientRect().width <= plot.clientWidth + 1)";

fn sign_in(browser: &Browser, key: &str) {
    browser.goto("/");
    browser.fill("#key", key);
    browser.click_on("Sign in");
    browser.until("document.querySelector('.frame')");
}

/// Formats a number as the page does.
fn written(number: &Value) -> String {
    let digits = number.as_i64().unwrap().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn a_program_is_run_from_the_dashboard() {
    let world = World::new();
    let app = &world.app;
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    reads_the_figures(&browser, app);
    changes_the_window(&browser, app);
    let offer = creates_an_offer(&browser, app);
    credits_a_member(&browser, app);
    follows_a_redemption(&browser, app, &offer);
    browser.assert_stayed_home();
    browser.assert_quiet(|_| false);
}

fn reads_the_figures(browser: &Browser, app: &TestApp) {
    let summary = app.summary();
    for field in ["memberCount", "pointsMinted", "pointsSpent"] {
        let figure = format!("[data-figure={field}] .figure-value");
        browser.until_text(&figure, &written(&summary[field]));
    }
    for (status, count) in summary["redemptions"].as_object().unwrap() {
        if status != "total" {
            let place = format!("[data-status={}] dd", status.to_uppercase());
            assert_eq!(browser.text(&place), written(count), "{status}");
        }
    }
    browser.until(SETTLED);
    let last = app.get("/v1/redemptions?limit=1").expect(200);
    let name = last["redemptions"][0]["displayName"].as_str().unwrap();
    browser.until_text(".feed", name);
    // The figures are shown before a chart requests anything.
    let asked = browser.evaluate(
        "performance.getEntriesByType('resource') \
         .filter(({ name }) => name.includes('/v1/analytics/')) \
         .map(({ name, startTime, responseEnd }) => \
         ({ path: new URL(name).pathname.split('/').at(-1), startTime, responseEnd }))",
    );
    let time = |path: &str, what: &str| {
        let mut entries = asked.as_array().unwrap().iter();
        let entry = entries.find(|entry| entry["path"] == path).unwrap();
        entry[what].as_f64().unwrap()
    };
    assert!(
        time("summary", "responseEnd") <= time("timeseries", "startTime"),
        "{asked}"
    );
}

fn changes_the_window(browser: &Browser, app: &TestApp) {
    browser.choose("[data-focus=timeseries-period]", "custom");
    browser.until("document.querySelector('[data-focus=timeseries-first]')");
    let set = |field: &str, day: &str| {
        browser.evaluate(&format!(
            "(() => {{ const input = document.querySelector('[data-focus=timeseries-{field}]'); \
             input.value = '{day}'; input.dispatchEvent(new Event('change')); return true; }})()"
        ));
    };
    let now = app.clock.now();
    let day = |ago: u64| {
        now.saturating_sub(Duration::from_hours(24 * ago))
            .to_string()[..10]
            .to_owned()
    };
    set("first", &day(40));
    set("last", &day(21));
    browser.choose("[data-focus=timeseries-zone]", "Asia/Tokyo");
    browser.choose("[data-focus=timeseries-interval]", "week");
    let query = format!(
        "from={}&to={}&interval=week&tz=Asia/Tokyo",
        day(40),
        day(20)
    );
    let answer = app
        .get(&format!("/v1/analytics/timeseries?{query}"))
        .expect(200);
    let buckets = answer["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 3);
    let total: i64 = buckets
        .iter()
        .map(|b| b["pointsMinted"].as_i64().unwrap())
        .sum();
    assert!(total > 0);
    browser.until_text(
        "[data-measure=pointsMinted] .measure-value",
        &written(&json!(total)),
    );
    browser.click("[data-measure=pointsMinted]");
    browser.until("document.querySelector('[data-measure=pointsMinted][aria-pressed=true]')");
    // The table next to the chart has the same numbers, once it is opened.
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.chart table').length"),
        json!(0)
    );
    browser.click(".chart summary");
    let cells =
        "[...document.querySelectorAll('.chart tbody tr')].map((row) => row.cells[1].textContent)";
    let expected: Vec<String> = buckets
        .iter()
        .map(|b| written(&b["pointsMinted"]))
        .collect();
    browser.until(&format!("{cells}.join() === {}", json!(expected.join(","))));
    browser.until(SETTLED);
    saves_the_numbers(browser, buckets);
}

/// The downloaded file has the same numbers, too.
fn saves_the_numbers(browser: &Browser, buckets: &[Value]) {
    let csv = browser.run(
        "const text = new Promise((resolve) => { const make = URL.createObjectURL; \
         URL.createObjectURL = (blob) => { resolve(blob.text()); return make.call(URL, blob); }; }); \
         [...document.querySelectorAll('.downloads button')][0].click(); return text;",
    );
    let lines: Vec<&str> = csv.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[1].contains(&format!(",{},", buckets[0]["pointsMinted"])),
        "{lines:?}"
    );
    let picture = browser.run(
        "const link = new Promise((resolve) => { const click = HTMLAnchorElement.prototype.click; \
         HTMLAnchorElement.prototype.click = function () { resolve(this.href); }; }); \
         [...document.querySelectorAll('.downloads button')][1].click(); return link;",
    );
    assert!(
        picture
            .as_str()
            .unwrap()
            .starts_with("data:image/png;base64,")
    );
}

/// Creates an offer with the keyboard only and returns its id.
fn creates_an_offer(browser: &Browser, app: &TestApp) -> String {
    show(browser, "offers");
    browser.click_on("New offer");
    browser.until("document.activeElement.name === 'title'");
    browser.type_in("Museum night");
    browser.press(Key::Tab);
    browser.type_in("Until midnight");
    browser.fill("dialog [name=pointsPrice]", "75");
    browser.press(Key::Enter);
    browser.until_text("tbody", "Museum night");
    let offers = app.get("/v1/offers?limit=1").expect(200);
    let offer = &offers["data"][0];
    assert_eq!(
        (
            &offer["title"],
            &offer["shortDescription"],
            &offer["pointsPrice"]
        ),
        (&json!("Museum night"), &json!("Until midnight"), &json!(75))
    );
    offer["id"].as_str().unwrap().to_owned()
}

fn credits_a_member(browser: &Browser, app: &TestApp) {
    let who = member(3);
    let before = app.balance(&who);
    show(browser, "members");
    browser.fill("[type=search]", "Liskov");
    browser.until("document.querySelectorAll('tbody tr').length === 1");
    browser.click_on("Barbara Liskov");
    browser.until_text("h1", "Barbara Liskov");
    assert_eq!(browser.text(".member-id code"), who);
    browser.click_on("Credit points");
    browser.fill("dialog [name=amount]", "125");
    browser.fill("dialog [name=reason]", "a late birthday");
    browser.click_on("Credit");
    browser.until_text("[data-figure=balance] dd", &written(&json!(before + 125)));
    browser.until_text("tbody", "a late birthday");
    assert_eq!(app.balance(&who), before + 125);
    // An error is shown at the form that caused it, and no input is lost.
    browser.click_on("Edit");
    browser.fill("dialog [name=attributes]", "{not json");
    browser.click_on("Save");
    browser.until_text("dialog .form-error", "JSON object");
    browser.press(Key::Escape);
    browser.click_on("Discard");
    browser.until("!document.querySelector('dialog')");
}

/// A redemption created elsewhere appears automatically, is moved along, and canceled again.
fn follows_a_redemption(browser: &Browser, app: &TestApp, offer: &str) {
    let who = member(3);
    show(browser, "redemptions");
    browser.until_text("#live", "Live");
    let before = app.balance(&who);
    let id = app.redeem(&who, offer);
    let ticket = |status: &str| format!("[data-status={status}] [data-redemption={id}]");
    browser.until_text(&ticket("SUBMITTED"), "Museum night");
    assert_eq!(app.balance(&who), before - 75);
    let status = || app.get(&format!("/v1/redemptions/{id}")).expect(200)["status"].take();

    let until_status = |wanted: &str| redemptions::until_status(app, &id, wanted);
    browser.click(&format!("{} [data-move=OPEN]", ticket("SUBMITTED")));
    browser.until_text(&ticket("OPEN"), "Museum night");
    // It can be undone for a while; the next step sends it.
    assert_eq!(status(), "SUBMITTED");
    browser.choose(&format!("{} select", ticket("OPEN")), "AWAITING_CUSTOMER");
    browser.until_text(&ticket("AWAITING_CUSTOMER"), "Museum night");
    until_status("OPEN");

    drag(
        browser,
        &ticket("AWAITING_CUSTOMER"),
        "[data-status=SUBMITTED]",
    );
    browser.until_text("#notices", "cannot go from Awaiting customer to Submitted");
    drag(
        browser,
        &ticket("AWAITING_CUSTOMER"),
        "[data-status=AWAITING_VENDOR]",
    );
    browser.until_text(&ticket("AWAITING_VENDOR"), "Museum night");
    until_status("AWAITING_CUSTOMER");

    // The previous notice covers the end of the column.
    browser.evaluate(
        "document.querySelectorAll('#notices [aria-label=\"Close this message\"]') \
         .forEach((close) => close.click())",
    );
    browser.click(&format!("{} [data-cancel]", ticket("AWAITING_VENDOR")));
    browser.until_text("dialog", "gets 75 pts back");
    browser.choose("dialog [name=canceledReason]", "SOLD_OUT");
    browser.click_on("Cancel the redemption");
    browser.until_text(&ticket("CANCELED"), "Sold out");
    assert_eq!(status(), "CANCELED");
    assert_eq!(app.balance(&who), before);
    show(browser, &format!("members/{who}"));
    browser.until_text("[data-figure=balance] dd", &written(&json!(before)));
    browser.until_text("tbody", "refund");
}

/// Drags a ticket to a column, simulated by events.
fn drag(browser: &Browser, ticket: &str, column: &str) {
    browser.evaluate(&format!(
        "(() => {{ const dataTransfer = new DataTransfer(); \
         const drag = (selector, type) => document.querySelector(selector).dispatchEvent( \
         new DragEvent(type, {{ dataTransfer, bubbles: true, cancelable: true }})); \
         drag({0}, 'dragstart'); drag({1}, 'dragover'); drag({1}, 'drop'); return true; }})()",
        json!(ticket),
        json!(column)
    ));
}

#[test]
fn a_partner_makes_an_organization_and_a_key() {
    let app = TestApp::start();
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, PARTNER_SANDBOX_KEY);
    browser.click_on("New organization");
    browser.fill("dialog [name=name]", "Harbour Hotel");
    browser.choose("dialog [name=tier]", "paid");
    browser.fill("dialog [name=initialCredits]", "700");
    browser.click_on("Create the organization");
    browser.until_text("dialog output", "expys_sandbox_");
    let key = browser.text("dialog output");
    let exchange = || {
        let request = app.request("POST", "/v1/auth/exchange").bearer(&key);
        request.json(&json!({"externalUserID": "guest"})).send()
    };
    exchange().expect(200);
    browser.click_on("I have saved it");
    browser.click_on("Harbour Hotel");
    browser.until_text(".facts", "700");
    browser.click_on("Set credits");
    browser.fill("dialog [name=credits]", "10001");
    browser.click_on("Allocate");
    browser.until_text("dialog .form-error", "pool");
    browser.fill("dialog [name=credits]", "800");
    browser.click_on("Allocate");
    browser.until_text(".facts", "800");
    browser.click_on("Set status");
    browser.choose("dialog [name=status]", "suspended");
    browser.click_on("Save");
    browser.until_text(".facts", "suspended");
    exchange().expect_error(403, "FORBIDDEN");
    browser.click_on("New key");
    browser.fill("dialog [name=name]", "the second");
    browser.click_on("Create the key");
    browser.until_text("dialog output", "expys_sandbox_");
    assert_ne!(browser.text("dialog output"), key);
    browser.click_on("I have saved it");
    browser.until_text("tbody", "the second");
    browser.click("[aria-label='Revoke the second']");
    browser.click_on("Revoke it");
    browser.until("!document.querySelector('tbody').textContent.includes('the second')");
    show(&browser, "credits");
    browser.until_text("[data-figure=creditPoolUsed] .figure-value", "1");
    // One of the partner's requests was refused, and the browser logs it.
    browser.assert_quiet(|message| message.contains("/credits") && message.contains("422"));
}

#[test]
fn a_key_is_tried_before_it_is_kept() {
    let app = TestApp::start();
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    browser.goto("/");
    browser.fill("#key", "something else");
    browser.press(Key::Enter);
    browser.until_text("[role=alert]", "expys_");
    browser.fill("#key", "expys_sandbox_nobody_has_this_one");
    browser.press(Key::Enter);
    browser.until_text("[role=alert]", "refused");
    assert_eq!(browser.evaluate("sessionStorage.length"), json!(0));
    browser.fill("#key", SANDBOX_KEY);
    browser.press(Key::Enter);
    browser.until("document.querySelector('.frame')");
    browser.until(SETTLED);
    // An empty program shows what to do.
    show(&browser, "offers");
    browser.until_text("main", "No offers yet");
    browser.screenshot("offers-empty");
    // The key survives a reload, but not the sign-out, and no other tab has it.
    browser.goto("/");
    browser.until("document.querySelector('.frame')");
    browser.click_on("Sign out");
    browser.until("document.querySelector('#key')");
    assert_eq!(
        browser.evaluate("sessionStorage.length + localStorage.length"),
        json!(0)
    );
    // A link may carry the key, but it does not stay in the address.
    browser.goto(&format!("/#key={SANDBOX_KEY}"));
    browser.until("document.querySelector('.frame')");
    browser.until("location.hash === '#/overview'");
}

#[test]
fn a_server_that_goes_away_is_told_of() {
    let mut app = TestApp::start();
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    browser.until(SETTLED);
    app.stop();
    browser.evaluate("location.hash = '#/members'");
    browser.until_text("main [role=alert]", "cannot be reached");
    browser.screenshot("no-connection");
}

#[test]
fn what_a_member_is_called_is_only_ever_text() {
    let app = TestApp::start();
    let name = "<img src=x onerror=document.title='owned'>";
    let id = "<b>eve</b>/../?#\u{1f43b}";
    let path = format!(
        "/v1/members/{}",
        percent_encoding::utf8_percent_encode(id, NON_ALPHANUMERIC)
    );
    app.put(&path, &json!({"displayName": name})).expect(200);
    app.offer(json!({"title": name, "tiers": [name]}));
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "offers");
    browser.until_text("tbody", name);
    show(&browser, "members");
    browser.until_text("tbody .hint", id);
    browser.click("tbody a");
    browser.until_text("h1", name);
    browser.until_text(".member-id", id);
    browser.until_text(".facts", name);
    assert_eq!(
        browser.evaluate("document.querySelectorAll('main img, main b').length"),
        json!(0)
    );
    browser.assert_quiet(|_| false);
}

#[test]
fn a_webhook_is_added_and_deleted() {
    let app = TestApp::start();
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "webhooks");
    browser.click_on("Add an endpoint");
    browser.fill("dialog [name=url]", "http://127.0.0.1:9/hook");
    browser.click("dialog [value='member.removed']");
    browser.click_on("Add the endpoint");
    browser.until_text("dialog output", "whsec_");
    let made = &app.get("/v1/webhooks").expect(200)["data"][0];
    let chosen = made["events"].as_array().unwrap();
    assert_eq!(chosen.len(), EventName::ALL.len() - 1);
    browser.click_on("I have saved it");
    browser.click_on("http://127.0.0.1:9/hook");
    browser.until(SETTLED);
    let secret = "document.documentElement.outerHTML.includes('whsec_')";
    assert_eq!(browser.evaluate(secret), json!(false), "it is shown once");
    browser.click_on("Send a test event");
    browser.until_text("#notices", "on its way");
    browser.click_on("Delete");
    browser.until_text("#notices", "Deleting http://127.0.0.1:9/hook.");
    browser.until_text(".endpoint", "Changing");
    // It is sent when the page is left, if not before.
    browser.goto("/");
    wait_until(|| app.get("/v1/webhooks").expect(200)["data"][0]["disabledAt"].is_string());
    show(&browser, "webhooks");
    browser.until_text(".endpoint", "Disabled");
}

#[test]
fn a_member_who_writes_is_answered() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.redeem(
        "ada",
        &app.offer(json!({"title": "Matinee", "pointsPrice": 40})),
    );
    let list = app.get("/v1/conversations?externalUserID=ada").expect(200);
    let booking = list["conversations"].as_array().unwrap().iter();
    let id = booking
        .filter(|each| each["type"] == "booking")
        .map(|each| each["id"].as_str().unwrap().to_owned())
        .next()
        .unwrap();
    let path = format!("/v1/conversations/{id}/messages");
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "inbox");
    app.request("POST", &path)
        .bearer(&app.token("ada"))
        .json(&json!({"message": "Can it be Sunday?"}))
        .send()
        .expect(200);
    browser.until_text(".conversations", "Waiting");
    browser.click(&format!(".conversations [data-id='{id}']"));
    browser.until_text(".messages", "Can it be Sunday?");
    browser.fill(".answer textarea", "Sunday it is.");
    browser.click_on("Send");
    browser.until_text(".messages", "Sunday it is.");
    browser.until("!document.querySelector('.conversations .badge')");
    let newest = &app.get(&path).expect(200)["messages"][0];
    assert_eq!(
        (&newest["role"], &newest["body"]),
        (&json!("agent"), &json!("Sunday it is."))
    );
    browser.screenshot("inbox-answered");
}

#[test]
fn the_menu_the_dialogs_and_the_switch_work_by_keyboard() {
    let app = TestApp::start();
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    // Keyboard navigation starts at the top of a page that was just loaded.
    browser.goto("/");
    browser.until("document.querySelector('.frame')");
    browser.press(Key::Tab);
    browser.until("document.activeElement.className === 'skip-link'");
    browser.press(Key::Enter);
    browser.until("document.activeElement.id === 'main'");

    browser.resize(Screen::Phone);
    let mut problems = Vec::new();
    let mut look = |browser: &Browser, name: &str| {
        browser.screenshot(name);
        problems.extend(
            barriers(browser)
                .into_iter()
                .map(|each| format!("{name}: {each}")),
        );
    };
    browser.until("!document.querySelector('#nav').checkVisibility()");
    focus_on(&browser, "[aria-controls=side]");
    browser.press(Key::Enter);
    browser.until("document.querySelector('#nav').checkVisibility()");
    look(&browser, "menu-phone-light");
    focus_on(&browser, "#nav [data-page=offers]");
    browser.press(Key::Enter);
    browser.until_text("h1", "Offers");
    browser.until("document.activeElement.tagName === 'H1'");
    browser.until("!document.querySelector('#nav').checkVisibility()");

    browser.click_on("New offer");
    look(&browser, "new-offer-phone-light");
    browser.press(Key::Escape);
    browser.until("!document.querySelector('dialog')");

    let paper = "getComputedStyle(document.body).backgroundColor";
    let light = browser.evaluate(paper);
    focus_on(&browser, "[aria-label='Switch to dark colors']");
    browser.press(Key::Enter);
    browser.until("document.querySelector('[aria-label=\"Switch to light colors\"]')");
    assert_ne!(browser.evaluate(paper), light);
    browser.click_on("New offer");
    look(&browser, "new-offer-phone-dark");
    // It is remembered, unlike the key.
    browser.goto("/");
    browser.until("document.querySelector('.frame')");
    assert_ne!(browser.evaluate(paper), light);
    assert!(problems.is_empty(), "{problems:#?}");
}

fn focus_on(browser: &Browser, selector: &str) {
    let selector = json!(selector);
    browser.until(&format!("document.querySelector({selector})"));
    browser.evaluate(&format!("document.querySelector({selector}).focus()"));
}
