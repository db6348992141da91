//! The partner's surface: organizations with their credits and keys, analytics and billing.

mod analytics;
mod clock;
mod keys;
mod me;
mod organizations;
mod query;
mod server;

pub use self::analytics::{
    BillingResponse, BillingUsageResponse, OrganizationUsageResponse, PartnerAnalyticsResponse,
    PartnerUsageResponse,
};
pub use self::clock::{AcceptClockRequest, AcceptedClockResponse};
pub use self::keys::{
    ApiKeyListResponse, ApiKeyResponse, CreateApiKeyRequest, CreatedApiKeyResponse,
};
pub use self::me::{OnePartnerResponse, PartnerResponse};
pub use self::organizations::{
    AllocateCreditsRequest, AllocationResponse, CreateOrganizationRequest,
    CreatedOrganizationResponse, OneAllocationResponse, OneOrganizationResponse,
    OrganizationListResponse, OrganizationResponse, PatchOrganizationRequest, SetStatusRequest,
    SetTierRequest,
};
pub use self::query::{Days, DaysQuery, NumberedPage, NumberedPageQuery};
pub use self::server::{
    ServerBackupResponse, ServerFileResponse, ServerResponse, ServerVerifyResponse,
};
