//! Events: they are stored, and processed by the earning rules in the same transaction.

mod effects;
mod ingest;
mod named;
mod processing;
mod reading;

pub use self::reading::EventSelection;
