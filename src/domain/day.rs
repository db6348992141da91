//! Days of the UTC calendar.

use std::fmt;

use time::format_description::well_known::Iso8601;
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::Timestamp;

/// A day in UTC, in the years 1 to 9998.
///
/// ```
/// use stampcard::domain::Day;
/// let day = Day::parse("2024-02-29").unwrap();
/// assert_eq!(day.to_string(), "2024-02-29");
/// // A date-time is cut to its day in UTC.
/// assert_eq!(Day::parse("2024-03-01T00:30:00+01:00"), Some(day));
/// assert_eq!(Day::parse("2024-02-29T23:59:59.999"), Some(day));
/// assert_eq!(Day::parse("2024-03-01T00:30+0100"), Some(day));
/// assert_eq!(Day::parse("2023-02-29"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The day of a time.
    pub fn of(at: Timestamp) -> Option<Self> {
        Self::new(at.as_utc().date())
    }

    /// Reads `YYYY-MM-DD`, or an ISO 8601 date-time cut to its UTC day; one without an offset is
    /// taken as UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        // ISO 8601 also has dates by week and by day of the year, which are not accepted.
        if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return None;
        }
        if bytes.len() == 10 {
            return Self::new(Date::parse(text, &Iso8601::DATE).ok()?);
        }
        let local = || PrimitiveDateTime::parse(text, &Iso8601::DATE_TIME).ok();
        let at = OffsetDateTime::parse(text, &Iso8601::DEFAULT)
            .ok()
            .or_else(|| Some(local()?.assume_utc()))?;
        Self::new(at.checked_to_offset(UtcOffset::UTC)?.date())
    }

    /// The day this many days earlier.
    pub fn minus(self, days: i64) -> Option<Self> {
        self.0.checked_sub(Duration::days(days)).and_then(Self::new)
    }

    /// The first day of its month.
    #[must_use]
    pub fn month_start(self) -> Self {
        Self(self.0.replace_day(1).unwrap_or(self.0))
    }

    /// The first day of the next month.
    #[must_use]
    pub fn next_month_start(self) -> Self {
        // Four days after the 28th is in the next month, whatever the month.
        let next = self.0.replace_day(28).unwrap_or(self.0) + Duration::days(4);
        Self(next.replace_day(1).unwrap_or(next))
    }

    /// The time at which it begins.
    ///
    /// # Panics
    /// Never: the years 1 to 9998 are in the range of a timestamp.
    pub fn start(self) -> Timestamp {
        let seconds = self.0.midnight().assume_utc().unix_timestamp();
        Timestamp::from_millis(seconds * 1000).expect("the years 1 to 9998 are in range")
    }

    /// The time at which the next day begins.
    pub fn end(self) -> Timestamp {
        self.start()
            .saturating_add(std::time::Duration::from_hours(24))
    }

    fn new(date: Date) -> Option<Self> {
        (1..=9998).contains(&date.year()).then_some(Self(date))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (month, day) = (u8::from(self.0.month()), self.0.day());
        write!(f, "{:04}-{month:02}-{day:02}", self.0.year())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_where_the_calendar_says() {
        let start = |text| Day::parse(text).unwrap();
        for (day, month, next) in [
            ("2024-02-29", "2024-02-01", "2024-03-01"),
            ("2025-12-31", "2025-12-01", "2026-01-01"),
            ("2026-01-31", "2026-01-01", "2026-02-01"),
        ] {
            assert_eq!(start(day).month_start().to_string(), month);
            assert_eq!(start(day).next_month_start().to_string(), next);
        }
        assert_eq!(
            start("2024-03-30").minus(30).unwrap().to_string(),
            "2024-02-29"
        );
        for bad in [
            "",
            "2024-2-1",
            "2024-13-01",
            "20240201",
            "0000-01-01",
            "9999-01-01",
            "2026-W10-1",
            "today",
        ] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }
}
