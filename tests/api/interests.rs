//! Interests: a member wants an offer; intake, phone verification, conversion and closing.

mod gateways;
mod phone;

use serde_json::{Value, json};

use crate::client::{activities, call, get_as, live, number, post_as, post_once, rows, say};
use crate::figures_on_disk::verify;
use crate::support::receiver::Receiver;
use crate::support::{Response, SANDBOX_KEY, TestApp};

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
    assert_eq!(rows(app), before);
}

#[test]
fn bad_closing_creation_and_code_are_refused_by_name() {
    let world = World::new();
    let (app, token) = (&world.app, &world.token);
    let before = rows(app);
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
