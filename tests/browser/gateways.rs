//! The servers for phone codes and sensitive details, on the page of settings.

use serde_json::{Value, json};

use super::pages::{barriers, look_at, show};
use super::{SETTLED, sign_in};
use crate::driver::Browser;
use crate::support::receiver::Receiver;
use crate::support::{LIVE_KEY, SANDBOX_KEY, TestApp};

/// Scrolls to the middle of the screen, not below the bar at the top.
fn scroll_to(browser: &Browser, selector: &str) {
    browser.evaluate(&format!(
        "document.querySelector('{selector}').scrollIntoView({{ block: 'center' }})"
    ));
}

#[track_caller]
fn press(browser: &Browser, action: &str, name: &str) {
    scroll_to(browser, "#gateways");
    browser.click(&format!("[aria-label='{action} the server: {name}']"));
}

/// Sends the URL in the dialog, and returns the secret that is shown.
#[track_caller]
fn secret_of(browser: &Browser, url: &str) -> String {
    browser.fill("dialog [name=url]", url);
    browser.click("dialog button[type=submit]");
    browser.until_text("dialog output", "whsec_");
    browser.text("dialog output")
}

fn gateways(app: &TestApp) -> [Value; 2] {
    let configuration = app.get("/v1/configuration").expect(200);
    ["phoneWebhook", "conciergeWebhook"].map(|field| configuration[field].clone())
}

#[test]
fn servers_are_set_changed_and_removed_and_their_secrets_shown_once() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    let (codes, details) = (receiver.url("/codes"), receiver.url("/details"));
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, LIVE_KEY);
    show(&browser, "settings");
    browser.until_text("#gateways", "no code is sent");
    let always = "document.querySelector('#gateways').textContent.includes('000000')";
    assert_eq!(browser.evaluate(always), false);

    browser.evaluate("sessionStorage.clear()");
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "settings");
    browser.until_text(
        "#gateways",
        "The code 000000 works in this sandbox only while",
    );
    browser.until_text("#gateways", "not set");
    // A URL that is not allowed.
    press(&browser, "Set", "Codes by SMS");
    browser.fill("dialog [name=url]", "ftp://example.com/codes");
    browser.click("dialog button[type=submit]");
    browser.until_text("dialog .form-error", "url must begin with");
    assert_eq!(gateways(&app), [Value::Null, Value::Null]);
    let problems = look_at(&mut browser, "gateway-set");
    assert!(problems.is_empty(), "{problems:#?}");
    let secret = secret_of(&browser, &codes);
    assert_eq!(barriers(&browser), Vec::<String>::new());
    browser.click_on("I have saved it");
    browser.until("!document.querySelector('dialog')");
    press(&browser, "Set", "Sensitive details");
    secret_of(&browser, &details);
    browser.click_on("Copy");
    browser.click_on("I have saved it");
    browser.until("!document.querySelector('dialog')");
    browser.until_text("#gateways", &codes);
    browser.until_text("#gateways", &details);
    browser.until(SETTLED);
    let shows_secret = "document.documentElement.outerHTML.includes('whsec_')";
    assert_eq!(browser.evaluate(shows_secret), false);
    assert_eq!(
        gateways(&app),
        [json!({"url": codes}), json!({"url": details})]
    );
    let problems = look_at(&mut browser, "settings-gateways");
    assert!(problems.is_empty(), "{problems:#?}");
    // The same URL again has another secret.
    press(&browser, "Change", "Codes by SMS");
    assert_ne!(secret_of(&browser, &codes), secret);
    browser.click_on("Copy");
    browser.click_on("I have saved it");
    // The form of the points is not disturbed.
    browser.fill("[name=currencyName]", "Miles");
    press(&browser, "Remove", "Codes by SMS");
    browser.until_text("dialog", &format!("Nothing is sent to {codes} any more."));
    browser.click_on("Remove it");
    browser.until_text("#notices", "Codes by SMS: the server is removed.");
    browser.until_text("#gateways", "not set");
    assert_eq!(gateways(&app), [Value::Null, json!({"url": details})]);
    scroll_to(&browser, "[name=currencyUnitsPerUSD]");
    browser.click("form:has([name=currencyName]) button[type=submit]");
    browser.until_text("#notices", "Saved.");
    let saved = app.get("/v1/configuration").expect(200);
    assert_eq!(saved["currencyName"], "Miles");
    browser.assert_stayed_home();
    // The form found that the configuration had changed meanwhile, and kept both changes.
    browser
        .assert_quiet(|line| line.contains("401") || line.contains("422") || line.contains("412"));
}
