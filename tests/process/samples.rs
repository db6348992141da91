//! The flows of the vendor's samples, and everything else that its newest client can call, against
//! the demo and a new server. Each response is decoded as strictly as the client does.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::demo::{SMALL, key};
use crate::receiver::Receiver;
use crate::sdk::{AGENT, Decoder, OPERATIONS, Operation};
use crate::server::{Answer, Place, Server, request};

const API: &str = include_str!("../../docs/API.md");
const PATIENCE: Duration = Duration::from_mins(1);

/// A client of a server, with the key of a sandbox.
struct Client<'a> {
    server: &'a Server,
    agent: ureq::Agent,
    key: String,
    called: RefCell<BTreeSet<usize>>,
}

impl<'a> Client<'a> {
    fn new(server: &'a Server, key: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(AGENT)
            .timeout_global(Some(PATIENCE));
        Self {
            server,
            agent: config.build().into(),
            key,
            called: RefCell::default(),
        }
    }

    fn send(
        &self,
        credential: &str,
        operation: &Operation,
        (path, idempotency_key): (&str, &str),
        body: &Value,
    ) -> Answer {
        let route = (operation.method.as_str(), path);
        let once = operation.sends_idempotency_key.then_some(idempotency_key);
        let address = self.server.address;
        request(&self.agent, address, credential, route, once, body).unwrap()
    }

    /// Calls an operation about an object, whose id is in the path, and decodes the response.
    #[track_caller]
    fn call(&self, credential: &str, name: &str, id: &str, body: &Value) -> Value {
        self.call_once(
            credential,
            name,
            (id, &format!("once {name} {id} {body}")),
            body,
        )
    }

