//! A member's page, and the search for members.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{SETTLED, show, sign_in, written};
use crate::driver::Browser;
use crate::forms::opens;
use crate::pages::look_at;
use crate::support::{SANDBOX_KEY, TestApp};

/// The ledger as shown: the id, amount and balance of each entry.
const SHOWN: &str = "[...document.querySelectorAll('[data-list=ledger] tbody tr')].map((row) => \
    [row.dataset.key, ...[...row.querySelectorAll('td')].map((cell) => cell.textContent)])";

/// The same fields from the API: the newest entries of a wallet.
fn entries(app: &TestApp, member: &str, count: usize) -> Value {
    let path = format!("/v1/wallet/transactions?externalUserID={member}&limit={count}");
    let page = app.get(&path).expect(200);
    let rows = page["transactions"].as_array().unwrap().iter();
    rows.map(|row| {
        let sign = if row["type"] == "CREDIT" { "+" } else { "−" };
        let amount = format!("{sign}{}", written(&row["amount"]));
        json!([row["id"], amount, written(&row["balanceAfter"])])
    })
    .collect()
}

fn credit(app: &TestApp, member: &str, amount: u32, reason: &str) {
    let body = json!({"externalUserID": member, "amount": amount, "reason": reason});
    app.post("/v1/wallet/credit", &body).expect(200);
}

/// Waits until the ledger shows a given number of rows, and compares them and the balance with the
/// API.
#[track_caller]
fn expect_ledger(browser: &Browser, app: &TestApp, count: usize) {
    let expected = entries(app, "ada", count);
    browser.until(&format!(
        "JSON.stringify({SHOWN}) === JSON.stringify({expected})"
    ));
    let balance = written(&json!(app.balance("ada")));
    assert_eq!(expected[0][2], json!(balance));
    browser.until_text("[data-figure=balance] dd", &format!("{balance} pts"));
}

#[test]
fn a_member_is_followed_redeemed_for_removed_and_restored() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"displayName": "Ada Lovelace"}))
        .expect(200);
    for at in 1..=38 {
        credit(&app, "ada", 1000 * at, &format!("visit {at}"));
    }
    let coffee = app.offer(json!({"title": "A coffee", "pointsPrice": 40}));
    app.redeem("ada", &coffee);
    credit(&app, "ada", 5, "=HYPERLINK(\"x\")");
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members/ada");
    follows_the_ledger(&browser, &app);
    saves_the_ledger(&browser, &app);
    redeems_for_the_member(&browser, &app);
    suspends_and_activates(&mut browser, &app);
    removes_and_restores(&browser, &app);
    erases(&browser, &app);
    browser.assert_quiet(|message| message.contains("404"));
}

/// Two pages while credits arrive: loaded entries stay, new ones appear on top, and each row has
/// the balance that the API returns.
fn follows_the_ledger(browser: &Browser, app: &TestApp) {
    expect_ledger(browser, app, 15);
    browser.until_text("[data-list=ledger] tbody", "A coffee");
    let time = browser.evaluate(
        "(() => { const { dateTime, textContent, title } = \
         document.querySelector('[data-list=ledger] time'); \
         return [Boolean(Date.parse(dateTime)), textContent, Boolean(title)]; })()",
    );
    let time: (bool, String, bool) = serde_json::from_value(time).unwrap();
    assert!(time.0 && time.1.contains("2026") && time.2, "{time:?}");
    browser.click("[data-list=ledger] .more button");
    expect_ledger(browser, app, 30);
    browser.point_at("h1");
    for at in 0..3_u32 {
        credit(app, "ada", 7 + at, "while it is open");
        expect_ledger(browser, app, 31 + at as usize);
    }
    // Nothing moves below the pointer.
    browser.point_at("[data-list=ledger] tbody tr:nth-child(2)");
    credit(app, "ada", 11, "unseen as yet");
    browser.until_text("[data-hold-slot=entry]", "1 new");
    let above = entries(app, "ada", 2);
    let first = browser.evaluate(&format!("{SHOWN}[0][0]"));
    assert_eq!(first, above[1][0]);
    browser.click("[data-hold-slot=entry] button");
    expect_ledger(browser, app, 34);
    browser.click("[data-list=ledger] .more button");
    // All 44: 38 visits, the redemption, and five credits more.
    browser.until("!document.querySelector('[data-list=ledger] .more button')");
    expect_ledger(browser, app, 44);
}

