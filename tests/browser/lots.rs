//! Points in lots: the conversion, the life of points, dates of credits, and reversed entries.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stampcard::clock::Clock;

use super::{SETTLED, look_at, show, sign_in};
use crate::driver::Browser;
use crate::support::{SANDBOX_KEY, TestApp};

const NO_DIALOG: &str = "!document.querySelector('dialog')";

fn asset(app: &TestApp) -> Value {
    app.get("/v1/assets/default").expect(200)
}

fn program(app: &TestApp) -> Value {
    app.get("/v1/programs/current").expect(200)
}

/// The newest entries of the ledger: type, amount and reason.
fn newest(app: &TestApp, count: usize) -> Value {
    let path = format!("/v1/wallet/transactions?externalUserID=ada&limit={count}");
    let page = app.get(&path).expect(200);
    let rows = page["transactions"].as_array().unwrap().iter();
    rows.map(|row| json!([row["type"], row["amount"], row["reason"]]))
        .collect()
}

/// Sets a field of the type `datetime-local`.
fn set_time(browser: &Browser, field: &str, time: &str) {
    browser.evaluate(&format!(
        "(() => {{ const input = document.querySelector('{field}'); input.value = '{time}'; \
         input.dispatchEvent(new Event('change', {{ bubbles: true }})); return true; }})()"
    ));
}

/// Takes the pointer and the focus out of the list, whose rows do not move under them.
fn leave_list(browser: &Browser) {
    browser.until(NO_DIALOG);
    browser.evaluate("document.activeElement.blur()");
    browser.point_at("h1");
}

/// Sends what waits to be undone.
fn send_waiting(browser: &Browser) {
    leave_list(browser);
    browser.evaluate("window.dispatchEvent(new Event('pagehide'))");
}

/// The number of notices of ada's points.
fn announced(app: &TestApp) -> i64 {
    let sql = "SELECT count(*) FROM activity JOIN member ON member.id = member_id
               WHERE kind = 17 AND external_user_id = 'ada'";
    let count = app.sqlite().query_row(sql, [], |row| row.get(0));
    count.unwrap()
}

fn is_shown(browser: &Browser, selector: &str) -> bool {
    let shown = format!(
        "document.querySelector({}).offsetParent !== null",
        json!(selector)
    );
    browser.evaluate(&shown) == json!(true)
}

#[test]
fn points_are_put_into_lots_credited_with_dates_and_reversed() {
    // The browser's clock is that of the machine.
    let app = TestApp::start_at(&Clock::system().now().to_string(), |_| ());
    app.member("ada", 70);
    app.member("grace", 1_200);
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    // What can be undone waits until the test sends it, however long that takes.
    browser.evaluate(
        "void (window.setTimeout = ((plain) => (act, after, ...more) => \
         after === 10000 ? 0 : plain(act, after, ...more))(window.setTimeout.bind(window)))",
    );
    show(&browser, "members/ada");
    browser.until(SETTLED);
    browser.click_on("Credit points");
    browser.until("document.querySelector('dialog [name=amount]')");
    let has_dates = "document.querySelector('dialog [name=expires]') !== null";
    assert_eq!(browser.evaluate(has_dates), false);
    browser.click_on("Close");
    converts(&mut browser, &app);
    sets_the_life(&mut browser, &app);
    credits_with_dates(&mut browser, &app);
    reverses(&mut browser, &app);
    names_what_expired(&mut browser, &app);
    browser.assert_stayed_home();
    browser.assert_quiet(|line| line.contains("422") || line.contains("412"));
}

