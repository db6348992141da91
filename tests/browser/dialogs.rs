//! Every dialog, on both screens, light and dark; and every page on paper.

use fantoccini::key::Key;
use serde_json::json;

use super::{SETTLED, barriers_in, pages, show, sign_in};
use crate::driver::{Browser, Screen};
use crate::support::receiver::Receiver;
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};
use crate::world::{World, member};

/// Opens a dialog with the keyboard, checks it, and closes it with the keyboard: the focus returns
/// to where it was.
pub(crate) fn look_at_dialog(browser: &mut Browser, (page, opener): (&str, &str)) -> Vec<String> {
    let button = format!(
        "[...document.querySelectorAll('main button, .side button')] \
         .find((button) => button.textContent.trim() === {} && button.checkVisibility())",
        json!(opener)
    );
    browser.until(&button);
    browser.evaluate(&format!("({button}).focus()"));
    browser.press(Key::Enter);
    browser.until("document.querySelector('dialog[open]:not([aria-busy])')");
    browser.until("!document.querySelector('dialog .skeleton')");
    browser.until("document.querySelector('dialog').contains(document.activeElement)");
    let name = format!("dialog-{page}-{opener}").to_lowercase();
    let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let mut problems = Vec::new();
    for (screen, size) in [(Screen::Desktop, "desktop"), (Screen::Phone, "phone")] {
        browser.resize(screen);
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            if (size, scheme) == ("desktop", "light") || (size, scheme) == ("phone", "dark") {
                browser.screenshot(&format!("{name}-{size}-{scheme}"));
            }
            let found = barriers_in(browser, "dialog").into_iter();
            problems.extend(found.map(|barrier| format!("{name}-{size}-{scheme}: {barrier}")));
            let is_wide = browser.evaluate(
                "(() => { const { left, right } = \
                 document.querySelector('dialog').getBoundingClientRect(); \
                 return left < 0 || right > innerWidth; })()",
            );
            if is_wide == json!(true) {
                problems.push(format!("{name}-{size}: wider than the screen"));
            }
        }
    }
    browser.resize(Screen::Desktop);
    browser.prefer("light");
    browser.press(Key::Escape);
    browser.until("!document.querySelector('dialog')");
    browser.until(&format!("document.activeElement === ({button})"));
    problems
}

/// A further kind of points.
fn add_stamps(app: &TestApp) {
    let stamps = json!({"program_id": "current", "name": "Stamps", "symbol": "ST", "scale": 1,
        "inventory_mode": "SIMPLE", "issuance_policy": "UNLIMITED"});
    app.post("/v1/assets", &stamps).expect(201);
}

#[test]
fn every_dialog_is_opened_read_and_left_by_the_keyboard() {
    let world = World::new();
    let receiver = Receiver::start();
    let app = &world.app;
    app.post("/v1/keys", &json!({"name": "Till"})).expect(201);
    add_stamps(app);
    let hook = json!({"url": receiver.url("/hook"), "events": ["redemption.created"]});
    let hook = app.post("/v1/webhooks", &hook).expect(201);
    let webhook = format!("webhooks/{}", hook["id"].as_str().unwrap());
    let one = format!("members/{}", member(0));
    let waiting = app.get("/v1/redemptions?status=SUBMITTED").expect(200);
    let id = waiting["redemptions"][0]["id"].as_str().unwrap();
    let redemption = format!("redemptions/{id}");
    app.delete(&format!("/v1/members/{}?retainBalance=true", member(3)))
        .expect(200);
    let removed = format!("members/{}", member(3));
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    let mut problems = Vec::new();
    for (page, hash, openers) in [
        ("offers", "offers", &["New offer", "Edit"][..]),
        ("members", "members", &["Add a member"]),
        (
            "member",
            &one,
            &[
                "Credit points",
                "Debit points",
                "Credit",
                "Debit",
                "Edit",
                "Suspend",
                "Remove",
                "Redeem for this member",
            ],
        ),
        ("removed", &removed, &["Restore"]),
        ("redemptions", "redemptions", &["Cancel"]),
        ("redemption", &redemption, &["Edit dates", "Cancel it"]),
        ("webhooks", "webhooks", &["New endpoint"]),
        ("webhook", &webhook, &["Edit"]),
        (
            "programs",
            "programs",
            &["New program", "Rename", "Archive"],
        ),
        (
            "settings",
            "settings",
            &[
                "Rename",
                "New kind of points",
                "Edit",
                "Keep in lots…",
                "New key",
                "Revoke",
                "To a date…",
                "Reset…",
            ],
        ),
    ] {
        show(&browser, hash);
        for opener in openers {
            problems.extend(look_at_dialog(&mut browser, (page, opener)));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    browser.assert_quiet(|_| false);
}

#[test]
fn every_dialog_of_a_partner_is_opened_read_and_left_by_the_keyboard() {
    let world = World::new();
    world.add_organization("Harbour Hotel", 400, 3);
    let Some(mut browser) = Browser::open(&world.app.url("")) else {
        return;
    };
    sign_in(&browser, PARTNER_SANDBOX_KEY);
    show(&browser, "organizations");
    let mut problems = look_at_dialog(&mut browser, ("organizations", "New organization"));
    browser.click_on("Harbour Hotel");
    browser.until_text("h1", "Harbour Hotel");
    browser.until(SETTLED);
    for opener in [
        "Edit",
        "Set status",
        "Set tier",
        "Set credits",
        "New key",
        "Revoke",
    ] {
        problems.extend(look_at_dialog(&mut browser, ("organization", opener)));
    }
    assert!(problems.is_empty(), "{problems:#?}");
    browser.assert_quiet(|_| false);
}

#[test]
fn on_paper_a_page_is_what_is_read_and_nothing_that_is_pressed() {
    let world = World::new();
    let Some(browser) = Browser::open(&world.app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    for (name, hash) in pages() {
        show(&browser, &hash);
        browser.print(true);
        browser.screenshot(&format!("{name}-paper"));
        let seen = browser.evaluate(
            "[...document.querySelectorAll( \
             'button:not(.measure), input, select, nav, .top, .side')] \
             .filter((element) => element.checkVisibility()).map(({ outerHTML }) => \
             outerHTML.slice(0, 120))",
        );
        assert_eq!(seen, json!([]), "{name}");
        let title = browser.evaluate("document.querySelector('h1').checkVisibility()");
        assert_eq!(title, json!(true), "{name}");
        browser.print(false);
    }
}
