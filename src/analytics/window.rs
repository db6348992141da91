//! Windows of time and the buckets that they are divided into.
//!
//! Buckets are counted from the start of the window: bucket k begins k intervals later, by the
//! calendar of a time zone for days, weeks and months. The last bucket ends where the window ends.

use jiff::Span;

use crate::domain::{Timestamp, Zone};

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// The length of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interval {
    /// 3,600 seconds, regardless of changes of the clocks.
    Hour,
    /// To the same time of the next day.
    Day,
    /// To the same time seven days later.
    Week,
    /// To the same day of the next month, or its last day if it has no such day.
    Month,
}

impl Interval {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The name in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|interval| interval.as_str() == name)
    }

    /// The shortest length in milliseconds, except for days on which the clocks change.
    fn least(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 28 * 24 * HOUR,
        }
    }

    /// The length in milliseconds, if it is always the same.
    fn millis(self, zone: &Zone) -> Option<i64> {
        match self {
            Self::Hour => Some(HOUR),
            Self::Day if zone.is_fixed() => Some(24 * HOUR),
            Self::Week if zone.is_fixed() => Some(7 * 24 * HOUR),
            Self::Day | Self::Week | Self::Month => None,
        }
    }

    /// A given number of intervals. `None` beyond the range of the calendar.
    fn times(self, count: i64) -> Option<Span> {
        let span = Span::new();
        match self {
            Self::Hour => span.try_hours(count),
            Self::Day => span.try_days(count),
            Self::Week => span.try_weeks(count),
            Self::Month => span.try_months(count),
        }
        .ok()
    }
}

/// Why a window cannot be divided into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The window is empty.
    #[error("the window must end after it starts")]
    Empty,
    /// The window would have more than [`Window::BUCKETS_MAX`] buckets.
    #[error("the window has more than {} buckets", Window::BUCKETS_MAX)]
    TooManyBuckets,
}

/// A window divided into half-open buckets: an event at the end of a bucket belongs to the next.
///
/// ```
/// use stampcard::analytics::{Interval, Window};
/// use stampcard::domain::{Timestamp, Zone};
///
/// let at = |text| Timestamp::parse(text).unwrap();
/// let window = Window::divide(
///     at("2026-01-31T00:00:00Z"),
///     at("2026-04-10T00:00:00Z"),
///     Interval::Month,
///     &Zone::UTC,
/// )
/// .unwrap();
/// let bounds: Vec<String> = window.bounds().iter().map(ToString::to_string).collect();
/// assert_eq!(
///     bounds,
///     [
///         "2026-01-31T00:00:00.000Z",
///         "2026-02-28T00:00:00.000Z",
///         "2026-03-31T00:00:00.000Z",
///         "2026-04-10T00:00:00.000Z",
///     ]
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The start of each bucket and the end of the window, in rising order; at least two.
    bounds: Vec<Timestamp>,
}

impl Window {
    /// The largest number of buckets.
    pub const BUCKETS_MAX: usize = 10_000;

    /// An estimate of the number of buckets that [`Window::divide`] creates, at almost no cost.
    pub fn estimate(from: Timestamp, to: Timestamp, interval: Interval) -> usize {
        let millis = to.as_millis().saturating_sub(from.as_millis());
        usize::try_from(millis / interval.least()).unwrap_or(0)
    }

    /// The window from `from` to `to` as one bucket.
    ///
    /// # Errors
    /// [`WindowError::Empty`].
    pub fn whole(from: Timestamp, to: Timestamp) -> Result<Self, WindowError> {
        if from >= to {
            return Err(WindowError::Empty);
        }
        Ok(Self {
            bounds: vec![from, to],
        })
    }

    /// Divides the window from `from` to `to`. A bucket that the clocks skip entirely is left out.
    ///
    /// # Errors
    /// [`WindowError`].
    pub fn divide(
        from: Timestamp,
        to: Timestamp,
        interval: Interval,
        zone: &Zone,
    ) -> Result<Self, WindowError> {
        if from >= to {
            return Err(WindowError::Empty);
        }
        let mut bounds = Vec::with_capacity(64);
        bounds.push(from);
        // A step beyond the end of the calendar is beyond `to` as well.
        let starts = (1..).map_while(|count| start_of(from, interval, zone, count));
        for start in starts.take_while(|start| *start < to) {
            if bounds.last().is_some_and(|last| *last < start) {
                if bounds.len() == Self::BUCKETS_MAX {
                    return Err(WindowError::TooManyBuckets);
                }
                bounds.push(start);
            }
        }
        bounds.push(to);
        Ok(Self { bounds })
    }

    /// The start and the end of the window, in milliseconds since 1970.
    pub fn ends(&self) -> (i64, i64) {
        let [first, last] = [self.bounds.first(), self.bounds.last()];
        let millis = |at: Option<&Timestamp>| at.map_or(0, |at| at.as_millis());
        (millis(first), millis(last))
    }

