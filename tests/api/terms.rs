//! Legal documents: published by a key, accepted by members.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{
    activities, call, encode, exchange, get_as, live, number, post_as, put_raw, race, rows,
};
use crate::figures_on_disk::verify;
use crate::support::{Response, SANDBOX_KEY, TestApp};

const TERMS: &str = "/v1/terms";
const ACCEPTANCE: &str = "/v1/terms/acceptance";
const SERVICE: &str = "TERMS_OF_SERVICE";
const PRIVACY: &str = "PRIVACY_POLICY";

fn put(app: &TestApp, document: &str, html: &str) -> Response {
    app.put(
        &format!("{TERMS}/{document}"),
        &json!({"contentHTML": html}),
    )
}

/// Publishes a version, and returns its id.
fn publish(app: &TestApp, document: &str, html: &str) -> String {
    let published = put(app, document, html).expect(200);
    assert_eq!(published["type"], document);
    assert_eq!(published["acceptedAt"], Value::Null);
    let version = published["version"].as_str().unwrap();
    assert!(version.starts_with("ldv_"), "{version}");
    version.to_owned()
}

/// The versions that a member sees, and whether it accepted each.
fn seen(list: &Value) -> Vec<(&str, &str, bool)> {
    let documents = list["documents"].as_array().unwrap();
    let text = |value: &'_ Value| value.is_string();
    documents
        .iter()
        .map(|document| {
            assert!(text(&document["publishedAt"]));
            (
                document["type"].as_str().unwrap(),
                document["version"].as_str().unwrap(),
                text(&document["acceptedAt"]),
            )
        })
        .collect()
}

