//! `/v1/reports/program-activity`.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use crate::http::auth::OrgKey;
use crate::http::extract::QueryText;
use crate::http::{HttpResult, ok};
use crate::service::Services;
use crate::wire::{ListKind, ProgramActivityQuery};

/// `GET /v1/reports/program-activity`.
pub(in crate::http) async fn get_program_activity(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    let page = query.page_of(ListKind::ProgramActivity, key.organization.0, PAGE_LIMITS)?;
    let query = ProgramActivityQuery::parse(&query)?;
    Ok(ok(&services.program_activity(key, query, page).await?))
}
