//! Interests: a member wants an offer; intake, phone verification, conversion and closing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    activities, call, exchange, get_as, live, number, post_as, post_once, race, rows, say,
};
use crate::figures_on_disk::verify;
use crate::support::receiver::{Answer, Receiver};
use crate::support::{LIVE_KEY, Response, SANDBOX_KEY, TestApp};

const INTERESTS: &str = "/v1/interests";
const CONFIGURATION: &str = "/v1/configuration";
const PHONE: &str = "+30 694 123-4567";

/// A server with a member, an offer, and an interest of the member in it.
struct World {
    app: TestApp,
    token: String,
    offer: String,
    interest: String,
}

impl World {
    fn new() -> Self {
        let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 86_400);
        app.member("ada", 100);
        let token = app.token("ada");
        let offer = app.offer(json!({"title": "Sunset sail", "pointsPrice": 40}));
        let body = json!({"offer": offer, "phone": PHONE});
        let created = post_as(&app, &token, INTERESTS, &body).expect(201);
        let interest = created["id"].as_str().unwrap().to_owned();
        Self {
            app,
            token,
            offer,
            interest,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("{INTERESTS}/{}{rest}", self.interest)
    }

    fn get(&self) -> Value {
        get_as(&self.app, &self.token, &self.path("")).expect(200)
    }

    fn set_intake(&self, body: &Value) -> Response {
        call(&self.app, &self.token, "PUT", &self.path("/intake"), body)
    }

    fn start(&self) -> Response {
        let path = self.path("/phone/verification");
        call(&self.app, &self.token, "POST", &path, &Value::Null)
    }

    fn confirm(&self, code: &str) -> Response {
        let (path, body) = (self.path("/phone/verification"), json!({"code": code}));
        call(&self.app, &self.token, "PUT", &path, &body)
    }

    fn verified(&self, code: &str) -> bool {
        let answer = self.confirm(code).expect(200);
        answer["verified"].as_bool().unwrap()
    }

    fn redeem(&self, interest: &str) -> Response {
        let body = json!({"offer": self.offer, "interest": interest});
        post_as(&self.app, &self.token, "/v1/redemptions", &body)
    }

    fn close(&self) -> Response {
        self.app.patch(&self.path(""), &json!({"status": "closed"}))
    }
}