fn converts(browser: &mut Browser, app: &TestApp) {
    show(browser, "settings");
    browser.until_text("#points", "As a sum, which lives forever");
    browser.until(SETTLED);
    let problems = look_at(browser, "settings-sum");
    assert!(problems.is_empty(), "{problems:#?}");
    browser.click_on("Keep them in lots…");
    browser.until_text("dialog", "2 members have 1,270 pts, which become 2 lots.");
    browser.until_text("dialog", "This is one way:");
    browser.until_text("dialog .form-preview", "They do not expire.");
    assert!(!is_shown(browser, "dialog [name=months]"));
    browser.choose("dialog [name=life]", "after");
    assert!(is_shown(browser, "dialog [name=months]"));
    assert!(!is_shown(browser, "dialog [name=date]"));
    browser.fill("dialog [name=months]", "6");
    browser.fill("dialog [name=confirm]", "something else");
    browser.until_text(
        "dialog .form-preview",
        "The first of these points expire on",
    );
    browser.click("dialog button[type=submit]");
    browser.until_text("dialog .form-error", "the name of the program, to confirm");
    assert_eq!(asset(app)["inventory_mode"], "SIMPLE");
    let problems = look_at(browser, "settings-convert");
    assert!(problems.is_empty(), "{problems:#?}");
    let name = program(app)["name"].as_str().unwrap().to_owned();
    browser.fill("dialog [name=confirm]", &name);
    browser.click("dialog button[type=submit]");
    browser.until_text("#notices", "Points are kept in lots from now on.");
    browser.until_text("#points", "In lots");
    assert_eq!(asset(app)["inventory_mode"], "LOT");
}

fn sets_the_life(browser: &mut Browser, app: &TestApp) {
    browser.until("document.querySelector('#points [name=life]')");
    browser.choose("#points [name=life]", "after");
    browser.fill("#points [name=months]", "12");
    browser.choose("#points [name=time_zone]", "Europe/Berlin");
    browser.fill("#points [name=expiry_notice]", "30");
    let text = "credited from now on expire 12 months after the credit";
    browser.until_text("#points .form-preview", text);
    browser.click("#points form:has([name=life]) button[type=submit]");
    browser.until_text("#notices", "Saved.");
    let saved = program(app);
    assert_eq!(
        (&saved["expiry"], &saved["time_zone"]),
        (&json!({"after": "P12M"}), &json!("Europe/Berlin"))
    );
    assert_eq!(saved["expiry_notice"], 30);
    for (typed, kept) in [("", json!(null)), ("14", json!(14))] {
        // Nobody but this form has changed it in the meantime.
        let ready = "!document.querySelector('#points form:has([name=life]) button').disabled";
        browser.until(ready);
        browser.fill("#points [name=expiry_notice]", typed);
        browser.click("#points form:has([name=life]) button[type=submit]");
        let begun = Instant::now();
        while program(app)["expiry_notice"] != kept {
            assert!(begun.elapsed() < Duration::from_secs(30), "{typed:?}");
        }
    }
    // Somebody else sets the limit while the order is changed here.
    let limit = json!({"max_transaction_amount": "5000"});
    app.patch("/v1/assets/default", &limit).expect(200);
    browser.choose("#points [name=burn_order]", "soonest_expiry");
    browser.click("#points form:has([name=burn_order]) button[type=submit]");
    browser.until_text(
        "#notices",
        "Largest credit or debit changed in the meantime; that was kept.",
    );
    let saved = asset(app);
    assert_eq!(
        (&saved["burn_order"], &saved["max_transaction_amount"]),
        (&json!("soonest_expiry"), &json!("5000"))
    );
    browser.until(SETTLED);
    let problems = look_at(browser, "settings-lots");
    assert!(problems.is_empty(), "{problems:#?}");
}

fn credits_with_dates(browser: &mut Browser, app: &TestApp) {
    show(browser, "members/ada");
    browser.until(SETTLED);
    browser.click_on("Credit points");
    browser.until_text(
        "dialog [name=expires]",
        "As usual in this program: 12 months after the credit",
    );
    browser.fill("dialog [name=amount]", "5001");
    browser.click("dialog button[type=submit]");
    browser.until_text("dialog .form-error", "amount must be at most 5000");
    browser.fill("dialog [name=amount]", "300");
    assert!(!is_shown(browser, "dialog [name=expiresAt]"));
    browser.choose("dialog [name=expires]", "on");
    assert!(is_shown(browser, "dialog [name=expiresAt]"));
    set_time(browser, "dialog [name=expiresAt]", "2098-01-01T00:00");
    set_time(browser, "dialog [name=maturesAt]", "2099-01-01T00:00");
    browser.click("dialog button[type=submit]");
    browser.until_text("dialog .form-error", "maturesAt must be before");
    let problems = look_at(browser, "member-credit-dates");
    assert!(problems.is_empty(), "{problems:#?}");
    set_time(browser, "dialog [name=maturesAt]", "");
    browser.fill("dialog [name=reason]", "a purchase");
    browser.click("dialog button[type=submit]");
    browser.until(NO_DIALOG);
    browser.until_text("[data-list=ledger]", "a purchase");
    assert_eq!(app.balance("ada"), 370);
    let lot = app.sqlite().query_row(
        "SELECT count(*) FROM activity WHERE amount = 300 AND lots IS NOT NULL",
        [],
        |row| row.get::<_, i64>(0),
    );
    assert_eq!(lot.unwrap(), 1);
    let first = "[data-list=ledger] tbody tr:first-child";
    browser.until_text(first, "By the key “");
    browser.until_text(first, "New lot: 300 of lot 2 (expires Jan 1, 2098)");
}

