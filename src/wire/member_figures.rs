//! Figures of members.

use serde::Serialize;
use utoipa::ToSchema;

use super::BucketTimeResponse;

/// The distinct members of a window.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct MemberFiguresResponse {
    /// Members who did something: points were credited to them, they created a redemption, a token
    /// of theirs was exchanged, or an event of theirs was stored.
    pub active: u64,
    /// Members with points that were credited; if these were deferred, that became available.
    pub earning: u64,
    /// Members who created a redemption.
    pub redeeming: u64,
    /// Members who signed up.
    pub new: u64,
    /// Active members who were active before the window.
    pub returning: u64,
    /// Active members who were active before, but not in the window of the same length directly
    /// before this one.
    pub reactivated: u64,
    /// Active members by what they did. One who did several things is in each of them.
    #[serde(rename = "activeBy")]
    pub active_by: ActiveByResponse,
}

/// Distinct members by what they did.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ActiveByResponse {
    /// Points were credited to them, deferred ones included.
    pub mint: u64,
    /// They created a redemption.
    pub redemption: u64,
    /// A token of theirs was exchanged.
    pub exchange: u64,
    /// An event of theirs was stored.
    pub event: u64,
}

/// The members of one bucket.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MembersBucketResponse {
    /// The start of the bucket, inclusive.
    pub start_time: BucketTimeResponse,
    /// The end of the bucket, exclusive.
    pub end_time: BucketTimeResponse,
    /// Its members.
    #[serde(flatten)]
    pub figures: MemberFiguresResponse,
}

/// `GET /v1/analytics/members`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "active": 3,
    "earning": 2,
    "redeeming": 1,
    "new": 1,
    "returning": 2,
    "reactivated": 1,
    "activeBy": {"mint": 2, "redemption": 1, "exchange": 2, "event": 0},
})))]
pub struct MembersResponse {
    /// The members of the whole window. They are not the sum of those of the buckets, because a
    /// member may be in several.
    #[serde(flatten)]
    pub figures: MemberFiguresResponse,
    /// One bucket per interval, if there is an interval.
    #[schema(nullable = false, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Vec<MembersBucketResponse>>,
}