fn saves_the_ledger(browser: &Browser, app: &TestApp) {
    browser.evaluate("scrollTo(0, 0)");
    browser.evaluate(
        "void (URL.createObjectURL = (blob) => { \
         blob.text().then((text) => { window.saved = text; }); return '#/members/ada'; })",
    );
    browser.click("[data-focus=ledger-csv]");
    browser.until("window.saved");
    let text = browser.evaluate("window.saved");
    let lines: Vec<&str> = text.as_str().unwrap().split("\r\n").collect();
    assert_eq!(lines.len(), 45);
    let newest = &entries(app, "ada", 1)[0];
    assert!(
        lines[1].contains(newest[0].as_str().unwrap()),
        "{}",
        lines[1]
    );
    assert!(text.as_str().unwrap().contains(",\"'=HYPERLINK("), "{text}");
    assert!(text.as_str().unwrap().contains(",-40,"), "{text}");
}

fn redeems_for_the_member(browser: &Browser, app: &TestApp) {
    let before = app.balance("ada");
    app.offer(json!({"title": "A palace", "pointsPrice": 2_000_000}));
    app.offer(json!({"title": "Sold out", "availability": {"quantityRemaining": 0}}));
    let cake = app.offer(json!({"title": "A cake", "pointsPrice": 60}));
    app.offer(json!({"title": "A tote bag", "pointsPrice": 90}));
    browser.click_on("Redeem for this member");
    browser.until_text("dialog", "1 offer costs more than that");
    let offered = browser.text("dialog select");
    assert!(
        offered.contains("A cake · 60 pts") && !offered.contains("Sold out"),
        "{offered}"
    );
    browser.choose("dialog [name=offer]", &cake);
    let left = format!("{} pts will be left", written(&json!(before - 60)));
    browser.until_text("[data-after]", &left);
    browser.evaluate(
        "(() => { const form = document.querySelector('dialog form'); \
         form.requestSubmit(); form.requestSubmit(); \
         form.querySelector('[type=submit]').click(); })()",
    );
    browser.until("!document.querySelector('dialog')");
    browser.until_text("[data-list=redemptions] tbody", "A cake");
    assert_eq!(app.balance("ada"), before - 60);
    let list = app.get("/v1/redemptions?externalUserID=ada").expect(200);
    let mine = list["redemptions"].as_array().unwrap().iter();
    assert_eq!(mine.filter(|one| one["offer"] == cake.as_str()).count(), 1);
    let id = &list["redemptions"][0]["id"];
    let link = format!(
        "[data-list=redemptions] a[href='#/redemptions/{}']",
        id.as_str().unwrap()
    );
    assert_eq!(browser.text(&link), "A cake");
    let href = "document.querySelector(\"a[href='#/inbox/new?member=ada']\")?.textContent";
    assert_eq!(browser.evaluate(href), json!("Start a conversation"));
}

/// A suspended member is marked here and in the list, and has no actions that would be refused.
fn suspends_and_activates(browser: &mut Browser, app: &TestApp) {
    let acts = "[...document.querySelectorAll('main button')].map((each) => each.textContent)";
    browser.click_on("Suspend");
    browser.until_text("dialog", "Suspend Ada Lovelace?");
    browser.click("dialog [type=submit]");
    browser.until_text("#notices", "Ada Lovelace is suspended.");
    browser.until_text(".page-head", "Suspended");
    browser.until(SETTLED);
    let shown = browser.evaluate(acts).to_string();
    assert!(
        !shown.contains("Credit") && !shown.contains("Redeem") && shown.contains("Make active"),
        "{shown}"
    );
    // A redemption can still be canceled; credits and debits cannot be reversed.
    let reversed = "[...document.querySelectorAll('[data-list=ledger] [data-focus^=reverse]')] \
        .filter((each) => !each.closest('tr').querySelector('a')).length";
    assert_eq!(browser.evaluate(reversed), 0);
    let body = json!({"externalUserID": "ada", "amount": 1});
    app.post("/v1/wallet/credit", &body).expect(403);
    let problems = look_at(browser, "member-suspended");
    assert!(problems.is_empty(), "{problems:#?}");
    show(browser, "members");
    browser.until_text("tbody", "Suspended");
    show(browser, "members/ada");
    browser.until_text(".page-head", "Suspended");
    browser.until(SETTLED);
    browser.click_on("Make active");
    browser.click("dialog [type=submit]");
    browser.until_text("#notices", "Ada Lovelace is active again.");
    browser.until_text(".page-head", "Redeem for this member");
    browser.until(&format!("{reversed} > 0"));
    assert_eq!(
        app.get("/v1/members/ada").expect(200)["suspendedAt"],
        json!(null)
    );
}

