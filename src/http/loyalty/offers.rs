//! `/v1/offers`.

use actix_web::web::Data;

use super::member_query::MemberQuery;
use crate::domain::{ProgramNumber, Search};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{
    BOOLEAN, CreateOfferRequest, ListKind, OfferListResponse, OfferResponse, PageQuery,
    PatchOfferRequest, SetOfferPriceRequest, group, optional, page, query_parameters, search,
};

/// A note on routes that return offers.
const AS_MEMBER: &str = "A member sees offers that are neither archived nor paused, that are \
    available at this time and open to the member's tier. So does an Org-API-Key that names a \
    member; without one it sees all offers that are not archived.";

routes! {
    tag "Offers";

    "/v1/offers" {
        GET KeyOrMember list_offers => Operation::new("List offers")
            .description(AS_MEMBER)
            .returns::<OfferListResponse>(200, "A page, newest first.")
            .errors(NOT_FOUND);
        POST OrgKey create_offer => Operation::new("Create an offer")
            .body::<CreateOfferRequest>()
            .returns::<OfferResponse>(201, "The offer.")
            .errors(&[Code::LimitReached]);
    }
    "/v1/offers/{id}" {
        GET KeyOrMember get_offer => Operation::new("Get an offer")
            .description(AS_MEMBER)
            .returns::<OfferResponse>(200, "The offer.")
            .versioned()
            .errors(NOT_FOUND);
        PATCH OrgKey patch_offer => updating("Update an offer")
            .description(
                "Absent fields keep their value; null clears a field. `availability` and \
                 `redemptionLimit` are updated in the same way, `location` is replaced.",
            )
            .body::<PatchOfferRequest>();
        DELETE OrgKey archive_offer => Operation::new("Archive an offer")
            .description("Its redemptions and figures are kept.")
            .returns::<OfferResponse>(200, "The archived offer.")
            .errors(NOT_FOUND);
    }
    "/v1/offers/{id}/price" {
        PUT OrgKey set_offer_price => updating("Set the display price of an offer")
            .description("`pointsPrice` is what a redemption costs, and does not follow.")
            .body::<SetOfferPriceRequest>();
        DELETE OrgKey delete_offer_price => updating("Clear the display price of an offer")
            .description("It follows from `pointsPrice` again.");
    }
}

/// An operation that updates an offer.
fn updating(summary: &'static str) -> Operation {
    Operation::new(summary)
        .returns::<OfferResponse>(200, "The updated offer.")
        .versioned()
        .errors(NOT_FOUND)
}

query_parameters! {
    /// The query of `GET /v1/offers`.
    struct ListOffersQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Offers);
        /// `true` for offers that can be redeemed now, `false` for the others.
        available: Option<bool> = optional("available", BOOLEAN);
        member: MemberQuery = group::<MemberQuery>();
        /// Only offers with these words, or beginnings of words, in their title, regardless of case
        /// and accents.
        search: Option<Search> = search();
    }
}

async fn list_offers(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText<ListOffersQuery>,
) -> HttpResult {
    let query = query.parse_for(caller.program())?;
    let on_behalf = query.member.external_user_id;
    Ok(ok(&services
        .list_offers(caller, on_behalf, query.available, query.search, query.page)
        .await?))
}

async fn get_offer(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(id): PathText,
    query: QueryText<MemberQuery>,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id;
    let offer = services.get_offer(caller, on_behalf, id).await?;
    Ok(ok_at(offer.version, &offer))
}

async fn create_offer(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateOfferRequest::parse(&body.value, &body.bytes)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.create_offer(key, idempotency, request).await?,
    ))
}

async fn patch_offer(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchOfferRequest::parse(&body.value, &body.bytes)?;
    Ok(reply(
        services.patch_offer(key, id, precondition, request).await?,
    ))
}

async fn archive_offer(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    Ok(reply(services.archive_offer(key, id, precondition).await?))
}

async fn set_offer_price(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let price = Some(SetOfferPriceRequest::parse(&body.value)?.amount);
    Ok(reply(
        services
            .set_offer_price(key, id, precondition, price)
            .await?,
    ))
}

async fn delete_offer_price(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    Ok(reply(
        services
            .set_offer_price(key, id, precondition, None)
            .await?,
    ))
}
