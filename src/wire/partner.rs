//! The partner's surface: organizations, credits, analytics, billing, keys.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Query;
use super::fields::{Fields, credits, raw_object, text};
use crate::domain::{
    Attributes, Change, Day, ExternalId, Invalid, Name, Note, Organization, OrganizationStatus,
    OrganizationTier, Timestamp,
};

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

/// The body of `PUT /partner/organizations/{id}/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetStatusRequest(pub OrganizationStatus);

impl SetStatusRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        Fields::of(body)?
            .required("status", text(|name, word| status(name, &word)))
            .map(Self)
    }
}

/// The body of `PUT /partner/organizations/{id}/tier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetTierRequest(pub OrganizationTier);

impl SetTierRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        Fields::of(body)?
            .required("tier", text(|name, word| tier(name, &word)))
            .map(Self)
    }
}

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

/// The body of `POST /partner/organizations/{id}/api-keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateApiKeyRequest {
    /// What it is called.
    pub name: Name,
    /// The program it opens; the organization's oldest unless said.
    pub program_id: Option<String>,
}

impl CreateApiKeyRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            name: fields.required("name", text(Name::parse))?,
            program_id: fields.nullable("programId", text(|_, id| Ok(id)))?,
        })
    }
}

fn status(name: &str, word: &str) -> Result<OrganizationStatus, Invalid> {
    OrganizationStatus::parse(word)
        .ok_or_else(|| Invalid::new(name, "must be active, suspended or canceled"))
}

fn tier(name: &str, word: &str) -> Result<OrganizationTier, Invalid> {
    OrganizationTier::parse(word).ok_or_else(|| Invalid::new(name, "must be trial or paid"))
}

/// A page by its number, as the partner's surface counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedPageQuery {
    /// From 1.
    pub page: i64,
    /// Rows a page, 1 to 100, 20 unless said.
    pub page_size: i64,
}

impl Query {
    /// `page` and `pageSize`.
    ///
    /// # Errors
    /// [`Invalid`] if one is out of range.
    pub fn numbered_page(&self) -> Result<NumberedPageQuery, Invalid> {
        let number = |name: &str, most: i64| {
            self.parsed(name, |name, text| {
                text.parse::<i64>()
                    .ok()
                    .filter(|number| (1..=most).contains(number))
                    .ok_or_else(|| {
                        Invalid::new(name, format!("must be a whole number from 1 to {most}"))
                    })
            })
        };
        let page = number("page", 1_000_000)?.unwrap_or(1);
        Ok(NumberedPageQuery {
            page,
            page_size: number("pageSize", 100)?.unwrap_or(20),
        })
    }

    /// The `status` that a list of organizations is narrowed to.
    ///
    /// # Errors
    /// [`Invalid`] if it is none.
    pub fn organization_status(&self) -> Result<Option<OrganizationStatus>, Invalid> {
        self.parsed("status", status)
    }

    /// `startDate` and `endDate`, both days in the period; a side that is missing is what
    /// `defaults` says.
    ///
    /// # Errors
    /// [`Invalid`] if one is unreadable, or the end is before the start.
    pub fn days(&self, defaults: (Day, Day)) -> Result<(Day, Day), Invalid> {
        let day = |name: &str| {
            self.parsed(name, |name, text| {
                Day::parse(text).ok_or_else(|| {
                    Invalid::new(
                        name,
                        "must be a date such as 2026-06-01 or an ISO 8601 date-time",
                    )
                })
            })
        };
        let start = day("startDate")?.unwrap_or(defaults.0);
        let end = day("endDate")?.unwrap_or(defaults.1);
        if end < start {
            return Err(Invalid::new(
                "endDate",
                format!("must not be before startDate ({start})"),
            ));
        }
        Ok((start, end))
    }
}

/// An organization as the partner sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OrganizationResponse {
    pub id: String,
    pub name: String,
    pub external_id: Option<String>,
    pub status: &'static str,
    pub tier: &'static str,
    /// The monthly cap, null if it has none.
    pub credits: Option<i64>,
    pub metadata: Option<Box<RawValue>>,
    pub created_at: String,
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
        }
    }
}

/// One organization.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OneOrganizationResponse {
    pub organization: OrganizationResponse,
}

/// An organization that was just made, with its key, which is shown only now.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct CreatedOrganizationResponse {
    pub organization: OrganizationResponse,
    pub api_key: String,
}

/// A page of organizations.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OrganizationListResponse {
    pub organizations: Vec<OrganizationResponse>,
    pub total: i64,
    pub page: i64,
    pub page_size: i64,
}

/// What an organization was allocated.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct AllocationResponse {
    pub id: String,
    pub partner_id: String,
    pub organization_id: String,
    pub credits_allocated: i64,
    pub credits_used: i64,
    pub credits_available: i64,
    pub notes: Option<String>,
    pub allocated_at: String,
}

/// One allocation.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OneAllocationResponse {
    pub allocation: AllocationResponse,
}

/// A key as a list shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ApiKeyResponse {
    pub id: String,
    pub name: String,
    pub key_prefix: String,
    /// Additive: the program it opens.
    pub program_id: String,
    pub created_at: String,
}

/// A key that was just made, which is shown only now.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct CreatedApiKeyResponse {
    pub api_key: ApiKeyResponse,
    pub plain_key: String,
}

/// An organization's keys.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ApiKeyListResponse {
    pub api_keys: Vec<ApiKeyResponse>,
}

/// `GET /partner/analytics`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct PartnerAnalyticsResponse {
    pub partner_id: String,
    pub start_date: String,
    pub end_date: String,
    pub total_organizations: u64,
    pub active_organizations: u64,
    /// Additive: those with any event or exchange in the period.
    pub organizations_with_activity: u64,
    pub total_identifications: u64,
    pub credits_remaining: u64,
    pub credits_used: u64,
}

/// `GET /partner/usage`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct PartnerUsageResponse {
    pub start_date: String,
    pub end_date: String,
    pub total_quantity: u64,
    pub total_events: u64,
}

/// `GET /partner/billing`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct BillingResponse {
    pub partner_id: String,
    pub billing_mode: &'static str,
    pub billing_period: &'static str,
    pub billing_day_of_month: u8,
    pub billing_period_start: String,
    pub next_billing_date: String,
    pub stripe_customer_id: Option<String>,
    pub pricing_tiers: Vec<Value>,
    pub credit_pool_total: u64,
    pub credit_pool_used: u64,
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

/// What one organization used in a billing period.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OrganizationUsageResponse {
    pub organization_id: String,
    pub total_identifications: u64,
    pub credits_used: u64,
    pub overage: u64,
}

/// `GET /partner/billing/usage`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct BillingUsageResponse {
    pub period_start: String,
    pub period_end: String,
    pub total_identifications: u64,
    pub credits_used: u64,
    pub overage: u64,
    pub organizations: Vec<OrganizationUsageResponse>,
}
