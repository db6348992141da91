//! Organizations and their allocated credits.

use secrecy::SecretString;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::{
    Attributes, Change, ExternalId, Name, Note, Organization, OrganizationStatus, OrganizationTier,
};
use crate::wire::field_types::{CREDITS, JSON_OBJECT, text, word};
use crate::wire::request::request;
use crate::wire::schema::{OrganizationPlan, OrganizationState};

request! {
    /// The body of `POST /partner/organizations`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateOrganizationRequest {
        /// The name.
        pub name: Name = required("name", text!(Name)),
        /// The partner's own id for it.
        pub external_id: Option<ExternalId> = nullable("externalId", text!(ExternalId)),
        /// The partner's own JSON, up to 16384 bytes.
        pub metadata: Option<Attributes> = nullable("metadata", JSON_OBJECT),
        /// The plan; `trial` by default.
        pub tier: OrganizationTier =
            optional_or("tier", word!(OrganizationTier), OrganizationTier::Trial),
        /// The credits a month that are allocated immediately.
        pub initial_credits: Option<i64> = nullable("initialCredits", CREDITS),
    }
    example {"name": "Corner Coffee", "externalId": "acct_7", "initialCredits": 500}
    parse(body, bytes);
}

request! {
    /// The body of `PATCH /partner/organizations/{id}`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PatchOrganizationRequest {
        /// The name.
        pub name: Option<Name> = optional("name", text!(Name)),
        /// The partner's own id for it; null clears it.
        pub external_id: Change<ExternalId> = change("externalId", text!(ExternalId)),
        /// The partner's own JSON, up to 16384 bytes, replaced as a whole; null clears it.
        pub metadata: Change<Attributes> = change("metadata", JSON_OBJECT),
    }
    example {"name": "Corner Coffee Roasters"}
    parse(body, bytes);
}

request! {
    /// The body of `PUT /partner/organizations/{id}/status`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct SetStatusRequest {
        /// Whether the organization's credentials are accepted.
        pub status: OrganizationStatus = required("status", word!(OrganizationStatus)),
    }
    example {"status": "suspended"}
    parse(body);
}

request! {
    /// The body of `PUT /partner/organizations/{id}/tier`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct SetTierRequest {
        /// The plan.
        pub tier: OrganizationTier = required("tier", word!(OrganizationTier)),
    }
    example {"tier": "paid"}
    parse(body);
}

request! {
    /// The body of `PUT /partner/organizations/{id}/credits`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AllocateCreditsRequest {
        /// The most credits that the organization may use in a month.
        pub credits: i64 = required("credits", CREDITS),
        /// The partner's note on the allocation.
        pub notes: Option<Note> = nullable("notes", text!(Note)),
    }
    example {"credits": 500, "notes": "for the summer"}
    parse(body);
}

/// An organization as shown to the partner.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "4be0643f-1d98-473b-97cd-ca98a65347dd",
    "name": "Corner Coffee",
    "externalId": "acct_7",
    "status": "active",
    "tier": "trial",
    "credits": 500,
    "metadata": {"region": "north"},
    "createdAt": "2026-06-15T12:00:00.000Z",
    "version": 5,
})))]
pub struct OrganizationResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The name.
    pub name: String,
    /// The partner's own id for it.
    pub external_id: Option<String>,
    /// Whether its credentials are accepted.
    #[schema(value_type = OrganizationState)]
    pub status: &'static str,
    /// The plan.
    #[schema(value_type = OrganizationPlan)]
    pub tier: &'static str,
    /// The most credits that it may use in a month; null means no limit.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub credits: Option<i64>,
    /// The partner's own JSON, as it was received.
    #[schema(value_type = Option<HashMap<String, Object>>, additional_properties)]
    pub metadata: Option<Box<RawValue>>,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The settings version; in quotes, the `ETag` of the organization.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl From<&Organization> for OrganizationResponse {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.uuid.to_string(),
            name: organization.name.as_str().to_owned(),
            external_id: organization
                .external_id
                .as_ref()
                .map(|id| id.as_str().to_owned()),
            status: organization.status.as_str(),
            tier: organization.tier.as_str(),
            credits: organization
                .allocation
                .as_ref()
                .map(|allocation| allocation.credits),
            metadata: crate::wire::json_object(organization.metadata.as_ref()),
            created_at: organization.created_at.to_string(),
            version: organization.version.0,
        }
    }
}

/// One organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OneOrganizationResponse {
    /// The organization.
    pub organization: OrganizationResponse,
}

/// A new organization with its key, which is shown only once.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedOrganizationResponse {
    /// The organization.
    pub organization: OrganizationResponse,
    /// The Org-API-Key of its program, which is not shown again.
    #[serde(serialize_with = "crate::wire::exposed")]
    #[schema(value_type = String)]
    pub api_key: SecretString,
}

/// A page of organizations.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationListResponse {
    /// The organizations, newest first.
    pub organizations: Vec<OrganizationResponse>,
    /// The number of organizations on all pages.
    #[schema(minimum = 0)]
    pub total: i64,
    /// The number of the page, from 1.
    #[schema(minimum = 1)]
    pub page: i64,
    /// The number of organizations on a page.
    #[schema(minimum = 1, maximum = 100)]
    pub page_size: i64,
}

/// The credits allocated to an organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "9a2f4d4e-5f0d-4b8e-8f1b-6a3c1b2d7e90",
    "partnerId": "6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11",
    "organizationId": "4be0643f-1d98-473b-97cd-ca98a65347dd",
    "creditsAllocated": 500,
    "creditsUsed": 0,
    "creditsAvailable": 500,
    "notes": null,
    "allocatedAt": "2026-06-15T12:00:00.000Z",
})))]
pub struct AllocationResponse {
    /// The id.
    pub id: String,
    /// The partner.
    #[schema(format = Uuid)]
    pub partner_id: String,
    /// The organization.
    #[schema(format = Uuid)]
    pub organization_id: String,
    /// The most credits that the organization may use in a month.
    #[schema(minimum = 0)]
    pub credits_allocated: i64,
    /// The credits used this month.
    #[schema(minimum = 0)]
    pub credits_used: i64,
    /// The credits left this month.
    #[schema(minimum = 0)]
    pub credits_available: i64,
    /// The partner's note on the allocation.
    pub notes: Option<String>,
    /// When the credits were allocated.
    #[schema(format = DateTime)]
    pub allocated_at: String,
}

/// One allocation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OneAllocationResponse {
    /// The allocation.
    pub allocation: AllocationResponse,
}
