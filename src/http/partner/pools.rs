//! `/partner/organizations/{id}/pool`.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::PartnerKey;
use crate::http::extract::{Idempotency, JsonBody, PathText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{FundPoolRequest, OnePoolResponse, SetPoolRequest};

routes! {
    tag "Organizations";

    "/partner/organizations/{id}/pool" {
        GET PartnerKey get_pool => Operation::new("Get an organization's pool")
            .returns::<OnePoolResponse>(200, "The pool; null if there is none.")
            .errors(NOT_FOUND);
        PUT PartnerKey set_pool => Operation::new("Set the limits of an organization's pool")
            .description(
                "Creates the pool if there is none. Absent fields keep their value. `ORG_POOL` is \
                 possible only while no member of the organization has points.",
            )
            .body::<SetPoolRequest>()
            .returns::<OnePoolResponse>(200, "The pool.")
            .errors(&[Code::NotFound, Code::OrgPool]);
    }
    "/partner/organizations/{id}/pool/fund" {
        POST PartnerKey fund_pool => Operation::new("Add bought points to an organization's pool")
            .description("Creates the pool if there is none.")
            .body::<FundPoolRequest>()
            .returns::<OnePoolResponse>(201, "The pool with the points.")
            .errors(NOT_FOUND);
    }
}

async fn get_pool(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.get_pool(partner, id).await?))
}

async fn set_pool(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = SetPoolRequest::parse(&body.value)?;
    Ok(reply(services.set_pool(partner, id, request).await?))
}

async fn fund_pool(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = FundPoolRequest::parse(&body.value)?;
    let idempotency = idempotency.of_partner(partner, &body.value)?;
    Ok(reply(
        services
            .fund_pool(partner, idempotency, id, request)
            .await?,
    ))
}
