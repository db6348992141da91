//! The lots of a participant's account.

use serde::Serialize;
use utoipa::ToSchema;

use super::programs::PaginationResponse;
use crate::domain::Timestamp;
use crate::wire::schema::LotState;

/// A lot: points that were credited together, or a part of them that was held or restored.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "7b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "asset_id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "amount": "120",
    "remaining": "45",
    "status": "AVAILABLE",
    "created_at": "2026-06-15T12:00:00Z",
    "expires_at": "2027-06-15T12:00:00Z",
    "matures_at": null,
    "reference_id": null,
})))]
pub struct LotResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The points that it had at first.
    pub amount: String,
    /// The points that are left.
    pub remaining: String,
    /// Its bucket while it has points left, or how they went.
    #[schema(value_type = LotState)]
    pub status: &'static str,
    /// When its points were credited.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When they expire; null: never.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When they become or became available, if not at once.
    #[schema(format = DateTime)]
    pub matures_at: Option<String>,
    /// The caller's reference; null if there is none.
    pub reference_id: Option<String>,
}

/// A page of lots.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LotListResponse {
    /// Those with points left, in the order of their numbers; then the others, newest first.
    pub data: Vec<LotResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// The dates of a lot.
pub fn short(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::to_short)
}
