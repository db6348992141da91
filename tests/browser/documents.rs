//! The worth of a point, and legal documents: published, shown, and accepted by members.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{SETTLED, look_at, show, sign_in};
use crate::driver::Browser;
use crate::support::{SANDBOX_KEY, TestApp};

/// HTML that tries to run scripts, to reach the page and to load from an address.
fn hostile(address: &str) -> String {
    format!(
        "<h1>House rules</h1><p style=\"color: red\">Be kind.</p>\
         <script>top.document.title = 'Taken'; fetch('{address}/fetch')</script>\
         <script src=\"{address}/script\"></script>\
         <link rel=stylesheet href=\"{address}/style\">\
         <img src=\"{address}/picture\" onerror=\"top.document.title = 'Taken'\">\
         <iframe src=\"{address}/frame\"></iframe>\
         <meta http-equiv=refresh content=\"0;url={address}/refresh\">\
         <form action=\"{address}/form\"><button>Send</button></form>\
         <a href=\"{address}/link\" target=_top>Leave</a>"
    )
}

#[track_caller]
fn press(browser: &Browser, action: &str) {
    // Not below the bar at the top.
    browser.evaluate("document.querySelector('#documents').scrollIntoView({ block: 'center' })");
    browser.click(&format!("[aria-label='{action}: Terms of service']"));
}

fn publish(browser: &Browser, html: &str) {
    press(browser, "Publish a version");
    browser.fill("dialog [name=contentHTML]", html);
}

/// The first bytes of every request. Chromium opens a connection for a frame before it blocks it,
/// but sends nothing.
fn requests(outside: &TcpListener) -> Vec<String> {
    let mut requests = Vec::new();
    while let Ok((mut stream, _)) = outside.accept() {
        let timeout = Some(Duration::from_millis(500));
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(timeout).unwrap();
        let mut bytes = [0; 64];
        let length = stream.read(&mut bytes).unwrap_or(0);
        requests.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    requests.retain(|request| !request.is_empty());
    requests
}

fn present(app: &TestApp) -> Value {
    app.get("/v1/terms").expect(200)["documents"][0].clone()
}

#[test]
fn a_document_is_published_and_shown_without_what_its_html_would_do() {
    let app = TestApp::start();
    app.member("ada", 0);
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let html = hostile(&format!("http://{}", outside.local_addr().unwrap()));
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "settings");
    browser.until_text("#documents", "not published");
    publish(&browser, &html);
    // The preview follows when the field is left.
    browser.press(Key::Tab);
    browser.until("document.querySelector('dialog iframe').srcdoc.includes('House rules')");
    let problems = look_at(&mut browser, "document-publish");
    assert!(problems.is_empty(), "{problems:#?}");
    browser.click("dialog button[type=submit]");
    browser.until_text("#notices", "Terms of service: published.");
    let version = present(&app)["version"].as_str().unwrap().to_owned();
    let content = app.get(&format!("/v1/terms/{version}/content")).expect(200);
    assert_eq!(content["contentHTML"], html);
    browser.until_text("#documents", &version[..12]);
    press(&browser, "Show");
    let frame = "document.querySelector('dialog iframe')";
    browser.until(&format!("{frame}?.getAttribute('sandbox') === ''"));
    // Another origin: the page cannot read it, nor it the page.
    assert_eq!(
        browser.evaluate(&format!("{frame}.contentDocument")),
        Value::Null
    );
    for (element, text) in [("h1", "House rules"), ("a", "Leave"), ("button", "Send")] {
        assert_eq!(browser.click_in_frame("dialog iframe", element), text);
    }
    browser.until(SETTLED);
    let problems = look_at(&mut browser, "document-shown");
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(browser.evaluate("document.title"), "Settings · Stampcard");
    assert_eq!(requests(&outside), Vec::<String>::new());
    browser.click_on("Close");
    // The same text again is no new version.
    press(&browser, "Publish a version");
    browser.until("document.querySelector('dialog [name=contentHTML]')?.value.includes('House')");
    browser.click("dialog button[type=submit]");
    browser.until_text("#notices", "the present version already");
    assert_eq!(present(&app)["version"], version);
    let look = look_at(&mut browser, "settings-documents");
    assert!(look.is_empty(), "{look:#?}");
    // The browser says what it blocked.
    browser.assert_quiet(|line| line.contains("about:srcdoc"));
}

#[test]
fn a_member_has_the_balance_in_dollars_and_the_accepted_documents() {
    let app = TestApp::start();
    app.member("ada", 3850);
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, "members/ada");
    browser.until_text("[data-figure=balance]", "3,850");
    let note = "document.querySelector('[data-figure=balance] .figure-note')";
    assert_eq!(browser.evaluate(note), Value::Null);
    let text = "document.querySelector('[data-key=profile]').textContent";
    let mentions = format!("{text}.includes('Terms of service')");
    assert_eq!(browser.evaluate(&mentions), false);

    show(&browser, "settings");
    browser.fill("[name=ratePerPoint]", "0.01");
    browser.fill("[name=currencyUnitsPerUSD]", "2.5");
    browser.click("form:has([name=ratePerPoint]) button[type=submit]");
    browser.until_text("#notices", "Saved.");
    let saved = app.get("/v1/configuration").expect(200);
    assert_eq!(saved["ratePerPoint"], json!(0.01));
    assert_eq!(saved["currencyUnitsPerUSD"], json!(2.5));

    let documents = [
        ("TERMS_OF_SERVICE", "<p>Be kind.</p>"),
        ("PRIVACY_POLICY", "<p>Nothing is sold.</p>"),
    ];
    let versions = documents.map(|(document, html)| {
        let path = format!("/v1/terms/{document}");
        let published = app.put(&path, &json!({"contentHTML": html})).expect(200);
        published["version"].clone()
    });
    let body = json!({"externalUserID": "ada", "versions": [versions[0]]});
    app.post("/v1/terms/acceptance", &body).expect(200);
    show(&browser, "members/ada");
    browser.until_text("[data-figure=balance] .figure-note", "≈ $38.50");
    browser.until_text("[data-key=profile]", "Terms of serviceaccepted ");
    browser.until_text("[data-key=profile]", "Privacy policynot accepted");
    let problems = look_at(&mut browser, "member-documents");
    assert!(problems.is_empty(), "{problems:#?}");
    browser.assert_stayed_home();
    browser.assert_quiet(|_| false);
}
