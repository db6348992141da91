//! Time zones.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Timestamp;

/// A time zone of the IANA database, which is compiled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone with an IANA name such as `Europe/Berlin`.
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        // The library's name for an unknown zone, which is not in the database.
        (!zone.is_unknown()).then_some(Self(zone))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Midnight at the start of a bare date such as `2026-06-01`. If the clocks skip midnight, the
    /// time that they skip to; if they show it twice, the first time.
    pub fn midnight(&self, date: &str) -> Option<Timestamp> {
        let bytes = date.as_bytes();
        let is_bare = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
        let date: Date = date.parse().ok().filter(|_| is_bare)?;
        self.resolve(date.at(0, 0, 0, 0))
    }

    /// The time at which the clocks show a date and time of day: the later one in a gap, the
    /// earlier one in a fold.
    pub fn resolve(&self, shown: DateTime) -> Option<Timestamp> {
        let moment = self.0.to_ambiguous_timestamp(shown).compatible().ok()?;
        Timestamp::from_millis(moment.as_millisecond())
    }

    /// Whether the zone has a fixed offset.
    pub fn is_fixed(&self) -> bool {
        self.0.to_fixed_offset().is_ok()
    }

    /// The date and time of day that the clocks show.
    pub fn shown_at(&self, at: Timestamp) -> Option<DateTime> {
        let moment = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        Some(self.0.to_datetime(moment))
    }
}
