//! The partner's surface: organizations, credits, analytics, billing, keys.

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Query;
use super::fields::{CREDITS_MAX, Fields, credits, raw_object, text};
use super::schema::{self, OrganizationPlan, OrganizationState, request_schema};
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

request_schema!(SetStatusRequest {
    /// Whether it may act.
    required status: schema::one_of(OrganizationStatus::ALL.map(OrganizationStatus::as_str)),
} example {"status": "suspended"});

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

request_schema!(CreateApiKeyRequest {
    /// What it is called.
    required name: schema::text(Name::RULE),
    /// The program it opens; the organization's oldest that is not archived, unless given.
    optional programId: schema::nullable(schema::string()),
} example {"name": "backend"});

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

impl NumberedPageQuery {
    /// The highest number of a page.
    pub const PAGE_MAX: i64 = 1_000_000;
    /// The most rows of one.
    pub const PAGE_SIZE_MAX: i64 = 100;
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
        let page = number("page", NumberedPageQuery::PAGE_MAX)?.unwrap_or(1);
        Ok(NumberedPageQuery {
            page,
            page_size: number("pageSize", NumberedPageQuery::PAGE_SIZE_MAX)?.unwrap_or(20),
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
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Box<RawValue>>,
    /// When it was made.
    #[schema(format = DateTime)]
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
    #[serde(serialize_with = "super::exposed")]
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

/// A key as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "0d9e5f5e-6a4b-4b0e-9a0a-2f5d3c1b7a66",
    "name": "backend",
    "keyPrefix": "expys_sandbox_4f2a",
    "programId": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "createdAt": "2026-06-15T12:00:00.000Z",
})))]
pub struct ApiKeyResponse {
    /// The id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it begins with, to tell it by.
    pub key_prefix: String,
    /// Additive: the program it opens.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// A key that was just made, which is shown only now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKeyResponse {
    /// The key as the list shows it.
    pub api_key: ApiKeyResponse,
    /// The key itself, which is never shown again.
    #[serde(serialize_with = "super::exposed")]
    #[schema(value_type = String)]
    pub plain_key: SecretString,
}

/// An organization's keys.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyListResponse {
    /// The keys that are not revoked, newest first.
    pub api_keys: Vec<ApiKeyResponse>,
}

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
    /// Those whose status is `active` now.
    pub active_organizations: u64,
    /// Additive: those with any event or exchange in the period.
    pub organizations_with_activity: u64,
    /// Identifications in the period.
    pub total_identifications: u64,
    /// The pool less the credits taken this month, whatever the period.
    pub credits_remaining: u64,
    /// Credits taken in the period.
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
    /// `pooled`.
    pub billing_mode: &'static str,
    /// `monthly`.
    pub billing_period: &'static str,
    /// 1.
    #[schema(minimum = 1, maximum = 28)]
    pub billing_day_of_month: u8,
    /// When this month began.
    #[schema(format = DateTime)]
    pub billing_period_start: String,
    /// When the next one begins.
    #[schema(format = DateTime)]
    pub next_billing_date: String,
    /// Nothing is charged: null.
    pub stripe_customer_id: Option<String>,
    /// Nothing is charged: empty.
    #[schema(value_type = Vec<Object>)]
    pub pricing_tiers: Vec<Value>,
    /// The month's credits.
    pub credit_pool_total: u64,
    /// Those taken this month.
    pub credit_pool_used: u64,
    /// Those left.
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
    /// Credits taken this month.
    pub credits_used: u64,
    /// Identifications that found no credit.
    pub overage: u64,
}

/// `GET /partner/billing/usage`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillingUsageResponse {
    /// When this month began.
    #[schema(format = DateTime)]
    pub period_start: String,
    /// When the next one begins.
    #[schema(format = DateTime)]
    pub period_end: String,
    /// Identifications this month.
    pub total_identifications: u64,
    /// Credits taken this month.
    pub credits_used: u64,
    /// Identifications that found no credit.
    pub overage: u64,
    /// The same of each organization, in the order made.
    pub organizations: Vec<OrganizationUsageResponse>,
}
