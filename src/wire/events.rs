//! Events, as sent by webhooks and the activity stream.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::schema::Object;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::TransactionResponse;
use crate::domain::{Environment, EventId, EventName, Timestamp};

/// The body of a webhook, and the data of a frame of the activity stream.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBody<'a> {
    /// The event's id, `evt_…`: the same for every webhook and on the stream.
    pub id: String,
    /// The name of the event.
    #[serde(rename = "type")]
    pub event_type: &'static str,
    /// When it happened.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The environment in which it happened.
    pub environment: &'static str,
    /// The object that the event is about.
    #[schema(value_type = Object)]
    pub data: &'a RawValue,
}

impl<'a> EventBody<'a> {
    /// An event about an object that is rendered as JSON.
    pub fn new(
        id: EventId,
        name: &'static str,
        at: Timestamp,
        environment: Environment,
        data: &'a RawValue,
    ) -> Self {
        Self {
            id: id.to_string(),
            event_type: name,
            created_at: at.to_string(),
            environment: environment_name(environment),
            data,
        }
    }

    /// The schema of an event of this name, about an object with the schema `data`.
    pub fn schema(name: &'static str, about: &str, data: RefOr<Schema>) -> Schema {
        let mut schema = Schema::from(<Self as PartialSchema>::schema());
        if let Schema::Object(event) = &mut schema {
            event.description = Some(about.to_owned());
            let environments = [Environment::Sandbox, Environment::Live].map(environment_name);
            restrict(event, "type", &[name]);
            restrict(event, "environment", &environments);
            event.properties.insert("data".to_owned(), data);
        }
        schema
    }
}

/// Restricts a string property to a list of words.
fn restrict(object: &mut Object, property: &str, words: &[&str]) {
    if let Some(RefOr::T(Schema::Object(text))) = object.properties.get_mut(property) {
        text.enum_values = Some(words.iter().map(|word| Value::from(*word)).collect());
    }
}

/// The name of an environment in events.
pub(super) fn environment_name(environment: Environment) -> &'static str {
    match environment {
        Environment::Sandbox => "SANDBOX",
        Environment::Live => "LIVE",
    }
}

/// The name of the event that tests a webhook. It is not in the catalogue.
pub const TEST_EVENT: &str = "webhook.test";

/// The data of `webhook.test`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TestEventData {
    /// The tested webhook.
    #[serde(rename = "webhookID")]
    pub webhook_id: String,
}

/// The data of `wallet.credited` and `wallet.debited`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TransactionEventData {
    /// The ledger entry.
    #[serde(flatten)]
    pub transaction: TransactionResponse,
    /// The member whose wallet it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
}

/// A frame of a stream of server-sent events. A client resumes after its id.
///
/// Source: the HTML standard, section 9.2, "Server-sent events".
pub fn frame(seq: i64, name: EventName, body: &EventBody<'_>) -> String {
    let mut json = super::to_json(body);
    // Attributes, which are shown as received, may have line ends between tokens. These would end
    // the data of the frame; a space has the same meaning in JSON.
    for byte in &mut json {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    let json = String::from_utf8(json).unwrap_or_default();
    let name = name.as_str();
    format!("id: {seq}\nevent: {name}\ndata: {json}\n\n")
}
