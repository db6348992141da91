//! The object of `balance.expired`.

use serde::Serialize;
use utoipa::ToSchema;

/// The object of `balance.expired`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpiredEventData {
    /// The member.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// The points that expired.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount: i64,
    /// When they expired.
    #[schema(format = DateTime)]
    pub at: String,
    /// The balance of the wallet that was left.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub balance: i64,
}
