//! The vendor's newest client, decoded strictly: every operation of its 37 with every field of its
//! models, from the data of [`crate::sdk`].

mod scrip;
mod world;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::world::{World, decode, unseen};
use crate::client::{
    attach, call, exchange, get_as, live, move_to, picture, post_as, say, say_as_agent, support,
    webhook,
};
use crate::sdk::{AGENT, Decoder, MODELS, OPERATIONS, unknown_types};
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, SANDBOX_KEY, TestApp};

/// Fields that the server never leaves null.
const NEVER_NULL: [&str; 2] = ["Interest.conversationId", "Redemption.conversationId"];
/// Fields that have a value only with a concierge, which tests of interests have.
const ALWAYS_NULL: [&str; 1] = ["Intake.sensitiveDetailsSentAt"];

#[test]
fn the_data_is_whole() {
    let numbers: Vec<usize> = OPERATIONS.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=37).collect::<Vec<_>>());
    assert_eq!(unknown_types(&MODELS, &OPERATIONS), Vec::<String>::new());
}

#[test]
fn the_decoder_refuses_what_the_client_refuses() {
    let balance = |change: &str, to: &str| {
        let text = r#"{"balance":3800,"balanceDisplay":38,"balanceUSD":38.5,"creditLimit":1000,
            "creditLimitUSD":10,"lifetimeSpent":1200,"lifetimeSpentUSD":12,"ratePerPoint":0.01,
            "settlementMode":"ORG_POOL","extra":1}"#;
        Decoder::default().decode("Balance", &text.replace(change, to))
    };
    assert_eq!(balance("", ""), Ok(()));
    for (change, to, field) in [
        (r#""balance":3800,"#, "", "balance"),
        ("3800", "null", "balance"),
        ("3800", "\"3800\"", "balance"),
        ("3800", "3800.0", "balance"),
        ("3800", "2147483648", "balance"),
        (":38,", ":38.0,", "balanceDisplay"),
        ("0.01", "null", "ratePerPoint"),
        ("ORG_POOL", "POOL", "settlementMode"),
    ] {
        let error = balance(change, to).unwrap_err();
        assert!(error.starts_with(&format!("Balance.{field}: ")), "{error}");
    }
    for (model, text, path) in [
        ("Terms", r#"{"documents":null}"#, "Terms.documents"),
        ("Terms", r#"{"documents":[1]}"#, "Terms.documents[0]"),
        ("SentMessage", r#"{"ok":1}"#, "SentMessage.ok"),
        (
            "TokenGrant",
            r#"{"accessToken":"a","expiresAt":"today"}"#,
            "TokenGrant.expiresAt",
        ),
        (
            "Feedback",
            r#"{"rating":1,"submittedAt":"2026-06-15T12:00:00.000Z"}"#,
            "Feedback.comment",
        ),
    ] {
        let error = Decoder::default().decode(model, text).unwrap_err();
        assert!(error.starts_with(&format!("{path}: ")), "{error}");
    }
}

/// A server with something for each operation of the newest client to return.
fn newest() -> World {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 10);
    let token = app.token("ada");
    let offer = full_offer(&app);
    let redemption = app.redeem("ada", &offer);
    let dates = json!({"startAt": "2026-07-01T10:00:00Z", "endAt": "2026-07-01T12:00:00Z"});
    app.patch(&format!("/v1/redemptions/{redemption}"), &dates)
        .expect(200);
    move_to(&app, &redemption, "COMPLETED").expect(200);
    let canceled = app.redeem("ada", &app.offer(json!({})));
    let reason = json!({"canceledReason": "SOLD_OUT", "canceledNote": "No seat is left."});
    app.post(&format!("/v1/redemptions/{canceled}/cancel"), &reason)
        .expect(200);
    let conversation = support(&app, "ada");
    say(&app, &token, &conversation, "Is it open?");
    say_as_agent(&app, &conversation, "It is.");
    let mut published = ["TERMS_OF_SERVICE", "PRIVACY_POLICY"].map(|kind| {
        let body = json!({"contentHTML": "<p>Be kind.</p>"});
        let published = app.put(&format!("/v1/terms/{kind}"), &body).expect(200);
        published["version"].as_str().unwrap().to_owned()
    });
    let offer_of_interest = app.offer(json!({"title": "A tour"}));
    let names = [
        ("externalUserID", "ada".to_owned()),
        ("offers", offer.clone()),
        ("offer", offer),
        ("bare offer", app.offer(json!({}))),
        ("redemptions", redemption),
        ("conversations", conversation),
        (
            "webhooks",
            webhook(&app, "https://example.com/", &["member.created"]).id,
        ),
        (
            "interests",
            interest(&app, &token, &json!({"offer": offer_of_interest})),
        ),
        ("version", std::mem::take(&mut published[0])),
    ];
    World {
        app,
        agent: AGENT,
        credentials: BTreeMap::from([("key", SANDBOX_KEY.to_owned()), ("token", token)]),
        names: names.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

/// The id of a new interest.
fn interest(app: &TestApp, token: &str, body: &Value) -> String {
    let request = app.request("POST", "/v1/interests").bearer(token);
    let made = request.json(body).send().expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// An offer that leaves out nothing.
fn full_offer(app: &TestApp) -> String {
    app.offer(json!({
        "pointsPrice": 7, "stock": 5, "expiresAt": "2027-06-15T12:00:00Z",
        "startAt": "2026-07-01T10:00:00Z", "endAt": "2026-07-01T12:00:00Z",
        "images": ["https://example.com/a.png"], "disclaimer": "One a day.",
        "inclusions": [{"group": "Food", "name": "Soup"}], "maxGuests": 4, "valueUSD": 38.5,
        "location": {
            "display": "Harbour", "venue": "Harbour", "address": "Akti 1", "city": "Athens",
            "state": "Attica", "countryCode": "GR",
        },
    }))
}

#[test]
#[expect(clippy::too_many_lines, reason = "one world for all operations")]
fn every_operation_returns_what_the_client_decodes_also_after_a_lost_response() {
    let mut world = newest();
    let mut decoder = Decoder::default();
    for operation in OPERATIONS.iter() {
        let member = match operation.id.as_str() {
            "removeMember" => "bob",
            _ => "ada",
        };
        let name = "externalUserID".to_owned();
        world.names.insert(name, member.to_owned());
        if operation.id != "streamMessages" {
            world.retried(operation, &mut decoder);
        }
    }
    world
        .app
        .offer(json!({"location": {"display": "On board"}}));
    world
        .app
        .post(
            "/v1/conversations",
            &json!({"externalUserID": "ada", "title": "A coat", "message": "It is here."}),
        )
        .expect(201);
    let member = json!({"displayName": "Ada", "attributes": {"a": 1}});
    world.app.put("/v1/members/ada", &member).expect(200);
    world.app.member("eve", 0);
    world.app.member("erased", 0);
    let erased = support(&world.app, "erased");
    attach(&world.app, &erased, "a.png", &picture(100, 0));
    world
        .app
        .delete("/v1/members/erased?erase=true")
        .expect(200);
    let erased = format!("/v1/conversations/{erased}/messages");
    world.read("key", &erased, "MessagePage", &mut decoder);
    webhook(&world.app, "https://example.com/2", &["member.created"]);
    let bare = world.app.redeem("eve", &world.names["bare offer"]);
    move_to(&world.app, &bare, "COMPLETED").expect(200);
    let feedback = json!({"rating": 10});
    world
        .app
        .request("PUT", &format!("/v1/redemptions/{bare}/feedback"))
        .bearer(&world.app.token("eve"))
        .json(&feedback)
        .send()
        .expect(200);
    for (path, model) in [
        ("/v1/members?limit=1", "MemberPage"),
        ("/v1/members", "MemberPage"),
        ("/v1/members/ada", "MemberSummary"),
        ("/v1/members/eve", "MemberSummary"),
        ("/v1/offers?limit=1", "OfferPage"),
        ("/v1/offers", "OfferPage"),
        ("/v1/redemptions?limit=1", "RedemptionPage"),
        ("/v1/redemptions", "RedemptionPage"),
        (
            "/v1/wallet/transactions?externalUserID=ada&limit=1",
            "TransactionPage",
        ),
        ("/v1/conversations?externalUserID=ada", "ConversationList"),
        ("/v1/webhooks", "WebhookList"),
        ("/v1/analytics/offers", "OfferAnalyticsList"),
        ("/v1/terms?externalUserID=eve", "Terms"),
        ("/v1/terms?externalUserID=ada", "Terms"),
    ] {
        world.read("key", path, model, &mut decoder);
    }
    let tour = world.app.offer(json!({"title": "Another tour"}));
    for body in [
        json!({"offer": tour}),
        json!({"offer": tour, "occasion": "OTHER"}),
        json!({"offer": tour, "adults": 2, "children": 1, "occasion": "BIRTHDAY",
            "contactMethod": "SMS", "contactWindow": "MORNING", "phone": "+30 210 123 4567"}),
    ] {
        let path = format!(
            "/v1/interests/{}",
            interest(&world.app, &world.credentials["token"], &body)
        );
        world.read("token", &path, "Interest", &mut decoder);
    }
    let conversation = &world.names["conversations"];
    attach(&world.app, conversation, "a.png", &picture(100, 0));
    let path = format!("/v1/conversations/{conversation}/messages?limit=1");
    world.read("token", &path, "MessagePage", &mut decoder);
    for member in ["ada", "eve"] {
        let body = match member {
            "ada" => json!({}),
            _ => json!({"displayName": "Eve"}),
        };
        let set = world.app.put(&format!("/v1/members/{member}"), &body);
        decode(&mut decoder, "Member", &set);
    }
    let unseen = unseen(&decoder, &NEVER_NULL, &ALWAYS_NULL);
    assert_eq!(unseen, Vec::<String>::new());
}

#[test]
fn a_message_of_a_stream_is_what_the_client_decodes() {
    let world = newest();
    let conversation = &world.names["conversations"];
    let path = format!("/v1/conversations/{conversation}/stream");
    let mut stream = world.app.stream(&world.credentials["token"], &path);
    say_as_agent(&world.app, conversation, "We are open.");
    attach(&world.app, conversation, "a.png", &picture(100, 0));
    let frames = std::iter::from_fn(|| stream.next()).filter(|frame| frame.starts_with("data: "));
    for (frame, files) in frames.take(2).zip(0..) {
        let message = frame.trim_end().trim_start_matches("data: ");
        let decoded = Decoder::default().decode("Message", message);
        assert_eq!(decoded, Ok(()));
        let message: Value = serde_json::from_str(message).unwrap();
        assert_eq!(message["attachments"].as_array().unwrap().len(), files);
    }
}

#[test]
fn an_empty_program_is_what_the_client_decodes() {
    let app = TestApp::start();
    let mut decoder = Decoder::default();
    for operation in OPERATIONS.iter() {
        let is_list = operation.method == "GET" && !operation.path.contains('{');
        let of_key = operation.credential == "key";
        if is_list && of_key {
            let path = format!("{}?{}", operation.path, operation.query);
            let request = app.request("GET", &path).header("User-Agent", AGENT);
            decode(
                &mut decoder,
                &operation.model,
                &request.bearer(SANDBOX_KEY).send(),
            );
        }
    }
}

/// The pool of the vendor's example: 1,200 of 5,000 points were paid for a redemption.
#[test]
fn a_pool_that_pays_redemptions_is_what_the_client_decodes() {
    let app = TestApp::start();
    let rate = json!({"ratePerPoint": 0.01});
    live(&app, "PUT", "/v1/configuration", &rate).expect(200);
    let list = get_as(&app, PARTNER_LIVE_KEY, "/partner/organizations").expect(200);
    let organization = list["organizations"][0]["id"].as_str().unwrap();
    let pool = format!("/partner/organizations/{organization}/pool");
    let mode = json!({"settlementMode": "ORG_POOL", "creditLimit": 1000});
    call(&app, PARTNER_LIVE_KEY, "PUT", &pool, &mode).expect(200);
    let bought = json!({"amount": 5000});
    post_as(&app, PARTNER_LIVE_KEY, &format!("{pool}/fund"), &bought).expect(201);
    let token = exchange(&app, LIVE_KEY, "ada");
    let dinner = json!({"title": "A dinner", "pointsPrice": 1200});
    let dinner = live(&app, "POST", "/v1/offers", &dinner).expect(201);
    let redeemed = post_as(
        &app,
        &token,
        "/v1/redemptions",
        &json!({"offer": dinner["id"]}),
    );
    assert_eq!(redeemed.status, 201, "{}", redeemed.text());
    let mut decoder = Decoder::default();
    decode(&mut decoder, "Redemption", &redeemed);
    let balance = get_as(&app, LIVE_KEY, "/v1/balance");
    decode(&mut decoder, "Balance", &balance);
    let expected = json!({
        "balance": 3800, "balanceDisplay": 38, "balanceUSD": 38, "creditLimit": 1000,
        "creditLimitUSD": 10, "lifetimeSpent": 1200, "lifetimeSpentUSD": 12,
        "ratePerPoint": 0.01, "settlementMode": "ORG_POOL",
    });
    assert_eq!(balance.json(), expected);
    let wallet = get_as(&app, &token, "/v1/wallet");
    decode(&mut decoder, "Wallet", &wallet);
    assert_eq!(wallet.json()["balance"], 0);
}
