//! Analytics: from memory, and from nothing else. What is here cannot reach the database.

use std::sync::Arc;

use super::KeyPrincipal;
use crate::analytics::{
    Bucket, Engine, Interval, OfferFigures, Totals, Versioned, Window, WindowError, Zone,
};
use crate::config::BucketTime;
use crate::domain::{Invalid, OfferId, Status, Timestamp};
use crate::store::Readership;
use crate::wire::{
    BucketResponse, BucketTimeResponse, OfferAnalyticsResponse, OffersAnalyticsResponse,
    RedemptionTotalsResponse, SummaryResponse, TimeseriesQuery, TimeseriesResponse,
};

/// How the `User-Agent` of a client library that expects text for times begins.
const TEXT_AGENTS: &str = "expys-sdk-";

/// How the times of the buckets of one answer look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// Unix milliseconds.
    Millis,
    /// RFC 3339 in UTC.
    Text,
}

/// The figures, for whoever may see them. Clones share them.
#[derive(Debug, Clone)]
pub struct Analytics {
    engine: Arc<Engine>,
    bucket_time: BucketTime,
    readership: Readership,
}

impl Analytics {
    pub(super) fn new(
        engine: &Arc<Engine>,
        bucket_time: BucketTime,
        readership: Readership,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            bucket_time,
            readership,
        }
    }

    /// How the times of buckets look to a client with this `User-Agent`.
    pub fn time_form(&self, agent: Option<&str>) -> TimeForm {
        match self.bucket_time {
            BucketTime::Number => TimeForm::Millis,
            BucketTime::Rfc3339 => TimeForm::Text,
            BucketTime::Auto if agent.is_some_and(|agent| agent.starts_with(TEXT_AGENTS)) => {
                TimeForm::Text
            }
            BucketTime::Auto => TimeForm::Millis,
        }
    }

    /// Whether that depends on the client.
    pub fn is_time_form_by_agent(&self) -> bool {
        self.bucket_time == BucketTime::Auto
    }

    /// The program-wide figures.
    pub fn summary(&self, key: KeyPrincipal) -> Versioned<SummaryResponse> {
        let Versioned { version, value } = self.engine().summary(key.program);
        Versioned {
            version,
            value: summary(&value),
        }
    }

    /// One row for every offer.
    pub fn offers(&self, key: KeyPrincipal) -> Versioned<OffersAnalyticsResponse> {
        let Versioned { version, value } = self.engine().offers(key.program);
        let offers = value.iter().map(offer).collect();
        Versioned {
            version,
            value: OffersAnalyticsResponse { offers },
        }
    }

    /// The buckets of a window.
    ///
    /// # Errors
    /// [`Invalid`] naming the parameter that cannot be used.
    pub fn timeseries(
        &self,
        key: KeyPrincipal,
        query: &TimeseriesQuery,
        form: TimeForm,
    ) -> Result<Versioned<TimeseriesResponse>, Invalid> {
        let window = window(query)?;
        let unknown = || Invalid::new("offer", "must be the id of an offer of this program");
        let offer = match &query.offer {
            Some(id) => Some(OfferId::parse(id).ok_or_else(unknown)?),
            None => None,
        };
        let Versioned { version, value } = self.engine().timeseries(key.program, &window, offer);
        let buckets = value.ok_or_else(unknown)?;
        let buckets = buckets.iter().map(|one| bucket(one, form)).collect();
        Ok(Versioned {
            version,
            value: TimeseriesResponse { buckets },
        })
    }

    /// The figures, for somebody who reads them.
    fn engine(&self) -> &Engine {
        self.readership.note();
        &self.engine
    }
}

fn bucket(bucket: &Bucket, form: TimeForm) -> BucketResponse {
    let time = |at: Timestamp| match form {
        TimeForm::Millis => BucketTimeResponse::Millis(at.as_millis()),
        TimeForm::Text => BucketTimeResponse::Text(at.to_string()),
    };
    BucketResponse {
        start_time: time(bucket.start),
        end_time: time(bucket.end),
        signups: bucket.signups,
        points_minted: bucket.minted,
        points_spent: bucket.spent,
    }
}

/// The window that a query asks for.
fn window(query: &TimeseriesQuery) -> Result<Window, Invalid> {
    let zone = match &query.tz {
        None => Zone::UTC,
        Some(name) => Zone::parse(name)
            .ok_or_else(|| Invalid::new("tz", "must be an IANA time zone such as Europe/Berlin"))?,
    };
    let interval = Interval::parse(&query.interval).ok_or_else(|| {
        let names = Interval::ALL.map(Interval::as_str).join(", ");
        Invalid::new("interval", format!("must be one of {names}"))
    })?;
    let from = moment("from", &query.from, &zone)?;
    let to = moment("to", &query.to, &zone)?;
    Window::divide(from, to, interval, &zone).map_err(|error| match error {
        WindowError::Empty => Invalid::new("to", "must be after from"),
        WindowError::TooManyBuckets => {
            let most = Window::BUCKETS_MAX;
            Invalid::new(
                "interval",
                format!("must divide the window into at most {most} buckets"),
            )
        }
    })
}

/// A time, or a bare date for its midnight in the zone, in the years 1 to 9998: a calendar needs
/// room on both sides.
fn moment(name: &str, text: &str, zone: &Zone) -> Result<Timestamp, Invalid> {
    Timestamp::parse(text)
        .or_else(|| zone.midnight(text))
        .filter(|at| (1..=9998).contains(&at.as_utc().year()))
        .ok_or_else(|| {
            Invalid::new(
                name,
                "must be an RFC 3339 time such as 2026-06-01T00:00:00Z (a + is written %2B here) \
                 or a date such as 2026-06-01, in the years 1 to 9998",
            )
        })
}

fn summary(totals: &Totals) -> SummaryResponse {
    let counts = &totals.redemptions;
    SummaryResponse {
        member_count: totals.members,
        points_minted: totals.minted,
        points_spent: totals.spent,
        completion_rate: totals.completion_rate(),
        redemptions: RedemptionTotalsResponse {
            submitted: counts.get(Status::Submitted),
            open: counts.get(Status::Open),
            awaiting_vendor: counts.get(Status::AwaitingVendor),
            awaiting_customer: counts.get(Status::AwaitingCustomer),
            purchased: counts.get(Status::Purchased),
            completed: counts.get(Status::Completed),
            canceled: counts.get(Status::Canceled),
            total: counts.total(),
        },
        active_members: totals.active_members,
        points_refunded: totals.refunded,
        points_forfeited: totals.forfeited,
        points_debited: totals.debited,
    }
}

fn offer(figures: &OfferFigures) -> OfferAnalyticsResponse {
    OfferAnalyticsResponse {
        offer_id: figures.id.to_string(),
        signups: figures.signups,
        completions: figures.completions,
        cancellations: figures.cancellations,
        points_spent: figures.spent,
    }
}
