//! Files in the inbox, in a real browser.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{look_at, show, sign_in};
use crate::driver::Browser;
use crate::support::{SANDBOX_KEY, TestApp};

/// The address that the page opened last, instead of a download.
const CATCH: &str = "(() => { HTMLAnchorElement.prototype.click = function () { \
    window.opened = this.href; }; return true; })()";

/// A file of a size in a folder; returns its path.
fn file(folder: &Path, name: &str, start: &[u8], size: usize) -> String {
    let mut bytes = start.to_vec();
    bytes.resize(size, 7);
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn messages(app: &TestApp, id: &str) -> Vec<Value> {
    let path = format!("/v1/conversations/{id}/messages?limit=100");
    let page = app.get(&path).expect(200);
    page["messages"].as_array().unwrap().clone()
}

fn set_fault(browser: &Browser, fault: &str) {
    browser.evaluate(&format!(
        "sessionStorage.setItem('stampcard.fault', {}) ?? true",
        json!(fault)
    ));
}

/// Checks that the address which the page opened last returns a file of a size.
#[track_caller]
fn opens(browser: &Browser, size: usize) {
    browser.until("window.opened?.includes('/a/')");
    browser.evaluate(
        "(() => { window.size = null; fetch(window.opened).then((answer) => answer.blob()) \
         .then(({ size }) => { window.size = size; }); return true; })()",
    );
    browser.until(&format!("window.size === {size}"));
}

#[test]
fn a_file_is_chosen_checked_sent_once_and_downloaded() {
    let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 86_400);
    app.put("/v1/members/ada", &json!({"displayName": "Ada"}))
        .expect(200);
    let body = json!({"externalUserID": "ada", "title": "Sunday", "message": "The menu follows."});
    let started = app.post("/v1/conversations", &body).expect(201);
    let id = started["id"].as_str().unwrap();
    let Some(mut browser) = Browser::open(&app.url("")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    sign_in(&browser, SANDBOX_KEY);
    show(&browser, &format!("inbox/{id}"));
    browser.until_text(".messages", "The menu follows.");
    refuses_what_the_server_would(&browser, folder.path());
    sends(&mut browser, &app, id, folder.path());
    sends_once_if_the_answer_is_lost(&browser, &app, id, folder.path());
    downloads(&browser, &app);
    tells_what_was_erased(&browser, &app, id);
    // One file was refused by the server, and the response to another one was lost.
    let is_refusal = |line: &str| line.contains("status of 422") || line.contains("status of 500");
    browser.assert_quiet(is_refusal);
}

fn refuses_what_the_server_would(browser: &Browser, folder: &Path) {
    let note = file(folder, "note.txt", b"Hello", 20);
    browser.attach(".answer input[type=file]", &note);
    browser.until_text(
        ".attached",
        "note.txt cannot be sent: choose a PNG, JPEG, WebP or PDF",
    );
    let large = file(folder, "large.pdf", b"%PDF-", 1_048_577);
    browser.attach(".answer input[type=file]", &large);
    browser.until_text(".attached", "large.pdf has 1 MB. The largest file");
    // What only the server can see is refused by it.
    let fake = file(folder, "fake.png", b"GIF89a", 100);
    browser.attach(".answer input[type=file]", &fake);
    browser.until_text(".attached", "fake.png");
    browser.click_on("Send file");
    browser.until_text(
        ".attached",
        "the body must be a file of the Content-Type, image/png",
    );
    browser.click_on("Remove");
    browser.until("document.querySelector('.attached').hidden");
    browser.until("document.activeElement.textContent === 'Attach a file'");
}

fn sends(browser: &mut Browser, app: &TestApp, id: &str, folder: &Path) {
    let menu = file(folder, "Sunday's menu.pdf", b"%PDF-1.7", 123_456);
    browser.attach(".answer input[type=file]", &menu);
    browser.until_text(".attached", "PDF · 123 kB");
    browser.fill(".answer textarea", "A draft that stays");
    let problems = look_at(browser, "inbox-file-chosen");
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(messages(app, id).len(), 1, "nothing is sent yet");
    // The response is late, so that the progress is shown.
    set_fault(browser, "delay=1500");
    browser.click_on("Send file");
    browser.until("document.querySelector('.attached progress')?.value === 1");
    browser.until_text(".attached", "100%");
    browser.until_text(".messages .file", "Sunday's menu.pdf");
    set_fault(browser, "");
    browser.until("document.querySelector('.attached').hidden");
    browser.until("document.querySelector('.answer textarea').value === 'A draft that stays'");
    browser.until_text(".messages .file", "PDF · 123 kB");
    browser.until_text(".conversation-last", "You: File");
    let sent = messages(app, id);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["attachments"][0]["name"], "Sunday's menu.pdf");
    let problems = look_at(browser, "inbox-file-sent");
    assert!(problems.is_empty(), "{problems:#?}");
}

fn sends_once_if_the_answer_is_lost(browser: &Browser, app: &TestApp, id: &str, folder: &Path) {
    let plan = file(folder, "plan.png", b"\x89PNG\r\n\x1a\n", 2000);
    browser.attach(".answer input[type=file]", &plan);
    browser.until_text(".attached", "PNG image · 2 kB");
    set_fault(browser, "500-after");
    browser.click_on("Send file");
    browser.until_text(".attached", "It is not known whether the file arrived");
    set_fault(browser, "");
    browser.click_on("Send again");
    browser.until("document.querySelector('.attached').hidden");
    browser.until("document.querySelectorAll('.messages .file').length === 2");
    assert_eq!(messages(app, id).len(), 3);
}

fn downloads(browser: &Browser, app: &TestApp) {
    browser.evaluate(CATCH);
    browser.click(".messages li:nth-child(2) .file");
    opens(browser, 123_456);
    // The addresses that are shown have expired, the one that is opened has not.
    app.clock.advance(Duration::from_mins(20));
    browser.evaluate("window.opened = null");
    browser.click(".messages li:nth-child(3) .file");
    opens(browser, 2000);
    let policy = "document.querySelector('.messages img') === null";
    assert_eq!(
        browser.evaluate(policy),
        json!(true),
        "nothing is shown in the page"
    );
}

fn tells_what_was_erased(browser: &Browser, app: &TestApp, id: &str) {
    app.delete("/v1/members/ada?erase=true").expect(200);
    // The link that is still shown leads nowhere any more.
    browser.click(".messages li:nth-child(3) .file");
    browser.until_text("#notices", "plan.png was erased.");
    show(browser, "overview");
    show(browser, &format!("inbox/{id}"));
    browser.until_text(".messages li:nth-child(3)", "Erased");
    browser.until("document.querySelectorAll('.messages .file').length === 0");
}
