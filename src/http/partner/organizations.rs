//! `/partner/organizations`.

use actix_web::web::Data;

use crate::domain::{OrganizationStatus, Search};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::PartnerKey;
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{OrganizationChange, Services};
use crate::store::organizations::OrganizationFilter;
use crate::wire::{
    AllocateCreditsRequest, CreateOrganizationRequest, CreatedOrganizationResponse, NumberedPage,
    NumberedPageQuery, OneAllocationResponse, OneOrganizationResponse, OrganizationListResponse,
    PatchOrganizationRequest, SetStatusRequest, SetTierRequest, TEXT, optional, query_parameters,
    search, words,
};

routes! {
    tag "Organizations";

    "/partner/organizations" {
        GET PartnerKey list_organizations => Operation::new("List organizations")
            .returns::<OrganizationListResponse>(200, "A page, newest first.");
        POST PartnerKey create_organization => Operation::new("Create an organization")
            .description("Creates the organization, a program and its first key.")
            .body::<CreateOrganizationRequest>()
            .returns::<CreatedOrganizationResponse>(
                201,
                "The organization with the key, which no other response shows.",
            )
            .errors(&[Code::AllocationTooLarge, Code::LimitReached]);
    }
    "/partner/organizations/{id}" {
        GET PartnerKey get_organization => one("Get an organization");
        PATCH PartnerKey patch_organization => one("Update an organization")
            .description(
                "Updates name, external id and metadata. Absent fields keep their value; null \
                 clears the last two.",
            )
            .body::<PatchOrganizationRequest>();
        DELETE PartnerKey cancel_organization => Operation::new("Cancel an organization")
            .description("Nothing is deleted, so that a repeated request is 204 as well.")
            .returns_empty(204, "The organization is canceled.")
            .errors(NOT_FOUND);
    }
    "/partner/organizations/{id}/status" {
        PUT PartnerKey set_organization_status => one("Activate, suspend or cancel an organization")
            .description(
                "Keys and tokens of an organization that is not active get 403 from the next \
                 request on.",
            )
            .body::<SetStatusRequest>();
    }
    "/partner/organizations/{id}/tier" {
        PUT PartnerKey set_organization_tier => one("Set an organization's tier")
            .body::<SetTierRequest>()
            .errors(&[Code::NotFound, Code::AllocationTooLarge]);
    }
    "/partner/organizations/{id}/credits" {
        PUT PartnerKey allocate_credits => Operation::new("Limit an organization's monthly credits")
            .description(
                "A limit reserves nothing. It applies immediately, including to the credits used \
                 this month.",
            )
            .body::<AllocateCreditsRequest>()
            .returns::<OneAllocationResponse>(
                200,
                "The allocation. The `ETag` is the organization's.",
            )
            .versioned()
            .errors(&[Code::NotFound, Code::AllocationTooLarge]);
    }
}

/// An operation that returns one organization.
fn one(summary: &'static str) -> Operation {
    Operation::new(summary)
        .returns::<OneOrganizationResponse>(200, "The organization.")
        .versioned()
        .errors(NOT_FOUND)
}

query_parameters! {
    /// The query of `GET /partner/organizations`.
    struct ListOrganizationsQuery {
        page: NumberedPageQuery = NumberedPage;
        /// Only organizations with this status.
        status: Option<OrganizationStatus> = optional("status", words!(OrganizationStatus));
        /// Only organizations with these words, or beginnings of words, in their name, regardless
        /// of case and accents.
        search: Option<Search> = search();
        /// Only organizations with this id of the partner's.
        external_id: Option<String> = optional("externalId", TEXT);
    }
}

async fn list_organizations(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    query: QueryText<ListOrganizationsQuery>,
) -> HttpResult {
    let query = query.parse()?;
    let filter = OrganizationFilter {
        status: query.status,
        search: query.search,
        external_id: query.external_id,
    };
    Ok(ok(&services
        .list_organizations(partner, filter, query.page)
        .await?))
}

async fn create_organization(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateOrganizationRequest::parse(&body.value, &body.bytes)?;
    let idempotency = idempotency.of_partner(partner, &body.value)?;
    Ok(reply(
        services
            .create_organization(partner, idempotency, request)
            .await?,
    ))
}

async fn get_organization(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathText(id): PathText,
) -> HttpResult {
    let found = services.get_organization(partner, id).await?;
    Ok(ok_at(found.organization.version, &found))
}

async fn patch_organization(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchOrganizationRequest::parse(&body.value, &body.bytes)?;
    let change = OrganizationChange::Profile(request);
    Ok(reply(
        services
            .update_organization(partner, id, precondition, change)
            .await?,
    ))
}

async fn cancel_organization(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    Ok(reply(
        services
            .cancel_organization(partner, id, precondition)
            .await?,
    ))
}

async fn set_organization_status(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let change = OrganizationChange::Status(SetStatusRequest::parse(&body.value)?);
    Ok(reply(
        services
            .update_organization(partner, id, precondition, change)
            .await?,
    ))
}

async fn set_organization_tier(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let change = OrganizationChange::Tier(SetTierRequest::parse(&body.value)?);
    Ok(reply(
        services
            .update_organization(partner, id, precondition, change)
            .await?,
    ))
}

async fn allocate_credits(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = AllocateCreditsRequest::parse(&body.value)?;
    Ok(reply(
        services
            .allocate_credits(partner, id, precondition, request)
            .await?,
    ))
}
