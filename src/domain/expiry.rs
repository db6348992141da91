//! The life of points: for how long those of a program that are credited without dates of their own
//! are good.

use std::fmt;
use std::str::FromStr;

use jiff::Span;
use jiff::civil::Date;

use super::{Timestamp, Zone};

/// A length of time by the calendar: months and days, at least one day.
///
/// It is written as in ISO 8601, with years, months, weeks and days, and displayed with months and
/// days.
///
/// ```
/// use stampcard::domain::Period;
/// assert_eq!("P1Y6M".parse::<Period>().unwrap().to_string(), "P18M");
/// assert_eq!("P2W".parse::<Period>().unwrap().to_string(), "P14D");
/// assert!("P0D".parse::<Period>().is_err());
/// assert!("PT24H".parse::<Period>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    months: u32,
    days: u32,
}

/// A text that is no [`Period`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPeriod;

impl Period {
    /// The most months: a century.
    const MONTHS_MAX: u32 = 1_200;
    /// The most days: a century.
    const DAYS_MAX: u32 = 36_600;

    /// This long after a time, by the calendar of a zone. If the month has no such day, its last
    /// one; `None` beyond the range of the calendar.
    fn after(self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let span = Span::new()
            .try_months(i64::from(self.months))
            .and_then(|span| span.try_days(i64::from(self.days)));
        let shown = zone.shown_at(at)?.checked_add(span.ok()?).ok()?;
        zone.resolve(shown)
    }
}

impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let mut rest = text.strip_prefix('P').ok_or(NoPeriod)?;
        let (mut months, mut days) = (0_u32, 0_u32);
        // Each unit once at most, the larger first.
        for (unit, months_each, days_each) in [('Y', 12, 0), ('M', 1, 0), ('W', 0, 7), ('D', 0, 1)]
        {
            let Some((number, after)) = rest.split_once(unit) else {
                continue;
            };
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = number.parse().ok().filter(|_| is_number).ok_or(NoPeriod)?;
            let sum = |sum: u32, each: u32| {
                let more = number.checked_mul(each)?;
                sum.checked_add(more)
            };
            months = sum(months, months_each).ok_or(NoPeriod)?;
            days = sum(days, days_each).ok_or(NoPeriod)?;
            rest = after;
        }
        let fits = months <= Self::MONTHS_MAX && days <= Self::DAYS_MAX && months + days > 0;
        (rest.is_empty() && fits)
            .then_some(Self { months, days })
            .ok_or(NoPeriod)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        for (number, unit) in [(self.months, 'M'), (self.days, 'D')] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

/// When points expire that are credited at a time.
///
/// ```
/// use stampcard::domain::{Expiry, Timestamp, Zone};
/// let zone = Zone::parse("Europe/Berlin").unwrap();
/// let at = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
/// let after = |expiry: Expiry| expiry.after(at, &zone).unwrap().to_string();
/// assert_eq!(after(Expiry::After("P1M".parse().unwrap())), "2026-02-28T12:00:00.000Z");
/// assert_eq!(after(Expiry::YearEnd(None)), "2026-12-31T23:00:00.000Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// This long after the credit.
    After(Period),
    /// When the calendar year of the credit has ended, and perhaps this long after that.
    YearEnd(Option<Period>),
}

/// The name of the end of a year, on the wire and in the database.
const YEAR_END: &str = "year_end";

impl Expiry {
    /// When points expire that are credited at a time. `None` beyond the year 9999.
    pub fn after(self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match self {
            Self::After(period) => period.after(at, zone),
            Self::YearEnd(extra) => {
                let year = zone.shown_at(at)?.year().checked_add(1)?;
                let first = Date::new(year, 1, 1).ok()?;
                let end = zone.resolve(first.at(0, 0, 0, 0))?;
                match extra {
                    Some(extra) => extra.after(end, zone),
                    None => Some(end),
                }
            }
        }
    }

    /// Reads the form of the database.
    pub(crate) fn parse_stored(text: &str) -> Option<Self> {
        match text.strip_prefix(YEAR_END) {
            None => text.parse().ok().map(Self::After),
            Some("") => Some(Self::YearEnd(None)),
            Some(extra) => {
                let extra = extra.strip_prefix('+')?.parse().ok()?;
                Some(Self::YearEnd(Some(extra)))
            }
        }
    }
}

