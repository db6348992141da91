//! The statement of a participant's account.

use serde::Serialize;
use utoipa::ToSchema;

use super::programs::PaginationResponse;
use crate::wire::schema::{LedgerAction, LedgerBucket};

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
    /// Always null: there are no stored events.
    #[schema(format = Uuid)]
    pub event_id: Option<String>,
    /// Always null.
    #[schema(format = DateTime)]
    pub event_timestamp: Option<String>,
    /// The Org-API-Key that caused it; null if it was not one.
    #[schema(format = Uuid)]
    pub created_by_api_key_id: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    pub created_at: String,
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
    /// The changes in the period, oldest first.
    pub data: Vec<StatementRowResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
