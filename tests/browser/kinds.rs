//! Further kinds of points: the list in the settings, what a member has of them, and their ledgers.

use serde_json::{Value, json};
use stampcard::clock::Clock;

use super::{SETTLED, look_at, show, sign_in};
use crate::driver::Browser;
use crate::support::{SANDBOX_KEY, TestApp};

pub(crate) const NO_DIALOG: &str = "!document.querySelector('dialog')";
const FIRST: &str = "[data-list=ledger] tbody tr:first-child";

/// The kind of points with a symbol.
pub(crate) fn kind(app: &TestApp, symbol: &str) -> Value {
    let list = app.get("/v1/assets").expect(200);
    let mut found = list["data"].as_array().unwrap().iter();
    let found = found.find(|kind| kind["symbol"] == symbol);
    found.cloned().unwrap_or_default()
}

/// The path of a participant.
fn participant(app: &TestApp, id: &str) -> String {
    let list = app.get(&format!("/v1/participants?external_id={id}"));
    let list = list.expect(200);
    format!(
        "/v1/participants/{}",
        list["data"][0]["id"].as_str().unwrap()
    )
}

/// What a member has of a kind: available, pending and held.
pub(crate) fn balance(app: &TestApp, id: &str, symbol: &str) -> [String; 3] {
    let kind = kind(app, symbol);
    let asset = kind["id"].as_str().unwrap();
    let path = format!("{}/balances?asset_id={asset}", participant(app, id));
    let row = app.get(&path).expect(200)["data"][0].take();
    ["available", "deferred", "held"].map(|name| row[name].as_str().unwrap().to_owned())
}

#[track_caller]
pub(crate) fn press(browser: &Browser, label: &str) {
    browser.click(&format!("main button[aria-label={}]", json!(label)));
}

pub(crate) fn submit(browser: &Browser) {
    browser.click("dialog button[type=submit]");
}

/// Takes the pointer and the focus out of the list, whose rows do not move under them.
pub(crate) fn leave_list(browser: &Browser) {
    browser.until(NO_DIALOG);
    browser.evaluate("document.activeElement.blur()");
    browser.point_at("h1");
}

