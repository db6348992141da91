//! `/v1/participants/{id}/state`.

use actix_web::web::Data;

use super::accounts::CreatedQuery;
use crate::domain::{Invalid, ProgramNumber, StateKind, StateOperation, Timestamp};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{JsonBody, PathPair, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{HistoryFilter, Services};
use crate::wire::{
    AttributeListResponse, AttributeResponse, AttributesResponse, CounterListResponse,
    CounterResponse, ListKind, Named, PROGRAM_ID, PageQuery, PatchAttributesRequest,
    ReplaceTagsRequest, SetAttributeRequest, SetCounterRequest, StateChangeListResponse, TEXT,
    TIME, TagListResponse, TagResponse, TagsResponse, group, optional, page, query_parameters,
    words,
};

/// Rows on a page of the history by default, and at most.
const HISTORY_LIMITS: (usize, usize) = (50, 100);

routes! {
    tag "Participants";

    "/v1/participants/{id}/state/tags" {
        GET OrgKey list_tags => Operation::new("List the tags of a participant")
            .returns::<TagListResponse>(200, "The tags.")
            .errors(NOT_FOUND);
        PUT OrgKey replace_tags => Operation::new("Replace the tags of a participant")
            .description(
                "Tags are stored in lower case; a participant has at most 100. State changes \
                 whatever the status of the participant is.",
            )
            .body::<ReplaceTagsRequest>()
            .returns::<TagsResponse>(200, "The tags.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/state/tags/{tag}" {
        PUT OrgKey add_tag => Operation::new("Add a tag")
            .returns::<TagResponse>(201, "The tag was added.")
            .returns::<TagResponse>(200, "The participant has the tag already.")
            .errors(&[Code::NotFound, Code::LimitReached]);
        DELETE OrgKey remove_tag => Operation::new("Remove a tag")
            .returns_empty(204, "The tag was removed.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/state/counters" {
        GET OrgKey list_counters => Operation::new("List the counters of a participant")
            .returns::<CounterListResponse>(200, "The counters, with their values now.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/state/counters/{key}" {
        GET OrgKey get_counter => Operation::new("Get a counter")
            .returns::<CounterResponse>(200, "The counter, with its value now.")
            .errors(NOT_FOUND);
        PUT OrgKey set_counter => Operation::new("Set a counter")
            .description(
                "The counter is created if there is none; a participant has at most 100. With \
                 `reset_after` its time starts again.",
            )
            .body::<SetCounterRequest>()
            .returns::<CounterResponse>(200, "The counter.")
            .errors(&[Code::NotFound, Code::LimitReached]);
    }
    "/v1/participants/{id}/state/attributes" {
        GET OrgKey list_attributes => Operation::new("List the attributes of a participant")
            .returns::<AttributeListResponse>(200, "The attributes.")
            .errors(NOT_FOUND);
        PATCH OrgKey patch_attributes => Operation::new("Set some attributes")
            .description("They are those of the member; the others are kept.")
            .body::<PatchAttributesRequest>()
            .returns::<AttributesResponse>(200, "All attributes.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/state/attributes/{key}" {
        PUT OrgKey set_attribute => Operation::new("Set an attribute")
            .body::<SetAttributeRequest>()
            .returns::<AttributeResponse>(200, "The attribute.")
            .errors(NOT_FOUND);
        DELETE OrgKey delete_attribute => Operation::new("Delete an attribute")
            .returns_empty(204, "The attribute was deleted.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/activity/state-history" {
        GET OrgKey list_state_history => Operation::new("List the changes of the state")
            .description(
                "Each change of a tag, a counter or an attribute, newest first. A page reads at \
                 most 10,000 changes, so it may have fewer rows than `limit` although `has_more` \
                 is true.",
            )
            .returns::<StateChangeListResponse>(200, "A page.")
            .errors(&[Code::Forbidden, Code::NotFound]);
    }
}

query_parameters! {
    /// The query of `GET /v1/participants/{id}/activity/state-history`.
    struct ListStateHistoryQuery of ProgramNumber {
        page: PageQuery = page(ListKind::StateHistory).limits(HISTORY_LIMITS);
        /// Only tags, counters or attributes.
        state_type: Option<StateKind> = optional("state_type", words!(StateKind));
        /// Only this tag, or what has this name.
        key: Option<String> = optional("key", TEXT);
        /// The program: that of the key, also as `current`.
        program: Option<Named> = optional("program_id", PROGRAM_ID);
        /// Only changes of this kind.
        operation: Option<StateOperation> = optional("operation", words!(StateOperation));
        period: CreatedQuery = group::<CreatedQuery>();
        happened: HappenedQuery = group::<HappenedQuery>();
    }
}

query_parameters! {
    /// When the event happened that caused a change, both ends included.
    struct HappenedQuery, checked by is_ordered {
        /// Only changes by events that happened at this time or later. A change without an event
        /// happened when it was made.
        from: Option<Timestamp> = optional("event_from", TIME);
        /// Only changes by events that happened at this time or earlier.
        to: Option<Timestamp> = optional("event_to", TIME);
    }
}

fn is_ordered(period: &HappenedQuery) -> Result<(), Invalid> {
    match (period.from, period.to) {
        (Some(from), Some(to)) if from > to => {
            Err(Invalid::new("event_to", "must not be before event_from"))
        }
        _ => Ok(()),
    }
}

async fn list_tags(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.list_tags(key, id).await?))
}

async fn replace_tags(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = ReplaceTagsRequest::parse(&body.value)?;
    Ok(reply(services.replace_tags(key, id, request).await?))
}

async fn add_tag(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathPair(id, tag): PathPair,
) -> HttpResult {
    Ok(reply(services.add_tag(key, id, tag).await?))
}

async fn remove_tag(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathPair(id, tag): PathPair,
) -> HttpResult {
    Ok(reply(services.remove_tag(key, id, tag).await?))
}

async fn list_counters(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.list_counters(key, id).await?))
}

async fn get_counter(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathPair(id, name): PathPair,
) -> HttpResult {
    Ok(ok(&services.get_counter(key, id, name).await?))
}

async fn set_counter(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathPair(id, name): PathPair,
) -> HttpResult {
    let request = SetCounterRequest::parse(&body.value)?;
    Ok(reply(services.set_counter(key, (id, name), request).await?))
}

async fn list_attributes(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.list_attributes(key, id).await?))
}

async fn patch_attributes(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = PatchAttributesRequest::parse(&body.value)?;
    Ok(reply(services.patch_attributes(key, id, request).await?))
}

async fn set_attribute(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathPair(id, name): PathPair,
) -> HttpResult {
    let request = SetAttributeRequest::parse(&body.value)?;
    let set = services.set_attribute(key, (id, name), request);
    Ok(reply(set.await?))
}

async fn delete_attribute(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathPair(id, name): PathPair,
) -> HttpResult {
    Ok(reply(services.delete_attribute(key, id, name).await?))
}

async fn list_state_history(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListStateHistoryQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let filter = HistoryFilter {
        program: query.program.map(|named| named.or(key.program_uuid)),
        kind: query.state_type,
        operation: query.operation,
        key: query.key,
        from: query.period.from,
        to: query.period.to,
        event_from: query.happened.from,
        event_to: query.happened.to,
    };
    let page = services.list_state_history(key, id, filter, query.page);
    Ok(ok(&page.await?))
}
