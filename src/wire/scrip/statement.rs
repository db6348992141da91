//! The statement of a participant's account.

use serde::Serialize;
use utoipa::ToSchema;

use super::programs::PaginationResponse;
use crate::domain::Scale;
use crate::wire::schema::{ActorKind, LedgerAction, LedgerBucket, LotChange};
use crate::wire::{ActorResponse, EntryDetailsResponse, MovedLotResponse};

/// A change of the balance.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "posting_id": "9b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "journal_entry_id": "8b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "action_type": "CREDIT",
    "amount": "100",
    "bucket": "AVAILABLE",
    "running_balance": "100",
    "description": "welcome bonus",
    "event_id": null,
    "event_timestamp": null,
    "created_by_api_key_id": "5b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "created_at": "2026-06-15T12:00:00Z",
})))]
pub struct StatementRowResponse {
    /// The id of the posting.
    #[schema(format = Uuid)]
    pub posting_id: String,
    /// The journal entry that it is part of.
    #[schema(format = Uuid)]
    pub journal_entry_id: String,
    /// The kind of the entry.
    #[schema(value_type = LedgerAction)]
    pub action_type: &'static str,
    /// The points that it adds; negative if it takes points.
    pub amount: String,
    /// The bucket.
    #[schema(value_type = LedgerBucket)]
    pub bucket: &'static str,
    /// The balance of the bucket after it.
    pub running_balance: String,
    /// The caller's text, if there is one.
    pub description: Option<String>,
    /// The stored event that caused it; null if none did.
    #[schema(format = Uuid)]
    pub event_id: Option<String>,
    /// When that event happened.
    #[schema(format = DateTime)]
    pub event_timestamp: Option<String>,
    /// The Org-API-Key that caused it; null if it was not one.
    #[schema(format = Uuid)]
    pub created_by_api_key_id: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Its cause and its lots, if the query asks for `details`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<StatementDetailsResponse>,
}

/// The cause of a change, and what it did to lots.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "actor": {"type": "key", "name": "front desk", "key_prefix": "expys_sandbox_abcdef"},
    "lots": [
        {"number": 3, "change": "taken", "amount": "40.00",
         "expires_at": "2027-01-31T12:00:00.000Z", "matures_at": null},
    ],
    "redemption_id": null,
})))]
pub struct StatementDetailsResponse {
    /// The actor that caused it; null for entries of version 0.1.0.
    pub actor: Option<StatementActorResponse>,
    /// The lots that it made or moved, in order; null if the account had no lots.
    pub lots: Option<Vec<StatementLotResponse>>,
    /// The redemption, if it spent an amount.
    #[schema(format = Uuid)]
    pub redemption_id: Option<String>,
}

/// The actor that caused a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatementActorResponse {
    /// The kind of actor.
    #[serde(rename = "type")]
    #[schema(value_type = ActorKind)]
    pub actor_type: &'static str,
    /// The name of an Org-API-Key; otherwise null.
    pub name: Option<String>,
    /// The first characters of an Org-API-Key; otherwise null.
    pub key_prefix: Option<String>,
}

/// What a change did to a lot.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatementLotResponse {
    /// The number of the lot in the account, from 1.
    #[schema(minimum = 1)]
    pub number: u32,
    /// What happened to it.
    #[schema(value_type = LotChange)]
    pub change: &'static str,
    /// The points.
    pub amount: String,
    /// When they expire, if ever.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When they become available, if they were not yet.
    #[schema(format = DateTime)]
    pub matures_at: Option<String>,
}

impl StatementDetailsResponse {
    /// The details of an entry of an asset with this scale.
    pub fn new(
        EntryDetailsResponse { actor, lots }: EntryDetailsResponse,
        redemption_id: Option<String>,
        scale: Scale,
    ) -> Self {
        let actor = actor.map(
            |ActorResponse {
                 actor_type,
                 name,
                 key_prefix,
             }| StatementActorResponse {
                actor_type,
                name,
                key_prefix,
            },
        );
        let lot = |moved: MovedLotResponse| StatementLotResponse {
            number: moved.number,
            change: moved.change,
            amount: scale.show(moved.amount),
            expires_at: moved.expires_at,
            matures_at: moved.matures_at,
        };
        Self {
            actor,
            lots: lots.map(|lots| lots.into_iter().map(lot).collect()),
            redemption_id,
        }
    }
}

/// A page of the statement of an account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatementResponse {
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The bucket.
    #[schema(value_type = LedgerBucket)]
    pub bucket: &'static str,
    /// The start of the period, if it was given.
    #[schema(format = DateTime)]
    pub from: Option<String>,
    /// The end of the period, if it was given.
    #[schema(format = DateTime)]
    pub to: Option<String>,
    /// The balance before the period.
    pub opening_balance: String,
    /// The balance at the end of the period.
    pub closing_balance: String,
    /// The changes in the period, in the order of the query.
    pub data: Vec<StatementRowResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
