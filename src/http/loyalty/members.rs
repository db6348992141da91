//! `/v1/members`.

use actix_web::web::Data;

use crate::domain::{ExternalUserId, ProgramNumber, Search, Tier};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{Analytics, RemoveOptions, Services};
use crate::store::members::MemberFilter;
use crate::wire::{
    Kind, ListKind, MemberListResponse, MemberSummaryResponse, PageQuery, RemoveMemberResponse,
    SetMemberRequest, SetMemberResponse, TierListResponse, flag, optional, page, query_parameters,
    schema, search,
};

routes! {
    tag "Members";

    "/v1/members" {
        GET OrgKey list_members => Operation::new("List members")
            .returns::<MemberListResponse>(200, "A page, newest first.");
    }
    "/v1/members/{externalUserID}" {
        GET OrgKey get_member => Operation::new("Get a member with wallet and redemption counts")
            .returns::<MemberSummaryResponse>(200, "The member.")
            .versioned()
            .errors(NOT_FOUND);
        PUT OrgKey set_member => Operation::new("Create, update or restore a member")
            .description(
                "Absent fields keep their value; null clears a field. A removed member is restored \
                 with its history. `If-None-Match: *` only creates a member; a removed member \
                 exists as well.",
            )
            .body::<SetMemberRequest>()
            .returns::<SetMemberResponse>(200, "The member's profile.")
            .versioned()
            .errors(&[Code::LimitReached]);
        DELETE OrgKey remove_member => Operation::new("Archive a member")
            .description(
                "Ledger, redemptions and figures are kept. The member's tokens are revoked \
                 immediately.",
            )
            .returns::<RemoveMemberResponse>(200, "The member was archived.")
            .errors(NOT_FOUND);
    }
    "/v1/tiers" {
        GET OrgKey list_tiers => Operation::new("List the tiers in use")
            .description("Counts members that are not removed, as the figures do.")
            .returns::<TierListResponse>(200, "At most 100, those with the most members first.");
    }
}

query_parameters! {
    /// The query of `GET /v1/members`.
    struct ListMembersQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Members);
        /// Only members of this tier.
        tier: Option<Tier> = optional("tier", TIER);
        /// Only members with these words, or beginnings of words, in `externalUserID`,
        /// `displayName` and `email`, in any order, regardless of case and accents. Digits also
        /// find a `phone` that begins with them, with or without its country code, or, from four
        /// on, ends with them. At most 16 words.
        search: Option<Search> = search();
        /// Whether to include removed members; `false` by default.
        include_archived: bool = flag("includeArchived");
    }
}

query_parameters! {
    /// The query of `GET /v1/members/{externalUserID}`.
    struct GetMemberQuery {
        /// Whether a removed member is returned; `false` by default.
        include_archived: bool = flag("includeArchived");
    }
}

query_parameters! {
    /// The query of `DELETE /v1/members/{externalUserID}`.
    struct RemoveMemberQuery {
        /// `true` keeps the balance; by default it is forfeited.
        retain_balance: bool = flag("retainBalance");
        /// `true` permanently clears name, email, phone and attributes, and replaces the id with a
        /// random one.
        erase: bool = flag("erase");
    }
}

const TIER: Kind<Tier> = Kind {
    read: |name, value| Tier::parse_stored(name, value),
    schema: || schema::text(Tier::RULE),
};

async fn list_members(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListMembersQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let filter = MemberFilter {
        before: None,
        tier: query.tier,
        search: query.search,
        include_archived: query.include_archived,
        participants: None,
    };
    Ok(ok(&services.list_members(key, filter, query.page).await?))
}

async fn list_tiers(analytics: Data<Analytics>, OrgKey(key): OrgKey) -> HttpResult {
    Ok(ok(&analytics.tiers(key).await?))
}

async fn get_member(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<GetMemberQuery>,
) -> HttpResult {
    let id = ExternalUserId::parse_stored("externalUserID", &id)?;
    let include_archived = query.parse()?.include_archived;
    let member = services.get_member(key, id, include_archived).await?;
    Ok(ok_at(member.version, &member))
}

async fn set_member(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let id = ExternalUserId::parse_stored("externalUserID", &id)?;
    let request = SetMemberRequest::parse(&body.value, &body.bytes)?;
    Ok(reply(
        services.set_member(key, id, precondition, request).await?,
    ))
}

async fn remove_member(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<RemoveMemberQuery>,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let id = ExternalUserId::parse_stored("externalUserID", &id)?;
    let query = query.parse()?;
    let options = RemoveOptions {
        retain_balance: query.retain_balance,
        erase: query.erase,
    };
    Ok(reply(
        services
            .remove_member(key, id, precondition, options)
            .await?,
    ))
}
