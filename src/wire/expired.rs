//! The object of `balance.expired` and `wallet.expiring`.

use serde::Serialize;
use utoipa::ToSchema;

/// The object of `balance.expired` and `wallet.expiring`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpiredEventData {
    /// The member.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// The points that expired or will.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount: i64,
    /// When they expired or will.
    #[schema(format = DateTime)]
    pub at: String,
    /// The balance of the wallet; of `balance.expired`, what was left.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub balance: i64,
}
