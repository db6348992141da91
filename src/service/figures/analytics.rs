//! Analytics, from memory only: this module has no access to the database.

use std::sync::Arc;

use super::turns::compute;
use crate::analytics::{
    Bucket, Counters, Deed, Engine, Interval, MemberFigures, OfferFigures, Series, Totals,
    Versioned, Window, WindowError,
};
use crate::config::BucketTime;
use crate::domain::{Invalid, OfferId, ProgramNumber, Timestamp, Zone};
use crate::service::{KeyPrincipal, ServiceError};
use crate::store::{Readership, Turns};
use crate::wire::{
    ActiveByResponse, BucketResponse, BucketTimeResponse, MeasuredBucketResponse,
    MemberFiguresResponse, MembersBucketResponse, MembersResponse, OfferAnalyticsResponse,
    OffersAnalyticsResponse, RedemptionTotalsResponse, SummaryResponse, TierListResponse,
    TierResponse, TimeseriesResponse, hundredths,
};

/// Prefix of the `User-Agent` of client libraries that expect times as text.
const TEXT_AGENTS: &str = "expys-sdk-";

/// The form of the times of buckets in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// Unix milliseconds.
    Millis,
    /// RFC 3339 in UTC.
    Text,
}

/// The sums of a timeline that take as long as the distinct members of one kind.
const MEMBERS_PARTS: usize = 8;

/// Tiers that a list shows at most.
const TIERS_MAX: usize = 100;

/// Access to the figures. Clones share them.
#[derive(Debug, Clone)]
pub struct Analytics {
    engine: Arc<Engine>,
    bucket_time: BucketTime,
    readership: Readership,
    turns: Turns,
}

/// The selection of a timeseries.
#[derive(Debug)]
pub struct TimeseriesSelection {
    /// The start of the period.
    pub from: Timestamp,
    /// The end of the period, which is outside it.
    pub to: Timestamp,
    /// The length of a bucket.
    pub interval: Interval,
    /// The time zone of calendar intervals.
    pub zone: Zone,
    /// Only this offer.
    pub offer: Option<OfferId>,
    /// The series; the usual three if there are none.
    pub series: Vec<Series>,
}

/// The selection of figures of members.
#[derive(Debug)]
pub struct MembersSelection {
    /// The start of the period.
    pub from: Timestamp,
    /// The end of the period, which is outside it.
    pub to: Timestamp,
    /// The length of a bucket; no buckets without it.
    pub interval: Option<Interval>,
    /// The time zone of calendar intervals.
    pub zone: Zone,
}

