//! Analytics, usage and billing.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::Timestamp;

/// `GET /partner/analytics`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "partnerId": "6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11",
    "startDate": "2026-05-16",
    "endDate": "2026-06-15",
    "totalOrganizations": 25,
    "activeOrganizations": 22,
    "organizationsWithActivity": 20,
    "totalIdentifications": 4500,
    "creditsRemaining": 5500,
    "creditsUsed": 4500,
})))]
pub struct PartnerAnalyticsResponse {
    /// The partner; the same in both environments.
    #[schema(format = Uuid)]
    pub partner_id: String,
    /// The first day counted.
    #[schema(format = Date)]
    pub start_date: String,
    /// The last day counted.
    #[schema(format = Date)]
    pub end_date: String,
    /// Organizations now, of every status.
    pub total_organizations: u64,
    /// Organizations whose status is `active` now.
    pub active_organizations: u64,
    /// Organizations with any event or token exchange in the period.
    pub organizations_with_activity: u64,
    /// Identifications in the period.
    pub total_identifications: u64,
    /// The pool minus the credits used this month, independent of the period.
    pub credits_remaining: u64,
    /// Credits used in the period.
    pub credits_used: u64,
}

/// `GET /partner/usage`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "startDate": "2026-06-01",
    "endDate": "2026-06-15",
    "totalQuantity": 120,
    "totalEvents": 960,
})))]
pub struct PartnerUsageResponse {
    /// The first day counted.
    #[schema(format = Date)]
    pub start_date: String,
    /// The last day counted.
    #[schema(format = Date)]
    pub end_date: String,
    /// Identifications in the period.
    pub total_quantity: u64,
    /// Token exchanges and events of the catalogue in the period.
    pub total_events: u64,
}

/// `GET /partner/billing`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "partnerId": "6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11",
    "billingMode": "pooled",
    "billingPeriod": "monthly",
    "billingDayOfMonth": 1,
    "billingPeriodStart": "2026-06-01T00:00:00.000Z",
    "nextBillingDate": "2026-07-01T00:00:00.000Z",
    "stripeCustomerId": null,
    "pricingTiers": [],
    "creditPoolTotal": 10_000,
    "creditPoolUsed": 2500,
    "creditPoolAvailable": 7500,
})))]
pub struct BillingResponse {
    /// The partner.
    #[schema(format = Uuid)]
    pub partner_id: String,
    /// Always `pooled`.
    pub billing_mode: &'static str,
    /// Always `monthly`.
    pub billing_period: &'static str,
    /// Always 1.
    #[schema(minimum = 1, maximum = 28)]
    pub billing_day_of_month: u8,
    /// The start of the current month.
    #[schema(format = DateTime)]
    pub billing_period_start: String,
    /// The start of the next month.
    #[schema(format = DateTime)]
    pub next_billing_date: String,
    /// Always null: the server does not charge.
    pub stripe_customer_id: Option<String>,
    /// Always empty: the server does not charge.
    #[schema(value_type = Vec<Object>)]
    pub pricing_tiers: Vec<Value>,
    /// The credits of the month.
    pub credit_pool_total: u64,
    /// The credits used this month.
    pub credit_pool_used: u64,
    /// The credits left this month.
    pub credit_pool_available: u64,
}

impl BillingResponse {
    /// The pool of the month between these times.
    pub fn new(partner_id: String, month: (Timestamp, Timestamp), total: u64, used: u64) -> Self {
        Self {
            partner_id,
            billing_mode: "pooled",
            billing_period: "monthly",
            billing_day_of_month: 1,
            billing_period_start: month.0.to_string(),
            next_billing_date: month.1.to_string(),
            stripe_customer_id: None,
            pricing_tiers: Vec::new(),
            credit_pool_total: total,
            credit_pool_used: used,
            credit_pool_available: total.saturating_sub(used),
        }
    }
}

/// The usage of one organization in a billing period.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "organizationId": "4be0643f-1d98-473b-97cd-ca98a65347dd",
    "totalIdentifications": 12,
    "creditsUsed": 10,
    "overage": 2,
})))]
pub struct OrganizationUsageResponse {
    /// The organization.
    #[schema(format = Uuid)]
    pub organization_id: String,
    /// Identifications this month.
    pub total_identifications: u64,
    /// Credits used this month.
    pub credits_used: u64,
    /// Identifications for which no credit was left.
    pub overage: u64,
}

/// `GET /partner/billing/usage`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillingUsageResponse {
    /// The start of the current month.
    #[schema(format = DateTime)]
    pub period_start: String,
    /// The start of the next month.
    #[schema(format = DateTime)]
    pub period_end: String,
    /// Identifications this month.
    pub total_identifications: u64,
    /// Credits used this month.
    pub credits_used: u64,
    /// Identifications for which no credit was left.
    pub overage: u64,
    /// The usage of each organization, in the order of creation.
    pub organizations: Vec<OrganizationUsageResponse>,
}
