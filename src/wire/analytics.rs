//! Analytics.

use serde::Serialize;

/// `RedemptionStatusCounts`: the seven statuses in lower case, and their total.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct RedemptionTotalsResponse {
    pub submitted: u64,
    pub open: u64,
    pub awaiting_vendor: u64,
    pub awaiting_customer: u64,
    pub purchased: u64,
    pub completed: u64,
    pub canceled: u64,
    pub total: u64,
}

/// `GET /v1/analytics/summary`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct SummaryResponse {
    pub member_count: u64,
    pub points_minted: u64,
    pub points_spent: u64,
    pub completion_rate: f64,
    pub redemptions: RedemptionTotalsResponse,
    /// Additive: members that are not removed.
    pub active_members: u64,
    /// Additive: points that cancellations returned.
    pub points_refunded: u64,
    /// Additive: points that removals took.
    pub points_forfeited: u64,
    /// Additive: points that corrections took.
    pub points_debited: u64,
}

/// `OfferAnalytics`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OfferAnalyticsResponse {
    pub offer_id: String,
    pub signups: u64,
    pub completions: u64,
    pub cancellations: u64,
    pub points_spent: u64,
}

/// `GET /v1/analytics/offers`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OffersAnalyticsResponse {
    pub offers: Vec<OfferAnalyticsResponse>,
}
