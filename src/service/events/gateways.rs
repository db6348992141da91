//! Requests to the gateways of programs: the servers of the operator that get what is not stored.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::{
    DeliveryId, Environment, EventId, Gateway, ProgramNumber, Timestamp, WebhookUrl,
};
use crate::store::gateways::GatewayTarget;
use crate::store::{self, Connection};
use crate::wire::{self, EventBody};

/// A signed request to a server of an operator.
pub struct Parcel {
    /// The program.
    pub program: ProgramNumber,
    /// Its environment, which decides the addresses that are allowed.
    pub environment: Environment,
    /// The address.
    pub url: WebhookUrl,
    /// The secret of the signature.
    pub secret: SecretString,
    /// The name of the event.
    pub name: &'static str,
    /// The id of the delivery.
    pub delivery: DeliveryId,
    /// The time of the attempt.
    pub at: Timestamp,
    /// The body, which may hold personal data.
    pub body: Vec<u8>,
}

/// Omits the body.
impl std::fmt::Debug for Parcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parcel")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whether a request was accepted.
pub type Posted = Pin<Box<dyn Future<Output = bool> + Send>>;

/// A sender of requests.
pub trait Post: Send + Sync + std::fmt::Debug {
    /// Sends a request once.
    fn post(&self, parcel: Parcel) -> Posted;
}

/// The sender, and the gateway for phones of programs without their own. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct Gateways {
    /// `None` while no server runs, such as for a generated history.
    post: Option<Arc<dyn Post>>,
    phone: Option<GatewayTarget>,
}

impl Gateways {
    /// The configured gateway, without a sender.
    pub(in crate::service) fn new(phone: Option<GatewayTarget>) -> Self {
        Self { post: None, phone }
    }

    /// Sets the sender.
    #[must_use]
    pub(in crate::service) fn with_post(self, post: Arc<dyn Post>) -> Self {
        Self {
            post: Some(post),
            ..self
        }
    }

    /// The gateway of a program.
    pub(in crate::service) fn find(
        &self,
        connection: &Connection,
        program: ProgramNumber,
        kind: Gateway,
    ) -> Result<Option<GatewayTarget>, store::Error> {
        let own = store::gateways::find(connection, program, kind)?;
        Ok(own.or_else(|| match kind {
            Gateway::Phone => self.phone.clone(),
            Gateway::Concierge => None,
        }))
    }

    /// Sends a request once. Returns whether it was accepted.
    pub(in crate::service) async fn post(&self, parcel: Parcel) -> bool {
        match &self.post {
            Some(post) => post.post(parcel).await,
            None => false,
        }
    }
}

/// A request to a gateway.
pub(in crate::service) fn parcel<T: Serialize>(
    (program, environment): (ProgramNumber, Environment),
    (kind, target): (Gateway, GatewayTarget),
    at: Timestamp,
    data: &T,
) -> Parcel {
    let uuid = Uuid::now_v7();
    let data = serde_json::value::to_raw_value(data).unwrap_or_default();
    let id = EventId::from_uuid(uuid);
    let body = EventBody::new(id, kind.event(), at, environment, &data);
    Parcel {
        program,
        environment,
        url: target.url,
        secret: target.secret,
        name: kind.event(),
        delivery: DeliveryId::from_uuid(uuid),
        at,
        body: wire::to_json(&body),
    }
}
