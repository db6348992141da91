//! Email and phone of members: set, shown to keys alone, searched, erased.

use std::path::Path;

use serde_json::{Value, json};
use stampcard::clock::Clock;
use stampcard::service::transfer::{export, import};
use stampcard::service::verify;
use stampcard::store::{self, Database};
use tempfile::TempDir;

use crate::client::{column, encode, get_as, live, names, number, program, rows, webhook};
use crate::support::receiver::Receiver;
use crate::support::{Response, SANDBOX_KEY, TestApp, secrets};

const EMAIL: &str = "ada.lovelace@example.com";
const PHONE: &str = "+30 694 123 4567";

fn put(app: &TestApp, id: &str, body: &Value) -> Response {
    app.put(&format!("/v1/members/{id}"), body)
}

/// The email and the phone in a response.
fn contacts(member: &Value) -> (&Value, &Value) {
    (&member["email"], &member["phone"])
}

#[track_caller]
fn found(app: &TestApp, search: &str) -> Vec<String> {
    let path = format!("/v1/members?search={}", encode(search));
    let page = app.get(&path).expect(200);
    let ids = column(&page["members"], "externalUserID");
    ids.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_put_sets_keeps_and_clears_email_and_phone() {
    let app = TestApp::start();
    let shown = || app.get("/v1/members/ada").expect(200);
    let answer = put(&app, "ada", &json!({})).expect(200);
    let fields = ["attributes", "displayName", "externalUserID", "tier"];
    assert_eq!(names(&answer), fields);
    assert_eq!(contacts(&shown()), (&Value::Null, &Value::Null));

    let both = json!({"email": format!("  {EMAIL}\t"), "phone": format!(" {PHONE} ")});
    let answer = put(&app, "ada", &both).expect(200);
    assert_eq!(names(&answer), fields, "exactly the documented fields");
    put(&app, "ada", &json!({"displayName": "Ada"})).expect(200);
    assert_eq!(contacts(&shown()), (&json!(EMAIL), &json!(PHONE)));
    let listed = app.get("/v1/members").expect(200);
    assert_eq!(
        contacts(&listed["members"][0]),
        (&json!(EMAIL), &json!(PHONE))
    );
    put(&app, "ada", &json!({"email": null})).expect(200);
    assert_eq!(contacts(&shown()), (&Value::Null, &json!(PHONE)));
    put(&app, "ada", &json!({"phone": null, "email": "a@b"})).expect(200);
    assert_eq!(contacts(&shown()), (&json!("a@b"), &Value::Null));
    // A token exchange sets the email as well.
    let body = json!({"externalUserID": "ada", "email": EMAIL});
    app.post("/v1/auth/exchange", &body).expect(200);
    let app = app.restart();
    let shown = app.get("/v1/members/ada").expect(200);
    assert_eq!(contacts(&shown), (&json!(EMAIL), &Value::Null));
}

#[test]
fn what_is_no_email_or_phone_is_refused_by_name_and_changes_nothing() {
    let app = TestApp::start();
    put(&app, "ada", &json!({"email": EMAIL, "phone": PHONE})).expect(200);
    let before = rows(&app);
    let long = format!("{}@b", "x".repeat(253));
    for (field, bad, expected) in [
        ("email", json!(7), "must be a string"),
        ("email", json!(""), "1 to 254 characters"),
        ("email", json!("ada"), "such as ada@example.com"),
        ("email", json!("a b@c"), "such as ada@example.com"),
        ("email", json!("a@b@c"), "such as ada@example.com"),
        ("email", json!("a@b\u{0}"), "control characters"),
        ("email", json!(long), "1 to 254 characters"),
        ("phone", json!(306_941_234_567_i64), "must be a string"),
        ("phone", json!("1234"), "5 to 32 characters"),
        ("phone", json!("1 2 3 4"), "5 to 15 digits"),
        ("phone", json!("1234567890123456"), "5 to 15 digits"),
        ("phone", json!("12345 home"), "5 to 15 digits"),
        ("phone", json!("12345\n6"), "control characters"),
    ] {
        let body = json!({"displayName": "Not done", field: bad});
        let message = put(&app, "ada", &body).expect_error(422, "VALIDATION");
        assert!(
            message.starts_with(field) && message.contains(expected),
            "{message}"
        );
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_change_of_email_or_phone_is_a_new_version_and_the_same_again_is_none() {
    let app = TestApp::start();
    put(&app, "ada", &json!({})).expect(200);
    let mut last = app.get("/v1/members/ada").expect(200)["version"].clone();
    for body in [
        json!({"email": EMAIL}),
        json!({"phone": PHONE}),
        json!({"phone": "+306941234567"}),
        json!({"email": null}),
    ] {
        let tag = put(&app, "ada", &body).header("etag").unwrap().to_owned();
        let version = app.get("/v1/members/ada").expect(200)["version"].clone();
        assert_eq!(tag, format!("\"{version}\""));
        assert!(version.as_i64() > last.as_i64(), "{body}");
        last = version;
        let before = rows(&app);
        put(&app, "ada", &body).expect(200);
        assert_eq!(rows(&app), before);
    }
    assert_eq!(
        number(&app, "SELECT count(*) FROM activity WHERE kind = 32"),
        4
    );
}

/// No route shows a profile to a token, and nobody outside the program sees it.
#[test]
fn only_keys_of_the_program_see_email_and_phone() {
    let app = TestApp::start();
    put(&app, "ada", &json!({"email": EMAIL, "phone": PHONE})).expect(200);
    app.member("bob", 100);
    let (ada, bob) = (app.token("ada"), app.token("bob"));
    for token in [&ada, &bob] {
        for path in ["/v1/members/ada", "/v1/members?search=4567", "/v1/members"] {
            get_as(&app, token, path).expect_error(403, "FORBIDDEN");
        }
        for path in [
            "/v1/eligibility",
            "/v1/wallet",
            "/v1/wallet/transactions",
            "/v1/redemptions",
            "/v1/conversations",
            "/v1/offers",
        ] {
            let shown = get_as(&app, token, path).text();
            assert!(
                !shown.contains("lovelace") && !shown.contains("4567"),
                "{shown}"
            );
        }
    }
    let (_, other) = program(&app, SANDBOX_KEY, "Another");
    get_as(&app, &other, "/v1/members/ada").expect_error(404, "NOT_FOUND");
    let page = get_as(&app, &other, "/v1/members?search=4567").expect(200);
    assert_eq!(page["members"], json!([]));
    live(&app, "GET", "/v1/members/ada", &Value::Null).expect_error(404, "NOT_FOUND");
}

#[test]
fn members_are_found_by_the_words_of_their_email_and_the_digits_of_their_phone() {
    let app = TestApp::start();
    put(&app, "ada", &json!({"email": EMAIL, "phone": PHONE})).expect(200);
    put(
        &app,
        "bob",
        &json!({"email": "bob@example.org", "phone": "0694 1112223"}),
    )
    .expect(200);
    put(&app, "room_694_123", &json!({"phone": "(+1) 202-555-0142"})).expect(200);
    let cases: &[(&str, &[&str])] = &[
        ("lovelace", &["ada"]),
        ("LOVE example", &["ada"]),
        (EMAIL, &["ada"]),
        ("example", &["bob", "ada"]),
        ("velace", &[]),
        (PHONE, &["ada"]),
        ("0030694", &["ada"]),
        ("00 30 694 123", &["ada"]),
        ("30", &["ada"]),
        ("+30694 1234567", &["ada"]),
        ("694", &["room_694_123", "bob", "ada"]),
        ("694 123", &["room_694_123", "ada"]),
        ("(0694) 111-2223", &["bob"]),
        ("6941112223", &["bob"]),
        ("+30 694 111", &[]),
        ("4567", &["ada"]),
        ("23 45 67", &["ada"]),
        ("567", &[]),
        ("0142", &["room_694_123"]),
        ("202 555", &["room_694_123"]),
        ("lovelace 4567", &["ada"]),
        ("bob 4567", &[]),
        ("000", &[]),
        ("+", &[]),
    ];
    for (search, expected) in cases {
        assert_eq!(found(&app, search), *expected, "{search}");
    }
    let path = format!(
        "/v1/conversations?order=inbox&all=true&search={}",
        encode(PHONE)
    );
    app.get(&path).expect(200);
    // The index follows the profile.
    put(
        &app,
        "ada",
        &json!({"email": "countess@example.com", "phone": null}),
    )
    .expect(200);
    assert_eq!(found(&app, "lovelace"), [""; 0]);
    assert_eq!(found(&app, "4567"), [""; 0]);
    assert_eq!(found(&app, "countess"), ["ada"]);
    assert_eq!(findings(&app.database()), [""; 0]);
}

fn findings(path: &Path) -> Vec<String> {
    let connection = store::open_read_only(path).unwrap();
    verify::verify(&connection, |_| ()).unwrap().findings
}

#[test]
fn an_erasure_deletes_email_and_phone_and_their_terms() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    webhook(
        &app,
        &receiver.url("/"),
        &["member.created", "member.tier_changed"],
    );
    put(&app, "ada", &json!({"email": EMAIL, "phone": PHONE})).expect(200);
    put(&app, "ada", &json!({"tier": "gold"})).expect(200);
    receiver.wait_for(2);
    app.delete("/v1/members/ada?erase=true").expect(200);
    let gone = app.get("/v1/members?includeArchived=true").expect(200)["members"][0].clone();
    assert_eq!(contacts(&gone), (&Value::Null, &Value::Null));
    for row in rows(&app) {
        assert!(!row.contains("lovelace") && !row.contains("4567"), "{row}");
    }
    let left = "SELECT count(*) FROM search_term
        WHERE term LIKE 'love%' OR term LIKE '+%' OR term LIKE '-%'";
    assert_eq!(number(&app, left), 0);
    assert_eq!(findings(&app.database()), [""; 0]);
}

#[test]
fn an_export_keeps_email_and_phone() {
    let mut app = TestApp::start();
    put(&app, "ada", &json!({"email": EMAIL, "phone": PHONE})).expect(200);
    app.stop();
    let mut lines = Vec::new();
    let database = Database::open(&app.database()).unwrap();
    export(database.connection(), true, &mut lines, |_, _| ()).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("moved.db");
    let mut database = Database::open_for_import(&path).unwrap();
    let now = Clock::system().now();
    import(&mut database, lines.as_slice(), now, |_| ()).unwrap();
    drop(database);
    assert_eq!(findings(&path), [""; 0]);
    let moved = TestApp::start_with(|settings| {
        std::fs::copy(&path, &settings.database.path).unwrap();
    });
    assert_eq!(found(&moved, "lovelace 4567"), ["ada"]);
    let shown = moved.get("/v1/members/ada").expect(200);
    assert_eq!(contacts(&shown), (&json!(EMAIL), &json!(PHONE)));
}

#[test]
fn verify_finds_an_email_or_phone_that_was_changed_behind_the_server() {
    for (sql, finding) in [
        (
            "UPDATE member SET email = 'other@example.com'",
            "lacks a word of its",
        ),
        (
            "UPDATE member SET phone = '+30 694 123 4568'",
            "lacks a word of its",
        ),
        (
            "UPDATE member SET phone = NULL",
            "the search index has 3 words",
        ),
        ("UPDATE member SET phone = 'none at all'", "phone must"),
    ] {
        let mut app = TestApp::start();
        put(&app, "ada", &json!({"email": EMAIL, "phone": PHONE})).expect(200);
        app.stop();
        app.sqlite().execute_batch(sql).unwrap();
        let found = findings(&app.database()).join("\n");
        assert!(found.contains(finding), "{sql}: {found}");
        assert!(!found.contains("4568"), "{found}");
    }
}

#[test]
fn events_about_members_have_email_and_phone() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    webhook(
        &app,
        &receiver.url("/"),
        &["member.created", "member.tier_changed"],
    );
    put(&app, "ada", &json!({"email": EMAIL, "phone": PHONE})).expect(200);
    put(&app, "ada", &json!({"tier": "gold", "phone": null})).expect(200);
    let came = receiver.wait_for(2);
    let events = [came[0].json(), came[1].json()];
    assert_eq!(contacts(&events[0]["data"]), (&json!(EMAIL), &json!(PHONE)));
    assert_eq!(contacts(&events[1]["data"]), (&json!(EMAIL), &Value::Null));
    assert_eq!(names(&events[1]["data"]).len(), 6);
    secrets::assert_none_logged();
}
