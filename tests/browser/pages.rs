//! Every page, on both screens, light and dark, and the accessibility problems on it.

use serde_json::json;

use super::{SETTLED, sign_in};
use crate::driver::{self, Browser, Screen, say};
use crate::lossy::Lossy;
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};
use crate::world::{World, member};

/// The problems that axe-core finds on the page, if `TEST_AXE` names its file.
pub(crate) fn barriers(browser: &Browser) -> Vec<String> {
    barriers_in(browser, "html")
}

/// The problems in a part of the page.
pub(crate) fn barriers_in(browser: &Browser, part: &str) -> Vec<String> {
    let Ok(path) = std::env::var("TEST_AXE") else {
        assert!(!driver::is_required(), "TEST_AXE is not set");
        say("SKIPPED: accessibility; TEST_AXE does not say where axe.min.js is");
        return Vec::new();
    };
    if browser.evaluate("typeof axe") == "undefined" {
        let library = std::fs::read_to_string(&path).unwrap();
        browser.evaluate(&format!("(() => {{ {library}; return true; }})()"));
    }
    let found = browser.run(&format!(
        "const {{ violations }} = await axe.run('{part}', {{ resultTypes: ['violations'] }}); \
         return violations.map(({{ id, help, nodes }}) => \
         `${{id}}: ${{help}}: ${{nodes.map((node) => node.html.slice(0, 200)).join(' | ')}}`);"
    ));
    serde_json::from_value(found).unwrap()
}

/// Every page of an Org-API-Key with the name of its picture.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("overview", "overview".into()),
        ("offers", "offers".into()),
        ("members", "members".into()),
        ("member", format!("members/{}", member(0))),
        ("redemptions", "redemptions".into()),
        ("redemptions-list", "redemptions?view=list".into()),
        ("interests", "interests".into()),
        ("inbox", "inbox".into()),
        ("inbox-new", "inbox/new".into()),
        ("webhooks", "webhooks".into()),
        ("programs", "programs".into()),
        ("settings", "settings".into()),
    ]
}

pub(crate) fn show(browser: &Browser, hash: &str) {
    browser.evaluate(&format!("location.hash = {}", json!(format!("#/{hash}"))));
    browser.until("document.querySelector('h1')");
    browser.until(SETTLED);
}

/// Takes pictures of a page on both screens, light and dark, and returns its problems.
pub(crate) fn look_at(browser: &mut Browser, name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (screen, size) in [(Screen::Desktop, "desktop"), (Screen::Phone, "phone")] {
        browser.resize(screen);
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            browser.until(SETTLED);
            let picture = format!("{name}-{size}-{scheme}");
            browser.screenshot(&picture);
            let found = barriers(browser).into_iter();
            problems.extend(found.map(|barrier| format!("{picture}: {barrier}")));
            let width = screen.width();
            let wide = browser.evaluate(&format!(
                "document.documentElement.scrollWidth <= {width} ? [] \
                 : [...document.querySelectorAll('body *')] \
                 .filter((each) => each.getBoundingClientRect().right > {width}) \
                 .map((each) => each.outerHTML.slice(0, 100))"
            ));
            if wide != json!([]) {
                problems.push(format!("{picture}: wider than the screen: {wide}"));
            }
        }
    }
    browser.resize(Screen::Desktop);
    browser.prefer("light");
    problems
}

#[test]
fn every_page_of_a_program_can_be_looked_at() {
    let world = World::new();
    let Some(mut browser) = Browser::open(&world.app.url("")) else {
        return;
    };
    browser.goto("/");
    browser.until("document.querySelector('#key')");
    let mut problems = look_at(&mut browser, "sign-in");
    sign_in(&browser, SANDBOX_KEY);
    let found = world
        .app
        .get("/v1/redemptions?status=OPEN&limit=1")
        .expect(200);
    let id = found["redemptions"][0]["id"].as_str().unwrap();
    let hook = json!({"url": "https://example.com/hook", "events": ["member.created"]});
    let hook = world.app.post("/v1/webhooks", &hook).expect(201);
    let hook = format!("webhooks/{}", hook["id"].as_str().unwrap());
    let further = [
        ("redemption", format!("redemptions/{id}")),
        ("webhook", hook),
    ];
    for (name, hash) in pages().into_iter().chain(further) {
        show(&browser, &hash);
        problems.extend(look_at(&mut browser, name));
    }
    assert!(problems.is_empty(), "{problems:#?}");
    browser.assert_stayed_home();
    browser.assert_quiet(|_| false);
}

#[test]
fn every_page_of_a_partner_can_be_looked_at() {
    let world = World::new();
    world.add_organization("Harbour Hotel", 400, 37);
    world.add_organization("Riverside Cinema", 250, 12);
    let Some(mut browser) = Browser::open(&world.app.url("")) else {
        return;
    };
    sign_in(&browser, PARTNER_SANDBOX_KEY);
    let mut problems = Vec::new();
    for name in ["organizations", "credits", "usage", "server"] {
        show(&browser, name);
        problems.extend(look_at(&mut browser, &format!("partner-{name}")));
    }
    show(&browser, "organizations");
    browser.click_on("Harbour Hotel");
    browser.until_text("h1", "Harbour Hotel");
    problems.extend(look_at(&mut browser, "partner-organization"));
    assert!(problems.is_empty(), "{problems:#?}");
    browser.until("!document.querySelector('.skeleton')");
}

/// The script of a seldom opened page is requested when the page is opened, and once; without it
/// the page offers to reload.
#[test]
fn a_page_whose_script_is_missing_offers_to_reload() {
    let app = TestApp::start();
    let proxy = Lossy::before(app.address);
    let Some(browser) = Browser::open(&proxy.url()) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    browser.until(SETTLED);
    assert_eq!(proxy.seen("GET /assets/"), 2);
    proxy.drop_responses("GET /assets/", 1);
    browser.evaluate("location.hash = '#/settings'");
    browser.until_text("main [role=alert]", "could not be loaded");
    browser.until_text("main [role=alert]", "The server has a new version");
    assert_eq!(barriers(&browser), Vec::<String>::new());
    browser.click_on("Reload");
    browser.until_text("h1", "Settings");
    browser.until(SETTLED);
    let seen = proxy.seen("GET /assets/");
    show(&browser, "overview");
    show(&browser, "settings");
    browser.until_text("h1", "Settings");
    assert_eq!(browser.evaluate("document.activeElement.localName"), "h1");
    assert_eq!(proxy.seen("GET /assets/"), seen);
    browser.assert_quiet(|message| message.contains("settings"));
}
