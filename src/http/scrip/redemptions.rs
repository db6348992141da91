//! `/v1/participants/{id}/redemptions`.

use actix_web::web::Data;
use uuid::Uuid;

use super::PAGE_LIMITS;
use super::accounts::CreatedQuery;
use crate::domain::{ProgramNumber, ReversalStatus};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathPair, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{RedemptionSelection, Reply, Services};
use crate::wire::{
    ListKind, Named, PROGRAM_ID, PageQuery, ParticipantRedemptionListResponse,
    ParticipantRedemptionResponse, RedeemAmountRequest, RedeemItemsRequest, ReversalListResponse,
    ReversalResponse, ReverseRedemptionRequest, UUID, group, optional, page, query_parameters,
    words,
};

routes! {
    tag "Participants";

    "/v1/participants/{id}/redemptions" {
        GET OrgKey list_participant_redemptions =>
            Operation::new("List the redemptions of a participant")
            .description(
                "Newest first: of offers, and of amounts among the newest 10,000 ledger entries of \
                 the participant.",
            )
            .returns::<ParticipantRedemptionListResponse>(200, "A page.")
            .errors(&[Code::Forbidden, Code::NotFound]);
        POST OrgKey redeem_amount => Operation::new("Spend an amount of a participant's points")
            .body::<RedeemAmountRequest>()
            .returns::<ParticipantRedemptionResponse>(201, "The redemption.")
            .returns::<ParticipantRedemptionResponse>(200, "The redemption of an earlier request.")
            .errors(&[
                Code::Forbidden,
                Code::NotFound,
                Code::ParticipantInactive,
                Code::InvalidScale,
                Code::InsufficientPoints,
            ]);
    }
    "/v1/participants/{id}/redemptions/items" {
        POST OrgKey redeem_items => Operation::new("Redeem an offer for a participant")
            .description(
                "The redemption enters as `SUBMITTED`. Refused, in this order: a participant who is \
                 not active; an unknown or archived offer; one that is paused, not available, sold \
                 out, closed to the tier or short of units, or of which the participant would have \
                 more units than its limit allows; too few points.",
            )
            .body::<RedeemItemsRequest>()
            .returns::<ParticipantRedemptionResponse>(201, "The redemption.")
            .returns::<ParticipantRedemptionResponse>(200, "The redemption of an earlier request.")
            .errors(&[
                Code::InsufficientOrgPoints,
                Code::Forbidden,
                Code::NotFound,
                Code::ParticipantInactive,
                Code::OfferUnavailable,
                Code::InsufficientPoints,
            ]);
    }
    "/v1/participants/{id}/redemptions/{redemptionId}" {
        GET OrgKey get_participant_redemption =>
            Operation::new("Get a redemption of a participant")
            .returns::<ParticipantRedemptionResponse>(200, "The redemption.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/redemptions/{redemptionId}/reversals" {
        GET OrgKey list_reversals => Operation::new("List the reversals of a redemption")
            .returns::<ReversalListResponse>(200, "A page, oldest first.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/redemptions/{redemptionId}/reverse" {
        POST OrgKey reverse_redemption => Operation::new("Reverse a redemption, or a part of it")
            .description(
                "The points go back to the lots that they came from, the last one that was used \
                 first; those of a lot whose time has passed expire at once. With the last units of \
                 an offer its redemption is canceled, unless it is completed. 422 for more than is \
                 left.",
            )
            .body::<ReverseRedemptionRequest>()
            .returns::<ReversalResponse>(201, "The reversal.")
            .returns::<ReversalResponse>(200, "The reversal of an earlier request.")
            .errors(&[Code::NotFound, Code::InvalidScale, Code::InsufficientPoints]);
    }
}

query_parameters! {
    /// The query of `GET /v1/participants/{id}/redemptions`.
    struct ListParticipantRedemptionsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::ParticipantRedemptions).limits(PAGE_LIMITS);
        /// The program: that of the key, also as `current`.
        program: Option<Named> = optional("program_id", PROGRAM_ID);
        /// Only redemptions with this status.
        status: Option<ReversalStatus> = optional("status", words!(ReversalStatus));
        /// Only redemptions of this reward.
        reward: Option<Uuid> = optional("reward_catalog_item_id", UUID);
        period: CreatedQuery = group::<CreatedQuery>();
    }
}

query_parameters! {
    /// The query of `GET /v1/participants/{id}/redemptions/{redemptionId}/reversals`.
    struct ListReversalsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Reversals).limits(PAGE_LIMITS);
    }
}

/// The reply to a request that makes something: 201. A repetition is 200 if the key is in the body,
/// as clients of this surface expect; with the header it has the first status, as everywhere.
fn made(answer: Reply, is_named: bool) -> Reply {
    let is_earlier = is_named && answer.is_replay && answer.status == 201;
    Reply {
        status: if is_earlier { 200 } else { answer.status },
        ..answer
    }
}

async fn list_participant_redemptions(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListParticipantRedemptionsQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let selection = RedemptionSelection {
        program: query.program.map(|named| named.or(key.program_uuid)),
        status: query.status,
        reward: query.reward,
        from: query.period.from,
        to: query.period.to,
    };
    let list = services.list_participant_redemptions(key, id, selection, query.page);
    Ok(ok(&list.await?))
}

async fn redeem_amount(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = RedeemAmountRequest::parse(&body.value)?;
    let is_named = request.idempotency_key.is_some();
    let idempotency = idempotency.of_body(key, &body.value)?;
    let answer = services.redeem_amount(key, idempotency, id, request);
    Ok(reply(made(answer.await?, is_named)))
}

async fn redeem_items(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = RedeemItemsRequest::parse(&body.value)?;
    let is_named = request.idempotency_key.is_some();
    let idempotency = idempotency.of_body(key, &body.value)?;
    let answer = services.redeem_items(key, idempotency, id, request);
    Ok(reply(made(answer.await?, is_named)))
}

async fn get_participant_redemption(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathPair(id, redemption): PathPair,
) -> HttpResult {
    let found = services.get_participant_redemption(key, (id, redemption));
    Ok(ok(&found.await?))
}

async fn list_reversals(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathPair(id, redemption): PathPair,
    query: QueryText<ListReversalsQuery>,
) -> HttpResult {
    let page = query.parse_for(key.program)?.page;
    let list = services.list_reversals(key, (id, redemption), page);
    Ok(ok(&list.await?))
}

async fn reverse_redemption(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathPair(id, redemption): PathPair,
) -> HttpResult {
    let request = ReverseRedemptionRequest::parse(&body.value)?;
    let is_named = request.idempotency_key.is_some();
    let idempotency = idempotency.of_body(key, &body.value)?;
    let answer = services.reverse_redemption(key, idempotency, (id, redemption), request);
    Ok(reply(made(answer.await?, is_named)))
}
