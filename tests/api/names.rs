//! Titles and names are trimmed, and ids must be visible; stored values stay valid.

use serde_json::{Value, json};

use crate::client::{
    call, credit, encode, exchange, names, number, organization, partner, partner_get, rows,
};
use crate::figures_on_disk::verify;
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// Invisible characters.
const BLANK: [&str; 6] = [
    " ",
    "\u{a0}\u{2003}\u{3000}",
    "\u{200b}\u{200d}",
    "\u{feff}",
    "\u{ad}\u{2060}",
    "\u{3164}\u{fe0f}",
];

/// Every field that is a title or a name: method, path, a body with `N` in its place, and the path
/// to it in the response.
fn named(offer: &str, organization: &str) -> Vec<(&'static str, String, Value, &'static str)> {
    let path = |path: &str| path.replace("{o}", offer).replace("{org}", organization);
    vec![
        ("POST", path("/v1/offers"), json!({"title": "N"}), "/title"),
        (
            "PATCH",
            path("/v1/offers/{o}"),
            json!({"title": "N"}),
            "/title",
        ),
        (
            "PUT",
            path("/v1/members/ada"),
            json!({"displayName": "N"}),
            "/displayName",
        ),
        (
            "PUT",
            path("/v1/configuration"),
            json!({"currencyName": "N"}),
            "/currencyName",
        ),
        (
            "PUT",
            path("/v1/configuration"),
            json!({"currencySymbol": "N"}),
            "/currencySymbol",
        ),
        ("POST", path("/v1/programs"), json!({"name": "N"}), "/name"),
        ("POST", path("/v1/keys"), json!({"name": "N"}), "/key/name"),
        (
            "POST",
            path("/partner/organizations"),
            json!({"name": "N"}),
            "/organization/name",
        ),
        (
            "PATCH",
            path("/partner/organizations/{org}"),
            json!({"name": "N"}),
            "/organization/name",
        ),
        (
            "POST",
            path("/partner/organizations/{org}/api-keys"),
            json!({"name": "N"}),
            "/apiKey/name",
        ),
    ]
}

fn key_of(path: &str) -> &'static str {
    if path.starts_with("/partner") {
        PARTNER_SANDBOX_KEY
    } else {
        SANDBOX_KEY
    }
}

fn with(body: &Value, text: &str) -> Value {
    let mut body = body.clone();
    for value in body.as_object_mut().unwrap().values_mut() {
        if value == "N" {
            *value = json!(text);
        }
    }
    body
}

#[test]
fn titles_and_names_are_trimmed_on_every_surface() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = app.offer(json!({}));
    let one = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "One"}));
    for (method, path, body, place) in named(&offer, &one.id) {
        let send = |text: &str| call(&app, key_of(&path), method, &path, &with(&body, text));
        let padded = send("\u{3000}\t Ca f\u{e9} \n\u{a0}");
        assert!(padded.status < 300, "{path}: {}", padded.text());
        let shown = padded.json();
        assert_eq!(shown.pointer(place), Some(&json!("Ca f\u{e9}")), "{path}");
        let before = rows(&app);
        for blank in BLANK.into_iter().chain([""]) {
            let refused = send(blank);
            let status = if path.starts_with("/v1/programs") || path.starts_with("/partner") {
                400
            } else {
                422
            };
            assert_eq!(
                refused.status,
                status,
                "{path} {blank:?}: {}",
                refused.text()
            );
            let field = place.rsplit('/').next().unwrap();
            assert!(refused.text().contains(&format!("{field} must ")), "{path}");
        }
        assert_eq!(rows(&app), before, "{path}");
    }
    let exchanged = json!({"externalUserID": "bob", "displayName": " Bob "});
    app.post("/v1/auth/exchange", &exchanged).expect(200);
    assert_eq!(app.get("/v1/members/bob").expect(200)["displayName"], "Bob");
    let blank = json!({"externalUserID": "bob", "displayName": ""});
    app.post("/v1/auth/exchange", &blank)
        .expect_error(422, "VALIDATION");
}

#[test]
fn a_new_id_has_to_be_seen_and_is_not_trimmed() {
    let app = TestApp::start();
    let path = format!("/v1/members/{}", encode(" ada\u{200b}"));
    app.put(&path, &json!({})).expect(200);
    credit(&app, " ada\u{200b}", 5);
    app.get("/v1/members/ada").expect_error(404, "NOT_FOUND");
    assert_eq!(app.get(&path).expect(200)["wallet"]["balance"], 5);
    let one = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "One"}));
    let before = rows(&app);
    for blank in BLANK {
        let path = format!("/v1/members/{}", encode(blank));
        let message = app.put(&path, &json!({})).expect_error(422, "VALIDATION");
        assert!(message.contains("externalUserID"), "{message}");
        let exchange = json!({"externalUserID": blank});
        app.post("/v1/auth/exchange", &exchange)
            .expect_error(422, "VALIDATION");
        for body in [json!({"tier": blank}), json!({"tier": ""})] {
            app.put("/v1/members/eve", &body)
                .expect_error(422, "VALIDATION");
        }
        for field in ["kind", "type"] {
            app.post("/v1/offers", &json!({"title": "Tea", field: blank}))
                .expect_error(422, "VALIDATION");
        }
        let body = json!({"externalId": blank});
        let refused = partner(&app, "PATCH", &one.path(""), &body);
        assert_eq!(refused.status, 400, "{}", refused.text());
        // No member has this id, and none can have it.
        app.get(&path).expect_error(404, "NOT_FOUND");
        app.delete(&path).expect_error(404, "NOT_FOUND");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn what_an_earlier_release_accepted_is_read_changed_and_removed() {
    let mut app = TestApp::start();
    app.member("old", 50);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let one = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "One"}));
    // A running server finds members by an index in memory.
    app.stop();
    let sqlite = app.sqlite();
    for sql in [
        "DELETE FROM search_term",
        "UPDATE member SET external_user_id = char(0x200b), display_name = ''",
        "UPDATE offer SET title = ' '",
        "UPDATE organization SET name = ' '",
    ] {
        sqlite.execute_batch(sql).unwrap();
    }
    drop(sqlite);
    let app = app.restart();
    let path = "/v1/members/%E2%80%8B";
    let shown = app.get(path).expect(200);
    assert_eq!(shown["displayName"], "");
    let nobody = app.get("/v1/members?tier=%20").expect(200);
    assert_eq!(
        nobody["members"],
        json!([]),
        "a tier of old may be asked for"
    );
    credit(&app, "\u{200b}", 5);
    exchange(&app, SANDBOX_KEY, "\u{200b}");
    app.redeem("\u{200b}", &offer);
    let wallet = app.get("/v1/wallet?externalUserID=%E2%80%8B").expect(200);
    assert_eq!(wallet["balance"], 45);
    app.put(path, &json!({"attributes": {"a": 1}})).expect(200);
    let offers = app.patch(&format!("/v1/offers/{offer}"), &json!({"pointsPrice": 1}));
    assert_eq!(offers.expect(200)["title"], " ");
    let organization = partner_get(&app, &one.path(""));
    assert_eq!(organization["organization"]["name"], " ");
    let removed = app.delete(path).expect(200);
    assert_eq!(
        names(&removed),
        ["archived", "balanceRetained", "externalUserID"]
    );
    app.put(path, &json!({})).expect(200);
    assert_eq!(number(&app, "SELECT count(*) FROM member"), 1);
    app.delete(&format!("{path}?erase=true")).expect(200);
    assert_eq!(verify(&app), [""; 0]);
}
