//! A client of the earning engine, decoded strictly: every operation of its tables with every field
//! of its models, from data. A field that is in no table is refused, too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::world::{World, decode, key_of, unseen};
use crate::sdk::{Decoder, Models, Operation, unknown_types};
use crate::support::{SANDBOX_KEY, TestApp};

static MODELS: LazyLock<Models> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../support/scrip/models.json")).unwrap()
});

/// The operations in an order in which they can be called.
static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../support/scrip/operations.json")).unwrap()
});

/// Fields that are null only after an erasure.
const NEVER_NULL: [&str; 2] = ["Redemption.description", "Reversal.reason"];
/// Fields of what this server does not have, groups and names of two parts, and of what no
/// operation of the tables makes: events.
const ALWAYS_NULL: [&str; 8] = [
    "JournalEntry.event_id",
    "JournalEntry.rule_id",
    "ParticipantRow.first_name",
    "ParticipantRow.last_name",
    "Posting.group_id",
    "Program.redemption_target_entity_id",
    "StatementRow.event_id",
    "StatementRow.event_timestamp",
];

/// A server with a program and two offers.
fn started() -> World {
    let app = TestApp::start();
    let id = |path: &str| {
        let found = app.get(path).expect(200);
        found["id"].as_str().unwrap().to_owned()
    };
    let reward = |fields: Value| {
        let offer = app.offer(fields);
        offer.strip_prefix("off_").unwrap().to_owned()
    };
    let of_many = json!({"pointsPrice": 7, "availability": {"quantityRemaining": 5},
        "redemptionLimit": {"perMember": null, "per": "ever"}});
    let names = [
        ("program", id("/v1/programs/current")),
        ("asset", id("/v1/assets/default")),
        ("reward", reward(of_many)),
        ("free reward", reward(json!({}))),
    ];
    World {
        agent: "scrip-client",
        credentials: BTreeMap::from([("key", SANDBOX_KEY.to_owned())]),
        names: names.map(|(name, value)| (name.to_owned(), value)).into(),
        app,
    }
}

/// The bodies of refusals: without a field, and with one of a type that no field has.
fn wrong_bodies(operation: &Operation, body: &Value) -> Vec<(String, &'static str, Value)> {
    let Some(fields) = body.as_object() else {
        return Vec::new();
    };
    let without = operation.required.iter().map(|field| {
        let mut fields = fields.clone();
        fields.remove(field).unwrap();
        (field.clone(), "required", Value::Object(fields))
    });
    let of_other_type = fields.keys().map(|field| {
        let mut fields = fields.clone();
        fields.insert(field.clone(), json!([{}]));
        (field.clone(), "invalid", Value::Object(fields))
    });
    without.chain(of_other_type).collect()
}

/// Sends bodies that are refused, and compares the error with the field that is wrong.
fn refuse(world: &World, operation: &Operation, decoder: &mut Decoder) {
    let mut body = world.body(operation);
    if operation.has_key_in_body {
        body["idempotency_key"] = json!("a key");
    }
    for (field, reason, mut body) in wrong_bodies(operation, &body) {
        // The operation was not done with it, and it is not compared with what was.
        if operation.has_key_in_body && field != "idempotency_key" {
            body.as_object_mut().unwrap().remove("idempotency_key");
        }
        let response = world.request(operation, &body).send();
        let name = &operation.id;
        assert_eq!(response.status, 400, "{name} {body} {}", response.text());
        decode(decoder, "Error", &response);
        let error = response.json();
        assert_eq!(error["code"], "bad_request", "{name} {error}");
        let details = &error["details"];
        let named = details["field"].as_str().unwrap();
        assert!(named.starts_with(&field), "{name}.{field}: {error}");
        assert_eq!(details["reason"], reason, "{name}.{field}: {error}");
    }
}

