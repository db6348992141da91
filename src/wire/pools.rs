//! Pools of organizations: the partner's view, and an Org-API-Key's.

use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::{POOL_LIMIT, POOL_POINTS, text, word};
use super::request::request;
use super::schema::SettlementKind;
use crate::domain::{Currency, Money, Note, Pool, SettlementMode};

request! {
    /// The body of `PUT /partner/organizations/{id}/pool`. Absent fields keep their value.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub struct SetPoolRequest {
        /// The points by which redemptions may overdraw the pool, if they are paid from it.
        pub credit_limit: Option<i64> = optional("creditLimit", POOL_LIMIT),
        /// What redemptions are paid from.
        pub settlement_mode: Option<SettlementMode> =
            optional("settlementMode", word!(SettlementMode)),
        /// The balance below which `org.points.low` is sent.
        pub low_threshold: Option<i64> = optional("lowThreshold", POOL_LIMIT),
    }
    example {"creditLimit": 1000, "settlementMode": "MEMBER_WALLET", "lowThreshold": 500}
    parse(body);
}

request! {
    /// The body of `POST /partner/organizations/{id}/pool/fund`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FundPoolRequest {
        /// The number of points.
        pub amount: i64 = required("amount", POOL_POINTS),
        /// The partner's note on them.
        pub note: Option<Note> = nullable("note", text!(Note)),
    }
    example {"amount": 5000, "note": "invoice 17"}
    parse(body);
}

/// A pool as shown to the partner.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolResponse {
    /// The points that are left; negative if redemptions overdrew the pool.
    #[schema(minimum = -2_147_483_647, maximum = 2_147_483_647)]
    pub balance: i64,
    /// The points by which redemptions may overdraw it.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub credit_limit: i64,
    /// The points that were ever drawn, up to 2147483647. What was returned is not subtracted.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub lifetime_spent: i64,
    /// What redemptions are paid from.
    #[schema(value_type = SettlementKind)]
    pub settlement_mode: &'static str,
    /// The balance below which `org.points.low` is sent.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub low_threshold: i64,
}

impl From<&Pool> for PoolResponse {
    fn from(pool: &Pool) -> Self {
        Self {
            balance: pool.balance,
            credit_limit: pool.credit_limit,
            lifetime_spent: pool.lifetime_spent,
            settlement_mode: pool.mode.as_str(),
            low_threshold: pool.low_threshold,
        }
    }
}

/// The pool of one organization.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct OnePoolResponse {
    /// The pool; null if the organization has none.
    pub pool: Option<PoolResponse>,
}

/// The pool of a key's organization, in points and in the money of the key's program.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "balance": 3800,
    "balanceUSD": 38,
    "balanceDisplay": 3800,
    "creditLimit": 1000,
    "creditLimitUSD": 10,
    "lifetimeSpent": 1200,
    "lifetimeSpentUSD": 12,
    "ratePerPoint": 0.01,
    "settlementMode": "MEMBER_WALLET",
})))]
pub struct PoolBalanceResponse {
    /// The points that are left; negative if redemptions overdrew the pool. 0 without a pool.
    #[schema(minimum = -2_147_483_647, maximum = 2_147_483_647)]
    pub balance: i64,
    /// `balance` in dollars.
    #[serde(rename = "balanceUSD")]
    #[schema(value_type = f64)]
    pub balance_usd: Money,
    /// `balance` as displayed.
    #[schema(value_type = f64)]
    pub balance_display: Money,
    /// The points by which redemptions may overdraw it.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub credit_limit: i64,
    /// `creditLimit` in dollars.
    #[serde(rename = "creditLimitUSD")]
    #[schema(value_type = f64, minimum = 0)]
    pub credit_limit_usd: Money,
    /// The points that were ever drawn, up to 2147483647.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub lifetime_spent: i64,
    /// `lifetimeSpent` in dollars.
    #[serde(rename = "lifetimeSpentUSD")]
    #[schema(value_type = f64, minimum = 0)]
    pub lifetime_spent_usd: Money,
    /// The dollars that a point of the key's program is worth.
    #[schema(value_type = f64, minimum = 0)]
    pub rate_per_point: Money,
    /// What redemptions are paid from.
    #[schema(value_type = SettlementKind)]
    pub settlement_mode: &'static str,
}

impl PoolBalanceResponse {
    /// A pool in the currency of a program.
    pub fn new(pool: &Pool, currency: &Currency) -> Self {
        let usd = |points| Money::usd(points, currency);
        Self {
            balance: pool.balance,
            balance_usd: usd(pool.balance),
            balance_display: Money::display(pool.balance, currency),
            credit_limit: pool.credit_limit,
            credit_limit_usd: usd(pool.credit_limit),
            lifetime_spent: pool.lifetime_spent,
            lifetime_spent_usd: usd(pool.lifetime_spent),
            rate_per_point: currency.rate_per_point.into(),
            settlement_mode: pool.mode.as_str(),
        }
    }
}

/// The object of `org.points.low`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointsLowEventData {
    /// The organization.
    #[schema(format = Uuid)]
    pub organization_id: String,
    /// The points that were left.
    pub balance: i64,
    /// The balance below which the event is sent.
    pub low_threshold: i64,
}

/// The object of `org.points.purchased`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointsPurchasedEventData {
    /// The organization.
    #[schema(format = Uuid)]
    pub organization_id: String,
    /// The points that were there afterwards.
    pub balance: i64,
    /// The points that were bought.
    pub amount: i64,
}
