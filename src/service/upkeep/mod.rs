//! The care of the server and its database.

pub(in crate::service) mod clock;
mod metrics;
mod server;
pub mod transfer;
pub mod verify;
