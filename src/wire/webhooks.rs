//! Webhooks and their deliveries.

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::events::environment_name;
use super::fields::{Fields, boolean, list, text};
use super::schema::{self, request_schema};
use crate::domain::{
    Delivery, DeliveryId, Endpoint, EndpointNumber, Environment, EventName, Refusal, Seq,
    Subscription, WebhookUrl,
};

/// The most names that a list of events may have, the wrong ones counted.
const NAMES_MAX: usize = 100;

/// The body of `POST /v1/webhooks`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateWebhookRequest {
    /// Where to, as it was written: whether it is allowed depends on the environment.
    pub url: String,
    /// What it listens to.
    pub subscription: Subscription,
}

impl CreateWebhookRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] naming the field, or [`Refusal::WebhookEventUnknown`].
    pub fn parse(body: &Value) -> Result<Self, Refusal> {
        let fields = Fields::of(body)?;
        let url = fields.required("url", text(|_, url| Ok(url)))?;
        let names = fields.required("events", list(NAMES_MAX, |_, name| Ok(name)))?;
        let subscription = subscription(&names)?;
        Ok(Self { url, subscription })
    }
}

fn subscription(names: &[String]) -> Result<Subscription, Refusal> {
    let mut events = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let unknown = || Subscription::unknown_event(format!("events[{index}]"));
        events.push(EventName::parse(name).ok_or_else(unknown)?);
    }
    Ok(Subscription::new("events", events)?)
}

/// The body of `PATCH /v1/webhooks/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchWebhookRequest {
    /// Where to, as it was written: whether it is allowed depends on the environment.
    pub url: Option<String>,
    /// What it listens to.
    pub subscription: Option<Subscription>,
    /// Whether it is out of use.
    pub disabled: Option<bool>,
}

impl PatchWebhookRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] naming the field, or [`Refusal::WebhookEventUnknown`].
    pub fn parse(body: &Value) -> Result<Self, Refusal> {
        let fields = Fields::of(body)?;
        let url = fields.optional("url", text(|_, url| Ok(url)))?;
        let names = fields.optional("events", list(NAMES_MAX, |_, name| Ok(name)))?;
        Ok(Self {
            url,
            subscription: names.as_deref().map(subscription).transpose()?,
            disabled: fields.optional("disabled", boolean)?,
        })
    }
}

request_schema!(PatchWebhookRequest {
    /// Where to; HTTPS in the live environment.
    optional url: schema::length(1, WebhookUrl::BYTES_MAX),
    /// What it listens to, each once.
    optional events: schema::events(),
    /// Whether it is out of use: then it is sent nothing.
    optional disabled: schema::boolean(),
} example {"events": ["redemption.created", "redemption.canceled"]});

request_schema!(CreateWebhookRequest {
    /// Where to; HTTPS in the live environment.
    required url: schema::length(1, WebhookUrl::BYTES_MAX),
    /// What it listens to, each once.
    required events: schema::events(),
} example {"url": "https://example.com/hooks", "events": ["redemption.created"]});

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
