//! Compares everything that a test receives with the OpenAPI document: the status, the headers, the
//! media type, the body and any error code of every response; the headers and the body of every
//! event.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use jsonschema::Validator;
use serde::Deserialize as _;
use serde_json::{Value, json};
use stampcard::http::openapi;

use super::Response;
use super::receiver::Received;

/// The document as JSON.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(openapi()).unwrap())
}

/// Fails unless the response to a request fits the document. Unknown routes and methods are in no
/// document.
#[track_caller]
pub fn check(method: &str, path: &str, response: &Response) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    if let Err(what) = compare(operation, response) {
        panic!(
            "{method} {path} answered {}, not as the description says: {what}\n{}",
            response.status,
            response.text()
        );
    }
}

fn compare(operation: &'static Value, response: &Response) -> Result<(), String> {
    let status = response.status.to_string();
    let described = operation["responses"]
        .get(&status)
        .map(resolve)
        .ok_or("an undocumented status")?;
    if response.header("x-request-id").is_none() {
        return Err("X-Request-Id is missing".to_owned());
    }
    for name in ["ETag", "Retry-After", "WWW-Authenticate"] {
        let is_described = described["headers"].get(name).is_some();
        if response.header(name).is_some() != is_described {
            return Err(format!("{name} is described: {is_described}"));
        }
    }
    let Some(content) = described.get("content") else {
        return match response.bytes.len() {
            0 => Ok(()),
            length => Err(format!("a body of {length} bytes where none is described")),
        };
    };
    let media_type = response.header("content-type").unwrap_or_default();
    let content = content
        .get(media_type)
        .ok_or_else(|| format!("an undocumented media type {media_type}"))?;
    if media_type != "application/json" {
        return Ok(());
    }
    let body = parse(&response.bytes)?;
    validate(&content["schema"], &body)?;
    // Where errors are described there is an example for each code.
    let code = body.pointer("/error/code").unwrap_or(&body["code"]);
    match (&content["examples"], code.as_str()) {
        (Value::Object(examples), Some(code)) if !examples.contains_key(code) => {
            Err(format!("an undocumented code {code}"))
        }
        _ => Ok(()),
    }
}

fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    // A member's attributes may be as deep as a body, and are one level deeper in a response.
    deserializer.disable_recursion_limit();
    Value::deserialize(&mut deserializer).map_err(|error| error.to_string())
}

/// Fails unless a request to a webhook fits the document.
#[track_caller]
pub fn check_delivery(received: &Received) {
    if let Err(what) = compare_delivery(received) {
        panic!("a webhook got what the description does not say: {what}\n{received:?}");
    }
}

fn compare_delivery(received: &Received) -> Result<(), String> {
    let name = received.event();
    let webhook = document()["webhooks"].get(name);
    let webhook = &webhook.ok_or("an event that is not described")?["post"];
    if received.method != "POST" {
        return Err(format!("{} instead of POST", received.method));
    }
    let described = webhook["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(resolve);
    for header in described.clone() {
        let value = received.header(header["name"].as_str().unwrap());
        let value = match header["schema"]["type"].as_str() {
            Some("integer") => value.parse::<i64>().map_err(|e| e.to_string())?.into(),
            _ => Value::from(value),
        };
        validate(&header["schema"], &value)?;
    }
    let is_described = |name: &str| {
        let mut names = described
            .clone()
            .filter_map(|header| header["name"].as_str());
        names.any(|known| known.eq_ignore_ascii_case(name))
    };
    let mut names = received
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase());
    if let Some(name) = names.find(|name| name.starts_with("x-") && !is_described(name)) {
        return Err(format!("the header {name} is not described"));
    }
    let media_type = received.header("content-type");
    let content = webhook["requestBody"]["content"].get(media_type);
    let content = content.ok_or_else(|| format!("an undocumented media type {media_type}"))?;
    validate(&content["schema"], &parse(&received.body)?)
}

/// Fails unless a frame of a stream fits the document: an event, or a message of a conversation,
/// which has no name.
#[track_caller]
pub fn check_frame(name: Option<&str>, data: &Value) {
    let schema = match name {
        Some("gap") => return,
        Some(name) => {
            assert_eq!(data["type"], name, "{data:#}");
            let body = &document()["webhooks"][name]["post"]["requestBody"];
            &body["content"]["application/json"]["schema"]
        }
        None => &json!({"$ref": "#/components/schemas/MessageResponse"}),
    };
    assert_eq!(validate(schema, data), Ok(()), "{name:?}: {data:#}");
}

/// Describes where a value does not fit a schema of the document.
pub fn validate(schema: &Value, value: &Value) -> Result<(), String> {
    static VALIDATORS: OnceLock<Mutex<HashMap<String, &'static Validator>>> = OnceLock::new();
    let validator = *VALIDATORS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap()
        .entry(schema.to_string())
        .or_insert_with(|| {
            let mut whole = json!({"components": document()["components"]});
            let fields = schema.as_object().unwrap().clone();
            whole.as_object_mut().unwrap().extend(fields);
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Box::leak(Box::new(options.build(&whole).unwrap()))
        });
    validator
        .validate(value)
        .map_err(|error| format!("{error} at {}", error.instance_path()))
}

/// The target of a reference.
fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => document()
            .pointer(reference.trim_start_matches('#'))
            .unwrap(),
        None => value,
    }
}

/// The operation that serves a request.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = match path.strip_prefix("/api/v1") {
        Some(rest) if rest.starts_with("/partner") => rest,
        _ => path,
    };
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        let pairs = || parts.iter().zip(&segments);
        parts.len() == segments.len()
            && pairs().all(|(part, segment)| {
                part == segment || (part.starts_with('{') && !segment.is_empty())
            })
    };
    let paths = document()["paths"].as_object().unwrap();
    let (_, item) = paths.iter().find(|(template, _)| fits(template))?;
    item.get(method.to_lowercase())
}