    /// The start of each bucket and the end of the window.
    pub fn bounds(&self) -> &[Timestamp] {
        &self.bounds
    }
}

/// The start of the bucket with this number.
fn start_of(from: Timestamp, interval: Interval, zone: &Zone, count: i64) -> Option<Timestamp> {
    if let Some(step) = interval.millis(zone) {
        let millis = from.as_millis().checked_add(count.checked_mul(step)?)?;
        return Timestamp::from_millis(millis);
    }
    let shown = zone
        .shown_at(from)?
        .checked_add(interval.times(count)?)
        .ok()?;
    zone.resolve(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(from: &str, to: &str, interval: Interval, zone: &str) -> Vec<String> {
        let at = |text| Timestamp::parse(text).unwrap();
        let zone = Zone::parse(zone).unwrap();
        let window = Window::divide(at(from), at(to), interval, &zone).unwrap();
        window.bounds().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_day_is_23_or_25_hours_where_the_clocks_change() {
        let spring = bounds(
            "2026-03-28T12:00:00+01:00",
            "2026-03-30T12:00:00+02:00",
            Interval::Day,
            "Europe/Berlin",
        );
        let expected = [
            "2026-03-28T11:00:00.000Z",
            "2026-03-29T10:00:00.000Z",
            "2026-03-30T10:00:00.000Z",
        ];
        assert_eq!(spring, expected);
        let autumn = bounds(
            "2026-10-24T12:00:00+02:00",
            "2026-10-26T12:00:00+01:00",
            Interval::Day,
            "Europe/Berlin",
        );
        let expected = [
            "2026-10-24T10:00:00.000Z",
            "2026-10-25T11:00:00.000Z",
            "2026-10-26T11:00:00.000Z",
        ];
        assert_eq!(autumn, expected);
    }

    #[test]
    fn a_time_in_a_gap_moves_later_and_in_a_fold_is_the_earlier_one() {
        let gap = bounds(
            "2026-03-28T02:30:00+01:00",
            "2026-03-30T02:30:00+02:00",
            Interval::Day,
            "Europe/Berlin",
        );
        assert_eq!(gap[1], "2026-03-29T01:30:00.000Z");
        assert_eq!(gap[2], "2026-03-30T00:30:00.000Z");
        let fold = bounds(
            "2026-10-24T02:30:00+02:00",
            "2026-10-26T02:30:00+01:00",
            Interval::Day,
            "Europe/Berlin",
        );
        assert_eq!(fold[1], "2026-10-25T00:30:00.000Z");
    }

    #[test]
    fn a_day_that_a_zone_skips_has_no_bucket() {
        // Samoa went from 29 to 31 December 2011.
        let skipped = bounds(
            "2011-12-28T10:00:00-10:00",
            "2012-01-01T10:00:00+14:00",
            Interval::Day,
            "Pacific/Apia",
        );
        let expected = [
            "2011-12-28T20:00:00.000Z",
            "2011-12-29T20:00:00.000Z",
            "2011-12-30T20:00:00.000Z",
            "2011-12-31T20:00:00.000Z",
        ];
        assert_eq!(skipped, expected);
    }

    #[test]
    fn the_last_bucket_is_cut_and_the_number_of_buckets_is_limited() {
        let cut = bounds(
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:30:00Z",
            Interval::Hour,
            "UTC",
        );
        assert_eq!(cut.len(), 3);
        let at = |text| Timestamp::parse(text).unwrap();
        let divide =
            |to| Window::divide(at("2026-01-01T00:00:00Z"), to, Interval::Hour, &Zone::UTC);
        let full = Timestamp::from_millis(at("2026-01-01T00:00:00Z").as_millis() + 36_000_000_000);
        assert_eq!(divide(full.unwrap()).unwrap().bounds().len(), 10_001);
        let over = Timestamp::from_millis(full.unwrap().as_millis() + 1).unwrap();
        assert_eq!(divide(over), Err(WindowError::TooManyBuckets));
        assert_eq!(divide(at("2026-01-01T00:00:00Z")), Err(WindowError::Empty));
    }

    #[test]
    fn midnight_is_that_of_the_zone() {
        let midnight = |zone: &str, date| Zone::parse(zone).unwrap().midnight(date);
        let berlin = midnight("Europe/Berlin", "2026-06-01").unwrap();
        assert_eq!(berlin.to_string(), "2026-05-31T22:00:00.000Z");
        // In 2018 the clocks of São Paulo went from 0:00 to 1:00.
        let gap = midnight("America/Sao_Paulo", "2018-11-04").unwrap();
        assert_eq!(gap.to_string(), "2018-11-04T03:00:00.000Z");
        for bad in [
            "2026-6-1",
            "2026-02-29",
            "20260601",
            "2026-06-01T00",
            "",
            "x026-06-01",
        ] {
            assert_eq!(midnight("UTC", bad), None, "{bad}");
        }
    }
}