    /// The same with a given Idempotency-Key.
    #[track_caller]
    fn call_once(
        &self,
        credential: &str,
        name: &str,
        (id, once): (&str, &str),
        body: &Value,
    ) -> Value {
        let operation = operation(name);
        self.called.borrow_mut().insert(operation.number);
        let path = format!("{}?{}", path_of(operation, id), operation.query);
        let answer = self.send(credential, operation, (&path, once), body);
        assert_eq!(answer.status, operation.status, "{name} {}", answer.text);
        let decoded = Decoder::default().decode(&operation.model, &answer.text);
        assert_eq!(decoded, Ok(()), "{name} {}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    fn with_key(&self, name: &str, id: &str, body: &Value) -> Value {
        self.call(&self.key, name, id, body)
    }

    /// A request of the operator, which no client of the vendor sends.
    #[track_caller]
    fn operate(&self, method: &str, path: &str, body: &Value) -> Value {
        let address = self.server.address;
        let route = (method, path);
        let answer = request(&self.agent, address, &self.key, route, None, body);
        let answer = answer.unwrap();
        assert!(answer.status < 300, "{path} {}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }
}

fn operation(name: &str) -> &'static Operation {
    OPERATIONS.iter().find(|one| one.id == name).unwrap()
}

/// The path of an operation about an object.
fn path_of(operation: &Operation, id: &str) -> String {
    match operation.path.split_once('{') {
        None => operation.path.clone(),
        Some((before, rest)) => {
            let (_, after) = rest.split_once('}').unwrap();
            format!("{before}{id}{after}")
        }
    }
}

#[track_caller]
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let text = value.pointer(pointer).and_then(Value::as_str);
    let text = text.unwrap_or_else(|| panic!("no {pointer} in {value}"));
    assert_ne!(text, "", "{pointer}");
    text
}

/// Everything that the client can call, in the order of the samples.
fn run(server: &Server, key: String) {
    let client = Client::new(server, key);
    let grant = client.with_key("exchangeToken", "", &json!({"externalUserID": "newcomer"}));
    let token = text(&grant, "/accessToken");
    let (offer, redemption) = browse_and_redeem(&client, token);
    the_backend(&client);
    talk(&client, token);
    hear_of_it(&client, &offer);
    rate(&client, token, (&offer, &redemption));
    wish(&client, token, &offer);
    accept_terms(&client, token);
    configure(&client, &offer);
    let removed = client.with_key("removeMember", "newcomer", &Value::Null);
    assert_eq!(removed["archived"], true);
    let called = client.called.borrow();
    let missing = OPERATIONS
        .iter()
        .filter(|one| !called.contains(&one.number));
    let missing: Vec<&str> = missing.map(|one| one.id.as_str()).collect();
    assert_eq!(missing, [""; 0], "operations that were not called");
}

/// A new member redeems the first offer that the app shows. Returns the offer and the redemption.
fn browse_and_redeem(client: &Client<'_>, token: &str) -> (String, String) {
    let get = |name: &str, id: &str| client.call(token, name, id, &Value::Null);
    let eligibility = get("getEligibility", "");
    text(&eligibility, "/tier");
    text(&get("getWallet", ""), "/currency/symbol");
    let offers = get("listOffers", "");
    let offer = text(&offers, "/data/0/id");
    assert_eq!(get("getOffer", offer)["id"], offer);
    let body = json!({"offer": offer});
    let redeem = || client.call_once(token, "createRedemption", ("", "my key"), &body);
    let made = redeem();
    assert_eq!(redeem(), made);
    let again = operation("createRedemption");
    let again = client.send(token, again, (&again.path, "another key"), &body);
    assert_eq!(
        again.expect(409)["error"]["code"],
        "REDEMPTION_ALREADY_EXISTS"
    );
    let redemption = text(&made, "/id");
    assert_eq!(get("getRedemption", redemption)["id"], redemption);
    let list = get("listRedemptions", "");
    assert_eq!(list["redemptions"][0]["id"], redemption);
    (offer.to_owned(), redemption.to_owned())
}

/// What the app's server does with the key, all in one run.
fn the_backend(client: &Client<'_>) {
    let profile = json!({"displayName": "Ada Lovelace", "tier": "gold"});
    let member = client.with_key("setMember", "newcomer", &profile);
    assert_eq!(member["tier"], "gold");
    let credit = json!({"externalUserID": "newcomer", "amount": 100, "reason": "welcome bonus"});
    let credited = client.with_key("creditWallet", "", &credit);
    assert_eq!(credited["balance"], 100);
    let hook = json!({"url": "https://example.com/webhooks", "events": ["redemption.created"]});
    let made = client.with_key("createWebhook", "", &hook);
    text(&made, "/signingSecret");
    let listed = client.with_key("listWebhooks", "", &Value::Null);
    assert_eq!(listed["data"][0]["id"], made["id"]);
    client.with_key("deleteWebhook", text(&made, "/id"), &Value::Null);
    let summary = client.with_key("getAnalyticsSummary", "", &Value::Null);
    assert!(summary["pointsMinted"].as_i64() >= Some(100), "{summary}");
    let found = client.with_key("getMember", "newcomer", &Value::Null);
    assert_eq!(found["wallet"]["balance"], 100);
    let list = client.with_key("listMembers", "", &Value::Null);
    assert_eq!(list["members"][0]["externalUserID"], "newcomer");
}

/// The member writes to the first conversation, and hears the reply.
fn talk(client: &Client<'_>, token: &str) {
    let ledger = client.call(token, "listTransactions", "", &Value::Null);
    assert_eq!(ledger["transactions"][0]["reason"], "welcome bonus");
    let list = client.call(token, "listConversations", "", &Value::Null);
    let id = text(&list, "/conversations/0/id");
    let hello = json!({"message": "Hello from the SDK"});
    client.call(token, "sendMessage", id, &hello);
    let listed = client.call(token, "listMessages", id, &Value::Null);
    assert_eq!(listed["messages"][0]["body"], hello["message"]);
    let operation = operation("streamMessages");
    client.called.borrow_mut().insert(operation.number);
    let url = format!("http://{}{}", client.server.address, path_of(operation, id));
    let stream = client.agent.get(url);
    let stream = stream.header("Authorization", format!("Bearer {token}"));
    let mut stream = stream.call().unwrap();
    assert_eq!(stream.status(), operation.status);
    let reply = json!({"message": "Hello, Ada", "as": "agent"});
    let path = format!("/v1/conversations/{id}/messages");
    client.operate("POST", &path, &reply);
    let lines = BufReader::new(stream.body_mut().as_reader()).lines();
    let mut frames = lines.map_while(Result::ok);
    let message = frames.find_map(|line| Some(line.strip_prefix("data: ")?.to_owned()));
    let message = message.unwrap();
    assert_eq!(
        Decoder::default().decode(&operation.model, &message),
        Ok(())
    );
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(message["body"], reply["message"]);
}

/// A webhook receives the redemption of another new member, with a signature over its bytes; and
/// the figures count it.
fn hear_of_it(client: &Client<'_>, offer: &str) {
    let receiver = Receiver::start();
    let hook = json!({"url": receiver.url(), "events": ["redemption.created"]});
    let made = client.with_key("createWebhook", "", &hook);
    let grant = json!({"externalUserID": "friend"});
    let grant = client.with_key("exchangeToken", "", &grant);
    let body = json!({"offer": offer});
    let token = text(&grant, "/accessToken");
    let redemption = client.call(token, "createRedemption", "", &body);
    let start = Instant::now();
    let arrival = loop {
        let is_ours = |body: &Value| body["data"]["id"] == redemption["id"];
        let arrivals = receiver.arrivals();
        if let Some(found) = arrivals.into_iter().find(|one| is_ours(&one.json())) {
            break found;
        }
        assert!(start.elapsed() < PATIENCE, "the webhook received nothing");
        std::thread::sleep(Duration::from_millis(5));
    };
    let secret = text(&made, "/signingSecret");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&arrival.body);
    let expected = HEXLOWER.encode(&mac.finalize().into_bytes());
    assert_eq!(arrival.signature, format!("sha256={expected}"));
    let rows = client.with_key("getAnalyticsOffers", "", &Value::Null);
    assert!(row(&rows, offer)["signups"].as_i64() >= Some(2), "{rows}");
    client.with_key("getAnalyticsTimeseries", "", &Value::Null);
}

