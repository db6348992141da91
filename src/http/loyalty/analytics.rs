//! `/v1/analytics`. The handlers receive the figures and nothing that could reach the database.

use std::future::ready;

use actix_web::web::Data;

use crate::analytics::{Interval, Series};
use crate::domain::{Invalid, OfferId, Timestamp, Zone};
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::conditional::{Conditional, Question, Times};
use crate::http::extract::QueryText;
use crate::http::openapi::operation::Operation;
use crate::http::route::routes;
use crate::service::{Analytics, MembersSelection, TimeseriesSelection, unknown_series_offer};
use crate::wire::{
    Kind, MembersResponse, OffersAnalyticsResponse, SummaryResponse, TEXT, TimeseriesResponse,
    expected_one_of, optional, query_parameters, schema, to_json, with_plus,
};

routes! {
    tag "Analytics";

    "/v1/analytics/summary" {
        GET OrgKey get_analytics_summary => Operation::new("Get the program's figures")
            .returns::<SummaryResponse>(200, "The figures, including every acknowledged write.");
    }
    "/v1/analytics/offers" {
        GET OrgKey get_analytics_offers => Operation::new("Get the figures of each offer")
            .returns::<OffersAnalyticsResponse>(200, "The figures.");
    }
    "/v1/analytics/timeseries" {
        GET OrgKey get_analytics_timeseries => Operation::new("Get the figures of a period")
            .description(
                "Bucket k begins k intervals after `from`; the last bucket ends at `to`, even if \
                 that makes it shorter. Buckets are half-open. At most 10000. A repeated parameter \
                 is refused.",
            )
            .returns::<TimeseriesResponse>(
                200,
                "The buckets. Their times are Unix milliseconds, or text for a client whose \
                 `User-Agent` begins with `expys-sdk-`, unless the setting `analytics.bucket_time` \
                 fixes one of the two.",
            );
    }
    "/v1/analytics/members" {
        GET OrgKey get_analytics_members => Operation::new("Get the members of a period")
            .description(
                "Distinct members of the half-open period, and of each of its buckets if there is \
                 an `interval`; these are as in the timeseries. Members who were removed or erased \
                 stay in the figures of the past.",
            )
            .returns::<MembersResponse>(
                200,
                "The figures. The times of buckets are as in the timeseries.",
            );
    }
}

query_parameters! {
    /// The query of `GET /v1/analytics/timeseries`.
    struct TimeseriesQuery {
        /// The start of the period; a bare date is midnight in `tz`.
        from: String = optional("from", MOMENT).example("2026-06-01T00:00:00Z").required();
        /// The end of the period, which is outside it.
        to: String = optional("to", MOMENT).example("2026-06-23T00:00:00Z").required();
        /// The length of a bucket.
        interval: String = optional("interval", INTERVAL).required();
        /// The IANA time zone of calendar days, weeks and months; UTC by default.
        tz: Option<String> = optional("tz", TEXT).example("Europe/Berlin");
        /// Only this offer of the program, archived or not.
        offer: Option<String> = optional("offer", TEXT)
            .example("off_01a1fda8-194e-75c2-b11a-dd34b93c1d23");
        /// The measures of each bucket, with commas between them: `signups`, `pointsMinted`,
        /// `pointsSpent`, `pointsRefunded`, `pointsForfeited`, `pointsDebited`, `pointsExpired`,
        /// `pointsVoided`, `outstanding`, `events`, `activeMembers`, `earningMembers`,
        /// `redeemingMembers`. At most ten; the first three by default, and no others with `offer`.
        measures: Option<String> = optional("measures", TEXT)
            .example("pointsMinted,pointsExpired,outstanding");
    }
}

query_parameters! {
    /// The query of `GET /v1/analytics/members`.
    struct MembersQuery {
        /// The start of the period; a bare date is midnight in `tz`.
        from: String = optional("from", MOMENT).example("2026-06-01T00:00:00Z").required();
        /// The end of the period, which is outside it.
        to: String = optional("to", MOMENT).example("2026-06-23T00:00:00Z").required();
        /// The length of a bucket; no buckets without it.
        interval: Option<String> = optional("interval", INTERVAL);
        /// The IANA time zone of calendar days, weeks and months; UTC by default.
        tz: Option<String> = optional("tz", TEXT).example("Europe/Berlin");
    }
}

/// The names of the measures.
const MEASURES: [(&str, Series); Series::ALL.len()] = [
    ("signups", Series::Signups),
    ("pointsMinted", Series::PointsMinted),
    ("pointsSpent", Series::PointsSpent),
    ("pointsRefunded", Series::PointsRefunded),
    ("pointsForfeited", Series::PointsForfeited),
    ("pointsDebited", Series::PointsDebited),
    ("pointsExpired", Series::PointsExpired),
    ("pointsVoided", Series::PointsVoided),
    ("outstanding", Series::Outstanding),
    ("events", Series::Events),
    ("activeMembers", Series::ActiveMembers),
    ("earningMembers", Series::EarningMembers),
    ("redeemingMembers", Series::RedeemingMembers),
];

/// The most measures of one answer.
const MEASURES_MAX: usize = 10;

/// A time as text: a bare date is read in the time zone of another parameter.
const MOMENT: Kind<String> = Kind {
    schema: schema::time,
    ..TEXT
};