/// Sets a gateway, and returns its secret.
fn gateway(app: &TestApp, field: &str, url: &str) -> String {
    let set = app.put(CONFIGURATION, &json!({field: {"url": url}}));
    let set = set.expect(200);
    assert_eq!(set[field]["url"], url);
    set[field]["secret"].as_str().unwrap().to_owned()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn an_interest_opens_a_conversation_and_costs_nothing() {
    let world = World::new();
    let (app, token) = (&world.app, &world.token);
    let body = json!({
        "offer": world.offer, "adults": 2, "children": 0, "preferredDates": ["2026-11-06"],
        "occasion": "ANNIVERSARY", "contactMethod": "APP_CHAT", "contactWindow": "EVENING",
        "phone": PHONE,
    });
    let created = post_as(app, token, INTERESTS, &body).expect(201);
    let expected = json!({
        "id": created["id"], "offer": world.offer, "status": "submitted",
        "createdAt": "2026-06-15T12:00:00.000Z", "conversationId": created["conversationId"],
        "intake": {
            "adults": 2, "children": 0, "preferredDates": ["2026-11-06"], "blackoutDates": [],
            "occasion": "ANNIVERSARY", "contactMethod": "APP_CHAT", "contactWindow": "EVENING",
            "phone": PHONE, "phoneVerified": false, "sensitiveDetailsSentAt": null,
        },
    });
    assert_eq!(created, expected);
    assert!(text(&created["id"]).starts_with("int_"));
    let path = format!("{INTERESTS}/{}", text(&created["id"]));
    assert_eq!(get_as(app, token, &path).expect(200), created);
    assert_eq!(app.balance("ada"), 100);
    // The member can write at once.
    let conversation = text(&created["conversationId"]);
    say(app, token, conversation, "We come by boat");
    let path = format!("/v1/conversations/{conversation}");
    let shown = get_as(app, token, &path).expect(200);
    assert_eq!(shown["title"], "Sunset sail");
    assert_eq!(shown["redemptionID"], Value::Null);
    let list = get_as(app, token, "/v1/conversations").expect(200);
    let listed = list["conversations"].as_array().unwrap();
    assert!(listed.iter().any(|one| one["id"] == conversation));
    assert_eq!(activities(app, 90), 2);
    assert_eq!(verify(app), [""; 0]);
}

#[test]
fn a_key_names_the_member_and_sees_the_names() {
    let world = World::new();
    let app = &world.app;
    app.member("bob", 0);
    let body = json!({"offer": world.offer, "externalUserID": "bob"});
    let created = app.post(INTERESTS, &body).expect(201);
    assert_eq!(created["intake"], Value::Null);
    let shown = app
        .get(&format!("{INTERESTS}/{}", text(&created["id"])))
        .expect(200);
    assert_eq!(shown["externalUserID"], "bob");
    assert_eq!(shown["offerTitle"], "Sunset sail");
    assert_eq!(shown["displayName"], Value::Null);
    let ids = |query: &str| -> Vec<String> {
        let list = app.get(&format!("{INTERESTS}?{query}")).expect(200);
        let all = list["interests"].as_array().unwrap();
        all.iter().map(|one| text(&one["id"]).to_owned()).collect()
    };
    let (newest, oldest) = (text(&created["id"]).to_owned(), world.interest.clone());
    assert_eq!(ids(""), [newest.clone(), oldest.clone()]);
    assert_eq!(ids("externalUserID=ada"), [oldest.as_str()]);
    world.close().expect(200);
    assert_eq!(ids("status=closed"), [oldest.as_str()]);
    assert_eq!(ids("status=submitted"), [newest.as_str()]);
    let page = app.get(&format!("{INTERESTS}?limit=1")).expect(200);
    let next = format!("limit=1&cursor={}", text(&page["nextCursor"]));
    assert_eq!(ids(&next), [oldest]);
    for query in ["status=open", "status=SUBMITTED", "limit=0", "cursor=x"] {
        let response = app.get(&format!("{INTERESTS}?{query}"));
        let message = response.expect_error(422, "VALIDATION");
        let name = query.split('=').next().unwrap();
        assert!(message.contains(name), "{message}");
    }
    get_as(app, &world.token, INTERESTS).expect_error(403, "FORBIDDEN");
}

#[test]
fn only_the_member_and_keys_of_the_program_see_an_interest() {
    let world = World::new();
    let app = &world.app;
    let other = app.token("bob");
    let path = world.path("");
    get_as(app, &other, &path).expect_error(404, "NOT_FOUND");
    live(app, "GET", &path, &Value::Null).expect_error(404, "NOT_FOUND");
    for (method, rest, body) in [
        ("PUT", "/intake", json!({})),
        ("POST", "/phone/verification", Value::Null),
        ("PUT", "/phone/verification", json!({"code": "000000"})),
    ] {
        let path = world.path(rest);
        call(app, &other, method, &path, &body).expect_error(404, "NOT_FOUND");
        call(app, SANDBOX_KEY, method, &path, &body).expect_error(403, "FORBIDDEN");
        let unknown = format!("{INTERESTS}/int_1{rest}");
        call(app, &world.token, method, &unknown, &body).expect_error(404, "NOT_FOUND");
    }
    let body = json!({"status": "closed"});
    call(app, &world.token, "PATCH", &path, &body).expect_error(403, "FORBIDDEN");
    let redemption = json!({"offer": world.offer, "interest": world.interest});
    let redeem = post_as(app, &other, "/v1/redemptions", &redemption);
    redeem.expect_error(404, "NOT_FOUND");
}

#[test]
fn the_offer_must_be_visible_to_the_member() {
    let world = World::new();
    let (app, token) = (&world.app, &world.token);
    let gold = app.offer(json!({"tiers": ["gold"]}));
    let over = app.offer(json!({"expiresAt": "2026-06-15T12:00:00Z"}));
    let archived = app.offer(json!({}));
    app.delete(&format!("/v1/offers/{archived}")).expect(200);
    let before = rows(app);
    for offer in [&*gold, &*over, &*archived, "off_1", ""] {
        let body = json!({"offer": offer});
        post_as(app, token, INTERESTS, &body).expect_error(404, "NOT_FOUND");
    }
    assert_eq!(rows(app), before);
    // Stock does not matter, and is not held.
    let gone = app.offer(json!({"availability": {"quantityRemaining": 0}}));
    post_as(app, token, INTERESTS, &json!({"offer": gone})).expect(201);
}

#[test]
fn bad_input_is_refused_by_name_and_changes_nothing() {
    let world = World::new();
    let (app, token) = (&world.app, &world.token);
    let before = rows(app);
    for (field, bad, named) in [
        ("adults", json!(-1), "adults"),
        ("adults", json!(1001), "adults"),
        ("children", json!(1.5), "children"),
        ("children", json!("2"), "children"),
        ("preferredDates", json!("2026-11-06"), "preferredDates"),
        (
            "preferredDates",
            json!(["2026-11-06", "2026-02-30"]),
            "preferredDates[1]",
        ),
        (
            "blackoutDates",
            json!(["2026-11-06T10:00:00Z"]),
            "blackoutDates[0]",
        ),
        (
            "blackoutDates",
            json!(vec!["2026-11-06"; 101]),
            "blackoutDates",
        ),
        ("occasion", json!("birthday"), "occasion"),
        ("contactMethod", json!("FAX"), "contactMethod"),
        ("contactWindow", json!("NIGHT"), "contactWindow"),
        ("phone", json!("1234"), "phone"),
        ("phone", json!("1234567890123456"), "phone"),
        ("phone", json!("call me 12345"), "phone"),
        ("phone", json!(12345), "phone"),
    ] {
        let create = post_as(
            app,
            token,
            INTERESTS,
            &json!({"offer": world.offer, field: bad}),
        );
        let intake = world.set_intake(&json!({field: bad}));
        for response in [create, intake] {
            let message = response.expect_error(422, "VALIDATION");
            assert!(message.contains(named), "{message}");
        }
    }
    for (field, bad) in [
        ("dietary", json!("x".repeat(1001))),
        ("allergies", json!(["nuts"])),
        ("accessibility", json!("a\u{0}")),
    ] {
        let message = world
            .set_intake(&json!({field: bad}))
            .expect_error(422, "VALIDATION");
        assert!(message.contains(field), "{message}");
    }
    for bad in [
        json!({}),
        json!({"status": "submitted"}),
        json!({"status": 1}),
    ] {
        let message = app
            .patch(&world.path(""), &bad)
            .expect_error(422, "VALIDATION");
        assert!(message.contains("status"), "{message}");
    }
    for (body, named) in [
        (json!({}), "offer"),
        (json!({"offer": world.offer}), "externalUserID"),
    ] {
        let message = app.post(INTERESTS, &body).expect_error(422, "VALIDATION");
        assert!(message.contains(named), "{message}");
    }
    let body = json!({"offer": world.offer, "externalUserID": "nobody"});
    app.post(INTERESTS, &body).expect_error(404, "NOT_FOUND");
    let message = {
        let path = world.path("/phone/verification");
        call(app, token, "PUT", &path, &json!({})).expect_error(422, "VALIDATION")
    };
    assert!(message.contains("code"), "{message}");
    assert_eq!(rows(app), before);
}

#[test]
fn a_retry_creates_one_interest() {
    let world = World::new();
    let body = json!({"offer": world.offer, "externalUserID": "ada", "adults": 3});
    let send = || post_once(&world.app, "interest-1", INTERESTS, &body);
    let first = send().expect(201);
    let again = send();
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    assert_eq!(number(&world.app, "SELECT count(*) FROM interest"), 2);
}

#[test]
fn the_intake_is_replaced_as_a_whole() {
    let world = World::new();
    let full = json!({
        "adults": 2, "children": 1, "preferredDates": ["2026-11-06", "2026-11-07"],
        "blackoutDates": ["2026-12-24"], "occasion": "OTHER", "contactMethod": "SMS",
        "contactWindow": "ANYTIME", "phone": PHONE,
    });
    let mut expected = full.clone();
    expected["phoneVerified"] = json!(false);
    expected["sensitiveDetailsSentAt"] = Value::Null;
    assert_eq!(world.set_intake(&full).expect(200)["intake"], expected);
    assert_eq!(world.get()["intake"], expected);
    let empty = world.set_intake(&json!({"adults": null})).expect(200);
    let nothing = json!({
        "adults": null, "children": null, "preferredDates": [], "blackoutDates": [],
        "occasion": null, "contactMethod": null, "contactWindow": null, "phone": null,
        "phoneVerified": false, "sensitiveDetailsSentAt": null,
    });
    assert_eq!(empty["intake"], nothing);
    assert_eq!(world.get(), empty);
    assert_eq!(verify(&world.app), [""; 0]);
}

#[test]
fn a_redemption_takes_over_the_conversation_of_an_interest() {
    let world = World::new();
    let (app, token) = (&world.app, &world.token);
    let conversation = text(&world.get()["conversationId"]).to_owned();
    say(app, token, &conversation, "Four of us");
    let other = app.offer(json!({}));
    let mismatch = json!({"offer": other, "interest": world.interest});
    let message = post_as(app, token, "/v1/redemptions", &mismatch);
    let message = message.expect_error(422, "VALIDATION");
    assert!(message.contains("interest"), "{message}");
    for unknown in ["int_1", "int_01890a5d-ac96-774b-bcce-b302099a8057"] {
        world.redeem(unknown).expect_error(404, "NOT_FOUND");
    }
    assert_eq!(world.get()["status"], "submitted");
    let redemption = world.redeem(&world.interest).expect(201);
    assert_eq!(redemption["conversationId"], *conversation);
    assert_eq!(world.get()["status"], "converted");
    let path = format!("/v1/conversations/{conversation}");
    let shown = get_as(app, token, &path).expect(200);
    assert_eq!(shown["redemptionID"], redemption["id"]);
    assert_eq!(shown["type"], "booking");
    assert_eq!(app.balance("ada"), 60);
    world
        .redeem(&world.interest)
        .expect_error(409, "REDEMPTION_TRANSITION_INVALID");
    world
        .close()
        .expect_error(409, "REDEMPTION_TRANSITION_INVALID");
    // Once the redemption is canceled, the interest stays converted.
    let cancel = format!("/v1/redemptions/{}/cancel", text(&redemption["id"]));
    app.post(&cancel, &Value::Null).expect(200);
    world
        .redeem(&world.interest)
        .expect_error(409, "REDEMPTION_TRANSITION_INVALID");
    assert_eq!(verify(app), [""; 0]);
}

#[test]
fn a_redemption_that_is_refused_leaves_the_interest() {
    let world = World::new();
    let dear = world.app.offer(json!({"pointsPrice": 1000}));
    let body = json!({"offer": dear});
    let interest = post_as(&world.app, &world.token, INTERESTS, &body).expect(201);
    let body = json!({"offer": dear, "interest": interest["id"]});
    let refused = post_as(&world.app, &world.token, "/v1/redemptions", &body);
    refused.expect_error(422, "INSUFFICIENT_POINTS");
    let path = format!("{INTERESTS}/{}", text(&interest["id"]));
    let after = get_as(&world.app, &world.token, &path).expect(200);
    assert_eq!(after, interest);
}

#[test]
fn a_closed_interest_is_neither_closed_nor_redeemed_again() {
    let world = World::new();
    let closed = world.close().expect(200);
    assert_eq!(
        (&closed["status"], &closed["externalUserID"]),
        (&json!("closed"), &json!("ada"))
    );
    world
        .close()
        .expect_error(409, "REDEMPTION_TRANSITION_INVALID");
    let refused = world.redeem(&world.interest);
    let message = refused.expect_error(409, "REDEMPTION_TRANSITION_INVALID");
    assert!(message.contains("closed"), "{message}");
    assert_eq!(verify(&world.app), [""; 0]);
}

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
    let received = receiver.wait_for(1).remove(0);
    assert!(received.is_signed_with(&secret));
    assert_eq!(received.event(), "interest.phone_code");
    assert_eq!(received.path, "/codes");
    let body = received.json();
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
    let received = receiver.wait_for(1).remove(0);
    assert!(received.is_signed_with(&secret));
    assert_eq!(
        received.json()["data"],
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

#[test]
fn a_removed_member_keeps_interests_and_an_erased_one_no_intake() {
    let world = World::new();
    let app = &world.app;
    world.start().expect(200);
    assert!(world.verified("000000"));
    app.delete("/v1/members/ada").expect(200);
    get_as(app, &world.token, &world.path("")).expect_error(401, "UNAUTHORIZED");
    world.start().expect_error(401, "UNAUTHORIZED");
    let kept = app.get(&world.path("")).expect(200);
    assert_eq!(kept["intake"]["phone"], PHONE);
    let list = format!("{INTERESTS}?externalUserID=ada");
    app.get(&list).expect_error(404, "NOT_FOUND");
    let list = app.get(&format!("{list}&includeArchived=true")).expect(200);
    assert_eq!(list["interests"].as_array().unwrap().len(), 1);
    app.delete("/v1/members/ada?erase=true").expect(200);
    let erased = app.get(&world.path("")).expect(200);
    assert_eq!(erased["intake"], Value::Null);
    assert!(text(&erased["externalUserID"]).starts_with("erased_"));
    assert_eq!(number(app, "SELECT count(*) FROM phone_code"), 0);
    assert_eq!(verify(app), [""; 0]);
}

#[test]
fn a_reset_sandbox_keeps_its_gateways_and_no_interest() {
    let world = World::new();
    let app = &world.app;
    let receiver = Receiver::start();
    gateway(app, "phoneWebhook", &receiver.url("/codes"));
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    let list = app.get(INTERESTS).expect(200);
    assert_eq!(list, json!({"interests": [], "nextCursor": null}));
    let shown = app.get(CONFIGURATION).expect(200);
    assert_eq!(shown["phoneWebhook"]["url"], receiver.url("/codes"));
    app.get(&world.path("")).expect_error(404, "NOT_FOUND");
    assert_eq!(verify(app), [""; 0]);
}
