//! `/v1/analytics`. The handlers are given the figures and nothing that could reach the database.

use actix_web::web::Data;

use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::conditional::Conditional;
use crate::http::extract::QueryText;
use crate::service::Analytics;
use crate::wire::TimeseriesQuery;

/// `GET /v1/analytics/summary`.
pub(in crate::http) async fn get_analytics_summary(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    conditional: Conditional,
) -> HttpResult {
    let times = analytics.bucket_time();
    if let Some(response) = conditional.not_modified(key, analytics.version(key), times) {
        return Ok(response);
    }
    Ok(conditional.answer(key, &analytics.summary(key), times))
}

/// `GET /v1/analytics/offers`.
pub(in crate::http) async fn get_analytics_offers(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    conditional: Conditional,
) -> HttpResult {
    let times = analytics.bucket_time();
    if let Some(response) = conditional.not_modified(key, analytics.version(key), times) {
        return Ok(response);
    }
    Ok(conditional.answer(key, &analytics.offers(key), times))
}

/// `GET /v1/analytics/timeseries`.
pub(in crate::http) async fn get_analytics_timeseries(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    query: QueryText,
    conditional: Conditional,
) -> HttpResult {
    let query = TimeseriesQuery::parse(&query.parse()?)?;
    let times = analytics.bucket_time();
    if let Some(response) = conditional.not_modified(key, analytics.version(key), times) {
        return Ok(response);
    }
    Ok(conditional.answer(key, &analytics.timeseries(key, &query)?, times))
}
