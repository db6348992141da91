//! The partner itself.

use serde::Serialize;
use utoipa::ToSchema;

use super::BillingResponse;
use crate::domain::{Environment, OfferContent, Timestamp};

/// `GET /partner/me`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OnePartnerResponse {
    /// The partner.
    pub partner: PartnerResponse,
}

/// The partner: the operator of this server. It has no branding, no domain for scripts and no
/// webhooks, so these fields have the same value on every server.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the fields are the API's")]
pub struct PartnerResponse {
    /// The partner's id; the same in both environments.
    #[schema(format = Uuid)]
    pub id: String,
    /// Always `Partner`.
    pub name: &'static str,
    /// Always `partner`.
    pub slug: &'static str,
    /// Always `active`.
    pub status: &'static str,
    /// Always null.
    pub company_name: Option<String>,
    /// Always null.
    pub support_email: Option<String>,
    /// Always null.
    pub logo_url: Option<String>,
    /// Always null.
    pub primary_color: Option<String>,
    /// Always null.
    pub secondary_color: Option<String>,
    /// Always null.
    pub script_domain: Option<String>,
    /// Always false.
    pub script_domain_verified: bool,
    /// Always `pooled`.
    pub billing_mode: &'static str,
    /// The credits of the month.
    pub credit_pool_total: u64,
    /// The credits used this month.
    pub credit_pool_used: u64,
    /// The credits left this month.
    pub credit_pool_available: u64,
    /// The most organizations that the environment can have; 2147483647 means no limit.
    pub max_organizations: i64,
    /// Always 2147483647: identifications have no limit, only credits have.
    pub max_identifications_per_org: i64,
    /// Always null.
    pub identification_webhook_url: Option<String>,
    /// Always false.
    pub identification_webhook_enabled: bool,
    /// Always null.
    pub billing_webhook_url: Option<String>,
    /// Always false.
    pub billing_webhook_enabled: bool,
    /// When the first organization was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Always true: a partner key is the operator's.
    pub is_owner: bool,
    /// The environment of the key.
    pub environment: &'static str,
}

impl PartnerResponse {
    /// The partner with its pool and the limit of its organizations, if there is one.
    pub fn new(
        environment: Environment,
        billing: BillingResponse,
        organizations_max: Option<i64>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id: billing.partner_id,
            name: "Partner",
            slug: "partner",
            status: "active",
            company_name: None,
            support_email: None,
            logo_url: None,
            primary_color: None,
            secondary_color: None,
            script_domain: None,
            script_domain_verified: false,
            billing_mode: billing.billing_mode,
            credit_pool_total: billing.credit_pool_total,
            credit_pool_used: billing.credit_pool_used,
            credit_pool_available: billing.credit_pool_available,
            max_organizations: organizations_max.unwrap_or(OfferContent::UNLIMITED),
            max_identifications_per_org: OfferContent::UNLIMITED,
            identification_webhook_url: None,
            identification_webhook_enabled: false,
            billing_webhook_url: None,
            billing_webhook_enabled: false,
            created_at: created_at.to_string(),
            is_owner: true,
            environment: environment.as_str(),
        }
    }
}
