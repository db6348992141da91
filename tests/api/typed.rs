//! The vendor's newest client, decoded strictly: every operation of its 37 with every field of its
//! models, from the data in `typed/`.
//!
//! A type of the data is `string`, `boolean`, `whole`, `whole32`, `number`, `ratio`, `time`,
//! `object`, the name of a model, `A|B` for one of these words or `[type]` for an array; `?` allows
//! null.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{attach, move_to, picture, say, say_as_agent, support, webhook};
use crate::support::{Request, Response, SANDBOX_KEY, TestApp};

const AGENT: &str = "expys-sdk-kotlin/0.7.1 (spec/1.3.0; env=sandbox)";

/// Fields that the server never leaves null.
const NEVER_NULL: [&str; 2] = ["Interest.conversationId", "Redemption.conversationId"];
/// Fields that have a value only with a concierge, which tests of interests have.
const ALWAYS_NULL: [&str; 1] = ["Intake.sensitiveDetailsSentAt"];

type Models = BTreeMap<String, BTreeMap<String, String>>;

static MODELS: LazyLock<Models> =
    LazyLock::new(|| serde_json::from_str(include_str!("typed/models.json")).unwrap());

/// An operation of the vendor's client.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) number: usize,
    #[serde(rename = "operationId")]
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    query: String,
    credential: String,
    sends_idempotency_key: bool,
    body: Value,
    status: u16,
    model: String,
}

/// All of them, in the order of their numbers.
pub(crate) static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| serde_json::from_str(include_str!("typed/operations.json")).unwrap());

/// Decodes models, and remembers which nullable fields were null and which were not.
#[derive(Default)]
struct Decoder {
    nulls: BTreeSet<String>,
    values: BTreeSet<String>,
}

impl Decoder {
    fn decode(&mut self, model: &str, text: &str) -> Result<(), String> {
        let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        self.walk(model, &value, model)
    }

    fn model(&mut self, name: &str, value: &Value, path: &str) -> Result<(), String> {
        let fields = MODELS
            .get(name)
            .unwrap_or_else(|| panic!("no model {name}"));
        let object = expect(value.as_object(), path, "an object")?;
        for (field, kind) in fields {
            let path = format!("{path}.{field}");
            let value = expect(object.get(field), &path, "to be present")?;
            if kind.ends_with('?') {
                let seen = match value {
                    Value::Null => &mut self.nulls,
                    _ => &mut self.values,
                };
                seen.insert(format!("{name}.{field}"));
            }
            self.walk(kind, value, &path)?;
        }
        Ok(())
    }

    fn walk(&mut self, kind: &str, value: &Value, path: &str) -> Result<(), String> {
        if let Some(kind) = kind.strip_suffix('?') {
            return match value {
                Value::Null => Ok(()),
                value => self.walk(kind, value, path),
            };
        }
        if let Some(kind) = kind.strip_prefix('[') {
            let kind = kind.trim_end_matches(']');
            let items = expect(value.as_array(), path, "an array")?;
            let mut items = items.iter().enumerate();
            return items.try_for_each(|(i, item)| self.walk(kind, item, &format!("{path}[{i}]")));
        }
        let fits = match kind {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "object" => value.is_object(),
            "whole" => value.is_i64(),
            "whole32" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            "number" => is_number(value),
            // The server sends `0.0` and `1.0` here, unlike everywhere else.
            "ratio" => value.is_number(),
            "time" => value.as_str().is_some_and(is_time),
            words if words.contains('|') => value
                .as_str()
                .is_some_and(|word| words.split('|').any(|known| known == word)),
            model => return self.model(model, value, path),
        };
        expect(fits.then_some(()), path, kind)
    }
}

fn expect<T>(found: Option<T>, path: &str, expected: &str) -> Result<T, String> {
    found.ok_or_else(|| format!("{path}: expected {expected}"))
}

/// A number that has a fraction only if it is not whole: `38`, not `38.0`.
fn is_number(value: &Value) -> bool {
    value.is_i64()
        || value
            .as_f64()
            .is_some_and(|n| value.is_f64() && n.fract() != 0.0)
}

fn is_time(text: &str) -> bool {
    text.ends_with('Z') && stampcard::domain::Timestamp::parse(text).is_some()
}

#[test]
fn the_data_is_whole() {
    let numbers: Vec<usize> = OPERATIONS.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=37).collect::<Vec<_>>());
    let simple = [
        "string", "boolean", "object", "whole", "whole32", "number", "ratio", "time",
    ];
    let of_fields = MODELS.values().flat_map(BTreeMap::values);
    for kind in of_fields.chain(OPERATIONS.iter().map(|one| &one.model)) {
        let kind = kind.trim_matches(['[', ']', '?']);
        let is_known = simple.contains(&kind) || kind.contains('|') || MODELS.contains_key(kind);
        assert!(is_known, "{kind}");
    }
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

/// A server with something for each operation to return.
struct World {
    app: TestApp,
    token: String,
    /// What stands for `{name}` in paths and bodies.
    names: BTreeMap<&'static str, String>,
}

impl World {
    fn new() -> Self {
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
        let names = BTreeMap::from([
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
        ]);
        Self { app, token, names }
    }

