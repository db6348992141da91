//! `/v1/participants`.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use super::programs::DIRECTION;
use crate::domain::{
    ExternalUserId, Invalid, ParticipantFilter, ParticipantSort, ParticipantStatus, ProgramNumber,
    Search, Timestamp,
};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{
    CreateParticipantRequest, ListKind, MEMBER_ID, PageQuery, ParticipantListResponse,
    ParticipantResponse, PatchParticipantRequest, SetParticipantStatusRequest, TEXT, TIME,
    optional, page, query_parameters, search, words,
};

routes! {
    tag "Participants";

    "/v1/participants" {
        GET OrgKey list_participants => Operation::new("List participants")
            .description("Participants are the members of the key's program, removed ones included.")
            .returns::<ParticipantListResponse>(200, "A page, newest first by default.")
            .errors(&[Code::Forbidden]);
        POST OrgKey create_participant => Operation::new("Create or update a participant")
            .description(
                "201 for a new participant, 200 for one that exists: fields that are absent keep \
                 their value, attributes are merged, and a `status` is set only if it is sent.",
            )
            .body::<CreateParticipantRequest>()
            .returns::<ParticipantResponse>(201, "The new participant.")
            .returns::<ParticipantResponse>(200, "The updated participant.")
            .errors(&[Code::Forbidden, Code::LimitReached]);
    }
    "/v1/participants/{id}" {
        GET OrgKey get_participant => Operation::new("Get a participant with all balances")
            .returns::<ParticipantResponse>(200, "The participant.")
            .versioned()
            .errors(NOT_FOUND);
        PATCH OrgKey patch_participant => Operation::new("Update a participant")
            .description("Absent fields keep their value; attributes are merged.")
            .body::<PatchParticipantRequest>()
            .returns::<ParticipantResponse>(200, "The updated participant.")
            .versioned()
            .errors(&[Code::NotFound, Code::ExternalIdTaken]);
    }
    "/v1/participants/{id}/status" {
        PATCH OrgKey set_participant_status => Operation::new("Set the status of a participant")
            .description(
                "`CLOSED` removes the member and keeps the points; `ACTIVE` or `SUSPENDED` brings \
                 it back. Points of a suspended member can neither be credited nor spent.",
            )
            .body::<SetParticipantStatusRequest>()
            .returns::<ParticipantResponse>(200, "The updated participant.")
            .versioned()
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/participants`.
    struct ListParticipantsQuery of ProgramNumber, checked by check_list {
        page: PageQuery = page(ListKind::Participants).limits(PAGE_LIMITS);
        /// Only the participant with this id of the operator's own.
        external_id: Option<ExternalUserId> = optional("external_id", MEMBER_ID);
        /// The program of the API key; another one is 403.
        program_id: Option<String> = optional("program_id", TEXT);
        /// Only participants with this status.
        status: Option<ParticipantStatus> = optional("status", words!(ParticipantStatus));
        /// Only participants with these words, or beginnings of words, in `external_id`,
        /// `display_name` and `email`, as in the list of members. They are listed newest first.
        search: Option<Search> = search();
        /// Only participants created at this time or later.
        from: Option<Timestamp> = optional("from", TIME);
        /// Only participants created at this time or earlier.
        to: Option<Timestamp> = optional("to", TIME);
        /// The field by which participants are ordered; `created_at` by default.
        sort: ParticipantSort = optional("sort_by", words!(ParticipantSort)).or_default();
        /// Ascending or descending; by default `desc` for `created_at`, otherwise `asc`.
        is_descending: Option<bool> = optional("sort_dir", DIRECTION);
    }
}

/// Refuses a search in another order than the newest first.
fn check_list(query: &ListParticipantsQuery) -> Result<(), Invalid> {
    let expected = "must be left out of a search, which lists the newest first";
    if query.search.is_none() {
        return Ok(());
    }
    if query.sort != ParticipantSort::CreatedAt {
        return Err(Invalid::new("sort_by", expected));
    }
    match query.is_descending {
        Some(false) => Err(Invalid::new("sort_dir", expected)),
        Some(true) | None => Ok(()),
    }
}

async fn list_participants(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListParticipantsQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let filter = ParticipantFilter {
        after: None,
        external_id: query.external_id,
        status: query.status,
        search: query.search,
        from: query.from,
        to: query.to,
        sort: query.sort,
        is_descending: query.is_descending.unwrap_or(query.sort.is_descending()),
    };
    let program = query.program_id;
    Ok(ok(&services
        .list_participants(key, program, filter, query.page)
        .await?))
}

async fn create_participant(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateParticipantRequest::parse(&body.value)?;
    let idempotency = idempotency.of_body(key, &body.value)?;
    Ok(reply(
        services
            .create_participant(key, idempotency, request)
            .await?,
    ))
}

async fn get_participant(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    let participant = services.get_participant(key, id).await?;
    Ok(ok_at(participant.version, &participant))
}

async fn patch_participant(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchParticipantRequest::parse(&body.value)?;
    Ok(reply(
        services
            .patch_participant(key, id, precondition, request)
            .await?,
    ))
}

async fn set_participant_status(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = SetParticipantStatusRequest::parse(&body.value)?;
    Ok(reply(
        services
            .set_participant_status(key, id, precondition, request.status)
            .await?,
    ))
}
