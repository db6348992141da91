//! The history of a redemption.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{ActorKind, RedemptionStatus};
use crate::domain::{Activity, Actor, Event, Status};

/// The actor that caused an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorResponse {
    /// The kind of actor.
    #[serde(rename = "type")]
    #[schema(value_type = ActorKind)]
    pub actor_type: &'static str,
    /// The name of an Org-API-Key; otherwise null.
    pub name: Option<String>,
    /// The first characters of an Org-API-Key; otherwise null.
    pub key_prefix: Option<String>,
}

impl ActorResponse {
    /// An actor; `key` has the name and the first characters of an Org-API-Key.
    pub fn new(actor: Actor, key: Option<(String, String)>) -> Self {
        let (name, key_prefix) = key.unzip();
        Self {
            actor_type: actor.as_str(),
            name,
            key_prefix,
        }
    }
}

/// An entry in the history of a redemption.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "event": "redemption.open",
    "at": "2026-06-15T12:30:00.000Z",
    "from": "SUBMITTED",
    "to": "OPEN",
    "points": null,
    "startAt": null,
    "endAt": null,
    "rating": null,
    "units": null,
    "actor": {"type": "key", "name": "front desk", "keyPrefix": "expys_sandbox_abcdef"},
})))]
pub struct RedemptionHistoryEntryResponse {
    /// `redemption.created`, another of `redemption.*`, `redemption.changed` for its dates,
    /// `redemption.rated` for feedback, `redemption.returned` for units that were returned while
    /// the rest was kept, `wallet.debited` for the charge, `wallet.credited` for the
    /// refund.
    pub event: &'static str,
    /// When it happened.
    #[schema(format = DateTime)]
    pub at: String,
    /// The status before, if it changed.
    #[schema(value_type = Option<RedemptionStatus>)]
    pub from: Option<&'static str>,
    /// The status after, if it changed or the redemption was created.
    #[schema(value_type = Option<RedemptionStatus>)]
    pub to: Option<&'static str>,
    /// The number of points, if points moved.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub points: Option<i64>,
    /// The new start of the experience; only of `redemption.changed`.
    #[schema(format = DateTime)]
    pub start_at: Option<String>,
    /// The new end of the experience; only of `redemption.changed`.
    #[schema(format = DateTime)]
    pub end_at: Option<String>,
    /// The rating; only of `redemption.rated`.
    #[schema(minimum = 0, maximum = 10)]
    pub rating: Option<u8>,
    /// The units that were redeemed, or returned.
    #[schema(minimum = 1, maximum = 10_000)]
    pub units: Option<i64>,
    /// The actor that caused it; null for events of version 0.1.0.
    pub actor: Option<ActorResponse>,
}

impl RedemptionHistoryEntryResponse {
    /// An activity about a redemption, with its actor.
    pub fn new(activity: &Activity, actor: Option<ActorResponse>) -> Self {
        let mut entry = Self {
            event: activity.event.kind().as_str(),
            at: activity.at.to_string(),
            from: None,
            to: None,
            points: None,
            start_at: None,
            end_at: None,
            rating: None,
            units: None,
            actor,
        };
        match &activity.event {
            Event::RedemptionCreated { quantity, .. } => {
                entry.to = Some(Status::Submitted.as_str());
                entry.units = Some(quantity.get());
            }
            Event::RedemptionOpen(moved)
            | Event::RedemptionAwaitingVendor(moved)
            | Event::RedemptionAwaitingCustomer(moved)
            | Event::RedemptionPurchased(moved)
            | Event::RedemptionCompleted(moved)
            | Event::RedemptionCanceled(moved) => {
                entry.from = Some(moved.from.as_str());
                entry.to = Some(moved.to.as_str());
            }
            Event::RedemptionChanged {
                start_at, end_at, ..
            } => {
                entry.start_at = super::time(*start_at);
                entry.end_at = super::time(*end_at);
            }
            Event::RedemptionRated(rated) => entry.rating = Some(rated.rating.get()),
            Event::RedemptionReturned(returned) => entry.units = Some(returned.units.get()),
            event => entry.points = event.ledger_entry().map(|entry| entry.amount.get()),
        }
        entry
    }
}

impl RedemptionHistoryResponse {
    /// The default and the largest number of entries on a page. Few redemptions have more.
    pub const LIMITS: (usize, usize) = (100, 100);
}

/// A page of the history of a redemption.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedemptionHistoryResponse {
    /// The entries, newest last.
    pub history: Vec<RedemptionHistoryEntryResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}
