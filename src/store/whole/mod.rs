//! The database as a whole: audited, exported, imported, and cleared of a person's words.

pub mod audit;
pub mod dump;
pub mod erasure;
pub mod import_batches;
pub(in crate::store) mod rules;
pub mod transfer;
