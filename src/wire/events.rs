//! Events, as webhooks and the activity stream send them.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::{TransactionResponse, schema};
use crate::domain::{Environment, EventId, EventName, Timestamp};

/// The body of a webhook, and the data of a frame of the activity stream.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct EventBody<'a> {
    pub id: String,
    #[serde(rename = "type")]
    pub event_type: &'static str,
    pub created_at: String,
    pub environment: &'static str,
    pub data: &'a RawValue,
}

impl<'a> EventBody<'a> {
    /// An event that happened, about an object rendered as JSON.
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
        let described = |mut schema: Object, about: &str| {
            schema.description = Some(about.to_owned());
            schema
        };
        let environments = [Environment::Sandbox, Environment::Live].map(environment_name);
        let id = "The event's id, `evt_…`: the same for every webhook and on the stream.";
        let object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(about))
            .property("id", described(schema::string(), id))
            .property("type", described(schema::one_of([name]), "What happened."))
            .property("createdAt", described(schema::time(), "When it happened."))
            .property(
                "environment",
                described(schema::one_of(environments), "Where it happened."),
            )
            .property("data", data);
        Schema::Object(object.build())
    }
}

/// The environment as webhooks name it.
pub(super) fn environment_name(environment: Environment) -> &'static str {
    match environment {
        Environment::Sandbox => "SANDBOX",
        Environment::Live => "LIVE",
    }
}

/// What a test of a webhook is called, which is in no catalogue.
pub const TEST_EVENT: &str = "webhook.test";

/// What `webhook.test` is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TestEventData {
    /// The webhook that is tested.
    #[serde(rename = "webhookID")]
    pub webhook_id: String,
}

/// What `wallet.credited` and `wallet.debited` are about: the transaction, and whose wallet it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TransactionEventData {
    /// The ledger entry.
    #[serde(flatten)]
    pub transaction: TransactionResponse,
    /// Whose wallet it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
}

/// A frame of a stream of server-sent events, with what the client resumes after.
///
/// Source: the HTML standard, section 9.2, "Server-sent events".
pub fn frame(seq: i64, name: EventName, body: &EventBody<'_>) -> String {
    let mut json = super::to_json(body);
    // Between tokens JSON may end its lines, as attributes do that are shown as they came. The data
    // of a frame would end there, too, and a space means the same.
    for byte in &mut json {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    let json = String::from_utf8(json).unwrap_or_default();
    let name = name.as_str();
    format!("id: {seq}\nevent: {name}\ndata: {json}\n\n")
}
