//! Settings of a program: its keys, name and sandbox; and the server's page for the partner.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{SETTLED, look_at, show, sign_in};
use crate::driver::Browser;
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// Clicks a button in the table row that contains a text.
#[track_caller]
fn press_in_row(browser: &Browser, row: &str, label: &str) {
    browser.click(&format!("main button[aria-label='{label} {row}']"));
}

#[track_caller]
fn fill_dialog(browser: &Browser, field: &str, text: &str) {
    browser.fill(&format!("dialog [name={field}]"), text);
    browser.click("dialog button[type=submit]");
}

/// Waits for the server, for less time than a change can be undone.
#[track_caller]
fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(8), "it never came");
        std::thread::sleep(Duration::from_millis(40));
    }
}

#[track_caller]
fn until_named(browser: &Browser, name: &str) {
    browser.until(&format!(
        "document.querySelector('.place-name')?.textContent === {}",
        json!(name)
    ));
    browser.until(SETTLED);
}

fn key_in_use(browser: &Browser) -> Value {
    browser.evaluate("sessionStorage.getItem('stampcard.key')")
}

#[test]
fn keys_are_made_used_switched_and_revoked() {
    let app = TestApp::start();
    app.member("ada", 10);
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    until_named(&browser, "Sandbox");
    let (till, plain) = creates_a_key(&mut browser);
    signs_in_with_it(&browser, &plain);
    revokes(&browser, &app, &till);
    renames_and_switches(&mut browser, &app);
    browser.assert_stayed_home();
    // The unknown key was refused.
    browser.assert_quiet(|line| line.contains("401"));
}

/// The name of a new key, and the key.
fn creates_a_key(browser: &mut Browser) -> (String, String) {
    show(browser, "settings");
    browser.until(SETTLED);
    // The key in use cannot be revoked.
    let own = "document.querySelector('#keys button[aria-label^=Revoke]').disabled";
    assert_eq!(browser.evaluate(own), true);
    browser.click_on("New key");
    fill_dialog(browser, "name", "Till");
    let plain = browser.text("dialog .secret");
    assert!(plain.starts_with("expys_sandbox_"));
    browser.click_on("I have saved it");
    browser.until_text("#keys", "Till");
    browser.until(SETTLED);
    let problems = look_at(browser, "settings-keys");
    assert!(problems.is_empty(), "{problems:#?}");
    ("Till".to_owned(), plain)
}

fn signs_in_with_it(browser: &Browser, plain: &str) {
    browser.click(".place-open");
    browser.click_on("Add a key");
    fill_dialog(browser, "key", "expys_sandbox_nobody");
    browser.until_text("dialog .form-error", "refused");
    assert_eq!(key_in_use(browser), SANDBOX_KEY);
    fill_dialog(browser, "key", plain);
    browser.until(&format!(
        "sessionStorage.getItem('stampcard.key') === {}",
        json!(plain)
    ));
    until_named(browser, "Sandbox");
    browser.until_text("#keys tr:has(.tag)", "Till");
    // And back: the list is the other program's now.
    browser.click(".place-open");
    browser.click(".places li:first-child button");
    browser.until(&format!(
        "sessionStorage.getItem('stampcard.key') === {}",
        json!(SANDBOX_KEY)
    ));
    until_named(browser, "Sandbox");
    browser.until_text("#keys tr:has(.tag)", "key");
}

fn revokes(browser: &Browser, app: &TestApp, name: &str) {
    press_in_row(browser, name, "Revoke");
    browser.until_text("dialog", "refused from its next request on");
    browser.click_on("Revoke it");
    browser.until(&format!(
        "!document.querySelector('#keys').textContent.includes({})",
        json!(name)
    ));
    let keys = app.get("/v1/keys").expect(200);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    // The tab does not offer it any more.
    browser.until("JSON.parse(sessionStorage.getItem('stampcard.keys')).length === 1");
}

