//! One attempt: the request and its outcome.

use std::time::{Duration, Instant};

use super::outbound::Outbound;
use crate::domain::{Attempt, Delivery, DeliveryId, EventId, Seq};
use crate::service::{Parcel, Services, ShownEvent};
use crate::store::webhooks::ActiveEndpoint;
use crate::wire::{self, EventBody, TEST_EVENT, TestEventData};

/// Sends events.
pub(super) struct Sender {
    services: Services,
    outbound: Outbound,
}

impl Sender {
    pub(super) fn new(services: &Services, timeout: Duration) -> Result<Self, anyhow::Error> {
        Ok(Self {
            services: services.clone(),
            outbound: Outbound::new(services.targets(), timeout)?,
        })
    }

    /// Sends an event once, or a test if there is none.
    pub(super) async fn attempt(
        &self,
        target: &ActiveEndpoint,
        delivery: &Delivery,
        event: Option<&ShownEvent>,
    ) -> Attempt {
        let at = self.services.now();
        let start = Instant::now();
        let (name, body) = content(target, delivery, event);
        let number = target.endpoint.number;
        let parcel = Parcel {
            program: target.program,
            environment: target.environment,
            url: target.endpoint.url.clone(),
            secret: target.secret.clone(),
            name,
            delivery: DeliveryId::of(number, delivery.seq, delivery.created_at),
            at,
            body,
        };
        let (response_status, error) = match self.outbound.send(parcel).await {
            Ok(status) => (Some(status), None),
            Err((status, error)) => (status, Some(error)),
        };
        Attempt {
            at,
            duration: start.elapsed(),
            response_status,
            error,
        }
    }
}

/// The event name and the body of a request.
fn content(
    target: &ActiveEndpoint,
    delivery: &Delivery,
    event: Option<&ShownEvent>,
) -> (&'static str, Vec<u8>) {
    let environment = target.environment;
    if let Some(event) = event {
        let body = event.with_body(environment, |body| wire::to_json(body));
        return (event.name.as_str(), body);
    }
    let data = TestEventData {
        webhook_id: target.endpoint.id.to_string(),
    };
    let data = serde_json::value::to_raw_value(&data).unwrap_or_default();
    let (seq, at) = (Seq(delivery.seq.0.saturating_abs()), delivery.created_at);
    let id = EventId::of_activity(seq, at);
    let body = EventBody::new(id, TEST_EVENT, at, environment, &data);
    (TEST_EVENT, wire::to_json(&body))
}
