//! Analytics.

use serde::Serialize;

use super::Query;
use crate::domain::Invalid;

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

/// The parameters of `GET /v1/analytics/timeseries`, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct TimeseriesQuery {
    pub from: String,
    pub to: String,
    pub interval: String,
    /// Additive: the IANA time zone whose calendar the buckets follow.
    pub tz: Option<String>,
    /// Additive: one offer alone.
    pub offer: Option<String>,
}

impl TimeseriesQuery {
    /// Reads the query.
    ///
    /// # Errors
    /// [`Invalid`] naming a parameter that is missing or given twice.
    pub fn parse(query: &Query) -> Result<Self, Invalid> {
        let optional = |name: &str| query.once(name).map(|value| value.map(str::to_owned));
        let required =
            |name: &str| optional(name)?.ok_or_else(|| Invalid::new(name, "is required"));
        Ok(Self {
            from: required("from")?,
            to: required("to")?,
            interval: required("interval")?,
            tz: optional("tz")?,
            offer: optional("offer")?,
        })
    }
}

/// The time of a bucket, as `analytics.bucket_time` has it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum BucketTimeResponse {
    /// Unix milliseconds.
    Millis(i64),
    /// RFC 3339 in UTC.
    Text(String),
}

/// `TimeseriesBucket`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct BucketResponse {
    pub start_time: BucketTimeResponse,
    pub end_time: BucketTimeResponse,
    pub signups: u64,
    pub points_minted: u64,
    pub points_spent: u64,
}

/// `GET /v1/analytics/timeseries`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct TimeseriesResponse {
    pub buckets: Vec<BucketResponse>,
}
