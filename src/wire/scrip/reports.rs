//! The program-activity report, in the format of the Scrip surface.

use serde::Serialize;
use utoipa::ToSchema;

use super::programs::PaginationResponse;

/// The activity of one program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "asset_count": 1,
    "event_count": 5,
    "journal_count": 2,
    "last_activity_at": "2026-06-15T12:00:00Z",
    "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "program_name": "Sandbox",
    "reward_count": 1,
    "rule_count": 0,
    "tier_count": 1,
    "total_issued": "100.00",
    "total_redeemed": "40.00",
    "unique_participants": 1,
})))]
pub struct ProgramActivityResponse {
    /// The number of point currencies: always 1.
    pub asset_count: u64,
    /// Events of the catalogue in the period, or ever without one.
    pub event_count: u64,
    /// Ledger entries, ever.
    pub journal_count: u64,
    /// The time of the newest ledger entry, ever.
    #[schema(format = DateTime)]
    pub last_activity_at: Option<String>,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The name of the program.
    pub program_name: String,
    /// Offers that are not archived now.
    pub reward_count: u64,
    /// The number of earning rules: always 0.
    pub rule_count: u64,
    /// Distinct tiers of members who are not removed now.
    pub tier_count: u64,
    /// Points credited in the period, or ever without one, with two decimals.
    #[schema(pattern = r"^[0-9]+\.[0-9]{2}$")]
    pub total_issued: String,
    /// Points spent on redemptions in the period, or ever without one, with two decimals.
    #[schema(pattern = r"^[0-9]+\.[0-9]{2}$")]
    pub total_redeemed: String,
    /// Distinct members who ever received or spent points.
    pub unique_participants: u64,
}

/// Points in the format of the Scrip surface: with two decimals, which are always zero.
pub fn decimal(points: u64) -> String {
    format!("{points}.00")
}

/// A page of the report.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProgramActivityListResponse {
    /// One row per program, oldest first.
    pub data: Vec<ProgramActivityResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
