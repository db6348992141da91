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
    /// The program's assets that are not archived now, its points included.
    pub asset_count: u64,
    /// Events of the catalogue in the period, or ever without one.
    pub event_count: u64,
    /// Ledger entries of the program's points, ever.
    pub journal_count: u64,
    /// The time of the newest of these entries, ever.
    #[schema(format = DateTime)]
    pub last_activity_at: Option<String>,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The name of the program.
    pub program_name: String,
    /// Offers that are not archived now.
    pub reward_count: u64,
    /// Earning rules that are not archived now.
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

/// The points of one program: where they came from, where they went, what is left.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(examples(json!({
    "asset_id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "asset_name": "Points",
    "asset_symbol": "pts",
    "current_balance": "60",
    "participant_count": 1,
    "total_issued": "100",
    "total_redeemed": "40",
    "total_expired": "0",
    "total_forfeited": "0",
    "opening_balance": null,
    "closing_balance": null,
    "period_issued": null,
    "period_redeemed": null,
    "period_expired": null,
    "period_forfeited": null,
    "other_adjustments_net": null,
})))]
pub struct LedgerSummaryResponse {
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The name of the asset.
    pub asset_name: String,
    /// The symbol of the asset.
    pub asset_symbol: String,
    /// The points of all participants, in whatever bucket: `total_issued` minus `total_redeemed`,
    /// `total_expired` and `total_forfeited`.
    pub current_balance: String,
    /// The participants who have points.
    pub participant_count: u64,
    /// Points credited, ever, less those debited or taken back.
    pub total_issued: String,
    /// Points redeemed, ever, less those returned.
    pub total_redeemed: String,
    /// Points that expired, ever.
    pub total_expired: String,
    /// Points forfeited, ever.
    pub total_forfeited: String,
    /// The points of all participants before the period; like the following, null without one.
    /// `closing_balance` is `opening_balance` plus `period_issued`, minus `period_redeemed`,
    /// `period_expired` and `period_forfeited`, plus `other_adjustments_net`.
    pub opening_balance: Option<String>,
    /// The points of all participants at the end of the period.
    pub closing_balance: Option<String>,
    /// Points credited in the period.
    pub period_issued: Option<String>,
    /// Points redeemed in the period; those returned are not subtracted.
    pub period_redeemed: Option<String>,
    /// Points that expired in the period.
    pub period_expired: Option<String>,
    /// Points forfeited in the period.
    pub period_forfeited: Option<String>,
    /// Points returned in the period, less those debited or taken back.
    pub other_adjustments_net: Option<String>,
}

/// A page of the report.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LedgerSummaryListResponse {
    /// One row per asset, that of the oldest program first.
    pub data: Vec<LedgerSummaryResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// The points that expire in a day, a week or a month.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExpirationBucketResponse {
    /// Its start.
    #[schema(format = DateTime)]
    pub bucket_start: String,
    /// Its end, which does not belong to it.
    #[schema(format = DateTime)]
    pub bucket_end: String,
    /// The points.
    pub amount: String,
    /// The lots that they are in.
    pub lot_count: i64,
}

/// When the points of one program expire. The sum of the buckets and of the three figures after
/// them is `total_outstanding`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "asset_id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "asset_name": "Points",
    "asset_symbol": "pts",
    "scale": 0,
    "buckets": [{
        "bucket_start": "2027-06-01T00:00:00Z",
        "bucket_end": "2027-07-01T00:00:00Z",
        "amount": "100",
        "lot_count": 1,
    }],
    "expiring_before_window": "0",
    "expiring_after_window": "20",
    "never_expiring": "5",
    "total_outstanding": "125",
    "overdue_held": "0",
    "overdrawn": "0",
})))]
pub struct ExpirationScheduleResponse {
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The name of the asset.
    pub asset_name: String,
    /// The symbol of the asset.
    pub asset_symbol: String,
    /// The decimals of amounts.
    pub scale: u8,
    /// The points by when they expire, in the calendar of the program's time zone.
    pub buckets: Vec<ExpirationBucketResponse>,
    /// Points that expire before the first bucket.
    pub expiring_before_window: String,
    /// Points that expire after the last bucket.
    pub expiring_after_window: String,
    /// Points that do not expire.
    pub never_expiring: String,
    /// All points, in whatever bucket of their account.
    pub total_outstanding: String,
    /// Those of them whose time has passed, but that are held and so did not expire.
    pub overdue_held: String,
    /// The points by which balances are negative, which are not subtracted from
    /// `total_outstanding`.
    pub overdrawn: String,
}

/// The report.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExpirationScheduleListResponse {
    /// One row per asset with lots, that of the oldest program first.
    pub data: Vec<ExpirationScheduleResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
