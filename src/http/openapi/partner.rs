//! The operations under `/partner`.

use super::operation::{Operation, like, tagged};
use crate::domain::{OrganizationStatus, Search};
use crate::error::Code;
use crate::wire::schema;
use crate::wire::{
    AcceptClockRequest, AcceptedClockResponse, AllocateCreditsRequest, ApiKeyListResponse,
    BillingResponse, BillingUsageResponse, CreateApiKeyRequest, CreateOrganizationRequest,
    CreatedApiKeyResponse, CreatedOrganizationResponse, NumberedPageQuery, OneAllocationResponse,
    OneOrganizationResponse, OrganizationListResponse, PartnerAnalyticsResponse,
    PartnerUsageResponse, PatchOrganizationRequest, ServerResponse, SetStatusRequest,
    SetTierRequest,
};

pub(super) fn operations() -> impl Iterator<Item = Operation> {
    figures()
        .chain(organizations())
        .chain(keys())
        .chain(server())
}

impl Operation {
    /// `startDate` and `endDate`.
    fn days(self, start: &str, end: &str) -> Self {
        let day = || like(schema::day(), "2026-06-01");
        let about = "A day in UTC, or a time, of which its day counts";
        self.query(
            "startDate",
            day(),
            &format!("The first day. {about}; {start} unless given."),
        )
        .query(
            "endDate",
            day(),
            &format!("The last day. {about}; {end} unless given."),
        )
    }
}

fn figures() -> impl Iterator<Item = Operation> {
    let analytics = Operation::new(
        "get_partner_analytics",
        "Figures of all organizations over some days",
    )
    .days("30 days ago", "today")
    .answers::<PartnerAnalyticsResponse>(200, "The figures.");
    let usage = Operation::new(
        "get_partner_usage",
        "Identifications and events over some days",
    )
    .days("the 1st of this month", "today")
    .answers::<PartnerUsageResponse>(200, "The figures.");
    let billing = Operation::new("get_partner_billing", "The credit pool this month")
        .answers::<BillingResponse>(200, "The pool.");
    let billing_usage = Operation::new(
        "get_partner_billing_usage",
        "What each organization used this month",
    )
    .answers::<BillingUsageResponse>(200, "The figures.");
    tagged("Partner", [analytics, usage, billing, billing_usage])
}

fn list_organizations() -> Operation {
    Operation::new("list_organizations", "A page of organizations")
        .query(
            "page",
            schema::whole(1, NumberedPageQuery::PAGE_MAX),
            "The page; 1 unless given.",
        )
        .query(
            "pageSize",
            schema::whole(1, NumberedPageQuery::PAGE_SIZE_MAX),
            "Rows a page; 20 unless given.",
        )
        .query(
            "status",
            schema::one_of(OrganizationStatus::ALL.map(OrganizationStatus::as_str)),
            "Only those of this status.",
        )
        .query(
            "search",
            schema::text(Search::RULE),
            "Only those with these words, or beginnings of words, in their name; case and accents \
             do not count.",
        )
        .query(
            "externalId",
            schema::string(),
            "Only those with this id of the partner's.",
        )
        .answers::<OrganizationListResponse>(200, "A page, newest first.")
}

fn organizations() -> impl Iterator<Item = Operation> {
    let list = list_organizations();
    let create = Operation::new(
        "create_organization",
        "Make an organization, a program and its key",
    )
    .body::<CreateOrganizationRequest>()
    .answers::<CreatedOrganizationResponse>(201, "The organization with the key, shown only now.")
    .fails(&[Code::AllocationTooLarge, Code::LimitReached]);
    let one = |handler, summary| {
        Operation::new(handler, summary)
            .answers::<OneOrganizationResponse>(200, "The organization.")
            .versioned()
            .fails(&[Code::NotFound])
    };
    let get = one("get_organization", "An organization");
    let patch = one(
        "patch_organization",
        "Change an organization's name, external id or metadata",
    )
    .about("What is left out stays; null clears the last two.")
    .body::<PatchOrganizationRequest>()
    .if_unchanged();
    let cancel = Operation::new("cancel_organization", "Cancel an organization")
        .about("Nothing is deleted, so that the same again is 204 too.")
        .ends(204, "The organization is canceled.")
        .if_unchanged()
        .fails(&[Code::NotFound]);
    let status = one(
        "set_organization_status",
        "Activate, suspend or cancel an organization",
    )
    .about("Keys and tokens of one that is not active get 403 from the next request on.")
    .body::<SetStatusRequest>()
    .if_unchanged();
    let tier = one("set_organization_tier", "Trial or paid")
        .body::<SetTierRequest>()
        .if_unchanged()
        .fails(&[Code::NotFound, Code::AllocationTooLarge]);
    let credits = Operation::new("allocate_credits", "Cap an organization's credits a month")
        .about("A cap reserves nothing. It counts at once against what was used this month.")
        .body::<AllocateCreditsRequest>()
        .answers::<OneAllocationResponse>(
            200,
            "The allocation. The `ETag` is that of the organization.",
        )
        .versioned()
        .if_unchanged()
        .fails(&[Code::NotFound, Code::AllocationTooLarge]);
    tagged(
        "Organizations",
        [list, create, get, patch, cancel, status, tier, credits],
    )
}

fn keys() -> impl Iterator<Item = Operation> {
    let list = Operation::new("list_api_keys", "An organization's Org-API-Keys")
        .answers::<ApiKeyListResponse>(200, "The keys, newest first.")
        .fails(&[Code::NotFound]);
    let create = Operation::new("create_api_key", "Make an Org-API-Key")
        .body::<CreateApiKeyRequest>()
        .answers::<CreatedApiKeyResponse>(201, "The key, shown only now.")
        .fails(&[Code::NotFound, Code::LimitReached]);
    let revoke = Operation::new("revoke_api_key", "Revoke an Org-API-Key")
        .about("Member tokens that were minted with it live out their time.")
        .ends(204, "The key is refused from the next request on.")
        .fails(&[Code::NotFound]);
    tagged("Keys", [list, create, revoke])
}

fn server() -> impl Iterator<Item = Operation> {
    let accept = Operation::new("accept_clock", "Accept a step of the system clock")
        .about(
            "After the system clock was set forward by more than 24 hours writes are stopped; this \
             takes the clock as it is to be right, for live and the sandbox alike.",
        )
        .optional_body::<AcceptClockRequest>()
        .answers::<AcceptedClockResponse>(200, "What was accepted, if anything, and the time.");
    let server = Operation::new("get_server", "The server and its database")
        .about(
            "For both environments: version, state, and when the database was last verified and \
             backed up by the commands of those names on this machine.",
        )
        .answers::<ServerResponse>(200, "The server.");
    tagged("Partner", [accept, server])
}
