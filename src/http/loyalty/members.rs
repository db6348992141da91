//! `/v1/members`.

use actix_web::web::Data;

use crate::domain::{ExternalUserId, Tier};
use crate::http::auth::OrgKey;
use crate::http::extract::{JsonBody, PathText, QueryText};
use crate::http::precondition::{Conditions, ok_at};
use crate::http::{HttpResult, ok, reply};
use crate::service::{Analytics, RemoveOptions, Services};
use crate::store::members::MemberFilter;
use crate::wire::{ListKind, SetMemberRequest};

/// `GET /v1/members`.
pub(in crate::http) async fn list_members(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page(ListKind::Members, key.program)?;
    let filter = MemberFilter {
        before: None,
        tier: query.parsed("tier", Tier::parse_stored)?,
        search: query.search()?,
        include_archived: query.flag("includeArchived")?,
    };
    Ok(ok(&services.list_members(key, filter, page).await?))
}

/// `GET /v1/tiers`.
pub(in crate::http) async fn list_tiers(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    Ok(ok(&analytics.tiers(key).await?))
}

/// `GET /v1/members/{externalUserID}`.
pub(in crate::http) async fn get_member(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText,
) -> HttpResult {
    let id = ExternalUserId::parse_stored("externalUserID", &id)?;
    let include_archived = query.parse()?.flag("includeArchived")?;
    let member = services.get_member(key, id, include_archived).await?;
    Ok(ok_at(member.version, &member))
}

/// `PUT /v1/members/{externalUserID}`.
pub(in crate::http) async fn set_member(
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

/// `DELETE /v1/members/{externalUserID}`.
pub(in crate::http) async fn remove_member(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let id = ExternalUserId::parse_stored("externalUserID", &id)?;
    let query = query.parse()?;
    let options = RemoveOptions {
        retain_balance: query.flag("retainBalance")?,
        erase: query.flag("erase")?,
    };
    Ok(reply(
        services
            .remove_member(key, id, precondition, options)
            .await?,
    ))
}