const INTERVAL: Kind<String> = Kind {
    schema: || schema::one_of(Interval::ALL.map(Interval::as_str)),
    ..TEXT
};

impl TimeseriesQuery {
    fn select(&self) -> Result<TimeseriesSelection, Invalid> {
        let zone = zone(self.tz.as_deref())?;
        let interval = interval(&self.interval)?;
        Ok(TimeseriesSelection {
            from: moment("from", &self.from, &zone)?,
            to: moment("to", &self.to, &zone)?,
            interval,
            zone,
            offer: match &self.offer {
                Some(id) => Some(OfferId::parse(id).ok_or_else(unknown_series_offer)?),
                None => None,
            },
            series: match &self.measures {
                Some(names) => measures(names, self.offer.is_some())?,
                None => Vec::new(),
            },
        })
    }
}

impl MembersQuery {
    fn select(&self) -> Result<MembersSelection, Invalid> {
        let zone = zone(self.tz.as_deref())?;
        let interval = self.interval.as_deref().map(interval).transpose()?;
        Ok(MembersSelection {
            from: moment("from", &self.from, &zone)?,
            to: moment("to", &self.to, &zone)?,
            interval,
            zone,
        })
    }
}

fn zone(name: Option<&str>) -> Result<Zone, Invalid> {
    let Some(name) = name else {
        return Ok(Zone::UTC);
    };
    Zone::parse(name)
        .ok_or_else(|| Invalid::new("tz", "must be an IANA time zone such as Europe/Berlin"))
}

fn interval(name: &str) -> Result<Interval, Invalid> {
    Interval::parse(name)
        .ok_or_else(|| expected_one_of("interval", &Interval::ALL.map(Interval::as_str)))
}

/// The measures of a list of names.
fn measures(names: &str, is_of_offer: bool) -> Result<Vec<Series>, Invalid> {
    let known = MEASURES
        .into_iter()
        .filter(|(_, series)| !is_of_offer || series.is_of_offers());
    let known: Vec<(&str, Series)> = known.collect();
    let mut found = Vec::new();
    for name in names.split(',') {
        let series = known.iter().find(|(known, _)| *known == name);
        match series {
            Some((_, series)) if found.len() < MEASURES_MAX && !found.contains(series) => {
                found.push(*series);
            }
            _ => {
                let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let known = known.join(", ");
                let of_offer = if is_of_offer { " of an offer" } else { "" };
                return Err(Invalid::new(
                    "measures",
                    format!(
                        "must be different measures{of_offer} among {known}, with commas, at \
                         most {MEASURES_MAX}"
                    ),
                ));
            }
        }
    }
    Ok(found)
}

/// A time, or a bare date for its midnight in the zone, in the years 1 to 9998: a calendar needs
/// room on both sides.
fn moment(name: &str, text: &str, zone: &Zone) -> Result<Timestamp, Invalid> {
    Timestamp::parse(&with_plus(text))
        .or_else(|| zone.midnight(text))
        .filter(|at| (1..=9998).contains(&at.as_utc().year()))
        .ok_or_else(|| {
            Invalid::new(
                name,
                "must be an RFC 3339 time such as 2026-06-01T00:00:00Z or a date such as \
                 2026-06-01, in the years 1 to 9998",
            )
        })
}

async fn get_analytics_summary(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    conditional: Conditional,
) -> HttpResult {
    let question = conditional.question(key);
    let compute = |question: Question| {
        let summary = analytics.summary(key);
        ready(Ok(question.answer(&summary, SummaryResponse::to_json)))
    };
    conditional
        .answer(question, analytics.version(key), compute)
        .await
}

async fn get_analytics_offers(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    conditional: Conditional,
) -> HttpResult {
    let question = conditional.question(key);
    let compute = |question: Question| {
        let render = move |offers| question.answer(&offers, to_json);
        analytics.offers(key, render)
    };
    conditional
        .answer(question, analytics.version(key), compute)
        .await
}

async fn get_analytics_timeseries(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    query: QueryText<TimeseriesQuery>,
    conditional: Conditional,
) -> HttpResult {
    let query = query.parse()?;
    let times = Times {
        form: analytics.time_form(conditional.agent()),
        is_by_agent: analytics.is_time_form_by_agent(),
    };
    let question = conditional.question_with_times(key, times);
    let selection = query.select()?;
    let compute = |question: Question| {
        let render = move |buckets| question.answer(&buckets, TimeseriesResponse::to_json);
        analytics.timeseries(key, selection, times.form, render)
    };
    conditional
        .answer(question, analytics.version(key), compute)
        .await
}

async fn get_analytics_members(
    analytics: Data<Analytics>,
    OrgKey(key): OrgKey,
    query: QueryText<MembersQuery>,
    conditional: Conditional,
) -> HttpResult {
    let query = query.parse()?;
    let times = Times {
        form: analytics.time_form(conditional.agent()),
        is_by_agent: analytics.is_time_form_by_agent(),
    };
    let question = conditional.question_with_times(key, times);
    let selection = query.select()?;
    let compute = |question: Question| {
        let render = move |members| question.answer(&members, to_json);
        analytics.members(key, selection, times.form, render)
    };
    conditional
        .answer(question, analytics.version(key), compute)
        .await
}
