//! Where codes and sensitive details go, and where they do not.

use serde_json::{Value, json};

use super::{CONFIGURATION, INTERESTS, PHONE, World, gateway, text};
use crate::client::{call, exchange, live, number, post_as, rows};
use crate::figures_on_disk::verify;
use crate::support::receiver::{Answer, Receiver};
use crate::support::{LIVE_KEY, TestApp};

#[test]
fn a_code_goes_to_the_gateway_signed_and_nowhere_else() {
    let world = World::new();
    let app = &world.app;
    let receiver = Receiver::start();
    let secret = gateway(app, "phoneWebhook", &receiver.url("/codes"));
    assert!(secret.starts_with("whsec_"));
    let shown = app.get(CONFIGURATION).expect(200);
    assert_eq!(
        shown["phoneWebhook"],
        json!({"url": receiver.url("/codes")})
    );
    assert_eq!(world.start().expect(200), json!({"sent": true}));
    let request = receiver.wait_for(1).remove(0);
    assert!(request.is_signed_with(&secret));
    assert_eq!(request.event(), "interest.phone_code");
    assert_eq!(request.path, "/codes");
    let body = request.json();
    assert_eq!(body["type"], "interest.phone_code");
    let data = &body["data"];
    let code = text(&data["code"]);
    assert_eq!(
        data,
        &json!({"interestId": world.interest, "phone": PHONE, "code": code})
    );
    assert!(
        code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
        "{code}"
    );
    if code != "000000" {
        assert!(
            !world.verified("000000"),
            "the code of a sandbox without a gateway"
        );
    }
    assert!(world.verified(code));
    // A gateway that fails.
    receiver.answer(|_| Answer::Status(500));
    assert_eq!(world.start().expect(200), json!({"sent": false}));
    assert_eq!(number(app, "SELECT count(*) FROM webhook_delivery"), 0);
    assert_eq!(number(app, "SELECT count(*) FROM event_payload"), 0);
    // Removed, the fixed code is back.
    let removed = app
        .put(CONFIGURATION, &json!({"phoneWebhook": null}))
        .expect(200);
    assert_eq!(removed["phoneWebhook"], Value::Null);
    assert_eq!(world.start().expect(200), json!({"sent": true}));
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(verify(app), [""; 0]);
}

#[test]
fn the_servers_gateway_serves_programs_without_their_own() {
    let receiver = Receiver::start();
    let url = receiver.url("/all");
    let app = TestApp::start_with(|settings| {
        settings.phone.webhook_url = Some(url);
        settings.phone.webhook_secret = Some("secret of the server".into());
    });
    let token = app.token("ada");
    let body = json!({"offer": app.offer(json!({})), "phone": PHONE});
    let interest = post_as(&app, &token, INTERESTS, &body).expect(201);
    let path = format!("{INTERESTS}/{}/phone/verification", text(&interest["id"]));
    let start = || call(&app, &token, "POST", &path, &Value::Null).expect(200);
    assert_eq!(start(), json!({"sent": true}));
    assert!(receiver.wait_for(1)[0].is_signed_with("secret of the server"));
    let own = Receiver::start();
    gateway(&app, "phoneWebhook", &own.url("/own"));
    assert_eq!(start(), json!({"sent": true}));
    assert_eq!((own.wait_for(1).len(), receiver.received().len()), (1, 1));
}