/// A credit is debited again, a debit credited, and a redemption canceled. An undone reversal
/// changes nothing.
fn reverses(browser: &mut Browser, app: &TestApp) {
    let first = |browser: &Browser| {
        browser.until(SETTLED);
        browser.click("[data-list=ledger] tbody tr:first-child [data-focus^=reverse]");
    };
    first(browser);
    browser.until_text("dialog", "The credit of 300 pts");
    let problems = look_at(browser, "member-reverse");
    assert!(problems.is_empty(), "{problems:#?}");
    browser.click_on("Reverse it");
    browser.until_text("#notices", "300 pts debited again.");
    browser.click_on("Undo");
    browser.until(NO_DIALOG);
    assert_eq!(app.balance("ada"), 370);

    first(browser);
    browser.fill("dialog [name=note]", "counted twice");
    browser.click_on("Reverse it");
    browser.until_text("#notices", "300 pts debited again.");
    // Until it is sent, it cannot be reversed a second time.
    first(browser);
    browser.until_text("#notices", "This entry is being reversed already.");
    send_waiting(browser);
    browser.until_text("[data-list=ledger] tbody tr:first-child", "counted twice");
    browser.until_text("[data-list=ledger] tbody tr:nth-child(2)", "reversed");
    let id = app.get("/v1/wallet/transactions?externalUserID=ada&limit=2");
    let id = id.expect(200)["transactions"][1]["id"].take();
    let reason = format!("Reversal of {}: counted twice", id.as_str().unwrap());
    assert_eq!(newest(app, 1), json!([["DEBIT", 300, reason]]));
    assert_eq!(app.balance("ada"), 70);

    // The debit was the mistake.
    first(browser);
    browser.fill("dialog [name=amount]", "30");
    browser.click_on("Reverse it");
    send_waiting(browser);
    browser.until_text("[data-list=ledger] tbody tr:first-child", "+30");
    assert_eq!(app.balance("ada"), 100);

    let coffee = app.offer(json!({"title": "A coffee", "pointsPrice": 40}));
    app.redeem("ada", &coffee);
    browser.until_text("[data-list=ledger] tbody tr:first-child", "A coffee");
    first(browser);
    browser.until_text("dialog", "gets 40 pts back");
    browser.click_on("Cancel the redemption");
    leave_list(browser);
    browser.until_text("[data-list=ledger] tbody tr:first-child", "refund");
    browser.until_text("[data-list=ledger] tbody tr:nth-child(2)", "reversed");
    assert_eq!(app.balance("ada"), 100);
}

fn names_what_expired(browser: &mut Browser, app: &TestApp) {
    // Beyond the twelve months of the 30 points that were credited again.
    let body = json!({"advanceSeconds": 400 * 86_400});
    app.post("/v1/sandbox/clock", &body).expect(200);
    browser.until_text("[data-list=ledger] tbody tr:first-child", "Expired");
    browser.until("!document.querySelector('[data-list=ledger] tbody tr:first-child button')");
    assert_eq!(newest(app, 1), json!([["DEBIT", 30, "expired"]]));
    browser.until_text("[data-list=ledger] tbody tr:first-child", "Automatically");
    browser.until_text(
        "[data-list=ledger] tbody tr:first-child",
        "From: 30 of lot ",
    );
    assert_eq!(announced(app), 1);
    browser.until(SETTLED);
    let problems = look_at(browser, "member-lots");
    assert!(problems.is_empty(), "{problems:#?}");
}
