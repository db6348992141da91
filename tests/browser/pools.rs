//! The pool of an organization: the partner's card, and what a key of the organization sees.

use serde_json::json;

use super::{SETTLED, look_at, show, sign_in};
use crate::driver::Browser;
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, TestApp};

#[test]
fn a_pool_is_funded_limited_and_seen_by_the_organization() {
    let app = TestApp::start();
    let as_partner = |path: &str| app.request("GET", path).bearer(PARTNER_LIVE_KEY).send();
    let listed = as_partner("/partner/organizations").expect(200);
    let id = listed["organizations"][0]["id"].as_str().unwrap();
    let pool =
        || as_partner(&format!("/partner/organizations/{id}/pool")).expect(200)["pool"].clone();
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, LIVE_KEY);
    show(&browser, "settings");
    browser.until(SETTLED);
    let shown = "document.querySelector('main').textContent.includes('Pool of the organization')";
    assert_eq!(browser.evaluate(shown), false);

    browser.evaluate("sessionStorage.clear()");
    sign_in(&browser, PARTNER_LIVE_KEY);
    show(&browser, &format!("organizations/{id}"));
    browser.until_text("#pool", "None.");
    browser.click_on("Add points");
    browser.fill("dialog [name=amount]", "5000");
    browser.fill("dialog [name=note]", "invoice 17");
    browser.click("dialog button[type=submit]");
    browser.until_text("#notices", "The pool has 5,000 points now.");
    browser.until_text("#pool", "Balance5,000");
    browser.click_on("Set limits");
    browser.fill("dialog [name=lowThreshold]", "6000");
    browser.fill("dialog [name=creditLimit]", "1000");
    browser.choose("dialog [name=settlementMode]", "ORG_POOL");
    let problems = look_at(&mut browser, "pool-limits");
    assert!(problems.is_empty(), "{problems:#?}");
    browser.click("dialog button[type=submit]");
    browser.until_text("#pool", "5,000 low");
    browser.until_text("#pool", "Members have no points");
    assert_eq!(
        pool(),
        json!({
            "balance": 5000, "creditLimit": 1000, "lifetimeSpent": 0,
            "settlementMode": "ORG_POOL", "lowThreshold": 6000,
        })
    );
    let problems = look_at(&mut browser, "partner-pool");
    assert!(problems.is_empty(), "{problems:#?}");

    browser.evaluate("sessionStorage.clear()");
    sign_in(&browser, LIVE_KEY);
    show(&browser, "settings");
    browser.until(shown);
    browser.until_text("main", "Pays forredemptions");
    let problems = look_at(&mut browser, "settings-pool");
    assert!(problems.is_empty(), "{problems:#?}");
    browser.assert_stayed_home();
    // A page whose key is gone may still have asked for something.
    browser.assert_quiet(|line| line.contains("401"));
}
