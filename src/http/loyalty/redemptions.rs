//! `/v1/redemptions`.

use actix_web::web::Data;

use super::member_query::{ListedMemberQuery, MemberQuery};
use crate::domain::{
    Invalid, OfferId, ProgramNumber, RedemptionCode, RedemptionOrder, Search, Status, Timestamp,
};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::{KeyOrMember, MemberToken, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services, UNKNOWN_OFFER};
use crate::store::redemptions::RedemptionFilter;
use crate::wire::{
    CancelRedemptionRequest, CreateRedemptionRequest, Kind, ListKind, PageQuery,
    PatchRedemptionRequest, RedemptionHistoryResponse, RedemptionListResponse, RedemptionResponse,
    SetRedemptionFeedbackRequest, TIME, group, optional, page, query_parameters, schema, search,
    words,
};

routes! {
    tag "Redemptions";

    "/v1/redemptions" {
        GET KeyOrMember list_redemptions => Operation::new("List redemptions")
            .description(
                "A member token lists its member's redemptions; an Org-API-Key those of the whole \
                 program unless it names a member, each with `offerTitle` and `displayName`.",
            )
            .returns::<RedemptionListResponse>(200, "A page, in the requested order.")
            .errors(NOT_FOUND);
        POST KeyOrMember create_redemption => Operation::new("Redeem an offer")
            .description(
                "Refused, in this order: an unknown or archived offer; an interest that is not the \
                 member's, not in the offer or not `submitted`; an offer that is paused, is not \
                 available yet, has expired, is sold out or is closed to the tier; an offer of \
                 which the member has as many redemptions as its `redemptionLimit` allows; an offer \
                 that costs more than the balance. Stock, points and the redemption change together \
                 or not at all. An `interest` becomes `converted`, and the redemption takes over its \
                 conversation.",
            )
            .body::<CreateRedemptionRequest>()
            .returns::<RedemptionResponse>(201, "The redemption.")
            .errors(&[
                Code::NotFound,
                Code::OfferUnavailable,
                Code::RedemptionAlreadyExists,
                Code::RedemptionTransitionInvalid,
                Code::InsufficientOrgPoints,
                Code::InsufficientPoints,
            ]);
    }
    "/v1/redemptions/{id}" {
        GET KeyOrMember get_redemption => Operation::new("Get a redemption")
            .description("If a member is named, the redemption must be that member's.")
            .returns::<RedemptionResponse>(200, "The redemption.")
            .errors(NOT_FOUND);
        PATCH OrgKey patch_redemption => Operation::new("Update a redemption's status or dates")
            .description(
                "The status moves forward along `SUBMITTED`, `OPEN`, `AWAITING_VENDOR`, \
                 `AWAITING_CUSTOMER`, `PURCHASED`, `COMPLETED`, and may skip some; from \
                 `AWAITING_CUSTOMER` back to `AWAITING_VENDOR`; and from any except `COMPLETED` to \
                 `CANCELED`, which returns the points. The current status changes nothing.",
            )
            .body::<PatchRedemptionRequest>()
            .returns::<RedemptionResponse>(200, "The updated redemption.")
            .errors(&[Code::NotFound, Code::RedemptionTransitionInvalid]);
    }
    "/v1/redemptions/{id}/history" {
        GET OrgKey get_redemption_history => Operation::new("List the events of a redemption")
            .description(
                "Its creation, its changes of status and dates, its ratings, and the points it \
                 cost or returned, each with the actor.",
            )
            .returns::<RedemptionHistoryResponse>(200, "A page, newest last.")
            .errors(NOT_FOUND);
    }
    "/v1/redemptions/{id}/feedback" {
        PUT Member set_redemption_feedback => Operation::new("Rate a redemption")
            .description(
                "Only once it is `COMPLETED`. It replaces earlier feedback; the same feedback \
                 again changes nothing.",
            )
            .body::<SetRedemptionFeedbackRequest>()
            .returns::<RedemptionResponse>(200, "The redemption with the feedback.")
            .errors(&[Code::NotFound, Code::RedemptionNotCompleted]);
    }
    "/v1/redemptions/{id}/cancel" {
        POST KeyOrMember cancel_redemption => Operation::new("Cancel a redemption")
            .description(
                "A member can cancel a redemption that is `SUBMITTED` or `OPEN`. The points that \
                 it cost are returned.",
            )
            .optional_body::<CancelRedemptionRequest>()
            .returns::<RedemptionResponse>(200, "The canceled redemption.")
            .errors(&[Code::NotFound, Code::RedemptionTransitionInvalid]);
    }
}

