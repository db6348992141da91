//! The first steps that a program without members shows.

use serde_json::json;

use super::{SETTLED, look_at, sign_in};
use crate::driver::Browser;
use crate::support::{SANDBOX_KEY, TestApp};

#[test]
fn an_empty_program_shows_first_steps_until_somebody_is_there() {
    let app = TestApp::start();
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    browser.until_text("main", "First steps");
    browser.until(SETTLED);
    assert_eq!(
        browser.evaluate("document.querySelectorAll('[data-figure], .timeseries').length"),
        json!(0),
        "no zeros"
    );
    // Every link leads to the page on which the step can be taken.
    let links = browser.evaluate(
        "[...document.querySelectorAll('.steps a')].map((link) => link.getAttribute('href'))",
    );
    assert_eq!(links, json!(["#/members", "#/members", "#/offers"]));
    let problems = look_at(&mut browser, "overview-empty");
    assert!(problems.is_empty(), "{problems:#?}");
    // The commands work unchanged except for the key, and the page updates automatically.
    let commands = browser.text(".commands");
    assert!(!commands.contains(SANDBOX_KEY));
    let shell = std::process::Command::new("sh")
        .args(["-euc", &commands.replace("expys_sandbox_…", SANDBOX_KEY)])
        .output()
        .unwrap();
    assert!(shell.status.success(), "{shell:?}");
    browser.until_text("[data-figure=memberCount] .figure-value", "1");
    browser.until_text("[data-figure=pointsMinted] .figure-value", "100");
    browser.until("document.querySelector('.timeseries')");
    browser.until("!document.querySelector('.steps')");
    assert_eq!(app.balance("user_42"), 100);
    let offers = app.get("/v1/offers").expect(200);
    assert_eq!(offers["data"][0]["title"], "A coffee on the house");
    browser.assert_quiet(|_| false);
}
