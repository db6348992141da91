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
    let question = conditional.question(key);
    let summary = analytics.summary(key);
    Ok(question.answer(&summary, SummaryResponse::to_json).into())
}

/// `GET /v1/analytics/offers`.
pub(in crate::http) async fn get_analytics_offers(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    conditional: Conditional,
) -> HttpResult {
    let question = conditional.question(key);
    let render = move |offers| question.answer(&offers, to_json);
    Ok(analytics.offers(key, render).await?.into())
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
    let question = conditional.question_with_times(key, times);
    let render = move |buckets| question.answer(&buckets, TimeseriesResponse::to_json);
    Ok(analytics
        .timeseries(key, &query, times.form, render)
        .await?
        .into())
}
