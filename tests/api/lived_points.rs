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
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
