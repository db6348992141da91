//! `/v1/programs`.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::PAGE_LIMITS;
use crate::domain::{OrganizationNumber, ProgramSort, ProgramStatus, Search};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::{OrgKey, count_new_program};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::store::programs::ProgramFilter;
use crate::wire::{
    CreateProgramRequest, CreatedProgramResponse, Kind, ListKind, PageQuery, PatchProgramRequest,
    ProgramListResponse, ProgramResponse, expected_one_of, flag, optional, page, query_parameters,
    schema, search, words,
};

routes! {
    tag "Programs";

    "/v1/programs" {
        GET OrgKey list_programs => Operation::new("List the organization's programs")
            .returns::<ProgramListResponse>(200, "A page, newest first by default.");
        POST OrgKey create_program => Operation::new("Create a program and its first key")
            .body::<CreateProgramRequest>()
            .returns::<CreatedProgramResponse>(
                201,
                "The program with its key, which no other response shows.",
            )
            .errors(&[Code::LimitReached]);
    }
    "/v1/programs/{id}" {
        GET OrgKey get_program => Operation::new("Get a program")
            .description("The id `current` means the program of the key.")
            .returns::<ProgramResponse>(200, "The program.")
            .versioned()
            .errors(NOT_FOUND);
        PATCH OrgKey patch_program => Operation::new("Rename, suspend, archive or restore a program")
            .description(
                "Keys and tokens of an archived program get 403 from the next request on; a suspended \
                 one can be read. The id `current` means the program of the key.",
            )
            .body::<PatchProgramRequest>()
            .returns::<ProgramResponse>(200, "The updated program.")
            .versioned()
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/programs`.
    struct ListProgramsQuery of OrganizationNumber {
        page: PageQuery = page(ListKind::Programs).limits(PAGE_LIMITS);
        /// The field by which programs are ordered; `created_at` by default.
        sort: ProgramSort = optional("sort_by", words!(ProgramSort)).or_default();
        /// Ascending or descending; by default `desc` for `created_at`, `asc` for `name`.
        is_descending: Option<bool> = optional("sort_dir", DIRECTION);
        /// Only programs with this status.
        status: Option<ProgramStatus> = optional("status", words!(ProgramStatus));
        /// Only programs with these words, or beginnings of words, in their name, regardless of
        /// case and accents.
        search: Option<Search> = search();
        /// Whether to include archived programs; `false` by default.
        include_archived: bool = flag("include_archived");
    }
}

pub(super) const DIRECTION: Kind<bool> = Kind {
    read: |name, word| match word {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(expected_one_of(name, &["asc", "desc"])),
    },
    schema: || schema::one_of(["asc", "desc"]),
};

async fn list_programs(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListProgramsQuery>,
) -> HttpResult {
    let query = query.parse_for(key.organization)?;
    let filter = ProgramFilter {
        after: None,
        sort: query.sort,
        is_descending: query.is_descending.unwrap_or(query.sort.is_descending()),
        status: query.status,
        search: query.search,
        include_archived: query.include_archived,
    };
    Ok(ok(&services.list_programs(key, filter, query.page).await?))
}

async fn create_program(
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

async fn get_program(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    let program = services.get_program(key, id).await?;
    Ok(ok_at(program.version, &program))
}

async fn patch_program(
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
