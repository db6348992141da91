//! How long before points expire this is announced.

use std::time::Duration;

use super::Timestamp;

/// How long before points expire this is announced: 1 to 366 days of 24 hours.
///
/// ```
/// use stampcard::domain::{ExpiryNotice, Timestamp};
/// let notice = ExpiryNotice::new(7).unwrap();
/// let end = Timestamp::parse("2026-03-31T12:00:00Z").unwrap();
/// assert_eq!(notice.before(end).to_string(), "2026-03-24T12:00:00.000Z");
/// assert_eq!(notice.after(notice.before(end)), end);
/// assert_eq!(ExpiryNotice::new(367), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryNotice(u16);

impl ExpiryNotice {
    /// The most days.
    pub const DAYS_MAX: i64 = 366;

    /// A number of days; `None` if it is out of range.
    pub fn new(days: i64) -> Option<Self> {
        let days = Some(days).filter(|days| (1..=Self::DAYS_MAX).contains(days))?;
        u16::try_from(days).ok().map(Self)
    }

    /// The number of days.
    pub fn days(self) -> i64 {
        self.0.into()
    }

    /// When points are announced that expire at a time.
    pub fn before(self, end: Timestamp) -> Timestamp {
        end.saturating_sub(self.duration())
    }

    /// When points expire that are announced at a time.
    pub fn after(self, at: Timestamp) -> Timestamp {
        at.saturating_add(self.duration())
    }

    fn duration(self) -> Duration {
        Duration::from_hours(24 * u64::from(self.0))
    }
}
