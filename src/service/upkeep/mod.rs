//! Upkeep of the server and its database.

mod clock;
pub(in crate::service) mod clock_watch;
mod metrics;
mod server;
pub mod transfer;
pub mod verify;
