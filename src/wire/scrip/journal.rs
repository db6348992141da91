//! Journal entries.

use serde::Serialize;
use utoipa::ToSchema;

use super::programs::PaginationResponse;
use crate::wire::schema::{LedgerAction, LedgerBucket, LedgerEntityType};

/// What a journal entry adds to an account, or takes from it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PostingResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The points that it adds; negative if it takes points.
    pub amount: String,
    /// The symbol of the asset; of the program's points, that of its currency.
    pub asset_symbol: String,
    /// The bucket.
    #[schema(value_type = LedgerBucket)]
    pub bucket: &'static str,
    /// The owner of the account.
    #[schema(value_type = LedgerEntityType)]
    pub entity_type: &'static str,
    /// The participant, if it is the owner.
    #[schema(format = Uuid)]
    pub participant_id: Option<String>,
    /// Always null: there are no groups.
    #[schema(format = Uuid)]
    pub group_id: Option<String>,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// When it happened.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// A journal entry: a ledger entry, or a change of the program's wallet, as double-entry
/// bookkeeping.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "8b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "action_type": "CREDIT",
    "created_at": "2026-06-15T12:00:00Z",
    "created_by_api_key_id": "5b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "description": "welcome bonus",
    "entry_hash": "168b361f2719df58a8c646bc852751abe3605f852539e1bf43839eb4879c7b85",
    "event_id": null,
    "rule_id": null,
    "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "program_name": "Sandbox",
    "reference_id": null,
    "postings": [
        {
            "id": "9b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
            "amount": "100",
            "asset_symbol": "pts",
            "bucket": "AVAILABLE",
            "entity_type": "PARTICIPANT",
            "participant_id": "1b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
            "group_id": null,
            "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
            "created_at": "2026-06-15T12:00:00Z",
        },
        {
            "id": "9c0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
            "amount": "-100",
            "asset_symbol": "pts",
            "bucket": "AVAILABLE",
            "entity_type": "SYSTEM_ISSUANCE",
            "participant_id": null,
            "group_id": null,
            "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
            "created_at": "2026-06-15T12:00:00Z",
        },
    ],
})))]
pub struct JournalEntryResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The kind.
    #[schema(value_type = LedgerAction)]
    pub action_type: &'static str,
    /// When it happened.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The Org-API-Key that caused it; null if it was not one.
    #[schema(format = Uuid)]
    pub created_by_api_key_id: Option<String>,
    /// The caller's text, if there is one.
    pub description: Option<String>,
    /// The hash of this entry and the one before it in the program.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub entry_hash: String,
    /// The stored event that caused it; null if none did.
    #[schema(format = Uuid)]
    pub event_id: Option<String>,
    /// The rule that caused it; null if none did.
    #[schema(format = Uuid)]
    pub rule_id: Option<String>,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The name of the program.
    pub program_name: String,
    /// The caller's reference; null if there is none.
    pub reference_id: Option<String>,
    /// What it adds to accounts, in sum zero.
    pub postings: Vec<PostingResponse>,
}

/// A page of journal entries.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JournalEntryListResponse {
    /// The entries, newest first.
    pub data: Vec<JournalEntryResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
