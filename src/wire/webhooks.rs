//! Webhooks and their deliveries.

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::events::environment_name;
use super::field_types::{BOOLEAN, EVENTS, WEBHOOK_URL};
use super::request::request;
use crate::domain::{
    Delivery, DeliveryId, Endpoint, EndpointNumber, Environment, EventName, Refusal, Seq,
    Subscription,
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

/// `Webhook`, as shown in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookResponse {
    /// The id, `wh_…`.
    pub id: String,
    /// The address.
    pub url: String,
    /// The events that it receives.
    pub events: Vec<&'static str>,
    /// `SANDBOX` or `LIVE`.
    pub environment: &'static str,
    /// When it was created.
    pub created_at: String,
    /// When it was disabled; null if it is active.
    pub disabled_at: Option<String>,
    /// The settings version; in quotes, the `ETag` of the webhook.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl WebhookResponse {
    /// An endpoint in its environment.
    pub fn new(endpoint: &Endpoint, environment: Environment) -> Self {
        let events = endpoint.subscription.events().iter();
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.as_str().to_owned(),
            events: events.map(|event| event.as_str()).collect(),
            environment: environment_name(environment),
            created_at: endpoint.created_at.to_string(),
            disabled_at: super::time(endpoint.disabled_at),
            version: endpoint.version.0,
        }
    }
}

/// `CreatedWebhook`: the only response that shows the secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedWebhookResponse {
    /// The id, `wh_…`.
    pub id: String,
    /// The address.
    pub url: String,
    /// The events that it receives.
    pub events: Vec<&'static str>,
    /// `SANDBOX` or `LIVE`.
    pub environment: &'static str,
    /// When it was created.
    pub created_at: String,
    /// The settings version; in quotes, the `ETag` of the webhook.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
    /// The secret that signs its requests, which is not shown again.
    #[serde(serialize_with = "super::exposed")]
    #[schema(value_type = String)]
    pub signing_secret: SecretString,
}

impl CreatedWebhookResponse {
    /// A new endpoint with its secret.
    pub fn new(endpoint: &Endpoint, environment: Environment, secret: &str) -> Self {
        let webhook = WebhookResponse::new(endpoint, environment);
        Self {
            id: webhook.id,
            url: webhook.url,
            events: webhook.events,
            environment: webhook.environment,
            created_at: webhook.created_at,
            version: webhook.version,
            signing_secret: SecretString::from(secret),
        }
    }
}

/// All webhooks of a program.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookListResponse {
    /// The webhooks, newest first.
    pub data: Vec<WebhookResponse>,
}

/// `DeleteWebhookResponse`: exactly these fields.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeleteWebhookResponse {
    /// The id of the deleted webhook.
    pub id: String,
    /// Always true.
    pub ok: bool,
}

/// The delivery of an event to a webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryResponse {
    /// The id, `dlv_…`: the same on every attempt.
    pub id: String,
    /// The event's id; null for a test.
    #[serde(rename = "eventID")]
    pub event_id: Option<String>,
    /// The name of the event.
    #[serde(rename = "type")]
    pub event_type: &'static str,
    /// The status.
    pub status: &'static str,
    /// The number of attempts.
    pub attempts: u32,
    /// When the event happened.
    pub created_at: String,
    /// When the last attempt began.
    pub last_attempt_at: Option<String>,
    /// When the next attempt is due; null if there is none.
    pub next_attempt_at: Option<String>,
    /// The HTTP status of the last response.
    pub response_status: Option<u16>,
    /// The reason why the last attempt failed; null if it succeeded.
    pub error: Option<String>,
    /// The duration of the last attempt in milliseconds.
    pub duration_ms: Option<u64>,
}

impl DeliveryResponse {
    /// A delivery of an event to an endpoint. Without a name, it is a test.
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

/// A page of a webhook's deliveries.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryListResponse {
    /// The deliveries, newest events first.
    pub deliveries: Vec<DeliveryResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}
