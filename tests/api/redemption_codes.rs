//! The codes of redemptions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{cancel, get_as, move_to, post_as, post_once, program, try_redeem, webhook};
use crate::figures_on_disk::verify;
use crate::support::receiver::Receiver;
use crate::support::{SANDBOX_KEY, TestApp};

fn code(redemption: &Value) -> String {
    redemption["code"].as_str().unwrap().to_owned()
}

/// The ids of the redemptions that a query finds.
#[track_caller]
fn found(app: &TestApp, credential: &str, query: &str) -> Vec<String> {
    let page = get_as(app, credential, &format!("/v1/redemptions?{query}")).expect(200);
    assert_eq!(page["nextCursor"], Value::Null, "{query}");
    let rows = page["redemptions"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_redemption_has_its_own_code_wherever_it_is_shown() {
    let app = TestApp::start();
    let receiver = Receiver::start();
    webhook(&app, &receiver.url("/"), &["redemption.open"]);
    let offer = app.offer(json!({"redemptionLimit": {"perMember": null}}));
    app.member("ada", 0);
    let token = app.token("ada");
    let mut codes = BTreeSet::new();
    for _ in 0..40 {
        let made = post_as(&app, &token, "/v1/redemptions", &json!({"offer": offer})).expect(201);
        let code = code(&made);
        let is_plain = |c: char| "23456789ABCDEFGHJKMNPQRSTVWXYZ".contains(c);
        assert!(code.len() == 8 && code.chars().all(is_plain), "{code}");
        assert_eq!(made["quantity"], 1);
        codes.insert(code);
    }
    assert_eq!(codes.len(), 40);
    let listed = app.get("/v1/redemptions").expect(200);
    let first = &listed["redemptions"][0];
    let id = first["id"].as_str().unwrap();
    let has_code = |shown: &Value| {
        assert_eq!(shown["id"], first["id"]);
        assert_eq!(shown["code"], first["code"]);
        assert_eq!(shown["quantity"], 1);
    };
    has_code(&move_to(&app, id, "OPEN").expect(200));
    has_code(&app.get(&format!("/v1/redemptions/{id}")).expect(200));
    has_code(&get_as(&app, &token, &format!("/v1/redemptions/{id}")).expect(200));
    has_code(&receiver.wait_for(1)[0].json()["data"]);
    let mut stream = app.events_after(0);
    let mut shown = stream.event();
    while shown.data["type"] != "redemption.open" {
        shown = stream.event();
    }
    has_code(&shown.data["data"]);
    has_code(&cancel(&app, id).expect(200));
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_code_finds_its_redemption_in_any_case_and_only_for_those_who_may_see_it() {
    let app = TestApp::start();
    let offer = app.offer(json!({"title": "Coffee"}));
    app.member("ada", 0);
    app.member("bob", 0);
    let body = json!({"offer": offer, "externalUserID": "ada"});
    let made = post_once(&app, "one", "/v1/redemptions", &body).expect(201);
    assert_eq!(
        post_once(&app, "one", "/v1/redemptions", &body).expect(201),
        made
    );
    app.redeem("bob", &offer);
    let (id, code) = (made["id"].as_str().unwrap(), code(&made));
    let small = code.to_lowercase();
    let of_key = |query: &str| found(&app, SANDBOX_KEY, query);
    for query in [
        format!("code={code}"),
        format!("code={small}&status=SUBMITTED&offer={offer}&externalUserID=ada"),
        format!("code={small}&search=coff&from=2026-06-15T12:00:00Z"),
        format!("search={small}"),
        format!("search=+{code}.&order=oldest&status=SUBMITTED"),
        format!("search={code}&externalUserID=ada"),
    ] {
        assert_eq!(of_key(&query), [id], "{query}");
    }
    for query in [
        format!("code={code}&status=OPEN"),
        format!("code={code}&externalUserID=bob"),
        format!("code={code}&search=tea"),
        format!("code={code}&to=2026-06-15T12:00:00Z"),
        format!("search={code}&status=OPEN"),
        format!("search={code}&externalUserID=bob"),
        format!("search={}", &code[..7]),
        format!("search={code}+coffee"),
        format!(
            "code={}",
            if code == "22222222" {
                "33333333"
            } else {
                "22222222"
            }
        ),
    ] {
        assert_eq!(of_key(&query), [""; 0], "{query}");
    }
    let (ada, bob) = (app.token("ada"), app.token("bob"));
    assert_eq!(found(&app, &ada, &format!("code={code}")), [id]);
    assert_eq!(found(&app, &bob, &format!("code={code}")), [""; 0]);
    assert_eq!(found(&app, &bob, &format!("search={code}")), [""; 0]);
    let (_, other) = program(&app, SANDBOX_KEY, "Other");
    assert_eq!(found(&app, &other, &format!("code={code}")), [""; 0]);
    for status in ["COMPLETED", "CANCELED"] {
        let redeemed = app.redeem("ada", &app.offer(json!({})));
        let path = format!("/v1/redemptions/{redeemed}");
        let code = self::code(&move_to(&app, &redeemed, status).expect(200));
        assert_eq!(of_key(&format!("code={code}")), [redeemed.as_str()]);
        assert_eq!(app.get(&path).expect(200)["code"], *code);
    }
    for wrong in ["", "K7X2M9Q", "K7X2M9QPP", "K0X2M9QP", "rdm_1"] {
        let path = format!("/v1/redemptions?code={wrong}");
        let message = app.get(&path).expect_error(422, "VALIDATION");
        assert!(message.starts_with("code must be a code of 8"), "{message}");
    }
}

/// Version 0.1.0 gave no codes.
#[test]
fn a_redemption_without_a_code_stays_usable() {
    let app = TestApp::start();
    let offer = app.offer(json!({}));
    for member in ["ada", "bob"] {
        app.member(member, 0);
        app.redeem(member, &offer);
    }
    let updated = app
        .sqlite()
        .execute("UPDATE redemption SET code = NULL", []);
    assert_eq!(updated.unwrap(), 2);
    let listed = app.get("/v1/redemptions").expect(200);
    assert_eq!(listed["redemptions"][1]["code"], Value::Null);
    let id = listed["redemptions"][0]["id"].as_str().unwrap();
    assert_eq!(move_to(&app, id, "OPEN").expect(200)["code"], Value::Null);
    app.member("cy", 0);
    let made = try_redeem(&app, "cy", &offer).expect(201);
    assert!(made["code"].is_string());
    assert_eq!(verify(&app), [""; 0]);
}
