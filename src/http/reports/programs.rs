//! `/v1/programs`.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::PAGE_LIMITS;
use crate::http::auth::{OrgKey, count_new_program};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::precondition::{Conditions, ok_at};
use crate::http::{HttpResult, ok, reply};
use crate::service::{Caller, Services};
use crate::store::programs::ProgramFilter;
use crate::wire::{CreateProgramRequest, ListKind, PatchProgramRequest};

/// `GET /v1/programs`.
pub(in crate::http) async fn list_programs(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page_of(ListKind::Programs, key.organization.0, PAGE_LIMITS)?;
    let (sort, is_descending) = query.program_order()?;
    let filter = ProgramFilter {
        after: None,
        sort,
        is_descending,
        status: query.program_status()?,
        search: query.search()?,
        include_archived: query.flag("include_archived")?,
    };
    Ok(ok(&services.list_programs(key, filter, page).await?))
}

/// `POST /v1/programs`.
pub(in crate::http) async fn create_program(
    head: HttpRequest,
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateProgramRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    count_new_program(&head, key)?;
    Ok(reply(
        services.create_program(key, idempotency, request).await?,
    ))
}

/// `GET /v1/programs/{id}`.
pub(in crate::http) async fn get_program(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    let program = services.get_program(key, id).await?;
    Ok(ok_at(program.version, &program))
}

/// `PATCH /v1/programs/{id}`.
pub(in crate::http) async fn patch_program(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchProgramRequest::parse(&body.value)?;
    Ok(reply(
        services
            .patch_program(key, id, precondition, request)
            .await?,
    ))
}
