//! Forms lose no data: neither the user's input, nor others' changes, nor sent requests.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{look_at, modules, show, sign_in};
use crate::driver::{Browser, wait_until};
use crate::lossy::Lossy;
use crate::support::{PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

/// Numbers that a double cannot represent, with an order and spaces of their own.
const ATTRIBUTES: &str = r#"{"z":1.10,  "a":[9007199254740993, 1e30], "é":"\u00e9"}"#;

fn put_raw(app: &TestApp, path: &str, body: &str) -> Response {
    let request = app.request("PUT", path).bearer(SANDBOX_KEY);
    let request = request.header("Content-Type", "application/json");
    request.raw(body).send()
}

fn member_text(app: &TestApp, id: &str) -> String {
    let path = format!("/v1/members/{id}?includeArchived=true");
    app.get(&path).text()
}

/// Appends to the text of a field in the dialog.
fn add_to(browser: &Browser, field: &str, text: &str) {
    browser.until(&format!("document.querySelector('dialog [name={field}]')"));
    browser.evaluate(&format!(
        "(() => {{ const field = document.querySelector('dialog [name={field}]'); field.focus(); \
         field.setSelectionRange(field.value.length, field.value.length); return true; }})()"
    ));
    browser.type_in(text);
}

pub(crate) fn opens(browser: &Browser, button: &str, field: &str) {
    browser.click_on(button);
    browser.until(&format!("document.querySelector('dialog [name={field}]')"));
}

const NO_DIALOG: &str = "!document.querySelector('dialog')";

#[test]
fn two_people_edit_one_member_and_nothing_is_lost() {
    let app = TestApp::start();
    let body = format!(r#"{{"displayName":"Ada","attributes":{ATTRIBUTES}}}"#);
    put_raw(&app, "/v1/members/ada", &body).expect(200);
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members/ada");
    changes_a_name_alone(&browser, &app);
    chooses_between_two_changes(&mut browser, &app);
    does_not_bring_back_who_was_removed(&browser, &app);
}

fn changes_a_name_alone(browser: &Browser, app: &TestApp) {
    opens(browser, "Edit", "displayName");
    // The same bytes, in the form, too.
    let shown = browser.evaluate("document.querySelector('dialog [name=attributes]').value");
    assert_eq!(shown, json!(ATTRIBUTES));
    add_to(browser, "displayName", " Lovelace");
    // Meanwhile the app changes the tier and the attributes.
    let attributes = r#"{"visits": 10.0,"id":9007199254740993}"#;
    let body = format!(r#"{{"tier":"gold","attributes":{attributes}}}"#);
    put_raw(app, "/v1/members/ada", &body).expect(200);
    browser.click_on("Save");
    browser.until_text(
        "#notices",
        "Tier, Attributes changed in the meantime; that was kept.",
    );
    browser.until(NO_DIALOG);
    let text = member_text(app, "ada");
    for part in [
        r#""displayName":"Ada Lovelace""#,
        r#""tier":"gold""#,
        attributes,
    ] {
        assert!(text.contains(part), "{text}");
    }
    // Attributes arrive as they were typed.
    opens(browser, "Edit", "attributes");
    browser.fill("dialog [name=attributes]", ATTRIBUTES);
    browser.click_on("Save");
    browser.until(NO_DIALOG);
    let text = member_text(app, "ada");
    assert!(text.contains(ATTRIBUTES), "{text}");
    let list = app.get("/v1/members").text();
    assert!(list.contains(ATTRIBUTES), "{list}");
}

fn chooses_between_two_changes(browser: &mut Browser, app: &TestApp) {
    opens(browser, "Edit", "displayName");
    browser.fill("dialog [name=displayName]", "Countess");
    browser.fill("dialog [name=tier]", "platinum");
    browser.fill("dialog [name=attributes]", r#"{"mine": 1.0}"#);
    let theirs = r#"{"displayName":"Augusta","tier":"silver"}"#;
    put_raw(app, "/v1/members/ada", theirs).expect(200);
    browser.click_on("Save");
    for [field, mine, other] in [
        ["displayName", "Countess", "Augusta"],
        ["tier", "platinum", "silver"],
    ] {
        let place = format!("[data-conflict={field}]");
        browser.until_text(&place, mine);
        browser.until_text(&place, other);
    }
    assert_eq!(look_at(browser, "form-both-changed"), [""; 0]);
    // Nothing was sent yet, and nothing is sent until each is chosen.
    assert!(member_text(app, "ada").contains("Augusta"));
    browser.click("[data-conflict=displayName] .conflict-side:last-child");
    browser.click_on("Save");
    browser.until_text("dialog .form-error", "yours or theirs");
    browser.click("[data-conflict=tier] .conflict-side:first-child");
    browser.click_on("Save");
    browser.until(NO_DIALOG);
    let text = member_text(app, "ada");
    for part in [r#""Augusta""#, r#""platinum""#, r#"{"mine": 1.0}"#] {
        assert!(text.contains(part), "{text}");
    }
}

fn does_not_bring_back_who_was_removed(browser: &Browser, app: &TestApp) {
    opens(browser, "Edit", "displayName");
    browser.fill("dialog [name=displayName]", "Back again");
    app.delete("/v1/members/ada?retainBalance=true").expect(200);
    browser.click_on("Save");
    browser.until_text("dialog .form-error", "was removed in the meantime");
    assert!(!member_text(app, "ada").contains("Back again"));
    // A key that is pressed by mistake does not discard the input.
    browser.press(Key::Escape);
    browser.until_text("dialog .dialog-question", "Discard what you typed");
    browser.click_on("Go on");
    let name = browser.evaluate("document.querySelector('dialog [name=displayName]').value");
    assert_eq!(name, "Back again");
    focus_in_dialog(browser);
    browser.press(Key::Escape);
    browser.click_on("Discard");
    browser.until(NO_DIALOG);
}

fn focus_in_dialog(browser: &Browser) {
    browser.evaluate("document.querySelector('dialog input').focus()");
}

/// Changes one field of each other kind from two sides at the same time: both changes are kept.
#[test]
fn every_form_sends_only_what_was_changed_in_it() {
    let app = TestApp::start();
    let id = app.offer(json!({"title": "Coffee", "pointsPrice": 30}));
    let hook = json!({"url": "http://127.0.0.1:9/a", "events": ["member.created"]});
    let hook = app.post("/v1/webhooks", &hook).expect(201)["id"].take();
    let hook = hook.as_str().unwrap();
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);

    show(&browser, "settings");
    browser.fill("[name=currencyName]", "Beans");
    app.put("/v1/configuration", &json!({"defaultTier": "guest"}))
        .expect(200);
    browser.click_on("Save");
    browser.until_text("#notices", "Tier of a new member changed in the meantime");
    let now = app.get("/v1/configuration").expect(200);
    assert_eq!(
        (&now["currencyName"], &now["defaultTier"]),
        (&json!("Beans"), &json!("guest"))
    );

    show(&browser, "offers");
    opens(&browser, "Edit", "title");
    browser.fill("dialog [name=title]", "Espresso");
    let offer = format!("/v1/offers/{id}");
    let theirs = json!({"pointsPrice": 40, "kind": "drink"});
    app.patch(&offer, &theirs).expect(200);
    browser.click_on("Save");
    browser.until_text("#notices", "Price in points, Kind changed in the meantime");
    let now = app.get(&offer).expect(200);
    assert_eq!(
        (&now["title"], &now["pointsPrice"], &now["kind"]),
        (&json!("Espresso"), &json!(40), &json!("drink"))
    );

    show(&browser, &format!("webhooks/{hook}"));
    opens(&browser, "Edit", "url");
    browser.click("dialog [value='member.removed']");
    let hook = format!("/v1/webhooks/{hook}");
    app.patch(&hook, &json!({"url": "http://127.0.0.1:9/b"}))
        .expect(200);
    browser.click_on("Save");
    browser.until_text("#notices", "URL changed in the meantime");
    let now = app.get(&hook).expect(200);
    assert_eq!(now["url"], "http://127.0.0.1:9/b");
    assert_eq!(now["events"], json!(["member.created", "member.removed"]));
}

#[test]
fn a_partner_s_form_keeps_what_another_partner_changed() {
    let app = TestApp::start();
    let partner = |method: &str, path: &str, body: &str| {
        let request = app.request(method, path).bearer(PARTNER_SANDBOX_KEY);
        let request = request.header("Content-Type", "application/json");
        request.raw(body).send()
    };
    let made = partner("POST", "/partner/organizations", r#"{"name":"Harbour"}"#).expect(201);
    let id = made["organization"]["id"].as_str().unwrap();
    let path = format!("/partner/organizations/{id}");
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, PARTNER_SANDBOX_KEY);
    show(&browser, &format!("organizations/{id}"));
    opens(&browser, "Edit", "name");
    add_to(&browser, "name", " Hotel");
    let body = format!(r#"{{"metadata":{ATTRIBUTES}}}"#);
    partner("PATCH", &path, &body).expect(200);
    browser.click_on("Save");
    browser.until_text("#notices", "Metadata changed in the meantime");
    let text = partner("GET", &path, "").text();
    assert!(
        text.contains("\"Harbour Hotel\"") && text.contains(ATTRIBUTES),
        "{text}"
    );
    // Two users set the same field: the second one is asked.
    opens(&browser, "Set tier", "tier");
    browser.choose("dialog [name=tier]", "paid");
    partner(
        "PUT",
        &format!("{path}/status"),
        r#"{"status":"suspended"}"#,
    )
    .expect(200);
    browser.click_on("Save");
    browser.until(NO_DIALOG);
    let now = partner("GET", &path, "").expect(200)["organization"].take();
    assert_eq!(
        (&now["tier"], &now["status"]),
        (&json!("paid"), &json!("suspended"))
    );
    opens(&browser, "Set credits", "credits");
    browser.fill("dialog [name=credits]", "70");
    partner("PUT", &format!("{path}/credits"), r#"{"credits":50}"#).expect(200);
    browser.click_on("Allocate");
    browser.until_text("[data-conflict=credits]", "50");
    browser.click("[data-conflict=credits] .conflict-side:last-child");
    browser.click_on("Allocate");
    browser.until(NO_DIALOG);
    let now = partner("GET", &path, "").expect(200)["organization"].take();
    assert_eq!(now["credits"], 50);
}

const UNKNOWN: &str = "It is not known whether this arrived. Press again: nothing is done twice.";

#[test]
fn a_lost_answer_does_not_lead_to_a_second_credit() {
    let app = TestApp::start();
    app.member("ada", 0);
    let proxy = Lossy::before(app.address);
    let Some(mut browser) = Browser::open(&proxy.url()) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members/ada");
    // The page itself retries once, so two responses must be lost.
    proxy.drop_responses("POST /v1/wallet/credit", 2);
    opens(&browser, "Credit points", "amount");
    browser.fill("dialog [name=amount]", "125");
    browser.press(Key::Enter);
    browser.until_text("dialog .form-error", UNKNOWN);
    assert_eq!(look_at(&mut browser, "form-lost"), [""; 0]);
    assert_eq!(app.balance("ada"), 125);
    browser.click_on("Credit");
    browser.until(NO_DIALOG);
    browser.until_text("#notices", "ada has 125");
    assert_eq!(app.balance("ada"), 125);

    // So it is after a reload, with another amount, which does not overwrite the request that was
    // sent.
    proxy.drop_responses("POST /v1/wallet/credit", 2);
    opens(&browser, "Credit points", "amount");
    browser.fill("dialog [name=amount]", "30");
    browser.click_on("Credit");
    browser.until_text("dialog .form-error", UNKNOWN);
    browser.goto("/");
    browser.until("document.querySelector('.frame')");
    browser.until_text("#notices", "whether “Credit ada” arrived");
    browser.click_on("Go there");
    browser.until_text("h1", "ada");
    opens(&browser, "Credit points", "amount");
    browser.until_text("dialog .form-error", UNKNOWN);
    let amount = browser.evaluate(
        "(({ value, disabled }) => [value, disabled || Boolean(document.querySelector(':disabled'))]) \
         (document.querySelector('dialog [name=amount]'))",
    );
    assert_eq!(amount, json!(["30", true]));
    browser.click_on("Credit");
    browser.until(NO_DIALOG);
    assert_eq!(app.balance("ada"), 155);
    assert_eq!(
        browser.evaluate("sessionStorage['stampcard.intents'] ?? null"),
        Value::Null
    );
    presses_twice(&browser, &app, &proxy);
    meets_errors(&browser, &app);
    loses_other_answers(&browser, &app, &proxy);
}

/// A double click, and Enter held down, send one request; the next one is a new request.
fn presses_twice(browser: &Browser, app: &TestApp, proxy: &Lossy) {
    let before = proxy.seen("POST /v1/wallet/credit");
    opens(browser, "Credit points", "amount");
    browser.fill("dialog [name=amount]", "30");
    browser.evaluate(
        "(() => { const form = document.querySelector('dialog form'); form.requestSubmit(); \
         form.requestSubmit(); document.querySelector('dialog [type=submit]').click(); \
         return true; })()",
    );
    browser.until(NO_DIALOG);
    assert_eq!(app.balance("ada"), 185);
    assert_eq!(proxy.seen("POST /v1/wallet/credit"), before + 1);
}

/// Responses that show that a request took effect, that it did not, and that it may have.
fn meets_errors(browser: &Browser, app: &TestApp) {
    let fault = |value: Option<&str>| {
        browser.evaluate(&format!(
            "sessionStorage.setItem('stampcard.fault', {}) ?? true",
            json!(value.unwrap_or_default())
        ));
    };
    let credit = |amount: &str| {
        opens(browser, "Credit points", "amount");
        browser.fill("dialog [name=amount]", amount);
        browser.click("dialog [type=submit]");
    };
    let before = app.balance("ada");
    for (value, is_done) in [("500-after", true), ("500", false), ("503", false)] {
        let before = app.balance("ada");
        fault(Some(value));
        credit("7");
        browser.until_text("dialog .form-error", UNKNOWN);
        assert_eq!(
            app.balance("ada"),
            before + if is_done { 7 } else { 0 },
            "{value}"
        );
        // An unrelated refusal does not change that.
        fault(Some("429"));
        browser.click("dialog [type=submit]");
        browser.until("!document.querySelector('dialog [type=submit]').disabled");
        browser.until_text("dialog .form-error", UNKNOWN);
        fault(None);
        browser.click("dialog [type=submit]");
        browser.until(NO_DIALOG);
        assert_eq!(app.balance("ada"), before + 7, "{value}");
    }
    // A user who has checked it can dismiss the reminder.
    fault(Some("503"));
    credit("6");
    browser.until_text("dialog .form-error", UNKNOWN);
    browser.click_on("Close");
    browser.click_on("Forget it");
    assert_eq!(
        browser.evaluate("sessionStorage['stampcard.intents'] ?? null"),
        Value::Null
    );
    // A refused request can be changed, and an abandoned one starts over.
    fault(Some("429"));
    credit("8");
    browser.until("document.querySelector('dialog .form-error')?.textContent");
    assert_eq!(
        browser.evaluate("document.querySelector('dialog :disabled')"),
        Value::Null
    );
    fault(Some("503"));
    browser.click("dialog [type=submit]");
    browser.until_text("dialog .form-error", UNKNOWN);
    fault(None);
    browser.click_on("Start over");
    browser.fill("dialog [name=amount]", "9");
    browser.click("dialog [type=submit]");
    browser.until(NO_DIALOG);
    assert_eq!(app.balance("ada"), before + 21 + 9);
}

fn loses_other_answers(browser: &Browser, app: &TestApp, proxy: &Lossy) {
    // A change: its effect is not mistaken for another user's. The first time the page finds out
    // automatically, the second time by a retry.
    for (name, losses) in [("Ada", 1), ("Ada L", 2)] {
        proxy.drop_responses("PUT /v1/members/ada", losses);
        opens(browser, "Edit", "displayName");
        browser.fill("dialog [name=displayName]", name);
        browser.click_on("Save");
        if losses > 1 {
            browser.until_text("dialog .form-error", UNKNOWN);
            browser.click_on("Save");
        }
        browser.until(NO_DIALOG);
        let notices = "document.querySelector('#notices').textContent";
        browser.until(&format!("{notices}.includes('Saved.')"));
        assert_eq!(
            browser.evaluate(&format!("{notices}.includes('meantime')")),
            json!(false)
        );
        assert!(member_text(app, "ada").contains(&format!("\"{name}\"")));
    }
    // A new offer: there is one.
    show(browser, "offers");
    proxy.drop_responses("POST /v1/offers", 2);
    opens(browser, "New offer", "title");
    browser.fill("dialog [name=title]", "Tea");
    browser.click_on("Create the offer");
    browser.until_text("dialog .form-error", UNKNOWN);
    browser.click_on("Create the offer");
    browser.until(NO_DIALOG);
    let offers = app.get("/v1/offers").expect(200);
    assert_eq!(offers["data"].as_array().unwrap().len(), 1);
    // A new member: its id is not reported as taken.
    show(browser, "members");
    proxy.drop_responses("PUT /v1/members/bob", 2);
    opens(browser, "Add a member", "id");
    browser.fill("dialog [name=id]", "bob");
    browser.click_on("Add");
    browser.until_text("dialog .form-error", UNKNOWN);
    browser.click_on("Add");
    browser.until_text("h1", "bob");
    // A removal: the points are unchanged.
    show(browser, "members/ada");
    proxy.drop_responses("DELETE /v1/members/ada", 2);
    opens(browser, "Remove", "retainBalance");
    browser.click("dialog [type=submit]");
    browser.until_text("dialog .form-error", UNKNOWN);
    browser.click("dialog [type=submit]");
    browser.until(NO_DIALOG);
    let now: Value = serde_json::from_str(&member_text(app, "ada")).unwrap();
    assert_eq!(now["wallet"]["balance"], 215);
    assert!(now["archivedAt"].is_string());
}

#[test]
fn adding_changes_nobody_and_new_offers_say_what_is_true() {
    let app = TestApp::start();
    let before = json!({"displayName": "Ada Lovelace", "tier": "gold"});
    for id in ["ada", "grace"] {
        app.put(&format!("/v1/members/{id}"), &before).expect(200);
    }
    app.delete("/v1/members/grace?retainBalance=true")
        .expect(200);
    let (ada, grace) = (member_text(&app, "ada"), member_text(&app, "grace"));
    let Some(browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members");
    opens(&browser, "Add a member", "id");
    browser.fill("dialog [name=displayName]", "Somebody else");
    browser.fill("dialog [name=id]", "ada");
    browser.click_on("Add");
    browser.until_text(
        "dialog .form-error",
        "The id ada is taken: Ada Lovelace, gold.",
    );
    browser.fill("dialog [name=id]", "grace");
    browser.click_on("Add");
    browser.until_text("dialog .form-error", "The id grace was removed on");
    assert_eq!(
        (member_text(&app, "ada"), member_text(&app, "grace")),
        (ada, grace)
    );
    // Restoring is a separate request.
    browser.click_on("Go to the member");
    browser.until(NO_DIALOG);
    browser.click_on("Restore");
    browser.click("dialog [type=submit]");
    browser.until_text("#notices", "is a member again");
    let text = member_text(&app, "grace");
    assert!(
        text.contains("Ada Lovelace") && text.contains("\"archivedAt\":null"),
        "{text}"
    );
    tells_who_can_redeem(&browser);
}

fn tells_who_can_redeem(browser: &Browser) {
    show(browser, "offers");
    let make = |title: &str, tiers: &str, ends: Option<&str>, truth: &str| {
        opens(browser, "New offer", "title");
        browser.fill("dialog [name=title]", title);
        browser.fill("dialog [name=tiers]", tiers);
        if let Some(ends) = ends {
            browser.evaluate(&format!(
                "(() => {{ const field = document.querySelector('dialog [name=expiresAt]'); \
                 field.value = '{ends}'; \
                 field.dispatchEvent(new Event('change', {{ bubbles: true }})); return true; }})()"
            ));
        }
        browser.press(Key::Tab);
        browser.until_text("dialog .form-preview", truth);
        browser.click_on("Create the offer");
        browser.until(NO_DIALOG);
        browser.until_text("#notices", &format!("{title}: {truth}"));
    };
    make("Tea", "", None, "Every member can redeem it, from now on.");
    let nobody = "No member has the tier “bronze”: no one can redeem it yet.";
    make("Cake", "bronze", None, nobody);
    let some = "Members with the tier “gold” can redeem it, from now until Jan 1, 2099, ";
    make("Pie", "gold, bronze", Some("2099-01-01T10:00"), some);
    make(
        "Ice",
        "",
        Some("2020-01-01T10:00"),
        "It has ended already, on Jan 1, 2020, ",
    );
}

#[test]
fn what_is_undone_is_not_sent_and_leaving_the_page_sends_it_once() {
    let app = TestApp::start();
    let id = app.offer(json!({"title": "Coffee"}));
    let hook = json!({"url": "http://127.0.0.1:9/a", "events": ["member.created"]});
    let hook = app.post("/v1/webhooks", &hook).expect(201)["id"].take();
    let hook = hook.as_str().unwrap();
    let proxy = Lossy::before(app.address);
    let Some(browser) = Browser::open(&proxy.url()) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "offers");
    let archived = || app.get("/v1/offers").expect(200)["data"] == json!([]);
    let archive = format!("[data-focus='archive-{id}']");
    browser.click(&archive);
    browser.until_text("#notices", "Archiving Coffee");
    browser.until_text("tbody", "Being archived");
    let barriers = super::barriers(&browser);
    assert!(barriers.is_empty(), "{barriers:#?}");
    browser.click_on("Undo");
    browser.until(&format!("document.querySelector(\"{archive}\")"));
    assert!(!archived() && proxy.seen("DELETE ") == 0);
    browser.click(&archive);
    browser.until_text("tbody", "Being archived");
    browser.goto("/assets/none");
    wait_until(archived);
    assert_eq!(proxy.seen("DELETE "), 1);

    // Lets ten seconds pass without waiting for them; the response is lost, and the same request is
    // sent again.
    browser.speed_up_timers(100);
    browser.goto(&format!("/#/webhooks/{hook}"));
    proxy.drop_responses("PATCH /v1/webhooks/", 2);
    browser.click_on("Disable");
    browser.until_text(
        "#notices",
        "Disabling http://127.0.0.1:9/a. It is not known",
    );
    browser.click_on("Again");
    browser.until_text(".facts", "Disabled");
    let now = app.get(&format!("/v1/webhooks/{hook}")).expect(200);
    assert!(now["disabledAt"].is_string());
    assert_eq!(proxy.seen("PATCH "), 3);
}

/// Pending requests about one object are sent in their order, whatever notices appear in between.
const UNDO: &str = r#"
const { isPending, later, sendAll } = await import('/lib/undo.js');
const { ApiError } = await import('/lib/api.js');
document.body.innerHTML = '<div id="notices"></div>';
const log = [];
const act = (name, text, send = () => {}) => later({ name, text,
  async send(options) { log.push(`${text}: sent ${options.keepalive}`); return send(options); },
  settled: (outcome) => log.push(`${text}: ${outcome.status ?? outcome} ${isPending(name)}`) });
const said = (...lines) => {
  check(log.length === lines.length, `${log} in place of ${lines}`);
  lines.forEach((line, at) => check(log[at] === line, `${log} in place of ${lines}`));
  log.length = 0;
};
const undo = () => [...document.querySelectorAll('.notice-action')].at(-1).click();
const answers = () => new Promise((resolve) => setTimeout(resolve));
act('x', 'none');
check(isPending('x') && !isPending('y'), 'pending');
undo();
said('none: undone false');
sendAll();
await answers();
said();
// The second move sends the first, and waits for its response in any case.
let answer;
const first = new Promise((resolve) => { answer = resolve; });
act('x', 'one', () => first);
act('x', 'two');
said('one: sent true');
act('y', 'other');
sendAll();
await answers();
said('other: sent true', 'other: sent false');
check(isPending('x'), 'two are pending');
answer();
await answers();
said('one: sent true', 'two: sent true', 'two: sent false');
// A refusal is shown, and so is a missing response.
act('x', 'refused', () => { throw new ApiError(409, 'X', 'no', null); });
act('x', 'lost', ({ wasLost }) => { if (!wasLost) throw new ApiError(0, 'X', 'gone', null); });
sendAll();
await answers();
said('refused: sent true', 'refused: 409 true', 'lost: sent true', 'lost: 0 false');
const notices = document.querySelector('#notices').textContent;
check(notices.includes('refused That did not work: no'), notices);
check(notices.includes('lost It is not known whether this arrived.'), notices);
undo();
await answers();
said('lost: sent true', 'lost: sent false');
check(document.querySelectorAll('.is-timed').length === 0, 'a notice stays');
"#;

#[test]
fn what_waits_about_one_thing_goes_in_its_order() {
    modules::check(&[UNDO]);
}
