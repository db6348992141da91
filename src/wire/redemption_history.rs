//! What happened to a redemption, and who did it.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{ActorKind, RedemptionStatus};
use crate::domain::{Activity, Actor, Event, Status};

/// Who or what caused something.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorResponse {
    /// What it is.
    #[serde(rename = "type")]
    #[schema(value_type = ActorKind)]
    pub actor_type: &'static str,
    /// Of an Org-API-Key, what the operator calls it.
    pub name: Option<String>,
    /// Of an Org-API-Key, its first characters.
    pub key_prefix: Option<String>,
}

impl ActorResponse {
    /// An actor; `key` is the name and the first characters of an Org-API-Key.
    pub fn new(actor: Actor, key: Option<(String, String)>) -> Self {
        let (name, key_prefix) = key.unzip();
        Self {
            actor_type: actor.as_str(),
            name,
            key_prefix,
        }
    }
}

/// Something that happened to a redemption.
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
    "actor": {"type": "key", "name": "front desk", "keyPrefix": "expys_sandbox_abcdef"},
})))]
pub struct RedemptionHistoryEntryResponse {
    /// `redemption.created`, another of `redemption.*`, `redemption.changed` for its dates,
    /// `wallet.debited` for what it cost, `wallet.credited` for what was returned.
    pub event: &'static str,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Where it stood before, if it was moved.
    #[schema(value_type = Option<RedemptionStatus>)]
    pub from: Option<&'static str>,
    /// Where it stood from then on, if it was created or moved.
    #[schema(value_type = Option<RedemptionStatus>)]
    pub to: Option<&'static str>,
    /// How many points, if some moved.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub points: Option<i64>,
    /// When it begins from then on; of `redemption.changed`.
    #[schema(format = DateTime)]
    pub start_at: Option<String>,
    /// When it ends from then on; of `redemption.changed`.
    #[schema(format = DateTime)]
    pub end_at: Option<String>,
    /// Who or what did it; null of what happened under version 0.1.0.
    pub actor: Option<ActorResponse>,
}

impl RedemptionHistoryEntryResponse {
    /// An activity about a redemption, and who caused it.
    pub fn new(activity: &Activity, actor: Option<ActorResponse>) -> Self {
        let mut entry = Self {
            event: activity.event.kind().as_str(),
            at: activity.at.to_string(),
            from: None,
            to: None,
            points: None,
            start_at: None,
            end_at: None,
            actor,
        };
        match &activity.event {
            Event::RedemptionCreated { .. } => entry.to = Some(Status::Submitted.as_str()),
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
            event => entry.points = event.ledger_entry().map(|entry| entry.amount.get()),
        }
        entry
    }
}

impl RedemptionHistoryResponse {
    /// Entries a page unless said, and at most: few redemptions have more.
    pub const LIMITS: (usize, usize) = (100, 100);
}

/// A page of what happened to a redemption.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedemptionHistoryResponse {
    /// What happened, the newest last.
    pub history: Vec<RedemptionHistoryEntryResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}
