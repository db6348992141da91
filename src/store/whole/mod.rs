//! The database as a whole: its checks, exports and imports, and the erasure of personal data.

pub mod audit;
pub mod dump;
pub mod erasure;
pub mod import_batches;
pub(in crate::store) mod rules;
pub mod transfer;
