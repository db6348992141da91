//! Points in lots: conversion, dates of credits, and how they mature and expire.

use serde_json::{Value, json};

use crate::support::TestApp;

/// Keeps the points of the program in lots from now on.
fn convert(app: &TestApp, body: &Value) -> Value {
    app.post("/v1/assets/default/convert", body).expect(200)
}

fn credit(app: &TestApp, extra: &Value) -> Value {
    let mut body = json!({"externalUserID": "ada", "amount": 100});
    let fields = extra.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    app.post("/v1/wallet/credit", &body).expect(200)
}

fn advance(app: &TestApp, seconds: i64) {
    let body = json!({"advanceSeconds": seconds});
    app.post("/v1/sandbox/clock", &body).expect(200);
}

/// A time some seconds from the program's present.
fn later(app: &TestApp, seconds: i64) -> String {
    let now = app.get("/v1/sandbox/clock").expect(200);
    let now = stampcard::domain::Timestamp::parse(now["now"].as_str().unwrap()).unwrap();
    let at = now.as_millis() + seconds * 1000;
    stampcard::domain::Timestamp::from_millis(at)
        .unwrap()
        .to_string()
}

#[test]
fn points_mature_are_spent_refunded_and_expire() {
    let app = TestApp::start();
    app.member("ada", 70);
    let dry = convert(&app, &json!({"to": "LOT", "dry_run": true}));
    let counted = json!({"dry_run": true, "members": 1, "lots": 1, "points": "70",
        "would_expire_first": null});
    assert_eq!(dry, counted);
    convert(&app, &json!({"to": "LOT"}));
    credit(&app, &json!({"expiresAt": later(&app, 100)}));
    credit(
        &app,
        &json!({"maturesAt": later(&app, 50), "expiresAt": null}),
    );
    assert_eq!(app.balance("ada"), 170);
    advance(&app, 60);
    assert_eq!(app.balance("ada"), 270);
    let offer = app.offer(json!({"pointsPrice": 120}));
    let id = app.redeem("ada", &offer);
    assert_eq!(app.balance("ada"), 150);
    let cancel = format!("/v1/redemptions/{id}/cancel");
    app.post(&cancel, &json!({})).expect(200);
    assert_eq!(app.balance("ada"), 270);
    advance(&app, 60);
    assert_eq!(app.balance("ada"), 170);
    app.delete("/v1/members/ada").expect(200);
    verify(&app);
}

/// The points in each lot of a member.
fn lots(app: &TestApp, member: &str) -> Vec<Value> {
    let asset = id_at(app, "/v1/assets/default");
    let path = format!("{}/balances/lots?asset_id={asset}", path_of(app, member));
    let list = app.get(&path).expect(200)["data"].clone();
    let rows = list.as_array().unwrap().iter();
    rows.map(|lot| lot["remaining"].clone()).collect()
}

fn id_at(app: &TestApp, path: &str) -> String {
    let id = app.get(path).expect(200)["id"].clone();
    id.as_str().unwrap().to_owned()
}

/// The path of a member as a participant.
fn path_of(app: &TestApp, member: &str) -> String {
    let list = app.get(&format!("/v1/participants?external_id={member}"));
    let id = list.expect(200)["data"][0]["id"].clone();
    format!("/v1/participants/{}", id.as_str().unwrap())
}

/// A conversion finds nothing in accounts whose points are all spent. What is returned to them
/// later is in lots.
#[test]
fn points_that_were_spent_before_the_conversion_come_back_in_a_lot() {
    let app = TestApp::start();
    app.member("ada", 60);
    app.member("bob", 40);
    let offer = app.offer(json!({"pointsPrice": 60}));
    let redemption = app.redeem("ada", &offer);
    let body = json!({"program_id": id_at(&app, "/v1/programs/current"),
        "asset_id": id_at(&app, "/v1/assets/default"), "amount": "40", "description": "Tea"});
    let spends = format!("{}/redemptions", path_of(&app, "bob"));
    let spend = app.post(&spends, &body).expect(201)["id"].clone();
    convert(&app, &json!({"to": "LOT"}));
    advance(&app, 1);
    for member in ["ada", "bob"] {
        assert_eq!(app.balance(member), 0);
        assert_eq!(lots(&app, member), [Value::Null; 0]);
    }

    let cancel = format!("/v1/redemptions/{redemption}/cancel");
    app.post(&cancel, &json!({})).expect(200);
    assert_eq!(lots(&app, "ada"), ["60"]);
    verify(&app);
    let reverse = format!("{spends}/{}/reverse", spend.as_str().unwrap());
    for returned in [json!(["30"]), json!(["30", "10"])] {
        let last = returned.as_array().unwrap().last();
        let body = json!({"reason": "Cold", "amount": last});
        app.post(&reverse, &body).expect(201);
        assert_eq!(json!(lots(&app, "bob")), returned);
        verify(&app);
    }
    assert_eq!((app.balance("ada"), app.balance("bob")), (60, 40));
}

#[track_caller]
fn verify(app: &TestApp) {
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
