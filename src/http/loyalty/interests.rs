//! `/v1/interests`.

use actix_web::web::Data;

use super::member_query::ListedMemberQuery;
use crate::domain::{InterestStatus, Invalid, ProgramNumber};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::{KeyOrMember, MemberToken, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{
    ConfirmPhoneRequest, CreateInterestRequest, InterestListResponse, InterestResponse, ListKind,
    PageQuery, PatchInterestRequest, PhoneCodeSentResponse, PhoneVerifiedResponse,
    SetIntakeRequest, group, optional, page, query_parameters, words,
};

routes! {
    tag "Interests";

    "/v1/interests" {
        GET OrgKey list_interests => Operation::new("List interests")
            .returns::<InterestListResponse>(200, "A page, newest first.")
            .errors(NOT_FOUND);
        POST KeyOrMember create_interest => Operation::new("Show interest in an offer")
            .description(
                "Opens a conversation about the offer, in which the member can write at once. \
                 Costs nothing and holds no stock. The offer must be visible to the member. \
                 Sensitive details are accepted only by the intake.",
            )
            .body::<CreateInterestRequest>()
            .returns::<InterestResponse>(201, "The interest.")
            .errors(NOT_FOUND);
    }
    "/v1/interests/{id}" {
        GET KeyOrMember get_interest => Operation::new("Get an interest")
            .returns::<InterestResponse>(200, "The interest.")
            .errors(NOT_FOUND);
        PATCH OrgKey patch_interest => Operation::new("Close an interest")
            .description("Only a `submitted` interest can be closed.")
            .body::<PatchInterestRequest>()
            .returns::<InterestResponse>(200, "The closed interest.")
            .errors(&[Code::NotFound, Code::RedemptionTransitionInvalid]);
    }
    "/v1/interests/{id}/intake" {
        PUT Member set_interest_intake => Operation::new("Replace the intake of an interest")
            .description(
                "What the request leaves out is deleted. `dietary`, `allergies` and \
                 `accessibility` are forwarded to the program's `conciergeWebhook` and never \
                 stored; without one they are dropped. Another phone number is not verified.",
            )
            .body::<SetIntakeRequest>()
            .returns::<InterestResponse>(200, "The interest.")
            .errors(&[Code::NotFound, Code::ConciergeUnavailable]);
    }
    "/v1/interests/{id}/phone/verification" {
        POST Member start_phone_verification => Operation::new("Send a code to the phone")
            .description(
                "Sends a code of six digits to the phone of the intake. It is valid for ten \
                 minutes. A member and a number each get at most 3 codes an hour and 10 a day.",
            )
            .returns::<PhoneCodeSentResponse>(200, "Whether the code was sent.")
            .errors(NOT_FOUND);
        PUT Member confirm_phone_verification => Operation::new("Verify the phone with a code")
            .description(
                "Only the newest code counts, and only once. After 5 wrong tries with the codes \
                 of an hour none is accepted until the hour is over.",
            )
            .body::<ConfirmPhoneRequest>()
            .returns::<PhoneVerifiedResponse>(200, "Whether the code was right and in time.")
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/interests`.
    struct ListInterestsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Interests);
        member: ListedMemberQuery = group::<ListedMemberQuery>();
        /// Only interests with this status.
        status: Option<InterestStatus> = optional("status", words!(InterestStatus));
    }
}

async fn list_interests(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListInterestsQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let list = services.list_interests(key, query.member.subject(), query.status, query.page);
    Ok(ok(&list.await?))
}

async fn create_interest(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateInterestRequest::parse(&body.value)?;
    if matches!(caller, Caller::Key(_)) && request.external_user_id.is_none() {
        let expected = "is required when an Org-API-Key calls";
        return Err(Invalid::new("externalUserID", expected).into());
    }
    let idempotency = idempotency.key(caller, &body.value)?;
    let created = services.create_interest(caller, idempotency, request);
    Ok(reply(created.await?))
}

async fn get_interest(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
) -> HttpResult {
    Ok(ok(&services.get_interest(caller, id).await?))
}

async fn patch_interest(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = PatchInterestRequest::parse(&body.value)?;
    Ok(reply(services.patch_interest(key, id, request).await?))
}

async fn set_interest_intake(
    services: Data<Services>,
    MemberToken(member): MemberToken,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = SetIntakeRequest::parse(&body.value)?;
    Ok(reply(
        services.set_interest_intake(member, id, request).await?,
    ))
}

/// The body is read, but has no meaning.
async fn start_phone_verification(
    services: Data<Services>,
    MemberToken(member): MemberToken,
    _: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    Ok(reply(services.start_phone_verification(member, id).await?))
}

async fn confirm_phone_verification(
    services: Data<Services>,
    MemberToken(member): MemberToken,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = ConfirmPhoneRequest::parse(&body.value)?;
    let confirmed = services.confirm_phone_verification(member, id, request);
    Ok(reply(confirmed.await?))
}
