//! Tags, counters and attributes of a participant.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::participants::{ATTRIBUTES, TAGS};
use super::programs::PaginationResponse;
use crate::domain::{Change, CounterValue, Tag};
use crate::wire::field_types::STRING;
use crate::wire::fields::FieldType;
use crate::wire::request::request;
use crate::wire::schema::{self, ParticipantStateKind, ParticipantStateOperation};

/// The value of a counter.
const VALUE: FieldType<CounterValue> = FieldType {
    read: |field| match field.value {
        Value::String(text) => CounterValue::parse(field.name, text),
        _ => Err(field.wrong("must be a string, such as \"12.5\"")),
    },
    schema: || {
        let mut text = schema::length(1, CounterValue::CHARS_MAX);
        text.pattern = Some(r"^-?[0-9]+(\.[0-9]+)?$".to_owned());
        text.into()
    },
};

/// The text of an attribute.
const TEXT: FieldType<String> = FieldType {
    read: |field| match field.value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        _ => Err(field.wrong("must be a string of at least one character")),
    },
    schema: || {
        let mut text = schema::string();
        text.min_length = Some(1);
        text.into()
    },
};

request! {
    /// The body of `PUT /v1/participants/{id}/state/tags`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ReplaceTagsRequest {
        /// The tags, which are stored in lower case.
        pub tags: Vec<Tag> = required("tags", TAGS),
    }
    example {"tags": ["vip", "newsletter"]}
    parse(body);
}

request! {
    /// The body of `PUT /v1/participants/{id}/state/counters/{key}`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SetCounterRequest {
        /// The value: a decimal number of at most 28 digits.
        pub value: CounterValue = required("value", VALUE),
        /// The time from now after which the counter is zero, in hours, minutes and seconds, such
        /// as `720h`; an empty string or null: never. By default as it was.
        pub reset_after: Change<String> = change("reset_after", STRING),
    }
    example {"value": "3", "reset_after": "720h"}
    parse(body);
}

request! {
    /// The body of `PATCH /v1/participants/{id}/state/attributes`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PatchAttributesRequest {
        /// Attributes that get these texts; the others are kept.
        pub attributes: BTreeMap<String, String> = required("attributes", ATTRIBUTES),
    }
    example {"attributes": {"city": "Bath"}}
    parse(body);
}

request! {
    /// The body of `PUT /v1/participants/{id}/state/attributes/{key}`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SetAttributeRequest {
        /// The text, not empty.
        pub value: String = required("value", TEXT),
    }
    example {"value": "Bath"}
    parse(body);
}

/// A tag of a participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"tag": "vip"})))]
pub struct TagResponse {
    /// The tag, in lower case.
    pub tag: String,
}

/// The tags of a participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TagListResponse {
    /// All of them, in the order of their bytes.
    pub data: Vec<TagResponse>,
    /// The pagination: there is one page.
    pub pagination: PaginationResponse,
}

/// The tags that a participant has now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"tags": ["newsletter", "vip"]})))]
pub struct TagsResponse {
    /// All of them, in the order of their bytes.
    pub tags: Vec<String>,
}

/// A counter of a participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "key": "visits",
    "value": "3",
    "reset_after": "720h",
    "last_reset_at": "2026-06-15T12:00:00Z",
})))]
pub struct CounterResponse {
    /// Its name.
    pub key: String,
    /// The value now: `0` when its time is over.
    #[schema(pattern = r"^-?[0-9]+(\.[0-9]+)?$")]
    pub value: String,
    /// The time from `last_reset_at` after which it is zero; null: never.
    pub reset_after: Option<String>,
    /// When it was created, set or reset by a write; null if it is never reset.
    #[schema(format = DateTime)]
    pub last_reset_at: Option<String>,
}

/// The counters of a participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CounterListResponse {
    /// All of them, in the order of their keys.
    pub data: Vec<CounterResponse>,
    /// The pagination: there is one page.
    pub pagination: PaginationResponse,
}

/// An attribute of a participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"key": "city", "value": "Bath"})))]
pub struct AttributeResponse {
    /// Its name.
    pub key: String,
    /// The text: a string as it is, any other value as JSON.
    pub value: String,
}

/// The attributes of a participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttributeListResponse {
    /// All of them, in the order of their names.
    pub data: Vec<AttributeResponse>,
    /// The pagination: there is one page.
    pub pagination: PaginationResponse,
}

/// The attributes that a participant has now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"attributes": {"city": "Bath"}})))]
pub struct AttributesResponse {
    /// All of them: strings as they are, other values as JSON.
    pub attributes: BTreeMap<String, String>,
}

/// A change of a tag, a counter or an attribute.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "7b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "state_type": "counter",
    "key": "visits",
    "operation": "add",
    "old_value": "2",
    "new_value": "3",
    "event_id": null,
    "rule_id": null,
    "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "changed_by_api_key_id": null,
    "changed_at": "2026-06-15T12:00:00Z",
})))]
pub struct StateChangeResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// What changed.
    #[schema(value_type = ParticipantStateKind)]
    pub state_type: &'static str,
    /// The tag, or the name; null after the participant was erased, as are the values.
    pub key: Option<String>,
    /// How it changed.
    #[schema(value_type = ParticipantStateOperation)]
    pub operation: &'static str,
    /// The value before; null of a tag, or if there was none.
    pub old_value: Option<String>,
    /// The value after; null of a tag, or if there is none.
    pub new_value: Option<String>,
    /// The event that caused it, if one did.
    #[schema(format = Uuid)]
    pub event_id: Option<String>,
    /// The rule that caused it, if one did.
    #[schema(format = Uuid)]
    pub rule_id: Option<String>,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The key that caused it, if one did.
    #[schema(format = Uuid)]
    pub changed_by_api_key_id: Option<String>,
    /// When it changed.
    #[schema(format = DateTime)]
    pub changed_at: String,
}

/// A page of changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StateChangeListResponse {
    /// The changes, newest first.
    pub data: Vec<StateChangeResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