#[track_caller]
pub(crate) fn assert_clean(browser: &mut Browser, name: &str) {
    // Messages cover what is to be seen.
    browser.evaluate(
        "document.querySelectorAll('#notices .icon-button').forEach((each) => each.click())",
    );
    let problems = look_at(browser, name);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn further_kinds_of_points_are_created_edited_archived_and_moved() {
    // The browser's clock is that of the machine.
    let app = TestApp::start_at(&Clock::system().now().to_string(), |_| ());
    app.member("ada", 70);
    app.member("grace", 0);
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
    let further = "document.querySelector('[data-key=further], [data-list=ledger] .picker')";
    assert_eq!(browser.evaluate(further), Value::Null);
    creates(&mut browser, &app);
    edits_and_archives(&mut browser, &app);
    is_not_had_yet(&browser);
    credits(&mut browser, &app);
    debits_and_reverses(&browser, &app);
    shows_what_cannot_be_spent(&mut browser, &app);
    fails_alone(&mut browser);
    downloads(&browser);
    suspends(&browser);
    assert_eq!(app.balance("ada"), 70);
    browser.assert_stayed_home();
    browser.assert_quiet(|line| ["400", "409", "422"].iter().any(|code| line.contains(code)));
}

fn creates(browser: &mut Browser, app: &TestApp) {
    show(browser, "settings");
    browser.until_text("#kinds", "The program's own points");
    browser.until_text("#kinds tbody", "1 member has 70 pts");
    browser.click_on("New kind of points");
    browser.fill("dialog [name=name]", "Miles");
    browser.fill("dialog [name=symbol]", "M-I");
    browser.choose("dialog [name=inventory_mode]", "LOT");
    browser.fill("dialog [name=scale]", "2");
    browser.fill("dialog [name=max_transaction_amount]", "500.5");
    browser.until_text(
        "dialog .form-preview",
        "1,250.01 M-I. The smallest is 0.01.",
    );
    assert_clean(browser, "settings-new-kind");
    submit(browser);
    browser.until_text("dialog .form-error", "symbol");
    assert_eq!(kind(app, "MI"), Value::Null);
    // Everything else is still there.
    browser.fill("dialog [name=symbol]", "MI");
    submit(browser);
    browser.until_text("#notices", "Miles is created.");
    browser.until_text("#kinds tbody", "In lots · 2 decimals");
    let made = kind(app, "MI");
    for (field, value) in [
        ("name", json!("Miles")),
        ("inventory_mode", json!("LOT")),
        ("scale", json!(2)),
        ("max_transaction_amount", json!("500.50")),
        ("issuance_policy", json!("UNLIMITED")),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    browser.click_on("New kind of points");
    browser.fill("dialog [name=name]", "Stamps");
    browser.fill("dialog [name=symbol]", "MI");
    submit(browser);
    browser.until_text("dialog .form-error", "symbol");
    browser.fill("dialog [name=symbol]", "ST");
    submit(browser);
    browser.until_text("#kinds tbody", "As a sum · whole points");
    browser.until_text("#kinds tbody", "Stamps (ST)");
    browser.until_text("#kinds tbody", "Nobody has any");
}

fn edits_and_archives(browser: &mut Browser, app: &TestApp) {
    press(browser, "Edit: Miles");
    browser.until("document.querySelector('dialog [name=burn_order]')");
    browser.fill("dialog [name=name]", "Air miles");
    browser.fill("dialog [name=max_transaction_amount]", "750.25");
    browser.choose("dialog [name=burn_order]", "soonest_expiry");
    submit(browser);
    browser.until_text("#kinds tbody", "Air miles");
    let saved = kind(app, "MI");
    assert_eq!(
        [
            &saved["name"],
            &saved["max_transaction_amount"],
            &saved["burn_order"]
        ],
        ["Air miles", "750.25", "soonest_expiry"]
    );
    browser.until(NO_DIALOG);
    press(browser, "Keep in lots…: Stamps");
    browser.until_text("dialog", "No member has points now.");
    browser.fill("dialog [name=confirm]", "Stamps?");
    submit(browser);
    browser.until_text(
        "dialog .form-error",
        "the name of the kind of points, to confirm",
    );
    browser.fill("dialog [name=confirm]", "Stamps");
    submit(browser);
    browser.until(NO_DIALOG);
    browser.until("!document.querySelector('#kinds button[aria-label^=Keep]')");
    assert_eq!(kind(app, "ST")["inventory_mode"], "LOT");
    for (label, status) in [
        ("Archive", "ARCHIVED"),
        ("Use again", "ACTIVE"),
        ("Archive", "ARCHIVED"),
    ] {
        press(browser, &format!("{label}: Stamps"));
        if label == "Archive" {
            browser.until_text(
                "dialog",
                "credits of Stamps are refused. What members have stays.",
            );
            browser.click_on("Archive it");
            browser.until("document.querySelector('#kinds .badge')");
        } else {
            browser.until("!document.querySelector('#kinds .badge')");
        }
        browser.until(NO_DIALOG);
        assert_eq!(kind(app, "ST")["status"], status);
    }
    browser.until(SETTLED);
    assert_clean(browser, "settings-kinds");
}

/// A member who never had anything of it.
fn is_not_had_yet(browser: &Browser) {
    show(browser, "members/grace");
    browser.until_text("[data-key=further]", "0.00 MI");
    // Archived, and nobody has it.
    assert!(!browser.text("[data-key=further]").contains("Stamps"));
    choose_ledger(browser, "Air miles");
    browser.until_text("[data-list=ledger]", "No points yet");
}

/// Shows the ledger of a kind.
fn choose_ledger(browser: &Browser, name: &str) {
    browser.evaluate(&format!(
        "(() => {{ const picker = document.querySelector('[data-list=ledger] .picker select'); \
         picker.value = [...picker.options].find(({{ text }}) => text === {}).value; \
         picker.dispatchEvent(new Event('change')); return true; }})()",
        json!(name)
    ));
    browser.until(SETTLED);
}

fn credits(browser: &mut Browser, app: &TestApp) {
    show(browser, "members/ada");
    browser.until_text("[data-list=ledger]", "+70");
    choose_ledger(browser, "Air miles");
    browser.until_text("[data-list=ledger]", "No points yet");
    press(browser, "Credit Air miles");
    browser.fill("dialog [name=reason]", "a flight");
    browser.fill("dialog [name=amount]", "12.345");
    submit(browser);
    let amount = "document.querySelector('dialog [name=amount]').validity";
    assert_eq!(browser.evaluate(&format!("{amount}.stepMismatch")), true);
    browser.fill("dialog [name=amount]", "750.26");
    submit(browser);
    browser.until_text("dialog .form-error", "amount is above 750.25, the limit");
    assert_eq!(balance(app, "ada", "MI"), ["0.00", "0.00", "0.00"]);
    assert_clean(browser, "member-kind-credit");
    browser.fill("dialog [name=amount]", "12.34");
    submit(browser);
    browser.until_text("#notices", "12.34 MI now.");
    leave_list(browser);
    browser.until_text("[data-key=further]", "12.34 MI");
    browser.until_text(FIRST, "+12.34");
    browser.until_text(FIRST, "a flight");
    browser.until_text(FIRST, "By the key “");
    browser.until_text(FIRST, "New lot: 12.34 of lot 1 (no end)");
    assert_eq!(balance(app, "ada", "MI"), ["12.34", "0.00", "0.00"]);
}

fn debits_and_reverses(browser: &Browser, app: &TestApp) {
    press(browser, "Debit Air miles");
    browser.until_text("dialog", "The member has 12.34 MI.");
    browser.fill("dialog [name=amount]", "2.3");
    browser.fill("dialog [name=reason]", "a mistake");
    submit(browser);
    leave_list(browser);
    browser.until_text(FIRST, "−2.30");
    browser.until_text(&format!("{FIRST} td:last-child"), "10.04");
    browser.until_text(FIRST, "From: 2.30 of lot 1");
    browser.click(&format!("{FIRST} [data-focus^=reverse]"));
    browser.until_text("dialog", "The debit of 2.30 MI");
    browser.fill("dialog [name=amount]", "1.25");
    browser.fill("dialog [name=note]", "it was less");
    browser.click_on("Reverse it");
    browser.until_text("#notices", "1.25 MI credited again.");
    leave_list(browser);
    browser.evaluate("window.dispatchEvent(new Event('pagehide'))");
    browser.until_text(FIRST, "+1.25");
    browser.until_text(FIRST, "Reversal: it was less");
    browser.until_text("[data-list=ledger] tbody tr:nth-child(2)", "reversed");
    assert_eq!(balance(app, "ada", "MI"), ["11.29", "0.00", "0.00"]);
    spends_and_returns(browser, app);
    // More than is left of a credit cannot be taken back.
    browser.click("[data-list=ledger] tbody tr:last-child [data-focus^=reverse]");
    browser.until_text("dialog", "The member has only 11.29 MI.");
    browser.click_on("Close");
    browser.until(NO_DIALOG);
}

/// A redemption of an amount is reversed as one.
fn spends_and_returns(browser: &Browser, app: &TestApp) {
    let program = app.get("/v1/programs/current").expect(200)["id"].take();
    let path = format!("{}/redemptions", participant(app, "ada"));
    let body = json!({"program_id": program, "asset_id": kind(app, "MI")["id"], "amount": "1.5",
        "description": "tea"});
    let spent = app.post(&path, &body).expect(201);
    show(browser, "members");
    show(browser, "members/ada");
    choose_ledger(browser, "Air miles");
    browser.until_text(FIRST, "Spent: tea");
    browser.click(&format!("{FIRST} [data-focus^=reverse]"));
    browser.until_text("dialog", "The debit of 1.50 MI");
    browser.click_on("Reverse it");
    leave_list(browser);
    browser.evaluate("window.dispatchEvent(new Event('pagehide'))");
    browser.until_text(FIRST, "+1.50");
    browser.until_text("[data-list=ledger] tbody tr:nth-child(2)", "reversed");
    let path = format!("{path}/{}", spent["id"].as_str().unwrap());
    assert_eq!(app.get(&path).expect(200)["status"], "FULLY_REVERSED");
}

fn shows_what_cannot_be_spent(browser: &mut Browser, app: &TestApp) {
    let asset = kind(app, "MI")["id"].take();
    let post = |operation: &str, mut body: Value| {
        body["program_id"] = json!("current");
        body["asset_id"] = asset.clone();
        body["description"] = json!("an order");
        let path = format!("{}/balances/{operation}", participant(app, "ada"));
        app.post(&path, &body).expect(200);
    };
    post("hold", json!({"amount": "4.29"}));
    let later = json!({"type": "CREDIT", "amount": "5", "matures_at": "2099-01-01T00:00:00Z"});
    post("adjust", later);
    // Nothing of further kinds is streamed.
    show(browser, "members");
    show(browser, "members/ada");
    browser.until_text("[data-key=further]", "7.00 MI");
    browser.until_text("[data-key=further]", "4.29 MI held");
    browser.until_text("[data-key=further]", "5.00 MI pending");
    choose_ledger(browser, "Air miles");
    browser.until_text(FIRST, "Held: an order");
    browser.until_text(FIRST, "Held: 4.29 of lot 3");
    let reverse = format!("document.querySelector('{FIRST} [data-focus^=reverse]')");
    assert_eq!(browser.evaluate(&reverse), Value::Null);
    assert_clean(browser, "member-kinds");
}

/// If what a member has of further kinds cannot be loaded, the rest of the page is there.
fn fails_alone(browser: &mut Browser) {
    browser.evaluate(
        "void (window.plainFetch = window.fetch, window.fetch = (url, options) => \
         String(url).startsWith('/v1/participants?') ? Promise.resolve(new Response( \
         JSON.stringify({ error: { code: 'RATE_LIMITED', message: 'not so fast' } }), \
         { status: 429 })) : window.plainFetch(url, options))",
    );
    show(browser, "members");
    show(browser, "members/ada");
    browser.until_text("[data-key=further]", "not so fast");
    browser.until_text("[data-key=wallet]", "70 pts");
    browser.until_text("[data-key=profile]", "Redemptions");
    browser.until_text("[data-list=ledger]", "+70");
    assert_clean(browser, "member-kinds-failed");
    browser.evaluate("void (window.fetch = window.plainFetch)");
    browser.click_on("Try again");
    browser.until_text("[data-key=further]", "7.00 MI");
    choose_ledger(browser, "Air miles");
    browser.until_text(FIRST, "Held: an order");
}

fn downloads(browser: &Browser) {
    browser.evaluate(
        "void (URL.createObjectURL = (blob) => { \
         void blob.text().then((text) => (window.csv = text)); return '#'; })",
    );
    browser.evaluate(
        "document.addEventListener('click', (event) => { if (event.target.download) { \
         window.csvName = event.target.download; event.preventDefault(); } })",
    );
    browser.click_on("CSV");
    browser.until("window.csv !== undefined");
    assert_eq!(browser.evaluate("window.csvName"), "ledger-ada-MI.csv");
    let text = browser.evaluate("window.csv");
    assert!(text.as_str().unwrap().contains(",-2.30,10.04,"), "{text}");
}

/// Nothing is offered that would be refused.
fn suspends(browser: &Browser) {
    let has = |part: &str| format!("document.querySelector('{part}') !== null");
    let reverse = has("[data-list=ledger] [data-focus^=reverse]");
    assert_eq!(browser.evaluate(&reverse), true);
    for (button, can_move) in [("Suspend", false), ("Make active", true)] {
        browser.click_on(button);
        submit(browser);
        leave_list(browser);
        browser.until(&format!(
            "({}) === {can_move}",
            has("[data-key=further] button")
        ));
        browser.until(&format!("({reverse}) === {can_move}"));
    }
}

#[test]
fn a_member_who_was_removed_meanwhile_is_not_made_active() {
    let app = TestApp::start();
    app.member("ada", 10);
    let path = format!("{}/status", participant(&app, "ada"));
    app.patch(&path, &json!({"status": "SUSPENDED"}))
        .expect(200);
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members/ada");
    browser.click_on("Make active");
    browser.until_text("dialog", "active again?");
    app.delete("/v1/members/ada?retainBalance=true").expect(200);
    submit(&browser);
    browser.until_text("dialog .form-error", "changed");
    let member = app.get("/v1/members/ada?includeArchived=true").expect(200);
    assert_ne!(member["archivedAt"], Value::Null);
    browser.assert_quiet(|line| line.contains("412"));
}