/// The form of the database, such as `P12M` or `year_end+P3M`.
impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(period) => period.fmt(f),
            Self::YearEnd(None) => f.write_str(YEAR_END),
            Self::YearEnd(Some(extra)) => write!(f, "{YEAR_END}+{extra}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expires(expiry: &str, at: &str, zone: &str) -> String {
        let zone = Zone::parse(zone).unwrap();
        let at = Timestamp::parse(at).unwrap();
        let expiry = Expiry::parse_stored(expiry).unwrap();
        let text = expiry.to_string();
        assert_eq!(Expiry::parse_stored(&text), Some(expiry), "{text}");
        expiry.after(at, &zone).unwrap().to_string()
    }

    #[test]
    fn months_end_on_the_last_day_of_a_shorter_one() {
        let of = |months: &str, at| expires(months, at, "UTC");
        assert_eq!(
            of("P1M", "2026-01-31T10:00:00Z"),
            "2026-02-28T10:00:00.000Z"
        );
        assert_eq!(
            of("P1M", "2028-01-31T10:00:00Z"),
            "2028-02-29T10:00:00.000Z"
        );
        assert_eq!(
            of("P1Y", "2028-02-29T10:00:00Z"),
            "2029-02-28T10:00:00.000Z"
        );
        assert_eq!(
            of("P1M1D", "2026-01-31T10:00:00Z"),
            "2026-03-01T10:00:00.000Z"
        );
    }

    #[test]
    fn the_time_of_day_is_that_of_the_zone_across_changes_of_the_clocks() {
        let berlin = |period: &str, at| expires(period, at, "Europe/Berlin");
        // 12:00 in winter, 12:00 in summer.
        assert_eq!(
            berlin("P6M", "2026-01-15T11:00:00Z"),
            "2026-07-15T10:00:00.000Z"
        );
        // 02:30 does not exist on 29 March 2026: the clocks go from 02:00 to 03:00.
        assert_eq!(
            berlin("P1M", "2026-02-28T01:30:00Z"),
            "2026-03-28T01:30:00.000Z"
        );
        assert_eq!(
            berlin("P1D", "2026-03-28T01:30:00Z"),
            "2026-03-29T01:30:00.000Z"
        );
        // 02:30 comes twice on 25 October 2026: the first one.
        assert_eq!(
            berlin("P1D", "2026-10-24T00:30:00Z"),
            "2026-10-25T00:30:00.000Z"
        );
    }

    #[test]
    fn a_year_ends_in_the_zone() {
        let auckland = |expiry: &str, at| expires(expiry, at, "Pacific/Auckland");
        let at = "2025-12-31T11:30:00Z";
        assert_eq!(auckland("year_end", at), "2026-12-31T11:00:00.000Z");
        assert_eq!(auckland("year_end+P3M", at), "2027-03-31T11:00:00.000Z");
        assert_eq!(expires("year_end", at, "UTC"), "2026-01-01T00:00:00.000Z");
    }

    #[test]
    fn only_periods_of_the_calendar_are_read() {
        for text in [
            "",
            "P",
            "P1",
            "1M",
            "P-1M",
            "P+1M",
            "P1.5M",
            "p1m",
            "P1M1Y",
            "P1D1W",
            "PT1H",
            "P1201M",
            "P36601D",
            "P0M0D",
            "P99999999999Y",
            "P1M ",
            "P1H",
        ] {
            assert_eq!(text.parse::<Period>(), Err(NoPeriod), "{text}");
        }
        let longest: Period = "P100Y36600D".parse().unwrap();
        assert_eq!(longest.to_string(), "P1200M36600D");
        let late = Timestamp::parse("9999-06-01T00:00:00Z").unwrap();
        assert_eq!(Expiry::After(longest).after(late, &Zone::UTC), None);
        assert_eq!(Expiry::YearEnd(None).after(late, &Zone::UTC), None);
    }
}
