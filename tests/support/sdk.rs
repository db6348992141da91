//! The vendor's newest client as data: the 37 operations of release 0.7.1 and every field of its
//! models, with a decoder that is as strict as the client.
//!
//! A type of the data is `string`, `boolean`, `whole`, `whole32`, `number`, `ratio`, `time`,
//! `object`, the name of a model, `A|B` for one of these words or `[type]` for an array; `?` allows
//! null.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// The `User-Agent` of the client.
pub(crate) const AGENT: &str = "expys-sdk-kotlin/0.7.1 (spec/1.3.0; env=sandbox)";

type Models = BTreeMap<String, BTreeMap<String, String>>;

/// The models, each with the types of its fields.
pub(crate) static MODELS: LazyLock<Models> =
    LazyLock::new(|| serde_json::from_str(include_str!("sdk/models.json")).unwrap());

/// An operation of the vendor's client.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) number: usize,
    #[serde(rename = "operationId")]
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) credential: String,
    pub(crate) sends_idempotency_key: bool,
    pub(crate) body: Value,
    pub(crate) status: u16,
    pub(crate) model: String,
}

/// All of them, in the order of their numbers.
pub(crate) static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| serde_json::from_str(include_str!("sdk/operations.json")).unwrap());

/// Decodes models, and remembers which nullable fields were null and which were not.
#[derive(Default)]
pub(crate) struct Decoder {
    pub(crate) nulls: BTreeSet<String>,
    pub(crate) values: BTreeSet<String>,
}

impl Decoder {
    /// Decodes a response, or names the first field that the client would refuse.
    pub(crate) fn decode(&mut self, model: &str, text: &str) -> Result<(), String> {
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