#[test]
fn live_sends_no_code_without_a_gateway_and_only_to_public_addresses() {
    let app = TestApp::start();
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let offer = live(&app, "POST", "/v1/offers", &json!({"title": "Live"})).expect(201);
    let token = exchange(&app, LIVE_KEY, "lea");
    let body = json!({"offer": offer["id"], "phone": PHONE});
    let interest = post_as(&app, &token, INTERESTS, &body).expect(201);
    let path = format!("{INTERESTS}/{}/phone/verification", text(&interest["id"]));
    for _ in 0..5 {
        let started = call(&app, &token, "POST", &path, &Value::Null).expect(200);
        assert_eq!(started, json!({"sent": false}));
    }
    let confirmed = call(&app, &token, "PUT", &path, &json!({"code": "000000"})).expect(200);
    assert_eq!(confirmed, json!({"verified": false}));
    for (field, url) in [
        ("phoneWebhook", "http://example.com/"),
        ("phoneWebhook", "https://127.0.0.1/"),
        ("conciergeWebhook", "https://10.0.0.1/"),
        ("conciergeWebhook", "nowhere"),
    ] {
        let before = rows(&app);
        let body = json!({"currencyName": "Miles", field: {"url": url}});
        let refused = live(&app, "PUT", CONFIGURATION, &body);
        refused.expect_error(422, "WEBHOOK_URL_NOT_ALLOWED");
        assert_eq!(rows(&app), before);
    }
    for (bad, named) in [
        (json!("https://example.com"), "phoneWebhook"),
        (json!({}), "phoneWebhook.url"),
        (json!({"url": null}), "phoneWebhook.url"),
    ] {
        let response = app.put(CONFIGURATION, &json!({"phoneWebhook": bad}));
        let message = response.expect_error(422, "VALIDATION");
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn sensitive_details_go_to_the_concierge_and_are_not_stored() {
    let world = World::new();
    let app = &world.app;
    let details = json!({
        "adults": 2, "phone": PHONE,
        "dietary": "no-lentils-zq1", "allergies": "walnuts-zq2", "accessibility": "ramp-zq3",
    });
    // Without a concierge they are dropped.
    let dropped = world.set_intake(&details).expect(200);
    assert_eq!(dropped["intake"]["sensitiveDetailsSentAt"], Value::Null);
    let receiver = Receiver::start();
    let secret = gateway(app, "conciergeWebhook", &receiver.url("/details"));
    let sent = world.set_intake(&details).expect(200);
    assert_eq!(
        sent["intake"]["sensitiveDetailsSentAt"],
        "2026-06-15T12:00:00.000Z"
    );
    assert!(sent["intake"].get("dietary").is_none());
    let request = receiver.wait_for(1).remove(0);
    assert!(request.is_signed_with(&secret));
    assert_eq!(
        request.json()["data"],
        json!({
            "interestId": world.interest, "dietary": "no-lentils-zq1",
            "allergies": "walnuts-zq2", "accessibility": "ramp-zq3",
        })
    );
    // Without details nothing is sent, and the time stays.
    let later = world.set_intake(&json!({"adults": 3})).expect(200);
    assert_eq!(
        later["intake"]["sensitiveDetailsSentAt"],
        "2026-06-15T12:00:00.000Z"
    );
    let one = world
        .set_intake(&json!({"allergies": "walnuts-zq2"}))
        .expect(200);
    assert_eq!(one["intake"]["adults"], Value::Null);
    let data = receiver.wait_for(2)[1].json()["data"].clone();
    assert_eq!(
        (&data["dietary"], &data["allergies"]),
        (&Value::Null, &json!("walnuts-zq2"))
    );
    // A concierge that fails: nothing is changed.
    receiver.answer(|_| Answer::Status(503));
    let before = (world.get(), rows(app));
    let failed = world.set_intake(&details);
    assert_eq!(failed.header("retry-after"), Some("1"));
    failed.expect_error(503, "CONCIERGE_UNAVAILABLE");
    assert_eq!((world.get(), rows(app)), before);
    receiver.answer(|_| Answer::Redirect("http://example.com/".to_owned()));
    world
        .set_intake(&details)
        .expect_error(503, "CONCIERGE_UNAVAILABLE");
    assert_eq!(verify(app), [""; 0]);
    for file in ["", "-wal"] {
        let path = format!("{}{file}", app.database().display());
        let bytes = std::fs::read(path).unwrap_or_default();
        for text in ["no-lentils-zq1", "walnuts-zq2", "ramp-zq3"] {
            let is_there = bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes());
            assert!(!is_there, "{text} is in the database");
        }
    }
}

#[test]
fn details_for_an_unknown_interest_are_not_forwarded() {
    let world = World::new();
    let receiver = Receiver::start();
    gateway(&world.app, "conciergeWebhook", &receiver.url("/details"));
    let other = world.app.token("bob");
    let body = json!({"dietary": "anything"});
    let path = world.path("/intake");
    call(&world.app, &other, "PUT", &path, &body).expect_error(404, "NOT_FOUND");
    assert_eq!(receiver.received().len(), 0);
}
