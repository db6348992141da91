//! The figures of programs, organizations and partners, from memory; and how they and the books are
//! saved and loaded.

mod analytics;
pub(in crate::service) mod derived;
pub(in crate::service) mod fold;
pub(in crate::service) mod generations;
mod ledger_summary;
pub(in crate::service) mod listed_assets;
mod partner;
mod reports;
pub(in crate::service) mod saved;
pub(in crate::service) mod saving;
pub(in crate::service) mod snapshots;
mod steps;
mod turns;

pub use self::analytics::{
    Analytics, MembersSelection, TimeForm, TimeseriesSelection, unknown_series_offer,
};
pub use self::fold::FoldError;
pub use self::reports::ActivitySelection;
pub use self::saved::Loaded;
