//! The figures of programs, organizations and partners, from memory, and their snapshots.

pub(in crate::service) mod analytics;
pub(in crate::service) mod derived;
mod partner;
mod reports;
pub(in crate::service) mod snapshots;

pub use self::analytics::{Analytics, TimeForm, TimeseriesSelection, unknown_series_offer};
pub use self::reports::ActivitySelection;