fn renames_and_switches(browser: &mut Browser, app: &TestApp) {
    // Not below the bar at the top.
    browser.evaluate("scrollTo(0, 0)");
    browser.click_on("Rename");
    fill_dialog(browser, "name", "Corner Café");
    until_named(browser, "Corner Café");
    assert_eq!(
        app.get("/v1/programs/current").expect(200)["name"],
        "Corner Café"
    );
    show(browser, "programs");
    browser.until(SETTLED);
    browser.click_on("New program");
    fill_dialog(browser, "name", "Lounge");
    browser.text("dialog .secret");
    browser.click_on("I have saved it");
    // A change that can still be undone is sent with the key that it was meant for.
    app.offer(json!({"title": "Tea"}));
    show(browser, "offers");
    press_in_row(browser, "Tea", "Archive");
    browser.until_text("#notices", "Undo");
    show(browser, "programs");
    // The key is available immediately.
    press_in_row(browser, "Lounge", "Switch to");
    until_named(browser, "Lounge");
    assert_ne!(key_in_use(browser), SANDBOX_KEY);
    browser.until("location.hash === '#/programs'");
    // Immediately, not when its ten seconds are over.
    wait_until(|| app.get("/v1/offers").expect(200)["data"] == json!([]));
    // The other program is archived, after which its key is refused, and restored again.
    press_in_row(browser, "Corner Café", "Archive");
    browser.until_text("dialog", "refused from their next request on");
    browser.click_on("Archive it");
    browser.until("document.querySelector('button[aria-label=\"Restore Corner Café\"]')");
    app.get("/v1/members").expect_error(403, "FORBIDDEN");
    browser.until(SETTLED);
    let problems = look_at(browser, "programs-archived");
    assert!(problems.is_empty(), "{problems:#?}");
    press_in_row(browser, "Corner Café", "Restore");
    browser.until("document.querySelector('button[aria-label=\"Archive Corner Café\"]')");
    app.get("/v1/members").expect(200);
    // Signing out forgets all keys.
    browser.click_on("Sign out");
    browser.until("document.querySelector('#key')");
    let left = "Object.keys(sessionStorage).filter((slot) => slot.startsWith('stampcard.')).length";
    assert_eq!(browser.evaluate(left), 0);
}

#[test]
fn the_sandboxs_clock_faults_and_fresh_start_are_buttons_and_the_partner_sees_the_server() {
    let app = TestApp::start();
    app.member("ada", 10);
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    until_named(&browser, "Sandbox");
    assert_eq!(
        browser.evaluate("document.querySelector('.banner')"),
        Value::Null
    );
    show(&browser, "settings");
    browser.click_on("+1 day");
    browser.until_text("[data-banner=clock]", "1 day ahead");
    assert_eq!(
        app.get("/v1/sandbox/clock").expect(200)["aheadSeconds"],
        86_400
    );
    asks_for_a_fault(&browser, &app);
    // The banner is on every page.
    show(&browser, "members");
    browser.until(SETTLED);
    browser.until_text("[data-banner=clock]", "1 day ahead");
    let problems = look_at(&mut browser, "members-ahead");
    assert!(problems.is_empty(), "{problems:#?}");
    resets(&browser, &app);
    sees_the_server(&mut browser);
    sees_that_writes_are_refused(&browser, &app);
    // The browser logs the errors that were requested.
    browser.assert_quiet(|line| line.contains("503"));
}

fn asks_for_a_fault(browser: &Browser, app: &TestApp) {
    browser.click_on("Overloaded");
    browser.until_text("[data-banner=fault]", "503");
    let pressed = "document.querySelector('[data-focus=\"fault-503\"]').ariaPressed";
    assert_eq!(browser.evaluate(pressed), "true");
    browser.click_on("+1 hour");
    browser.until_text("#notices", "Stampcard-Fault asked for this");
    assert_eq!(
        app.get("/v1/sandbox/clock").expect(200)["aheadSeconds"],
        86_400
    );
    browser.click_on("Stop that");
    browser.until("!document.querySelector('[data-banner=fault]')");
    assert_eq!(browser.evaluate(pressed), "false");
}

fn resets(browser: &Browser, app: &TestApp) {
    show(browser, "settings");
    browser.click_on("Reset…");
    browser.until_text("dialog", "This cannot be undone");
    browser.click_on("Reset");
    browser.until("!document.querySelector('[data-banner=clock], dialog')");
    until_named(browser, "Sandbox");
    assert_eq!(app.summary()["memberCount"], 0);
    app.get("/v1/members/ada").expect_error(404, "NOT_FOUND");
    show(browser, "overview");
    browser.until_text("main", "First steps");
}

/// The file is removed under the running server.
fn sees_that_writes_are_refused(browser: &Browser, app: &TestApp) {
    assert_eq!(
        browser.evaluate("document.querySelector('[data-banner=writes]')"),
        Value::Null
    );
    std::fs::rename(app.database(), app.database().with_extension("gone")).unwrap();
    wait_until(|| app.request("GET", "/readyz").send().status == 503);
    browser.goto("/");
    browser.until_text("[data-banner=writes]", "The server accepts no changes");
    show(browser, "server");
    browser.until_text("main", "are refused");
}

fn sees_the_server(browser: &mut Browser) {
    browser.click(".place-open");
    browser.click_on("Add a key");
    fill_dialog(browser, "key", PARTNER_SANDBOX_KEY);
    until_named(browser, "Partner");
    show(browser, "server");
    browser.until_text("main", env!("CARGO_PKG_VERSION"));
    browser.until_text("main", "not known to this server");
    browser.until_text("main", "stampcard verify");
    let problems = look_at(browser, "server");
    assert!(problems.is_empty(), "{problems:#?}");
}