impl Analytics {
    pub(in crate::service) fn new(
        engine: &Arc<Engine>,
        bucket_time: BucketTime,
        readership: Readership,
        turns: Turns,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            bucket_time,
            readership,
            turns,
        }
    }

    /// The form of times for a client with this `User-Agent`.
    pub fn time_form(&self, agent: Option<&str>) -> TimeForm {
        match self.bucket_time {
            BucketTime::Rfc3339 => TimeForm::Text,
            BucketTime::Auto if agent.is_some_and(|agent| agent.starts_with(TEXT_AGENTS)) => {
                TimeForm::Text
            }
            BucketTime::Auto | BucketTime::Number => TimeForm::Millis,
        }
    }

    /// Whether the form of times depends on the client.
    pub fn is_time_form_by_agent(&self) -> bool {
        self.bucket_time == BucketTime::Auto
    }

    /// The number of the newest activity of a program; 0 before any activity.
    pub fn version(&self, key: KeyPrincipal) -> i64 {
        self.engine().read(|figures| {
            let newest = figures.program(key.program).and_then(Counters::last_seq);
            newest.map_or(0, |seq| seq.0)
        })
    }

    /// The program-wide figures.
    pub fn summary(&self, key: KeyPrincipal) -> Versioned<SummaryResponse> {
        let Versioned { version, value } = self.engine().summary(key.program);
        Versioned {
            version,
            value: summary(&value),
        }
    }

    /// The tiers in use, those with the most members first.
    ///
    /// # Errors
    /// [`ServiceError`] if there are many and too many reads wait.
    pub async fn tiers(&self, key: KeyPrincipal) -> Result<TierListResponse, ServiceError> {
        let (_, count) = self.engine().tiers(key.program, 0);
        let read = move |analytics: &Self| {
            let (tiers, total) = analytics.engine().tiers(key.program, TIERS_MAX);
            let tiers = tiers.into_iter().map(|(tier, members)| TierResponse {
                tier: tier.as_str().to_owned(),
                members,
            });
            let tiers = tiers.collect();
            TierListResponse { tiers, total }
        };
        compute(self, &self.turns, (key, count), read).await
    }

    /// Passes one row for every offer to `render`.
    ///
    /// # Errors
    /// [`ServiceError`] if there are many and too many reads wait.
    pub async fn offers<R, F>(&self, key: KeyPrincipal, render: F) -> Result<R, ServiceError>
    where
        F: FnOnce(Versioned<OffersAnalyticsResponse>) -> R + Send + 'static,
        R: Send + 'static,
    {
        let count = self.engine().offer_count(key.program);
        let read = move |analytics: &Self| {
            let Versioned { version, value } = analytics.engine().offers(key.program);
            let offers = value.iter().map(offer).collect();
            render(Versioned {
                version,
                value: OffersAnalyticsResponse { offers },
            })
        };
        compute(self, &self.turns, (key, count), read).await
    }

    /// Passes the buckets of a window to `render`.
    ///
    /// # Errors
    /// [`ServiceError`] naming the parameter that cannot be used, or if there are many and too many
    /// reads wait.
    pub async fn timeseries<R, F>(
        &self,
        key: KeyPrincipal,
        selection: TimeseriesSelection,
        form: TimeForm,
        render: F,
    ) -> Result<R, ServiceError>
    where
        F: FnOnce(Versioned<TimeseriesResponse>) -> R + Send + 'static,
        R: Send + 'static,
    {
        let series = selection.series.iter();
        let parts = series.filter(|series| series.is_of_members()).count() * MEMBERS_PARTS
            + Series::measures(&selection.series).len();
        let count = Window::estimate(selection.from, selection.to, selection.interval)
            .saturating_mul(parts.max(1));
        let read = move |analytics: &Self| {
            let buckets = analytics.buckets(key.program, &selection, form);
            buckets.map(render)
        };
        Ok(compute(self, &self.turns, (key, count), read).await??)
    }

    /// Passes the members of a window to `render`.
    ///
    /// # Errors
    /// [`ServiceError`] naming the parameter that cannot be used, or if there are many buckets and
    /// too many reads wait.
    pub async fn members<R, F>(
        &self,
        key: KeyPrincipal,
        selection: MembersSelection,
        form: TimeForm,
        render: F,
    ) -> Result<R, ServiceError>
    where
        F: FnOnce(Versioned<MembersResponse>) -> R + Send + 'static,
        R: Send + 'static,
    {
        let MembersSelection {
            from, to, interval, ..
        } = selection;
        let buckets = interval.map_or(0, |interval| Window::estimate(from, to, interval));
        let count = buckets.saturating_mul(MEMBERS_PARTS * Deed::ALL.len());
        let read = move |analytics: &Self| {
            let window = divide((from, to), interval, &selection.zone)?;
            let has_buckets = interval.is_some();
            let engine = analytics.engine();
            let Versioned { version, value } = engine.members(key.program, &window, has_buckets);
            let (whole, buckets) = value;
            let bounds = window.bounds().windows(2).zip(buckets);
            let buckets = bounds.map(|(pair, figures)| {
                let [start_time, end_time] = [pair[0], pair[1]].map(|at| time(at, form));
                MembersBucketResponse {
                    start_time,
                    end_time,
                    figures: members(figures),
                }
            });
            let value = MembersResponse {
                figures: members(whole),
                buckets: has_buckets.then(|| buckets.collect()),
            };
            Ok(render(Versioned { version, value }))
        };
        let answer: Result<R, Invalid> = compute(self, &self.turns, (key, count), read).await?;
        Ok(answer?)
    }

    fn buckets(
        &self,
        program: ProgramNumber,
        selection: &TimeseriesSelection,
        form: TimeForm,
    ) -> Result<Versioned<TimeseriesResponse>, Invalid> {
        let window = divide(
            (selection.from, selection.to),
            Some(selection.interval),
            &selection.zone,
        )?;
        if !selection.series.is_empty() {
            return self.measured(program, &window, selection, form);
        }
        let answer = self.engine().timeseries(program, &window, selection.offer);
        let Versioned { version, value } = answer;
        let buckets = value.ok_or_else(unknown_series_offer)?;
        let buckets = buckets.iter().map(|one| bucket(one, form)).collect();
        Ok(Versioned {
            version,
            value: TimeseriesResponse::Usual { buckets },
        })
    }

    /// The buckets with the series that were asked for.
    fn measured(
        &self,
        program: ProgramNumber,
        window: &Window,
        selection: &TimeseriesSelection,
        form: TimeForm,
    ) -> Result<Versioned<TimeseriesResponse>, Invalid> {
        let TimeseriesSelection { offer, series, .. } = selection;
        let answer = self.engine().series(program, window, *offer, series);
        let Versioned { version, value } = answer;
        let numbers = value.ok_or_else(unknown_series_offer)?;
        let bounds = window.bounds().windows(2).enumerate();
        let buckets = bounds.map(|(index, pair)| {
            let [start, end] = [pair[0], pair[1]].map(|at| time(at, form));
            let mut bucket = MeasuredBucketResponse::new(start, end);
            for (series, numbers) in series.iter().zip(&numbers) {
                *measure(&mut bucket, *series) = numbers.get(index).copied();
            }
            bucket
        });
        let buckets = buckets.collect();
        Ok(Versioned {
            version,
            value: TimeseriesResponse::Measured { buckets },
        })
    }

    /// The figures, for a read that the writer takes into account.
    fn engine(&self) -> &Engine {
        self.readership.note();
        &self.engine
    }
}

