//! `/v1/analytics`. The handlers are given the figures and nothing that could reach the database.

use actix_web::web::Data;

use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::conditional::{Conditional, Times};
use crate::http::extract::QueryText;
use crate::service::Analytics;
use crate::wire::{SummaryResponse, TimeseriesQuery, TimeseriesResponse, to_json};

/// `GET /v1/analytics/summary`.
pub(in crate::http) async fn get_analytics_summary(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    conditional: Conditional,
) -> HttpResult {
    let summary = analytics.summary(key);
    Ok(conditional.answer(key, &summary, SummaryResponse::to_json))
}

/// `GET /v1/analytics/offers`.
pub(in crate::http) async fn get_analytics_offers(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    conditional: Conditional,
) -> HttpResult {
    let offers = analytics.offers(key);
    Ok(conditional.answer(key, &offers, to_json))
}

/// `GET /v1/analytics/timeseries`.
pub(in crate::http) async fn get_analytics_timeseries(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    query: QueryText,
    conditional: Conditional,
) -> HttpResult {
    let query = TimeseriesQuery::parse(&query.parse()?)?;
    let times = Times {
        form: analytics.time_form(conditional.agent()),
        is_by_agent: analytics.is_time_form_by_agent(),
    };
    let timeseries = analytics.timeseries(key, &query, times.form)?;
    Ok(conditional.answer_with_times(key, &timeseries, times, TimeseriesResponse::to_json))
}
