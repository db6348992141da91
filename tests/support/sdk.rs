//! The vendors' clients as data: operations, and every field of their models, with a decoder that
//! is as strict as a client. The 37 operations here are those of release 0.7.1 of the newest one.
//!
//! A type of the data is `string`, `boolean`, `whole`, `whole32`, `number`, `ratio`, `time`,
//! `uuid`, `decimal`, `texts`, `object`, the name of a model, `A|B` for one of these words or
//! `[type]` for an array; `?` allows null. A type that begins with `~` is that of a field that may
//! be absent, and one with `+` that of a field which this server adds. A model with the field `..`
//! also has the fields of another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// The `User-Agent` of the client.
pub(crate) const AGENT: &str = "expys-sdk-kotlin/0.7.1 (spec/1.3.0; env=sandbox)";

pub(crate) type Models = BTreeMap<String, BTreeMap<String, String>>;

/// The models, each with the types of its fields.
pub(crate) static MODELS: LazyLock<Models> =
    LazyLock::new(|| serde_json::from_str(include_str!("sdk/models.json")).unwrap());

/// An operation of a client.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) number: usize,
    #[serde(rename = "operationId")]
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) query: String,
    #[serde(default = "of_key")]
    pub(crate) credential: String,
    /// Whether it sends the header `Idempotency-Key`.
    #[serde(default)]
    pub(crate) sends_idempotency_key: bool,
    /// Whether it sends the field `idempotency_key`.
    #[serde(default)]
    pub(crate) has_key_in_body: bool,
    #[serde(default)]
    pub(crate) body: Value,
    #[serde(default = "ok")]
    pub(crate) status: u16,
    /// The status of a repetition, if it is another one.
    #[serde(default)]
    pub(crate) again: Option<u16>,
    pub(crate) model: String,
    /// The fields of the body without which it is refused.
    #[serde(default)]
    pub(crate) required: Vec<String>,
    /// Names for parts of the response, each with a pointer.
    #[serde(default)]
    pub(crate) names: BTreeMap<String, String>,
    /// Whether its rows are read page by page.
    #[serde(default)]
    pub(crate) is_paged: bool,
}

fn of_key() -> String {
    "key".to_owned()
}

fn ok() -> u16 {
    200
}

/// All of them, in the order of their numbers.
pub(crate) static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| serde_json::from_str(include_str!("sdk/operations.json")).unwrap());

/// The types of models and operations that are neither simple nor a model.
pub(crate) fn unknown_types(models: &Models, operations: &[Operation]) -> Vec<String> {
    let simple = [
        "string", "boolean", "object", "whole", "whole32", "number", "ratio", "time", "uuid",
        "decimal", "texts",
    ];
    let of_fields = models.values().flat_map(BTreeMap::values);
    let types = of_fields.chain(operations.iter().map(|one| &one.model));
    let types = types.map(|kind| kind.trim_matches(['[', ']', '?', '~', '+']));
    let is_known =
        |kind: &str| simple.contains(&kind) || kind.contains('|') || models.contains_key(kind);
    let unknown = types.filter(|kind| !is_known(kind));
    unknown.map(str::to_owned).collect()
}

/// The fields of a model with their types, each with the model that has it.
fn fields_of<'a>(models: &'a Models, name: &'a str) -> Vec<[&'a str; 3]> {
    let own = models
        .get(name)
        .unwrap_or_else(|| panic!("no model {name}"));
    own.iter()
        .flat_map(|(field, kind)| match field.as_str() {
            ".." => fields_of(models, kind),
            field => vec![[name, field, kind]],
        })
        .collect()
}

/// Decodes models, and remembers which nullable fields were null and which were not.
pub(crate) struct Decoder {
    models: &'static Models,
    /// Whether fields that no model has are refused.
    is_closed: bool,
    pub(crate) nulls: BTreeSet<String>,
    pub(crate) values: BTreeSet<String>,
}

impl Default for Decoder {
    /// That of the newest client, which ignores fields that it does not know.
    fn default() -> Self {
        Self {
            is_closed: false,
            ..Self::closed(&MODELS)
        }
    }
}

impl Decoder {
    /// One that refuses fields which it does not know.
    pub(crate) fn closed(models: &'static Models) -> Self {
        Self {
            models,
            is_closed: true,
            nulls: BTreeSet::new(),
            values: BTreeSet::new(),
        }
    }

    /// Decodes a response, or names the first field that the client would refuse.
    pub(crate) fn decode(&mut self, model: &str, text: &str) -> Result<(), String> {
        let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        self.walk(model, &value, model)
    }

    fn model(&mut self, name: &str, value: &Value, path: &str) -> Result<(), String> {
        let fields = fields_of(self.models, name);
        let object = expect(value.as_object(), path, "an object")?;
        let is_known = |key: &str| fields.iter().any(|[_, field, _]| *field == key);
        let unknown = object.keys().find(|key| !is_known(key));
        if let Some(unknown) = unknown.filter(|_| self.is_closed) {
            return Err(format!("{path}.{unknown}: expected to be absent"));
        }
        for [owner, field, kind] in fields {
            let path = format!("{path}.{field}");
            let kind = kind.trim_start_matches('+');
            let may_be_absent = kind.starts_with('~');
            if may_be_absent && !object.contains_key(field) {
                continue;
            }
            let value = expect(object.get(field), &path, "to be present")?;
            if kind.ends_with('?') {
                let seen = match value {
                    Value::Null => &mut self.nulls,
                    _ => &mut self.values,
                };
                seen.insert(format!("{owner}.{field}"));
            }
            self.walk(kind.trim_start_matches('~'), value, &path)?;
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
            "uuid" => value.as_str().is_some_and(is_uuid),
            "decimal" => value.as_str().is_some_and(is_decimal),
            "texts" => value
                .as_object()
                .is_some_and(|texts| texts.values().all(Value::is_string)),
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

/// A UUID as it is printed: with hyphens, in lower case.
fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|uuid| uuid.to_string() == text)
}

/// A decimal number that is not written in another way than necessary.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = match digits.split_once('.') {
        None => (digits, "0"),
        Some(parts) => parts,
    };
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    are_digits(whole)
        && are_digits(decimals)
        && (whole == "0" || !whole.starts_with('0'))
        && text != "-0"
}