#[test]
fn versions_are_published_read_and_accepted() {
    let app = TestApp::start();
    let token = app.token("ada");
    let mine = || get_as(&app, &token, TERMS).expect(200);
    assert_eq!(mine(), json!({"documents": []}));
    let first = publish(&app, SERVICE, "<p>Be kind.</p>\n");
    let privacy = publish(&app, PRIVACY, "<p>Nothing is sold.</p>");
    let both = [
        (SERVICE, first.as_str(), false),
        (PRIVACY, privacy.as_str(), false),
    ];
    assert_eq!(seen(&mine()), both);
    let accept = |versions: &[&str]| {
        post_as(&app, &token, ACCEPTANCE, &json!({"versions": versions})).expect(200)
    };
    let accepted = accept(&[&first]);
    let one = [(SERVICE, first.as_str(), true), both[1]];
    assert_eq!(seen(&accepted), one);
    assert_eq!(mine(), accepted);
    // Again, also with others: the time stays.
    app.clock.advance(std::time::Duration::from_mins(1));
    let all = accept(&[&first, &privacy, &first]);
    assert_eq!(all["documents"][0], accepted["documents"][0]);
    assert_eq!(seen(&all)[1], (PRIVACY, privacy.as_str(), true));
    assert_eq!((activities(&app, 80), activities(&app, 81)), (2, 2));
    // The acceptance of an earlier version is not that of the present one.
    let second = publish(&app, SERVICE, "<p>Be kinder.</p>");
    assert_eq!(seen(&mine())[0], (SERVICE, second.as_str(), false));
    assert_eq!(accept(&[&first]), mine());
    let of_ada = format!("{TERMS}?externalUserID=ada");
    assert_eq!(app.get(&of_ada).expect(200), mine());
    // Without a member the key learns what is published.
    let published = app.get(TERMS).expect(200);
    assert_eq!(seen(&published)[1], (PRIVACY, privacy.as_str(), false));
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_version_keeps_its_text_and_may_be_cached() {
    let app = TestApp::start();
    let html = "<h1>Όροι</h1>\r\n<script>alert(1)</script>\t\"&amp;\"";
    let version = publish(&app, SERVICE, html);
    let path = format!("{TERMS}/{version}/content");
    let token = app.token("ada");
    let response = get_as(&app, &token, &path);
    assert_eq!(
        response.header("cache-control"),
        Some("private, max-age=31536000, immutable")
    );
    let content = response.expect(200);
    assert_eq!(content["contentHTML"], html);
    assert_eq!(
        content["renderedHash"],
        HEXLOWER.encode(&Sha256::digest(html))
    );
    assert_eq!(content["type"], SERVICE);
    assert_eq!(content["version"], *version);
    assert!(content["publishedAt"].is_string());
    // An earlier version can still be read.
    publish(&app, SERVICE, "<p>New</p>");
    assert_eq!(app.get(&path).expect(200), content);
    let unknown = "ldv_01890a5d-ac96-774b-bcce-b302099a8057";
    for unknown in [unknown, "off_1", "", "%2F"] {
        let response = app.get(&format!("{TERMS}/{unknown}/content"));
        response.expect_error(404, "NOT_FOUND");
    }
    live(&app, "GET", &path, &Value::Null).expect_error(404, "NOT_FOUND");
}

#[test]
fn the_same_text_is_not_published_again() {
    let app = TestApp::start();
    let first = put(&app, SERVICE, "a").expect(200);
    let before = rows(&app);
    assert_eq!(put(&app, SERVICE, "a").expect(200), first);
    assert_eq!(rows(&app), before);
    // But a text of an earlier version can become the present one again.
    let second = publish(&app, SERVICE, "b");
    let third = publish(&app, SERVICE, "a");
    assert!(second != third && first["version"] != *third);
    // Another document may have the same text.
    assert_ne!(publish(&app, PRIVACY, "a"), third);
}

#[test]
fn bad_input_is_refused_by_name_and_nothing_is_half_done() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let version = publish(&app, SERVICE, "a");
    let before = rows(&app);
    for html in [json!(null), json!(""), json!(1), json!("a\u{0}")] {
        let message = app
            .put(&format!("{TERMS}/{SERVICE}"), &json!({"contentHTML": html}))
            .expect_error(422, "VALIDATION");
        assert!(message.contains("contentHTML"), "{message}");
    }
    for document in ["terms_of_service", "COOKIES", "%20"] {
        put(&app, document, "a").expect_error(404, "NOT_FOUND");
    }
    let unknown = "ldv_01890a5d-ac96-774b-bcce-b302099a8057";
    for (versions, named) in [
        (json!(null), "versions"),
        (json!(version), "versions"),
        (json!([version, unknown]), "versions[1]"),
        (json!([version, "ldv_1"]), "versions[1]"),
        (json!([1]), "versions[0]"),
        (json!(vec![&version; 101]), "versions"),
    ] {
        let body = json!({"versions": versions});
        let message = post_as(&app, &token, ACCEPTANCE, &body).expect_error(422, "VALIDATION");
        assert!(message.contains(named), "{message}");
    }
    let message = app
        .post(ACCEPTANCE, &json!({"versions": [version]}))
        .expect_error(422, "VALIDATION");
    assert!(message.contains("externalUserID"), "{message}");
    for (id, status, code) in [("bob", 403, "FORBIDDEN"), ("ada", 200, "")] {
        let body = json!({"versions": [], "externalUserID": id});
        let response = post_as(&app, &token, ACCEPTANCE, &body);
        if status == 200 {
            response.expect(200);
        } else {
            response.expect_error(status, code);
        }
    }
    let body = json!({"versions": [version], "externalUserID": "nobody"});
    app.post(ACCEPTANCE, &body).expect_error(404, "NOT_FOUND");
    call(
        &app,
        &token,
        "PUT",
        &format!("{TERMS}/{SERVICE}"),
        &json!({"contentHTML": "b"}),
    )
    .expect_error(403, "FORBIDDEN");
    assert_eq!(rows(&app), before);
}

