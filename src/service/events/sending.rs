//! The use cases of the webhook sender: events to send, and the outcomes of deliveries.

use std::time::Duration;

use crate::domain::{
    Attempt, Delivery, DeliveryStatus, EndpointNumber, ProgramNumber, Seq, Timestamp,
};
use crate::service::ShownEvent;
use crate::service::events::catalogue;
use crate::service::tenancy::credentials::Links;
use crate::service::{ServiceError, Services};
use crate::store::webhooks::ActiveEndpoint;
use crate::store::{self, Connection, Tenant, WriteError};

/// Rows of the log that one read covers, and events that it returns, for an endpoint.
const LOG_PAGE: i64 = 20_000;
const EVENTS_PAGE: usize = 64;

/// The outcome of an attempt, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The endpoint.
    pub endpoint: EndpointNumber,
    /// The delivery after the attempt; `None` if only the cursor moves.
    pub delivery: Option<Delivery>,
    /// Events up to this number need no first attempt any more; `None` for a repetition.
    pub cursor: Option<Seq>,
}

/// The pending deliveries of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDeliveries {
    /// Deliveries that are due, each with its event.
    pub now_due: Vec<(Delivery, Option<ShownEvent>)>,
    /// The time when the next one is due.
    pub next_at: Option<Timestamp>,
}

impl Services {
    /// Every webhook in use.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn active_webhooks(&self) -> Result<Vec<ActiveEndpoint>, ServiceError> {
        self.read(Tenant::Upkeep, |connection| {
            Ok(store::webhooks::all_active(connection)?)
        })
        .await
    }

    /// The next events in the log after `after` that an endpoint listens to, in order, and the
    /// number up to which the log was read. Returns no events once the endpoint is disabled, even
    /// if the sender has not been notified yet.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn new_events(
        &self,
        target: &ActiveEndpoint,
        after: Seq,
    ) -> Result<(Vec<ShownEvent>, Seq), ServiceError> {
        let (program, wanted) = (target.program, target.endpoint.subscription.set());
        let number = target.endpoint.number;
        let end = Seq(self.signals.last().0.min(after.0.saturating_add(LOG_PAGE)));
        let links = self.links();
        self.read(self.directory.tenant_of(program), move |connection| {
            let rows = store::log::events(connection, Some(program), after, end, EVENTS_PAGE)?;
            let read_to = match rows.last() {
                Some(last) if rows.len() == EVENTS_PAGE => last.seq,
                _ => end,
            };
            let mut shown = Vec::new();
            for activity in rows {
                if activity
                    .event
                    .name()
                    .is_some_and(|name| wanted.contains(name))
                {
                    shown.extend(catalogue::show(connection, program, &activity, &links)?);
                }
            }
            // Read after the events, so that events from while it was disabled are not after its
            // place.
            match store::webhooks::place(connection, number)? {
                Some(place) => shown.retain(|event| event.seq > place),
                None => shown.clear(),
            }
            Ok((shown, read_to))
        })
        .await
    }

    /// The deliveries of an endpoint that are due, each with its event; a test has none.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn due_deliveries(
        &self,
        target: &ActiveEndpoint,
        limit: usize,
    ) -> Result<DueDeliveries, ServiceError> {
        let (now, links) = (self.clock.now(), self.links());
        let (number, program) = (target.endpoint.number, target.program);
        self.read(self.directory.tenant_of(program), move |connection| {
            let mut now_due = Vec::new();
            for delivery in store::deliveries::due(connection, number, now, limit)? {
                let event = show_event(connection, program, delivery.seq, &links)?;
                now_due.push((delivery, event));
            }
            Ok(DueDeliveries {
                now_due,
                next_at: store::deliveries::next_due(connection, number, now)?,
            })
        })
        .await
    }

    /// Stores the outcomes of attempts.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn note_deliveries(&self, outcomes: Vec<Outcome>) -> Result<(), WriteError> {
        self.writer
            .upkeep()
            .write(move |tx| {
                for outcome in &outcomes {
                    if let Some(delivery) = &outcome.delivery {
                        store::deliveries::record(tx, outcome.endpoint, delivery)?;
                    }
                    // It may have been deleted while something was sent to it.
                    if store::webhooks::is_disabled(tx, outcome.endpoint)? {
                        store::deliveries::abandon(tx, outcome.endpoint)?;
                    }
                    if let Some(cursor) = outcome.cursor {
                        store::deliveries::advance(tx, outcome.endpoint, cursor)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Deletes deliveries and stored events that are older than `retention`, one step of them.
    /// Returns whether there may be more.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn purge_deliveries(&self, retention: Duration) -> Result<bool, WriteError> {
        let before = self.clock.now().saturating_sub(retention);
        self.writer
            .upkeep()
            .write(move |tx| Ok(store::deliveries::purge(tx, before, PURGE_STEP)? > 0))
            .await
    }
}

/// Deliveries, and stored events of them, that one step deletes at most.
const PURGE_STEP: usize = 500;

/// Returns a delivery after an attempt: delivered, pending until `retry_at`, or dead.
pub fn after_attempt(before: &Delivery, attempt: Attempt, retry_at: Option<Timestamp>) -> Delivery {
    let succeeded = attempt.error.is_none();
    let next_at = retry_at.filter(|_| !succeeded);
    Delivery {
        status: match (succeeded, next_at) {
            (true, _) => DeliveryStatus::Delivered,
            (false, Some(_)) => DeliveryStatus::Pending,
            (false, None) => DeliveryStatus::Dead,
        },
        attempts: before.attempts.saturating_add(1),
        next_at,
        last: Some(attempt),
        ..before.clone()
    }
}

fn show_event(
    connection: &Connection,
    program: ProgramNumber,
    seq: Seq,
    links: &Links,
) -> Result<Option<ShownEvent>, store::Error> {
    match store::log::find(connection, seq)? {
        Some(activity) => catalogue::show(connection, program, &activity, links),
        None => Ok(None),
    }
}