    fn fill(&self, text: &str, operation: &Operation) -> String {
        let collection = operation.path.split('/').nth(2).unwrap();
        let mut filled = text.to_owned();
        for (name, value) in &self.names {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        match self.names.get(collection) {
            Some(id) => filled.replace("{id}", id),
            None => filled,
        }
    }

    /// The request of an operation; the same one each time.
    fn request(&self, operation: &Operation) -> Request {
        let path = match operation.id.as_str() {
            "removeMember" => "/v1/members/bob".to_owned(),
            _ => self.fill(&operation.path, operation),
        };
        let credential = match operation.credential.as_str() {
            "key" => SANDBOX_KEY,
            "token" => &self.token,
            other => panic!("unknown credential {other}"),
        };
        let request = self
            .app
            .request(&operation.method, &format!("{path}?{}", operation.query))
            .header("User-Agent", AGENT)
            .bearer(credential);
        let request = if operation.sends_idempotency_key {
            request.idempotency_key(&format!("key of {}", operation.id))
        } else {
            request
        };
        match &operation.body {
            Value::Null => request,
            body => {
                let body = self.fill(&body.to_string(), operation);
                request.json(&serde_json::from_str(&body).unwrap())
            }
        }
    }

    /// Sends an operation twice, as a client does that lost the first response, and decodes the
    /// second.
    fn retried(&self, operation: &Operation, decoder: &mut Decoder) {
        let name = &operation.id;
        let lost = self.request(operation).send();
        let response = self.request(operation).send();
        assert_eq!(
            response.status,
            operation.status,
            "{name} {}",
            response.text()
        );
        assert_eq!(response.text(), lost.text(), "{name}");
        decode(decoder, &operation.model, &response);
    }

    fn read(&self, credential: &str, path: &str, model: &str, decoder: &mut Decoder) {
        let request = self.app.request("GET", path).header("User-Agent", AGENT);
        decode(decoder, model, &request.bearer(credential).send());
    }
}

#[track_caller]
fn decode(decoder: &mut Decoder, model: &str, response: &Response) {
    let text = response.text();
    if let Err(error) = decoder.decode(model, &text) {
        panic!("{error}: {text}");
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
    let world = World::new();
    let mut decoder = Decoder::default();
    for operation in OPERATIONS.iter() {
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
    world.read(SANDBOX_KEY, &erased, "MessagePage", &mut decoder);
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
        world.read(SANDBOX_KEY, path, model, &mut decoder);
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
            interest(&world.app, &world.token, &body)
        );
        world.read(&world.token, &path, "Interest", &mut decoder);
    }
    let conversation = &world.names["conversations"];
    attach(&world.app, conversation, "a.png", &picture(100, 0));
    let path = format!("/v1/conversations/{conversation}/messages?limit=1");
    world.read(&world.token, &path, "MessagePage", &mut decoder);
    for member in ["ada", "eve"] {
        let body = match member {
            "ada" => json!({}),
            _ => json!({"displayName": "Eve"}),
        };
        let set = world.app.put(&format!("/v1/members/{member}"), &body);
        decode(&mut decoder, "Member", &set);
    }
    assert_eq!(unseen(&decoder), Vec::<String>::new());
}

/// The nullable fields of models in use that were never null, or never anything else.
fn unseen(decoder: &Decoder) -> Vec<String> {
    let seen: BTreeSet<&String> = decoder.nulls.union(&decoder.values).collect();
    let missing = |known: &BTreeSet<String>, name: &str, except: &[&str], what: &str| {
        let is_missing = !known.contains(name) && !except.contains(&name);
        is_missing.then(|| format!("{name} is never {what}"))
    };
    seen.into_iter()
        .flat_map(|name| {
            [
                missing(&decoder.nulls, name, &NEVER_NULL, "null"),
                missing(&decoder.values, name, &ALWAYS_NULL, "a value"),
            ]
        })
        .flatten()
        .collect()
}

#[test]
fn a_message_of_a_stream_is_what_the_client_decodes() {
    let world = World::new();
    let conversation = &world.names["conversations"];
    let path = format!("/v1/conversations/{conversation}/stream");
    let mut stream = world.app.stream(&world.token, &path);
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

/// The vendor's samples: what they expect of a sandbox in which an offer is free.
#[test]
fn the_samples_of_the_vendor_run() {
    let app = TestApp::start();
    app.offer(json!({"title": "A cup of tea"}));
    let token = app.token("fresh");
    let member = |method: &str, path: &str| {
        app.request(method, path)
            .header("User-Agent", AGENT)
            .bearer(&token)
    };
    let offers = member("GET", "/v1/offers").send().expect(200);
    let body = json!({"offer": offers["data"][0]["id"]});
    let redeem = |key: &str| {
        let request = member("POST", "/v1/redemptions").idempotency_key(key);
        request.json(&body).send()
    };
    let made = redeem("first of them").expect(201);
    assert_eq!(redeem("first of them").expect(201), made);
    redeem("another one").expect_error(409, "REDEMPTION_ALREADY_EXISTS");
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/redemptions/{id}");
    assert_eq!(member("GET", &path).send().expect(200)["id"], id);
    let wallet = member("GET", "/v1/wallet").send().expect(200);
    assert_ne!(wallet["currency"]["symbol"], "");
    let eligibility = member("GET", "/v1/eligibility").send().expect(200);
    assert_ne!(eligibility["tier"], "");

    let profile = json!({"displayName": "Ada", "tier": "gold"});
    app.put("/v1/members/fresh", &profile).expect(200);
    let credit = json!({"externalUserID": "fresh", "amount": 100});
    app.post("/v1/wallet/credit", &credit).expect(200);
    webhook(&app, "https://example.com/hook", &["redemption.created"]);
    assert_eq!(app.summary()["pointsMinted"], 100);
}