/// Removed elsewhere: the page shows the member as before, and only a click on Restore restores it.
fn removes_and_restores(browser: &Browser, app: &TestApp) {
    let balance = app.balance("ada");
    let path = "/v1/members/ada?retainBalance=true";
    app.delete(path).expect(200);
    browser.until_text(".page-head", "Removed");
    browser.until(SETTLED);
    browser.evaluate("location.reload()");
    browser.until_text(".page-head", "Removed");
    browser.until_text("[data-list=ledger] tbody", "unseen as yet");
    browser.until_text("[data-list=redemptions] tbody", "A cake");
    browser.until(SETTLED);
    browser.until_text("[data-figure=balance] dd", &written(&json!(balance)));
    let acts = "[...document.querySelectorAll('main button')].map((each) => each.textContent)";
    let acts = browser.evaluate(acts).to_string();
    assert!(
        !acts.contains("Credit") && !acts.contains("Redeem") && !acts.contains("Edit"),
        "{acts}"
    );
    assert_eq!(
        browser.evaluate("document.querySelectorAll('main [role=alert]').length"),
        json!(0)
    );
    browser.click_on("Restore");
    browser.until_text("dialog", "Restore Ada Lovelace (ada)?");
    browser.click("dialog [type=submit]");
    browser.until_text(".page-head", "Redeem for this member");
    let member = app.get("/v1/members/ada").expect(200);
    assert_eq!(member["displayName"], "Ada Lovelace");
    assert_eq!(member["wallet"]["balance"], balance);
}

/// Erased elsewhere: no member has the id any more; the ledger is shown under the remaining id.
fn erases(browser: &Browser, app: &TestApp) {
    app.delete("/v1/members/ada?erase=true").expect(200);
    browser.until_text("main [role=alert]", "Not found");
    browser.until_text("h1", "ada");
    assert!(!browser.text("main").contains("Lovelace"));
    let alerts = "[...document.querySelectorAll('main [role=alert]')] \
        .filter((each) => each.checkVisibility()).length";
    assert_eq!(browser.evaluate(alerts), json!(1));
    let list = app.get("/v1/members?includeArchived=true").expect(200);
    let id = list["members"][0]["externalUserID"].as_str().unwrap();
    show(browser, &format!("members/{id}"));
    browser.until_text("h1", "An erased member");
    browser.until_text("[data-list=ledger] tbody", "Forfeited with the removal");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.page-head .actions button').length"),
        json!(0)
    );
}

#[test]
fn somebody_is_found_by_a_folded_name_and_the_address_keeps_the_search() {
    let app = TestApp::start();
    for at in 0..60 {
        let tier = if at % 3 == 0 { "gold" } else { "standard" };
        let body = json!({"displayName": format!("Guest {at}"), "tier": tier});
        app.put(&format!("/v1/members/g-{at}"), &body).expect(200);
    }
    app.put("/v1/members/42", &json!({"displayName": "Die Ärzte"}))
        .expect(200);
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members");
    browser.fill("[type=search]", "arzte");
    browser.until("document.querySelectorAll('tbody tr').length === 1");
    assert_eq!(browser.text("tbody mark"), "Ärzte");
    assert_eq!(
        browser.evaluate("location.hash"),
        json!("#/members?search=arzte")
    );
    browser.press(Key::Enter);
    browser.until_text("h1", "Die Ärzte");
    browser.evaluate("history.back()");
    browser.until("document.querySelector('[type=search]')?.value === 'arzte'");
    browser.until("document.querySelectorAll('tbody tr').length === 1");
    // Enter opens no member if several are found; the address contains the whole query.
    browser.fill("[type=search]", "guest");
    browser.press(Key::Enter);
    browser.choose("[name=tier]", "gold");
    browser.until("location.hash === '#/members?search=guest&tier=gold'");
    browser.until("document.querySelectorAll('tbody tr').length === 20");
    browser.evaluate("location.reload()");
    browser.until("document.querySelectorAll('tbody tr').length === 20");
    assert_eq!(
        browser.evaluate(
            "[document.querySelector('[name=tier]').value, \
            document.querySelector('[type=search]').value]"
        ),
        json!(["gold", "guest"])
    );
    browser
        .until("document.querySelector('[name=tier]').textContent.includes('gold (20 members)')");
    holds_still(&browser, &app);
    browser.assert_quiet(|_| false);
}

