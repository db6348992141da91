//! Kinds of points that are issued from a budget, and credits that it does not cover.

use serde_json::{Value, json};

use super::dialogs::look_at_dialog;
use super::kinds::{NO_DIALOG, assert_clean, balance, kind, leave_list, press, submit};
use super::{show, sign_in};
use crate::driver::Browser;
use crate::support::{SANDBOX_KEY, TestApp};

const USE: &str = "#kinds button[aria-label^='Use a budget']";

/// What the budget of a kind has.
#[track_caller]
fn left(app: &TestApp, asset: &str) -> Value {
    let path = format!("/v1/programs/current/balance?asset_id={asset}");
    app.get(&path).expect(200)["data"][0]["available"].take()
}

fn validity(browser: &Browser, what: &str) -> Value {
    browser.evaluate(&format!(
        "document.querySelector('dialog [name=amount]').validity.{what}"
    ))
}

#[track_caller]
fn assert_dialogs(browser: &mut Browser, openers: &[&str]) {
    for opener in openers {
        let problems = look_at_dialog(browser, ("budget", opener));
        assert!(problems.is_empty(), "{problems:#?}");
    }
    // On the phone's screen, the page was scrolled elsewhere.
    browser.evaluate("void scrollTo(0, 0)");
}

#[test]
fn a_budget_is_filled_and_emptied_and_refuses_what_it_does_not_have() {
    let app = TestApp::start();
    app.member("ada", 0);
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "settings");
    switches_too_late(&browser, &app);
    let asset = creates(&mut browser, &app);
    assert_dialogs(&mut browser, &["Add to the budget", "Take from the budget"]);
    adds(&browser, &app, &asset);
    takes(&mut browser, &app, &asset);
    credits(&mut browser, &app, &asset);
    archives(&browser, &app, &asset);
    browser.assert_stayed_home();
    browser.assert_quiet(|line| ["400", "422", "500"].iter().any(|code| line.contains(code)));
}

/// Someone else credits points while the dialog is open.
fn switches_too_late(browser: &Browser, app: &TestApp) {
    browser.click(USE);
    browser.until_text("dialog", "There is no way back.");
    app.member("bob", 5);
    submit(browser);
    browser.until_text("dialog .form-error", "issuance_policy does not change");
    browser.click_on("Close");
    browser.until(NO_DIALOG);
    show(browser, "members");
    show(browser, "settings");
    browser.until_text("#kinds tbody", "1 member has 5 pts");
    assert_eq!(
        browser.evaluate(&format!("document.querySelector({})", json!(USE))),
        Value::Null
    );
}

fn creates(browser: &mut Browser, app: &TestApp) -> String {
    browser.click_on("New kind of points");
    browser.fill("dialog [name=name]", "Miles");
    browser.fill("dialog [name=symbol]", "MI");
    browser.choose("dialog [name=inventory_mode]", "SIMPLE");
    browser.fill("dialog [name=scale]", "2");
    browser.choose("dialog [name=issuance_policy]", "PREFUNDED");
    assert_clean(browser, "settings-new-budget");
    submit(browser);
    browser.until_text("#notices", "Add to its budget before anything is credited.");
    browser.until_text("#kinds tbody", "The budget of Miles is empty");
    browser.until(NO_DIALOG);
    let made = kind(app, "MI");
    assert_eq!(made["issuance_policy"], "PREFUNDED");
    made["id"].as_str().unwrap().to_owned()
}

fn adds(browser: &Browser, app: &TestApp, asset: &str) {
    press(browser, "Add to the budget: Miles");
    browser.until_text("dialog", "The budget of Miles is empty.");
    browser.fill("dialog [name=amount]", "10.505");
    submit(browser);
    assert_eq!(validity(browser, "stepMismatch"), true);
    browser.fill("dialog [name=amount]", "99999999999999999");
    submit(browser);
    browser.until_text("dialog .form-error", "amount must be");
    assert_eq!(left(app, asset), "0.00");
    browser.fill("dialog [name=amount]", "10.5");
    browser.fill("dialog [name=note]", "July");
    // The answer is lost, and the repetition adds nothing.
    browser.evaluate("sessionStorage.setItem('stampcard.fault', '500-after')");
    submit(browser);
    browser.until_text(
        "dialog .form-error",
        "It is not known whether this arrived.",
    );
    browser.evaluate("sessionStorage.removeItem('stampcard.fault')");
    assert_eq!(left(app, asset), "10.50");
    submit(browser);
    browser.until_text("#notices", "The budget of Miles has 10.50 MI now.");
    browser.until_text("#kinds tbody", "The budget of Miles has 10.50 MI");
    browser.until(NO_DIALOG);
    assert_eq!(left(app, asset), "10.50");
    let newest = app.get("/v1/journal-entries?limit=1").expect(200);
    assert_eq!(newest["data"][0]["description"], "July");
}