fn members(figures: MemberFigures) -> MemberFiguresResponse {
    MemberFiguresResponse {
        active: figures.active,
        earning: figures.earning,
        redeeming: figures.redeeming,
        new: figures.new,
        returning: figures.returning(),
        reactivated: figures.reactivated,
        active_by: ActiveByResponse {
            mint: figures.by_mint,
            redemption: figures.redeeming,
            exchange: figures.by_exchange,
            event: figures.by_event,
        },
    }
}

fn time(at: Timestamp, form: TimeForm) -> BucketTimeResponse {
    match form {
        TimeForm::Millis => BucketTimeResponse::Millis(at.as_millis()),
        TimeForm::Text => BucketTimeResponse::Text(at.to_string()),
    }
}

/// The field of a series.
fn measure(bucket: &mut MeasuredBucketResponse, series: Series) -> &mut Option<i64> {
    match series {
        Series::Signups => &mut bucket.signups,
        Series::PointsMinted => &mut bucket.points_minted,
        Series::PointsSpent => &mut bucket.points_spent,
        Series::PointsRefunded => &mut bucket.points_refunded,
        Series::PointsForfeited => &mut bucket.points_forfeited,
        Series::PointsDebited => &mut bucket.points_debited,
        Series::PointsExpired => &mut bucket.points_expired,
        Series::PointsVoided => &mut bucket.points_voided,
        Series::Outstanding => &mut bucket.outstanding,
        Series::Events => &mut bucket.events,
        Series::ActiveMembers => &mut bucket.active_members,
        Series::EarningMembers => &mut bucket.earning_members,
        Series::RedeemingMembers => &mut bucket.redeeming_members,
    }
}

fn bucket(bucket: &Bucket, form: TimeForm) -> BucketResponse {
    BucketResponse {
        start_time: time(bucket.start, form),
        end_time: time(bucket.end, form),
        signups: bucket.signups,
        points_minted: bucket.minted,
        points_spent: bucket.spent,
    }
}

/// The error for an offer that is unknown to the program.
pub fn unknown_series_offer() -> Invalid {
    Invalid::new("offer", "must be the id of an offer of this program")
}

/// Divides a window into buckets; it is one itself without an interval.
fn divide(
    (from, to): (Timestamp, Timestamp),
    interval: Option<Interval>,
    zone: &Zone,
) -> Result<Window, Invalid> {
    let divided = match interval {
        Some(interval) => Window::divide(from, to, interval, zone),
        None => Window::whole(from, to),
    };
    divided.map_err(|error| match error {
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

fn summary(totals: &Totals) -> SummaryResponse {
    SummaryResponse {
        member_count: totals.members,
        points_minted: totals.minted,
        points_spent: totals.spent,
        completion_rate: totals.completion_rate(),
        redemptions: RedemptionTotalsResponse::from(&totals.redemptions),
        active_members: totals.active_members,
        points_refunded: totals.refunded,
        points_forfeited: totals.forfeited,
        points_debited: totals.debited,
        points_expired: totals.expired,
        points_voided: totals.voided,
        points_pending: totals.pending,
        points_held: totals.held,
    }
}

fn offer(figures: &OfferFigures) -> OfferAnalyticsResponse {
    OfferAnalyticsResponse {
        offer_id: figures.id.to_string(),
        signups: figures.signups,
        completions: figures.completions,
        cancellations: figures.cancellations,
        points_spent: figures.spent,
        average_rating: figures.ratings.average_hundredths().and_then(hundredths),
        rating_count: figures.ratings.count,
    }
}
