//! A server with something for each operation of a client to return.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sdk::{Decoder, Operation};
use crate::support::{Request, Response, TestApp};

pub(super) struct World {
    pub(super) app: TestApp,
    /// The `User-Agent` of the client.
    pub(super) agent: &'static str,
    /// What each kind of credential stands for.
    pub(super) credentials: BTreeMap<&'static str, String>,
    /// What stands for `{name}` in paths and bodies.
    pub(super) names: BTreeMap<String, String>,
}

impl World {
    pub(super) fn fill(&self, text: &str, operation: &Operation) -> String {
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

    /// The body of an operation, or null.
    pub(super) fn body(&self, operation: &Operation) -> Value {
        let body = self.fill(&operation.body.to_string(), operation);
        serde_json::from_str(&body).unwrap()
    }

    /// The request of an operation with a body.
    pub(super) fn request(&self, operation: &Operation, body: &Value) -> Request {
        let path = self.fill(&operation.path, operation);
        let query = self.fill(&operation.query, operation);
        let request = self
            .app
            .request(&operation.method, &format!("{path}?{query}"))
            .header("User-Agent", self.agent)
            .bearer(&self.credentials[operation.credential.as_str()]);
        if body.is_null() {
            request
        } else {
            request.json(body)
        }
    }

    /// The request of an operation; the same one each time.
    fn once(&self, operation: &Operation) -> Request {
        let mut body = self.body(operation);
        if operation.has_key_in_body {
            body["idempotency_key"] = key_of(operation).into();
        }
        let request = self.request(operation, &body);
        if operation.sends_idempotency_key {
            request.idempotency_key(&key_of(operation))
        } else {
            request
        }
    }

    /// Sends an operation twice, as a client does that lost the first response, and decodes the
    /// second.
    pub(super) fn retried(&mut self, operation: &Operation, decoder: &mut Decoder) -> Response {
        let name = &operation.id;
        let lost = self.once(operation).send();
        assert_eq!(lost.status, operation.status, "{name} {}", lost.text());
        let response = self.once(operation).send();
        let status = operation.again.unwrap_or(operation.status);
        assert_eq!(response.status, status, "{name} {}", response.text());
        assert_eq!(response.text(), lost.text(), "{name}");
        decode(decoder, &operation.model, &response);
        for (name, pointer) in &operation.names {
            let body = response.json();
            let value = body.pointer(pointer).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("no {pointer} in {body}"));
            self.names.insert(name.clone(), value.to_owned());
        }
        response
    }

    pub(super) fn read(&self, kind: &str, path: &str, model: &str, decoder: &mut Decoder) {
        let request = self
            .app
            .request("GET", path)
            .header("User-Agent", self.agent);
        decode(
            decoder,
            model,
            &request.bearer(&self.credentials[kind]).send(),
        );
    }
}

/// The key of the retries of an operation.
pub(super) fn key_of(operation: &Operation) -> String {
    format!("key of {} {}", operation.number, operation.id)
}

#[track_caller]
pub(super) fn decode(decoder: &mut Decoder, model: &str, response: &Response) {
    let text = response.text();
    if let Err(error) = decoder.decode(model, &text) {
        panic!("{error}: {text}");
    }
}

/// The nullable fields of models in use that were never null, or never anything else, except some.
pub(super) fn unseen(decoder: &Decoder, never_null: &[&str], always_null: &[&str]) -> Vec<String> {
    let seen: BTreeSet<&String> = decoder.nulls.union(&decoder.values).collect();
    let missing = |known: &BTreeSet<String>, name: &str, except: &[&str], what: &str| {
        let is_missing = !known.contains(name) && !except.contains(&name);
        is_missing.then(|| format!("{name} is never {what}"))
    };
    seen.into_iter()
        .flat_map(|name| {
            [
                missing(&decoder.nulls, name, never_null, "null"),
                missing(&decoder.values, name, always_null, "a value"),
            ]
        })
        .flatten()
        .collect()
}
