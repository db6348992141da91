//! `/v1/events`.

use actix_web::web::Data;
use uuid::Uuid;

use super::PAGE_LIMITS;
use super::programs::DIRECTION;
use crate::domain::{
    EventSort, EventSource, EventStatus, ExternalUserId, Invalid, ProgramNumber, Timestamp,
};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{Caller, EventSelection, Services};
use crate::wire::{
    AcceptedEventResponse, EventBatchRequest, EventBatchResponse, EventListResponse, EventRequest,
    EventResponse, ListKind, MEMBER_ID, PageQuery, TEXT, TIME, UUID, flag, group, optional, page,
    query_parameters, words,
};

routes! {
    tag "Events";

    "/v1/events" {
        GET OrgKey list_events => Operation::new("List the stored events of the key's program")
            .description(
                "A page reads at most 10,000 events, so it may have fewer rows than `limit` \
                 although `has_more` is true.",
            )
            .returns::<EventListResponse>(200, "A page, newest first by default.")
            .errors(&[Code::Forbidden]);
        POST OrgKey ingest_event => Operation::new("Store an event and let the earning rules act")
            .description(
                "The event is processed before the response: its status is `COMPLETED`, or `FAILED` \
                 if an action of a rule was impossible, and then nothing else of it happened. The \
                 same event sent again gets the same response; another event with the same \
                 `idempotency_key` is 409. A key never expires. An unknown participant is created, \
                 or is 404 if the program's `on_unknown_participant` is `REJECT`.",
            )
            .body::<EventRequest>()
            .returns::<AcceptedEventResponse>(202, "The event.")
            .errors(&[Code::Forbidden, Code::NotFound, Code::LimitReached]);
    }
    "/v1/events/batch" {
        POST OrgKey ingest_events => Operation::new("Store up to 100 events")
            .description(
                "The events are processed in their order, each as by `POST /v1/events`: what is \
                 wrong with one does not concern the others.",
            )
            .body::<EventBatchRequest>()
            .returns::<EventBatchResponse>(202, "What happened to each event.");
    }
    "/v1/events/{id}" {
        GET OrgKey get_event => Operation::new("Get an event with what the rules made of it")
            .returns::<EventResponse>(200, "The event.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/events" {
        GET OrgKey list_participant_events => Operation::new("List the events of a participant")
            .returns::<EventListResponse>(200, "A page, newest first.")
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// When events were stored and when they happened.
    pub(super) struct EventTimesQuery, checked by check_times {
        /// Only events stored at this time or later.
        from: Option<Timestamp> = optional("from", TIME);
        /// Only events stored at this time or earlier.
        to: Option<Timestamp> = optional("to", TIME);
        /// Only events that happened at this time or later.
        event_from: Option<Timestamp> = optional("event_from", TIME);
        /// Only events that happened at this time or earlier.
        event_to: Option<Timestamp> = optional("event_to", TIME);
    }
}

fn check_times(query: &EventTimesQuery) -> Result<(), Invalid> {
    let is_turned = |from: Option<Timestamp>, to| from.zip(to).is_some_and(|(from, to)| from > to);
    if is_turned(query.from, query.to) {
        return Err(Invalid::new("to", "must not be before from"));
    }
    if is_turned(query.event_from, query.event_to) {
        return Err(Invalid::new("event_to", "must not be before event_from"));
    }
    Ok(())
}

query_parameters! {
    /// The query of `GET /v1/events`.
    struct ListEventsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Events).limits(PAGE_LIMITS);
        /// The program of the API key; another one is 403.
        program_id: Option<String> = optional("program_id", TEXT);
        /// Only events with this status. Events are processed when they are stored, so that none is
        /// `RECEIVED`, `PENDING` or `PROCESSING`.
        status: Option<EventStatus> = optional("status", words!(EventStatus));
        /// Only events that come from outside, or that rules caused.
        source: Option<EventSource> = optional("event_type", words!(EventSource));
        /// Only events of this participant.
        participant_id: Option<Uuid> = optional("participant_id", UUID);
        /// Only events of the participant with this id of the operator's own.
        external_id: Option<ExternalUserId> = optional("external_id", MEMBER_ID);
        /// Only events in which this rule matched.
        rule_id: Option<Uuid> = optional("rule_id", UUID);
        times: EventTimesQuery = group::<EventTimesQuery>();
        /// The field by which events are ordered; `created_at` by default.
        sort: Option<EventSort> = optional("sort_by", words!(EventSort));
        /// Ascending or descending; `desc` by default.
        is_descending: Option<bool> = optional("sort_dir", DIRECTION);
    }
}

query_parameters! {
    /// The query of `GET /v1/participants/{id}/events`.
    struct ListParticipantEventsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Events).limits(PAGE_LIMITS);
        /// The program of the API key; another one is 403.
        program_id: Option<String> = optional("program_id", TEXT);
        /// Only events with this status.
        status: Option<EventStatus> = optional("status", words!(EventStatus));
        times: EventTimesQuery = group::<EventTimesQuery>();
    }
}

query_parameters! {
    /// The query of `GET /v1/events/{id}`.
    struct GetEventQuery {
        /// Whether to include rules that were skipped because their condition failed.
        include_skipped: bool = flag("include_skipped");
    }
}

async fn list_events(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListEventsQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let selection = EventSelection {
        program: query.program_id,
        participant: query.participant_id,
        external_id: query.external_id,
        rule: query.rule_id,
        status: query.status,
        source: query.source,
        stored: (query.times.from, query.times.to),
        happened: (query.times.event_from, query.times.event_to),
        sort: query.sort.unwrap_or(EventSort::CreatedAt),
        is_descending: query.is_descending.unwrap_or(true),
    };
    Ok(ok(&services
        .list_events(key, selection, query.page)
        .await?))
}

async fn list_participant_events(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListParticipantEventsQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let selection = EventSelection {
        program: query.program_id,
        participant: Some(services.participant_uuid(key, &id)?),
        external_id: None,
        rule: None,
        status: query.status,
        source: None,
        stored: (query.times.from, query.times.to),
        happened: (query.times.event_from, query.times.event_to),
        sort: EventSort::CreatedAt,
        is_descending: true,
    };
    Ok(ok(&services
        .list_events(key, selection, query.page)
        .await?))
}

async fn get_event(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<GetEventQuery>,
) -> HttpResult {
    let query = query.parse()?;
    Ok(ok(&services
        .get_event(key, id, query.include_skipped)
        .await?))
}

async fn ingest_event(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = EventRequest::parse(&body.value, &body.bytes)?;
    // The header may repeat the key of the body.
    idempotency.of_body(key, &body.value)?;
    Ok(reply(services.ingest_event(key, request).await?))
}

async fn ingest_events(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    // Each event has a key of its own; that of the request is only checked.
    idempotency.key(Caller::Key(key), &body.value)?;
    let request = EventBatchRequest::parse(&body.value, &body.bytes)?;
    Ok(reply(services.ingest_events(key, request.events).await?))
}
