//! Webhooks and their deliveries.

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::events::environment_name;
use super::field_types::{BOOLEAN, EVENTS, WEBHOOK_URL};
use super::request::request;
use crate::domain::{
    Delivery, DeliveryId, DeliveryStatus, Endpoint, EndpointNumber, Environment, EventName,
    Invalid, Refusal, Seq, Subscription,
};

request! {
    /// The body of `POST /v1/webhooks`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateWebhookRequest {
        /// The address; HTTPS in the live environment.
        pub url: String = required("url", WEBHOOK_URL),
        /// The events it receives, each named once.
        pub subscription: Subscription = required("events", EVENTS),
    }
    example {"url": "https://example.com/hooks", "events": ["redemption.created"]}
    parse(body) -> Refusal;
}

request! {
    /// The body of `PATCH /v1/webhooks/{id}`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PatchWebhookRequest {
        /// The address; HTTPS in the live environment.
        pub url: Option<String> = optional("url", WEBHOOK_URL),
        /// The events it receives, each named once.
        pub subscription: Option<Subscription> = optional("events", EVENTS),
        /// Whether it is disabled and receives nothing.
        pub disabled: Option<bool> = optional("disabled", BOOLEAN),
    }
    example {"events": ["redemption.created", "redemption.canceled"]}
    parse(body) -> Refusal;
}

/// `Webhook`, as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct WebhookResponse {
    pub id: String,
    pub url: String,
    pub events: Vec<&'static str>,
    pub environment: &'static str,
    pub created_at: String,
    pub disabled_at: Option<String>,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl WebhookResponse {
    /// An endpoint in its environment.
    pub fn new(endpoint: &Endpoint, environment: Environment) -> Self {
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.as_str().to_owned(),
            events: names(&endpoint.subscription),
            environment: environment_name(environment),
            created_at: endpoint.created_at.to_string(),
            disabled_at: super::time(endpoint.disabled_at),
            version: endpoint.version.0,
        }
    }
}

/// `CreatedWebhook`: the only answer that holds the secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct CreatedWebhookResponse {
    pub id: String,
    pub url: String,
    pub events: Vec<&'static str>,
    pub environment: &'static str,
    pub created_at: String,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
    #[serde(serialize_with = "super::exposed")]
    #[schema(value_type = String)]
    pub signing_secret: SecretString,
}

impl CreatedWebhookResponse {
    /// A new endpoint with its secret.
    pub fn new(endpoint: &Endpoint, environment: Environment, secret: &str) -> Self {
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.as_str().to_owned(),
            events: names(&endpoint.subscription),
            environment: environment_name(environment),
            created_at: endpoint.created_at.to_string(),
            version: endpoint.version.0,
            signing_secret: SecretString::from(secret),
        }
    }
}

fn names(subscription: &Subscription) -> Vec<&'static str> {
    let events = subscription.events().iter();
    events.map(|event| event.as_str()).collect()
}

/// Every webhook of a program, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct WebhookListResponse {
    pub data: Vec<WebhookResponse>,
}

/// `DeleteWebhookResponse`: exactly these fields.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct DeleteWebhookResponse {
    pub id: String,
    pub ok: bool,
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct DeliveryResponse {
    pub id: String,
    #[serde(rename = "eventID")]
    pub event_id: Option<String>,
    #[serde(rename = "type")]
    pub event_type: &'static str,
    pub status: &'static str,
    pub attempts: u32,
    pub created_at: String,
    pub last_attempt_at: Option<String>,
    pub next_attempt_at: Option<String>,
    pub response_status: Option<u16>,
    pub error: Option<String>,
    pub duration_ms: Option<u64>,
}

impl DeliveryResponse {
    /// An endpoint's delivery of the event of this name; without one it is a test.
    pub fn new(endpoint: EndpointNumber, delivery: &Delivery, name: Option<EventName>) -> Self {
        let (seq, at) = (delivery.seq, delivery.created_at);
        let last = delivery.last.as_ref();
        let event = crate::domain::EventId::of_activity(seq, at).to_string();
        Self {
            id: DeliveryId::of(endpoint, seq, at).to_string(),
            event_id: (seq > Seq(0)).then_some(event),
            event_type: name.map_or(super::TEST_EVENT, EventName::as_str),
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            created_at: at.to_string(),
            last_attempt_at: last.map(|attempt| attempt.at.to_string()),
            next_attempt_at: super::time(delivery.next_at),
            response_status: last.and_then(|attempt| attempt.response_status),
            error: last.and_then(|attempt| attempt.error.clone()),
            duration_ms: last
                .map(|attempt| u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

/// A page of a webhook's deliveries, newest events first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct DeliveryListResponse {
    pub deliveries: Vec<DeliveryResponse>,
    pub next_cursor: Option<String>,
}

impl super::Query<'_> {
    /// The `status` that a list of deliveries is narrowed to.
    ///
    /// # Errors
    /// [`Invalid`] if it is none of the three.
    pub fn delivery_status(&self) -> Result<Option<DeliveryStatus>, Invalid> {
        self.parsed("status", |name, word| {
            DeliveryStatus::parse(word).ok_or_else(|| {
                let names = DeliveryStatus::ALL.map(DeliveryStatus::as_str).join(", ");
                Invalid::new(name, format!("must be one of {names}"))
            })
        })
    }
}