/// Sends an operation with its key in the header, and with another body under the same key.
fn repeat(world: &World, operation: &Operation, first: &str) {
    let name = &operation.id;
    let mut body = world.body(operation);
    let keyed = |body: &Value| {
        let request = world.request(operation, body);
        request.idempotency_key(&key_of(operation)).send()
    };
    let replayed = keyed(&body);
    assert_eq!(replayed.status, operation.status, "{name}");
    assert_eq!(replayed.text(), first, "{name}");
    let (field, value) = match name.as_str() {
        "createProgram" | "createAsset" => ("name", "Spring club"),
        "convertAsset" => ("expires_at", "2029-01-01T00:00:00Z"),
        "reverseRedemption" => ("reason", "Another reason"),
        _ => ("description", "Another description"),
    };
    body[field] = value.into();
    let other = keyed(&body);
    assert_eq!(other.status, 409, "{name} {}", other.text());
    assert_eq!(other.json()["code"], "idempotency_conflict", "{name}");
}

/// Reads a list in one page, and in pages of one row.
fn read_pages(world: &World, operation: &Operation, decoder: &mut Decoder) {
    let path = world.fill(&operation.path, operation);
    let query = world.fill(&operation.query, operation);
    let mut read = |more: &str| {
        let path = format!("{path}?{query}&{more}");
        let page = world.app.get(&path);
        decode(decoder, &operation.model, &page);
        page.expect(200)
    };
    let whole = read("limit=200");
    assert_eq!(whole["pagination"]["has_more"], false);
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = read(&format!("limit=1{cursor}"));
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 1);
        rows.extend(data.iter().cloned());
        match page["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(!rows.is_empty(), "{path}");
    assert_eq!(&Value::Array(rows), &whole["data"], "{path}");
}

#[test]
fn the_data_is_whole() {
    let numbers: Vec<usize> = OPERATIONS.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=OPERATIONS.len()).collect::<Vec<_>>());
    assert_eq!(unknown_types(&MODELS, &OPERATIONS), Vec::<String>::new());
}

#[test]
fn the_decoder_refuses_a_field_that_no_table_has() {
    let settle = |text: &str| Decoder::closed(&MODELS).decode("Settle", text);
    assert_eq!(settle(r#"{"held_amount":"100","delta":"-20"}"#), Ok(()));
    for (text, field) in [
        (r#"{"held_amount":"100","delta":"-20","more":1}"#, "more"),
        (r#"{"held_amount":"100"}"#, "delta"),
        (r#"{"held_amount":"100","delta":-20}"#, "delta"),
        (r#"{"held_amount":"0100","delta":"0"}"#, "held_amount"),
        (r#"{"held_amount":"100","delta":"-0"}"#, "delta"),
    ] {
        let error = settle(text).unwrap_err();
        assert!(error.starts_with(&format!("Settle.{field}: ")), "{error}");
    }
}

#[test]
fn every_operation_returns_what_the_tables_say_also_after_a_lost_response() {
    let mut world = started();
    let mut decoder = Decoder::closed(&MODELS);
    for operation in OPERATIONS.iter() {
        let first = world.retried(operation, &mut decoder).text();
        if operation.has_key_in_body || operation.sends_idempotency_key {
            repeat(&world, operation, &first);
        }
        refuse(&world, operation, &mut decoder);
    }
    // Points mature, expire, and leave their hold.
    let wait = json!({"advanceSeconds": 40 * 86_400});
    world.app.post("/v1/sandbox/clock", &wait).expect(200);
    for operation in OPERATIONS.iter().filter(|one| one.method == "GET") {
        let response = world.request(operation, &Value::Null).send();
        decode(&mut decoder, &operation.model, &response);
        if operation.is_paged {
            read_pages(&world, operation, &mut decoder);
        }
    }
    let unseen = unseen(&decoder, &NEVER_NULL, &ALWAYS_NULL);
    assert_eq!(unseen, Vec::<String>::new());
    let report = stampcard::service::verify::verify(&world.app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