#[test]
fn email_and_phone_are_set_shown_found_and_cleared() {
    let app = TestApp::start();
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members");
    opens(&browser, "Add a member", "id");
    browser.fill("dialog [name=id]", "ada");
    browser.fill("dialog [name=displayName]", "Ada Lovelace");
    browser.fill("dialog [name=email]", "ada");
    browser.fill("dialog [name=phone]", "+44 (0)7700 900042");
    browser.click_on("Add");
    browser.until_text("dialog .form-error", "such as ada@example.com");
    assert_eq!(look_at(&mut browser, "member-add"), [""; 0]);
    browser.fill("dialog [name=email]", "ada@example.com");
    browser.click_on("Add");
    browser.until_text("[data-key=profile]", "+44 (0)7700 900042");
    let links = "[...document.querySelectorAll('[data-key=profile] dd a')].map((a) => a.href)";
    assert_eq!(
        browser.evaluate(links),
        json!(["mailto:ada@example.com", "tel:+447700900042"])
    );
    assert_eq!(look_at(&mut browser, "member-contacts"), [""; 0]);
    opens(&browser, "Edit", "email");
    assert_eq!(look_at(&mut browser, "member-edit"), [""; 0]);
    browser.fill("dialog [name=email]", "countess@example.org");
    browser.click_on("Save");
    browser.until_text("[data-key=profile]", "countess@example.org");
    show(&browser, "members");
    for search in ["countess", "900042"] {
        browser.fill("[type=search]", search);
        browser.until_text("tbody [data-key=phone]", "+44 (0)7700 900042");
        let marks = usize::from(search == "countess");
        browser.until(&format!(
            "document.querySelectorAll('tbody mark').length === {marks}"
        ));
    }
    assert_eq!(look_at(&mut browser, "members-found"), [""; 0]);
    show(&browser, "members/ada");
    browser.until_text("[data-key=profile]", "countess@example.org");
    opens(&browser, "Edit", "email");
    browser.fill("dialog [name=email]", "");
    browser.click_on("Save");
    browser.until("!document.querySelector('dialog')");
    let member = app.get("/v1/members/ada").expect(200);
    assert_eq!(member["email"], Value::Null);
    assert_eq!(member["phone"], "+44 (0)7700 900042");
}

/// Members who join while a list of several pages is read.
fn holds_still(browser: &Browser, app: &TestApp) {
    show(browser, "members");
    browser.until("document.querySelectorAll('tbody tr').length === 25");
    browser.click(".more button");
    browser.until("document.querySelectorAll('tbody tr').length === 50");
    browser.until_text("#live", "Live");
    let keys = "[...document.querySelectorAll('tbody tr')].map((row) => row.dataset.key)";
    let before = browser.evaluate(keys);
    browser.point_at("tbody tr:nth-child(2) a");
    for at in 0..3 {
        app.member(&format!("new-{at}"), 0);
    }
    browser.until_text("[data-hold-slot=member]", "3 new");
    browser.until(SETTLED);
    assert_eq!(browser.evaluate(keys), before);
    browser.click("[data-hold-slot=member] button");
    browser.until("document.querySelector('tbody tr').dataset.key === 'new-2'");
    browser.until("document.querySelectorAll('tbody tr').length >= 50");
}