#[test]
fn a_document_has_so_many_bytes_however_they_are_written() {
    const MOST: usize = 262_144;
    let app = TestApp::start();
    let path = format!("{TERMS}/{SERVICE}");
    let put_text = |json: &str| put_raw(&app, &path, &format!("{{\"contentHTML\": \"{json}\"}}"));
    let content = |published: &Value| {
        let version = published["version"].as_str().unwrap();
        let content = app.get(&format!("{TERMS}/{version}/content")).expect(200);
        content["contentHTML"].as_str().unwrap().to_owned()
    };
    // How JSON can write a text: as it is, each byte as six, and a pair of twelve for four bytes.
    for (written, text) in [
        ("x", "x"),
        ("\\u003c", "<"),
        ("\\ud83e\\udd8a", "🦊"),
        ("é", "é"),
    ] {
        let count = MOST / text.len();
        let published = put_text(&written.repeat(count)).expect(200);
        assert!(content(&published) == text.repeat(count), "{text}");
        let message = put_text(&(written.repeat(count) + "y")).expect_error(422, "VALIDATION");
        let expected = "contentHTML must be at most 262144 bytes in UTF-8, but has 262145";
        assert_eq!(message, expected, "{text}");
    }
    // A body that is larger than any document.
    let message = put_text(&"\\u003c".repeat(MOST + 1_000));
    let message = message.expect_error(413, "PAYLOAD_TOO_LARGE");
    assert!(message.contains("1573888 bytes"), "{message}");
    // Other routes have the server's limit.
    let name = json!({"displayName": "x".repeat(MOST)}).to_string();
    let message = put_raw(&app, "/v1/members/ada", &name).expect_error(413, "PAYLOAD_TOO_LARGE");
    assert!(message.contains("262144 bytes"), "{message}");
}

/// The limit was in characters before.
#[test]
fn a_larger_document_of_an_earlier_version_can_still_be_read_and_moved() {
    let app = TestApp::start();
    let version = publish(&app, SERVICE, "short");
    let long = "🦊".repeat(200_000);
    let sql = "UPDATE terms_version SET content = ?1";
    assert_eq!(app.sqlite().execute(sql, [&long]).unwrap(), 1);
    let path = format!("{TERMS}/{version}/content");
    let content = app.get(&path).expect(200);
    assert!(content["contentHTML"] == *long);
    assert_eq!(
        content["renderedHash"],
        HEXLOWER.encode(&Sha256::digest(&long))
    );
    assert_eq!(verify(&app), [""; 0]);
    // A new version is published as ever.
    publish(&app, SERVICE, "shorter");
}

#[test]
fn two_acceptances_at_once_are_one() {
    let app = TestApp::start();
    let token = app.token("ada");
    let version = publish(&app, SERVICE, "a");
    let body = json!({"versions": [version]});
    let accept = || post_as(&app, &token, ACCEPTANCE, &body);
    assert_eq!(race([&accept, &accept]), [200, 200]);
    assert_eq!(activities(&app, 81), 1);
    assert_eq!(number(&app, "SELECT count(*) FROM terms_acceptance"), 1);
}

#[test]
fn a_removed_member_accepts_nothing_and_an_erased_one_leaves_the_time() {
    let app = TestApp::start();
    let token = exchange(&app, SANDBOX_KEY, "ada");
    let version = publish(&app, SERVICE, "a");
    let body = json!({"versions": [version]});
    post_as(&app, &token, ACCEPTANCE, &body).expect(200);
    app.delete("/v1/members/ada").expect(200);
    post_as(&app, &token, ACCEPTANCE, &body).expect_error(401, "UNAUTHORIZED");
    app.get(&format!("{TERMS}?externalUserID={}", encode("ada")))
        .expect_error(404, "NOT_FOUND");
    app.delete("/v1/members/ada?erase=true").expect(200);
    assert_eq!(number(&app, "SELECT count(*) FROM terms_acceptance"), 1);
    assert_eq!(verify(&app), [""; 0]);
}
