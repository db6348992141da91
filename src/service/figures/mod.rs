//! The figures of programs, organizations and partners, from memory, and their snapshots.

mod analytics;
pub(in crate::service) mod derived;
mod partner;
mod reports;
pub(in crate::service) mod snapshots;
mod turns;

pub use self::analytics::{Analytics, TimeForm, TimeseriesSelection, unknown_series_offer};
pub use self::reports::ActivitySelection;
