//! The verification of the phone of an intake: codes, their limits and their time.

use std::time::Duration;

use serde_json::{Value, json};

use super::{INTERESTS, PHONE, World, text};
use crate::client::{activities, call, post_as, race};
use crate::figures_on_disk::verify;

#[test]
fn a_sandbox_without_a_gateway_has_a_fixed_code() {
    let world = World::new();
    assert!(!world.verified("000000"), "no code was started");
    assert_eq!(world.start().expect(200), json!({"sent": true}));
    assert!(!world.verified("123456"));
    assert!(world.verified("000000"));
    assert_eq!(world.get()["intake"]["phoneVerified"], true);
    // A code counts once.
    assert!(!world.verified("000000"));
    assert_eq!(world.get()["intake"]["phoneVerified"], true);
    // The same number, written differently, stays verified; another one is not.
    let same = json!({"phone": "+30 6941234567"});
    assert_eq!(
        world.set_intake(&same).expect(200)["intake"]["phoneVerified"],
        true
    );
    let other = json!({"phone": "+30 6941234568"});
    assert_eq!(
        world.set_intake(&other).expect(200)["intake"]["phoneVerified"],
        false
    );
    world.start().expect(200);
    assert_eq!(
        world.set_intake(&json!({"phone": PHONE})).expect(200)["intake"]["phoneVerified"],
        false
    );
    assert!(!world.verified("000000"), "the code was for another number");
    world.set_intake(&json!({})).expect(200);
    for response in [world.start(), world.confirm("000000")] {
        let message = response.expect_error(422, "VALIDATION");
        assert!(message.contains("phone"), "{message}");
    }
    assert_eq!(verify(&world.app), [""; 0]);
}

#[test]
fn a_code_is_over_after_ten_minutes_of_the_programs_time() {
    let world = World::new();
    world.start().expect(200);
    let advance = |seconds: i64| {
        let body = json!({"advanceSeconds": seconds});
        world.app.post("/v1/sandbox/clock", &body).expect(200);
    };
    advance(600);
    assert!(!world.verified("000000"));
    world.start().expect(200);
    advance(599);
    assert!(world.verified("000000"));
}

#[test]
fn one_of_two_confirmations_at_once_verifies() {
    let world = World::new();
    world.start().expect(200);
    let (sender, receiver) = std::sync::mpsc::channel();
    let confirm = || {
        let response = world.confirm("000000");
        sender
            .send(response.json()["verified"].as_bool().unwrap())
            .unwrap();
        response
    };
    assert_eq!(race([&confirm, &confirm]), [200, 200]);
    let mut verified = [receiver.recv().unwrap(), receiver.recv().unwrap()];
    verified.sort_unstable();
    assert_eq!(verified, [false, true]);
    assert_eq!(activities(&world.app, 91), 1);
}

#[test]
fn wrong_tries_count_over_codes() {
    let world = World::new();
    world.start().expect(200);
    for _ in 0..3 {
        assert!(!world.verified("111111"));
    }
    world.start().expect(200);
    for wrong in ["", "0000000", "0x0000"] {
        assert!(!world.verified(wrong));
    }
    assert!(!world.verified("000000"), "too many tries");
    let response = world.start();
    assert_eq!(response.header("retry-after"), Some("3600"));
    response.expect_error(429, "RATE_LIMITED");
    world.app.clock.advance(Duration::from_hours(1));
    world.start().expect(200);
    assert!(world.verified("000000"));
}

#[test]
fn codes_are_limited_for_a_member_and_for_a_number() {
    let world = World::new();
    let app = &world.app;
    for _ in 0..3 {
        world.start().expect(200);
        app.clock.advance(Duration::from_mins(10));
    }
    let response = world.start();
    assert_eq!(response.header("retry-after"), Some("1800"));
    response.expect_error(429, "RATE_LIMITED");
    // Another number does not help the member, nor another member the number.
    world.set_intake(&json!({"phone": "12345"})).expect(200);
    world.start().expect_error(429, "RATE_LIMITED");
    let bob = app.token("bob");
    let start = |phone: &str| {
        let body = json!({"offer": world.offer, "phone": phone});
        let interest = post_as(app, &bob, INTERESTS, &body).expect(201);
        let path = format!("{INTERESTS}/{}/phone/verification", text(&interest["id"]));
        call(app, &bob, "POST", &path, &Value::Null)
    };
    start("(+30) 694 123 4567").expect_error(429, "RATE_LIMITED");
    start("54321").expect(200);
    // Ten a day.
    for _ in 0..7 {
        app.clock.advance(Duration::from_mins(30));
        let token = app.token("ada");
        let path = world.path("/phone/verification");
        call(app, &token, "POST", &path, &Value::Null).expect(200);
    }
    app.clock.advance(Duration::from_hours(2));
    let token = app.token("ada");
    let path = world.path("/phone/verification");
    let response = call(app, &token, "POST", &path, &Value::Null);
    let seconds = response
        .header("retry-after")
        .unwrap()
        .parse::<u64>()
        .unwrap();
    assert_eq!(seconds, 24 * 3600 - (30 + 7 * 30 + 120) * 60);
    response.expect_error(429, "RATE_LIMITED");
    app.clock.advance(Duration::from_secs(seconds));
    let token = app.token("ada");
    call(app, &token, "POST", &path, &Value::Null).expect(200);
}
