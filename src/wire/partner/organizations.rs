//! Organizations and the credits that they are allocated.

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::{
    Attributes, Change, ExternalId, Invalid, Name, Note, Organization, OrganizationStatus,
    OrganizationTier,
};
use crate::wire::fields::{CREDITS_MAX, Fields, credits, raw_object, text};
use crate::wire::schema::{self, OrganizationPlan, OrganizationState, request_schema};

/// The body of `POST /partner/organizations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateOrganizationRequest {
    /// What it is called.
    pub name: Name,
    /// The partner's own id for it.
    pub external_id: Option<ExternalId>,
    /// The partner's own JSON.
    pub metadata: Option<Attributes>,
    /// What it pays; trial unless said.
    pub tier: OrganizationTier,
    /// Credits a month to allocate at once.
    pub initial_credits: Option<i64>,
}

impl CreateOrganizationRequest {
    /// Reads the body, given both parsed and as it came.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value, bytes: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            name: fields.required("name", text(Name::parse))?,
            external_id: fields.nullable("externalId", text(ExternalId::parse))?,
            metadata: fields.nullable("metadata", raw_object("metadata", bytes))?,
            tier: fields
                .optional("tier", text(|name, word| tier(name, &word)))?
                .unwrap_or(OrganizationTier::Trial),
            initial_credits: fields.nullable("initialCredits", credits)?,
        })
    }
}

request_schema!(CreateOrganizationRequest {
    /// What it is called.
    required name: schema::text(Name::RULE),
    /// The partner's own id for it.
    optional externalId: schema::nullable(schema::text(ExternalId::RULE)),
    /// The partner's own JSON, up to 16384 bytes.
    optional metadata: schema::nullable(schema::any_object()),
    /// What it pays; `trial` unless given.
    optional tier: schema::one_of(OrganizationTier::ALL.map(OrganizationTier::as_str)),
    /// Credits a month to allocate at once.
    optional initialCredits: schema::nullable(schema::whole(0, CREDITS_MAX)),
} example {"name": "Corner Coffee", "externalId": "acct_7", "initialCredits": 500});

/// The body of `PATCH /partner/organizations/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct PatchOrganizationRequest {
    pub name: Option<Name>,
    pub external_id: Change<ExternalId>,
    pub metadata: Change<Attributes>,
}

impl PatchOrganizationRequest {
    /// Reads the body, given both parsed and as it came.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value, bytes: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            name: fields.optional("name", text(Name::parse))?,
            external_id: fields.change("externalId", text(ExternalId::parse))?,
            metadata: fields.change("metadata", raw_object("metadata", bytes))?,
        })
    }
}

request_schema!(PatchOrganizationRequest {
    /// What it is called.
    optional name: schema::text(Name::RULE),
    /// The partner's own id for it; null clears it.
    optional externalId: schema::nullable(schema::text(ExternalId::RULE)),
    /// The partner's own JSON, up to 16384 bytes, replaced whole; null clears it.
    optional metadata: schema::nullable(schema::any_object()),
} example {"name": "Corner Coffee Roasters"});

/// The body of `PUT /partner/organizations/{id}/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetStatusRequest {
    /// Whether the organization's credentials are accepted.
    pub status: OrganizationStatus,
}

impl SetStatusRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let status = text(|name, word: String| status(name, &word));
        let status = Fields::of(body)?.required("status", status)?;
        Ok(Self { status })
    }
}

request_schema!(SetStatusRequest {
    /// Whether it may act.
    required status: schema::one_of(OrganizationStatus::ALL.map(OrganizationStatus::as_str)),
} example {"status": "suspended"});

/// The body of `PUT /partner/organizations/{id}/tier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetTierRequest {
    /// The plan.
    pub tier: OrganizationTier,
}

impl SetTierRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let tier = text(|name, word: String| tier(name, &word));
        let tier = Fields::of(body)?.required("tier", tier)?;
        Ok(Self { tier })
    }
}

request_schema!(SetTierRequest {
    /// What it pays.
    required tier: schema::one_of(OrganizationTier::ALL.map(OrganizationTier::as_str)),
} example {"tier": "paid"});

/// The body of `PUT /partner/organizations/{id}/credits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocateCreditsRequest {
    /// The most credits it may take in a month.
    pub credits: i64,
    /// What the partner says about it.
    pub notes: Option<Note>,
}

impl AllocateCreditsRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            credits: fields.required("credits", credits)?,
            notes: fields.nullable("notes", text(Note::parse))?,
        })
    }
}

request_schema!(AllocateCreditsRequest {
    /// The most credits it may take in a month.
    required credits: schema::whole(0, CREDITS_MAX),
    /// What the partner says about it.
    optional notes: schema::nullable(schema::text(Note::RULE)),
} example {"credits": 500, "notes": "for the summer"});

pub(super) fn status(name: &str, word: &str) -> Result<OrganizationStatus, Invalid> {
    OrganizationStatus::parse(word)
        .ok_or_else(|| Invalid::new(name, "must be active, suspended or canceled"))
}

fn tier(name: &str, word: &str) -> Result<OrganizationTier, Invalid> {
    OrganizationTier::parse(word).ok_or_else(|| Invalid::new(name, "must be trial or paid"))
}

/// An organization as the partner sees it.
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
    /// What it is called.
    pub name: String,
    /// The partner's own id for it.
    pub external_id: Option<String>,
    /// Whether it may act.
    #[schema(value_type = OrganizationState)]
    pub status: &'static str,
    /// What it pays.
    #[schema(value_type = OrganizationPlan)]
    pub tier: &'static str,
    /// The most credits it may take in a month; null is no cap.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub credits: Option<i64>,
    /// The partner's own JSON, as it came.
    #[schema(value_type = Option<HashMap<String, Object>>, additional_properties)]
    pub metadata: Option<Box<RawValue>>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The settings version; in quotes it is the `ETag` of the organization.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl From<&Organization> for OrganizationResponse {
    fn from(organization: &Organization) -> Self {
        let raw = |json: &Attributes| RawValue::from_string(json.as_str().to_owned()).ok();
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
            metadata: organization.metadata.as_ref().and_then(raw),
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

/// An organization that was just made, with its key, which is shown only now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedOrganizationResponse {
    /// The organization.
    pub organization: OrganizationResponse,
    /// The Org-API-Key of its program, which is never shown again.
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
    /// How many there are on all pages.
    #[schema(minimum = 0)]
    pub total: i64,
    /// The page, from 1.
    #[schema(minimum = 1)]
    pub page: i64,
    /// Rows a page.
    #[schema(minimum = 1, maximum = 100)]
    pub page_size: i64,
}

/// What an organization was allocated.
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
    /// The most credits it may take in a month.
    #[schema(minimum = 0)]
    pub credits_allocated: i64,
    /// Credits taken this month.
    #[schema(minimum = 0)]
    pub credits_used: i64,
    /// What is left this month.
    #[schema(minimum = 0)]
    pub credits_available: i64,
    /// What the partner says about it.
    pub notes: Option<String>,
    /// When it was allocated.
    #[schema(format = DateTime)]
    pub allocated_at: String,
}

/// One allocation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OneAllocationResponse {
    /// The allocation.
    pub allocation: AllocationResponse,
}
