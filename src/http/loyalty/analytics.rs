//! `/v1/analytics`.

use actix_web::web::Data;

use crate::http::auth::OrgKey;
use crate::http::{HttpResult, ok};
use crate::service::Services;

/// `GET /v1/analytics/summary`.
pub(in crate::http) async fn get_analytics_summary(
    services: Data<Services>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    Ok(ok(&services.analytics_summary(key)))
}

/// `GET /v1/analytics/offers`.
pub(in crate::http) async fn get_analytics_offers(
    services: Data<Services>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    Ok(ok(&services.analytics_offers(key)))
}
