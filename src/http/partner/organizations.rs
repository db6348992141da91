//! `/partner/organizations`.

use actix_web::web::Data;

use crate::http::auth::PartnerKey;
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::precondition::{Conditions, ok_at};
use crate::http::{HttpResult, ok, reply};
use crate::service::{OrganizationChange, Services};
use crate::store::organizations::OrganizationFilter;
use crate::wire::{
    AllocateCreditsRequest, CreateOrganizationRequest, PatchOrganizationRequest, SetStatusRequest,
    SetTierRequest,
};

/// `GET /partner/organizations`.
pub(in crate::http) async fn list_organizations(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.numbered_page()?;
    let filter = OrganizationFilter {
        status: query.organization_status()?,
        search: query.search()?,
        external_id: query.get("externalId")?.map(str::to_owned),
    };
    Ok(ok(&services
        .list_organizations(partner, filter, page)
        .await?))
}

/// `POST /partner/organizations`.
pub(in crate::http) async fn create_organization(
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

/// `GET /partner/organizations/{id}`.
pub(in crate::http) async fn get_organization(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathText(id): PathText,
) -> HttpResult {
    let found = services.get_organization(partner, id).await?;
    Ok(ok_at(found.organization.version, &found))
}

/// `PATCH /partner/organizations/{id}`.
pub(in crate::http) async fn patch_organization(
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
            .change_organization(partner, id, precondition, change)
            .await?,
    ))
}

/// `DELETE /partner/organizations/{id}`.
pub(in crate::http) async fn cancel_organization(
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

/// `PUT /partner/organizations/{id}/status`.
pub(in crate::http) async fn set_organization_status(
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
            .change_organization(partner, id, precondition, change)
            .await?,
    ))
}

/// `PUT /partner/organizations/{id}/tier`.
pub(in crate::http) async fn set_organization_tier(
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
            .change_organization(partner, id, precondition, change)
            .await?,
    ))
}

/// `PUT /partner/organizations/{id}/credits`.
pub(in crate::http) async fn allocate_credits(
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