fn takes(browser: &mut Browser, app: &TestApp, asset: &str) {
    press(browser, "Take from the budget: Miles");
    browser.until_text("dialog", "The budget of Miles has 10.50 MI.");
    browser.fill("dialog [name=amount]", "10.51");
    submit(browser);
    assert_eq!(validity(browser, "rangeOverflow"), true);
    // Someone else takes most of it.
    let burn = format!("/v1/programs/current/assets/{asset}/burn");
    app.post(&burn, &json!({"amount": "8"})).expect(200);
    browser.fill("dialog [name=amount]", "5");
    submit(browser);
    browser.until_text(
        "dialog .form-error",
        "has 2.50 points of this asset, 5.00 are needed",
    );
    assert_clean(browser, "settings-budget-refused");
    assert_eq!(left(app, asset), "2.50");
    browser.fill("dialog [name=amount]", "1.5");
    submit(browser);
    browser.until_text("#notices", "The budget of Miles has 1.00 MI now.");
    browser.until_text("#kinds tbody", "The budget of Miles has 1.00 MI");
    browser.until(NO_DIALOG);
    assert_eq!(left(app, asset), "1.00");
    assert_clean(browser, "settings-budgets");
}

fn credits(browser: &mut Browser, app: &TestApp, asset: &str) {
    show(browser, "members/ada");
    press(browser, "Credit Miles");
    browser.fill("dialog [name=amount]", "1.01");
    browser.fill("dialog [name=reason]", "a flight");
    submit(browser);
    browser.until_text(
        "dialog .form-error",
        "has 1.00 points of this asset, 1.01 are needed",
    );
    browser.until_text("dialog .form-error", "the budget under “Kinds of points”");
    assert_clean(browser, "member-budget-refused");
    assert_eq!(left(app, asset), "1.00");
    browser.fill("dialog [name=amount]", "1");
    submit(browser);
    browser.until_text("#notices", "1.00 MI now.");
    leave_list(browser);
    assert_eq!(balance(app, "ada", "MI"), ["1.00", "0.00", "0.00"]);
    assert_eq!(left(app, asset), "0.00");
}

/// Nothing is added to the budget of an archived kind, but what it has can be taken.
fn archives(browser: &Browser, app: &TestApp, asset: &str) {
    let path = format!("/v1/assets/{asset}");
    app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
    show(browser, "settings");
    browser.until_text("#kinds tbody", "Archived");
    let has = |text: &str| {
        let label = json!(format!("{text}: Miles"));
        browser.evaluate(&format!(
            "document.querySelector('#kinds button[aria-label={label}]') !== null"
        ))
    };
    assert_eq!(has("Add to the budget"), false);
    assert_eq!(has("Take from the budget"), true);
}

#[test]
fn the_points_of_a_program_get_a_budget_before_their_first_entry() {
    let app = TestApp::start();
    app.member("ada", 0);
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "settings");
    assert_dialogs(&mut browser, &["Use a budget…"]);
    browser.click(USE);
    submit(&browser);
    browser.until_text("#notices", "is issued from a budget.");
    browser.until_text("#kinds tbody", "is empty");
    browser.until(&format!("!document.querySelector({})", json!(USE)));
    browser.until(NO_DIALOG);
    let own = app.get("/v1/assets/default").expect(200);
    assert_eq!(own["issuance_policy"], "PREFUNDED");
    let add = "#kinds button[aria-label^='Add to the budget']";
    for (amount, sum) in [("7", "7 pts"), ("3", "10 pts")] {
        browser.click(add);
        browser.fill("dialog [name=amount]", amount);
        submit(&browser);
        browser.until_text("#kinds tbody", &format!("has {sum}"));
        browser.until(NO_DIALOG);
    }
    assert_clean(&mut browser, "settings-own-budget");
    show(&browser, "members/ada");
    browser.click_on("Credit points");
    browser.fill("dialog [name=amount]", "11");
    submit(&browser);
    browser.until_text(
        "dialog .form-error",
        "has 10 points of this asset, 11 are needed",
    );
    browser.until_text("dialog .form-error", "the budget under “Kinds of points”");
    assert_eq!(app.balance("ada"), 0);
    browser.fill("dialog [name=amount]", "4");
    submit(&browser);
    browser.until_text("#notices", "4 pts now.");
    browser.until(NO_DIALOG);
    assert_eq!(app.balance("ada"), 4);
    assert_eq!(left(&app, "default"), "6");
    browser.assert_stayed_home();
    browser.assert_quiet(|line| line.contains("422"));
}
