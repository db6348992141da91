//! Points in time, to the millisecond.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999.
///
/// It is displayed as RFC 3339 in UTC with milliseconds.
///
/// ```
/// use stampcard::domain::Timestamp;
/// let at = Timestamp::parse("2026-06-01T02:00:00.1239+02:00").unwrap();
/// assert_eq!(at.to_string(), "2026-06-01T00:00:00.123Z");
/// assert_eq!(Timestamp::from_millis(at.as_millis()), Some(at));
/// assert_eq!(Timestamp::parse("yesterday"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    const MIN_MILLIS: i64 = -62_167_219_200_000;
    const MAX_MILLIS: i64 = 253_402_300_799_999;

    /// The earliest time.
    pub const MIN: Self = Self(Self::MIN_MILLIS);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The time this many milliseconds after 1970 began, if it is in the years 0000 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (Self::MIN_MILLIS..=Self::MAX_MILLIS)
            .contains(&millis)
            .then_some(Self(millis))
    }

    /// Reads the time of a row, stamped by a server's clock in the years 1970 to 9999.
    pub fn parse_stored(millis: i64) -> Option<Self> {
        Self::from_millis(millis).filter(|at| *at >= Self::EPOCH)
    }

    /// Milliseconds since 1970 began.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset and truncates it to milliseconds. Date and time are separated
    /// by a `T` or a space. Leap seconds are refused, as a count of milliseconds cannot express
    /// them.
    ///
    /// Source: RFC 3339 section 5.6.
    pub fn parse(text: &str) -> Option<Self> {
        let separator = text.as_bytes().get(10)?;
        if !b"Tt ".contains(separator) || text.get(17..19) == Some("60") {
            return None;
        }
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = time.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(millis).ok().and_then(Self::from_millis)
    }

    /// This time plus a duration, at most the end of the year 9999.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis).min(Self::MAX_MILLIS))
    }

    /// This time minus a duration, at least the beginning of the year 0000.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis).max(Self::MIN_MILLIS))
    }

    /// The time that passed since an earlier one; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.as_millis() - earlier.as_millis();
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Calendar months (UTC) since January 1970.
    pub fn month(self) -> i64 {
        let date = self.as_utc().date();
        (i64::from(date.year()) - 1970) * 12 + i64::from(u8::from(date.month())) - 1
    }

    /// Whole hours since 1970 began.
    pub fn hour(self) -> i64 {
        self.0.div_euclid(3_600_000)
    }

    /// The displayed form, without the fraction if it is zero.
    pub fn to_short(self) -> String {
        let text = self.to_string();
        match text.strip_suffix(".000Z") {
            Some(whole) => format!("{whole}Z"),
            None => text,
        }
    }

    /// The date and time of day in UTC.
    ///
    /// # Panics
    /// Never: every value is in the range of [`OffsetDateTime`].
    pub fn as_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .expect("the years 0000 to 9999 are in range")
            .to_offset(UtcOffset::UTC)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.as_utc();
        let (date, time) = (at.date(), at.time());
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.millisecond()
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_the_years_0000_to_9999() {
        let first = Timestamp::parse("0000-01-01T00:00:00Z").unwrap();
        let last = Timestamp::parse("9999-12-31T23:59:59.999Z").unwrap();
        assert_eq!(first.as_millis(), Timestamp::MIN_MILLIS);
        assert_eq!(last.as_millis(), Timestamp::MAX_MILLIS);
        assert_eq!(Timestamp::from_millis(Timestamp::MAX_MILLIS + 1), None);
        assert_eq!(Timestamp::from_millis(Timestamp::MIN_MILLIS - 1), None);
        assert_eq!(Timestamp::parse("9999-12-31T23:59:59.999-01:00"), None);
        assert_eq!(Timestamp::parse("2016-12-31T23:59:60Z"), None);
        assert_eq!(Timestamp::parse("2016-12-31x23:59:59Z"), None);
    }

    #[test]
    fn months_count_from_january_1970() {
        let month = |text| Timestamp::parse(text).unwrap().month();
        assert_eq!(month("1970-01-31T23:59:59.999Z"), 0);
        assert_eq!(month("1969-12-31T23:59:59.999Z"), -1);
        assert_eq!(month("2026-11-01T00:00:00Z"), 56 * 12 + 10);
    }
}