query_parameters! {
    /// The query of `GET /v1/redemptions`.
    struct ListRedemptionsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Redemptions);
        /// The order; `newest` first by default.
        order: RedemptionOrder = optional("order", words!(RedemptionOrder)).or_default();
        period: PeriodQuery = group::<PeriodQuery>();
        member: ListedMemberQuery = group::<ListedMemberQuery>();
        /// Only redemptions of this offer of the program, archived or not.
        offer: Option<OfferId> = optional("offer", OFFER)
            .example("off_01a1fda8-194e-75c2-b11a-dd34b93c1d23");
        /// Only the redemption with this code, in upper or lower case.
        code: Option<RedemptionCode> = optional("code", CODE).example("K7X2M9QP");
        /// Only redemptions with this status.
        status: Option<Status> = optional("status", words!(Status));
        /// Only redemptions with these words, or beginnings of words, in the member's
        /// `externalUserID` and `displayName` and the offer's title, in any order, regardless of
        /// case and accents. At most 16 words. The code of a redemption finds only that one.
        search: Option<Search> = search();
    }
}

query_parameters! {
    /// The period in which redemptions were created.
    struct PeriodQuery, checked by is_not_empty {
        /// Only redemptions created at or after this time.
        from: Option<Timestamp> = optional("from", TIME).example("2026-06-01T00:00:00Z");
        /// Only redemptions created before this time.
        to: Option<Timestamp> = optional("to", TIME).example("2026-06-23T00:00:00Z");
    }
}

query_parameters! {
    /// The query of `GET /v1/redemptions/{id}/history`.
    struct GetRedemptionHistoryQuery of ProgramNumber {
        page: PageQuery = page(ListKind::RedemptionHistory)
            .limits(RedemptionHistoryResponse::LIMITS);
    }
}

const OFFER: Kind<OfferId> = Kind {
    read: |name, id| OfferId::parse(id).ok_or_else(|| Invalid::new(name, UNKNOWN_OFFER)),
    schema: schema::string,
};

const CODE: Kind<RedemptionCode> = Kind {
    read: |name, code| {
        RedemptionCode::parse(code).ok_or_else(|| Invalid::new(name, RedemptionCode::EXPECTED))
    },
    schema: || schema::length(8, 8),
};

fn is_not_empty(period: &PeriodQuery) -> Result<(), Invalid> {
    match (period.from, period.to) {
        (Some(from), Some(to)) if to <= from => Err(Invalid::new("to", "must be after from")),
        _ => Ok(()),
    }
}

async fn list_redemptions(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText<ListRedemptionsQuery>,
) -> HttpResult {
    let query = query.parse_for(caller.program())?;
    let filter = RedemptionFilter {
        code: query.code,
        status: query.status,
        from: query.period.from,
        to: query.period.to,
        search: query.search,
        order: query.order,
        ..RedemptionFilter::default()
    };
    let list = services.list_redemptions(
        caller,
        query.member.subject(),
        query.offer,
        filter,
        query.page,
    );
    Ok(ok(&list.await?))
}

async fn get_redemption_history(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<GetRedemptionHistoryQuery>,
) -> HttpResult {
    let page = query.parse_for(key.program)?.page;
    Ok(ok(&services.get_redemption_history(key, id, page).await?))
}

async fn get_redemption(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
    query: QueryText<MemberQuery>,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id;
    Ok(ok(&services.get_redemption(caller, id, on_behalf).await?))
}

async fn create_redemption(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateRedemptionRequest::parse(&body.value)?;
    // Bad input is refused before the transaction, so that no idempotency record is saved for it.
    if matches!(caller, Caller::Key(_)) && request.external_user_id.is_none() {
        let expected = "is required when an Org-API-Key calls";
        return Err(Invalid::new("externalUserID", expected).into());
    }
    let idempotency = idempotency.key(caller, &body.value)?;
    Ok(reply(
        services
            .create_redemption(caller, idempotency, request)
            .await?,
    ))
}

async fn patch_redemption(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = PatchRedemptionRequest::parse(&body.value)?;
    Ok(reply(services.patch_redemption(key, id, request).await?))
}

async fn set_redemption_feedback(
    services: Data<Services>,
    MemberToken(member): MemberToken,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = SetRedemptionFeedbackRequest::parse(&body.value)?;
    let reply_of = services.set_redemption_feedback(member, id, request);
    Ok(reply(reply_of.await?))
}

async fn cancel_redemption(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = CancelRedemptionRequest::parse(&body.value)?;
    let idempotency = idempotency.key(caller, &body.value)?;
    Ok(reply(
        services
            .cancel_redemption(caller, idempotency, id, request)
            .await?,
    ))
}