/// The row of an offer.
fn row<'a>(rows: &'a Value, offer: &str) -> &'a Value {
    let mut rows = rows["offers"].as_array().unwrap().iter();
    rows.find(|row| row["offerId"] == offer).unwrap()
}

/// The member rates the redemption once the operator completed it.
fn rate(client: &Client<'_>, token: &str, (offer, redemption): (&str, &str)) {
    let feedback = json!({"rating": 9, "comment": "Fine"});
    let early = operation("setRedemptionFeedback");
    let path = path_of(early, redemption);
    let early = client
        .send(token, early, (&path, ""), &feedback)
        .expect(422);
    assert_eq!(early["error"]["code"], "REDEMPTION_NOT_COMPLETED");
    let done = json!({"status": "COMPLETED"});
    client.operate("PATCH", &format!("/v1/redemptions/{redemption}"), &done);
    let rated = client.call(token, "setRedemptionFeedback", redemption, &feedback);
    assert_eq!(rated["feedback"]["rating"], 9);
    let rows = client.with_key("getAnalyticsOffers", "", &Value::Null);
    assert!(
        row(&rows, offer)["ratingCount"].as_i64() >= Some(1),
        "{rows}"
    );
}

/// The member shows interest in an offer, and verifies the phone number.
fn wish(client: &Client<'_>, token: &str, offer: &str) {
    let wish = json!({"offer": offer, "adults": 2, "occasion": "BIRTHDAY"});
    let made = client.call(token, "createInterest", "", &wish);
    let id = text(&made, "/id");
    assert_eq!(made["status"], "submitted");
    let intake = json!({"adults": 3, "phone": "+30 210 123 4567", "allergies": "nuts"});
    client.call(token, "setInterestIntake", id, &intake);
    let sent = client.call(token, "startPhoneVerification", id, &Value::Null);
    assert_eq!(sent["sent"], true);
    let wrong = client.call(
        token,
        "confirmPhoneVerification",
        id,
        &json!({"code": "123456"}),
    );
    assert_eq!(wrong["verified"], false);
    let right = client.call(
        token,
        "confirmPhoneVerification",
        id,
        &json!({"code": "000000"}),
    );
    assert_eq!(right["verified"], true);
    let found = client.call(token, "getInterest", id, &Value::Null);
    assert_eq!(found["intake"]["phoneVerified"], true);
}

/// The member reads and accepts the legal documents. A new server has none yet.
fn accept_terms(client: &Client<'_>, token: &str) {
    let terms = || client.call(token, "getTerms", "", &Value::Null);
    let mut shown = terms();
    if shown["documents"] == json!([]) {
        let html = json!({"contentHTML": "<p>Be kind.</p>"});
        client.operate("PUT", "/v1/terms/TERMS_OF_SERVICE", &html);
        shown = terms();
    }
    let version = text(&shown, "/documents/0/version");
    let content = client.call(token, "getTermsContent", version, &Value::Null);
    let hash = Sha256::digest(text(&content, "/contentHTML"));
    assert_eq!(content["renderedHash"], HEXLOWER.encode(&hash));
    client.call(token, "acceptTerms", "", &json!({"versions": [version]}));
    text(&terms(), "/documents/0/acceptedAt");
}

/// The currency, the prices that it shows, and the pool, which a sandbox never draws from.
fn configure(client: &Client<'_>, offer: &str) {
    let priced = client.with_key("setOfferPrice", offer, &json!({"amount": 12.5}));
    assert_eq!(priced["display"]["source"], "AUTHORED");
    client.with_key("deleteOfferPrice", offer, &Value::Null);
    let stars = json!({"currencyName": "Stars", "currencySymbol": "*"});
    let configured = client.with_key("updateConfiguration", "", &stars);
    assert_eq!(configured["currencyName"], "Stars");
    let balance = client.with_key("getBalance", "", &Value::Null);
    assert_eq!(balance["settlementMode"], "MEMBER_WALLET");
}

#[test]
fn the_samples_of_the_vendor_run_against_the_demo() {
    let place = Place::new();
    let server = place.start_as(place.command(&SMALL));
    run(&server, key(&server, "expys_sandbox_"));
    server.terminate();
}

/// The command that the document gives for a new server.
fn documented() -> &'static str {
    let (_, section) = API.split_once("\n## Client releases\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("\n```").unwrap().0
}

#[test]
fn the_samples_of_the_vendor_run_against_a_new_server_after_the_documented_command() {
    let place = Place::new();
    let server = place.start_as(place.on_database(&["serve", "--listen", "127.0.0.1:0"]));
    let key = key(&server, "expys_sandbox_");
    let ran = Command::new("bash")
        .args(["-euc", documented()])
        .env("BASE", format!("http://{}", server.address))
        .env("KEY", &key)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    run(&server, key);
    server.terminate();
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}
