//! The tables, one file each: their rows, read and written.

pub(in crate::store) mod cells;
pub mod conversations;
pub mod credentials;
pub mod credits;
pub mod deliveries;
pub mod inbox;
pub mod members;
pub mod offers;
pub mod organizations;
pub mod programs;
pub mod redemptions;
pub mod removals;
pub mod sandbox;
pub mod search;
pub mod settings;
pub mod snapshots;
pub mod webhooks;
