//! Schedules of five fields, in UTC.

use time::{Date, Duration, Month, OffsetDateTime, Time};

use crate::domain::Timestamp;

/// Minutes at which something happens: minute, hour, day of the month, month, day of the week.
///
/// Each field is `*`, a number, a range such as `1-5`, a step such as `*/15` or `8-18/2`, or a list
/// of them with commas. Days of the week are 0 to 7, Sunday is 0 and 7. If both kinds of days are
/// limited, either is enough.
///
/// ```
/// use stampcard::domain::Timestamp;
/// use stampcard::rules::Cron;
/// let monthly = Cron::parse("0 0 1 * *").unwrap();
/// let at = Timestamp::parse("2026-11-30T21:00:00Z").unwrap();
/// assert_eq!(monthly.after(at).unwrap().to_string(), "2026-12-01T00:00:00.000Z");
/// assert!(Cron::parse("60 0 1 * *").is_none());
/// assert!(Cron::parse("0 0 30 2 *").is_none(), "it never happens");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    /// One bit for each number that a field names.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day must be one of both kinds.
    needs_both: bool,
}

/// More days than between two of any schedule: 40 years, of a Sunday that is 29 February, around
/// 2100.
const DAYS_MAX: u32 = 41 * 366;

impl Cron {
    /// Reads a schedule; `None` if it is none, or never happens.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return None;
        };
        let weekdays = bits(weekday, 0, 7)?;
        let cron = Self {
            minutes: bits(minute, 0, 59)?,
            hours: bits(hour, 0, 23)?,
            days: bits(day, 1, 31)?,
            months: bits(month, 1, 12)?,
            weekdays: weekdays | weekdays >> 7 & 1,
            needs_both: day.starts_with('*') || weekday.starts_with('*'),
        };
        // What happens at all happens within `DAYS_MAX` days.
        cron.after(Timestamp::EPOCH).map(|_| cron)
    }

    /// The first time after a time; `None` after the year 9999.
    pub fn after(&self, at: Timestamp) -> Option<Timestamp> {
        let next = at.as_utc().checked_add(Duration::MINUTE)?;
        let mut date = next.date();
        let mut first = (u32::from(next.hour()), u32::from(next.minute()));
        for _ in 0..=DAYS_MAX {
            if let Some((hour, minute)) = self.has(date).then(|| self.time(first)).flatten() {
                let time = Time::from_hms(hour, minute, 0).ok()?;
                let nanos = OffsetDateTime::new_utc(date, time).unix_timestamp_nanos();
                return Timestamp::from_millis(i64::try_from(nanos / 1_000_000).ok()?);
            }
            date = date.next_day()?;
            first = (0, 0);
        }
        None
    }

    fn has(&self, date: Date) -> bool {
        let has = |bits: u64, number: u8| bits >> number & 1 == 1;
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().number_days_from_sunday());
        let is_day = if self.needs_both {
            day && weekday
        } else {
            day || weekday
        };
        has(self.months, Month::into(date.month())) && is_day
    }

    /// The first time of day that is not before this hour and minute.
    fn time(&self, (hour, minute): (u32, u32)) -> Option<(u8, u8)> {
        let from = |bits: u64, least: u32| {
            let rest = bits.checked_shr(least).unwrap_or(0);
            (rest != 0).then(|| least + rest.trailing_zeros())
        };
        let small =
            |hour: u32, minute: u32| Some((u8::try_from(hour).ok()?, u8::try_from(minute).ok()?));
        let same = from(self.hours, hour).filter(|found| *found == hour);
        if let Some(minute) = same.and_then(|_| from(self.minutes, minute)) {
            return small(hour, minute);
        }
        small(from(self.hours, hour + 1)?, from(self.minutes, 0)?)
    }
}

/// The numbers that a field names, as bits.
fn bits(field: &str, least: u32, most: u32) -> Option<u64> {
    let mut bits = 0;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from)?, number(to)?),
            // A step after a number goes to the end.
            None if part.contains('/') => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        if from < least || to > most || from > to {
            return None;
        }
        for number in (from..=to).step_by(usize::try_from(step).ok()?) {
            bits |= 1 << number;
        }
    }
    Some(bits)
}

fn number(text: &str) -> Option<u32> {
    let is_short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_after_the_last() {
        let next = |cron: &str, at: &str| {
            let after = Cron::parse(cron)
                .unwrap()
                .after(Timestamp::parse(at).unwrap());
            after.unwrap().to_short()
        };
        for (cron, at, expected) in [
            ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            (
                "* * * * *",
                "2026-01-01T00:00:59.999Z",
                "2026-01-01T00:01:00Z",
            ),
            (
                "*/15 8-18/2 * * *",
                "2026-01-01T08:45:00Z",
                "2026-01-01T10:00:00Z",
            ),
            ("30 6 * * 1", "2026-11-30T06:30:00Z", "2026-12-07T06:30:00Z"),
            ("0 0 * * 7", "2026-11-30T00:00:00Z", "2026-12-06T00:00:00Z"),
            ("0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"),
            // A Sunday that is 29 February.
            (
                "0 0 29 2 */7",
                "2032-03-01T00:00:00Z",
                "2060-02-29T00:00:00Z",
            ),
            (
                "0 0 29 2 */7",
                "2088-02-29T00:00:00Z",
                "2128-02-29T00:00:00Z",
            ),
            // Of both kinds of days either is enough.
            ("0 0 13 * 5", "2026-11-30T00:00:00Z", "2026-12-04T00:00:00Z"),
            ("0 0 13 * 5", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"),
            (
                "59 23 31 12 *",
                "2026-12-31T23:59:00Z",
                "2027-12-31T23:59:00Z",
            ),
            (
                "5,3 1 1 1,7 *",
                "2026-06-30T00:00:00Z",
                "2026-07-01T01:03:00Z",
            ),
        ] {
            assert_eq!(next(cron, at), expected, "{cron} {at}");
        }
    }

    #[test]
    fn bad_schedules_are_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1,,2 * * * *",
            "-1 * * * *",
            "+1 * * * *",
            "1- * * * *",
            "0 0 31 2 *",
            "@daily",
            "0 0 31 4,6 *",
        ] {
            assert_eq!(Cron::parse(text), None, "{text}");
        }
    }
}
