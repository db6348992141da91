//! The events of the catalogue, and the webhooks that deliver them.

pub(in crate::service) mod catalogue;
pub(in crate::service) mod gateways;
mod lookups;
mod sending;
mod signals;
mod targets;
pub(in crate::service) mod webhooks;

pub use self::catalogue::ShownEvent;
pub(in crate::service) use self::catalogue::{record, record_entry};
pub use self::gateways::{Parcel, Post, Posted};
pub use self::lookups::SystemNames;
pub use self::sending::{DueDeliveries, Outcome, after_attempt};
pub use self::signals::{Announcements, Signals};
pub use self::targets::{Addresses, Names, Targets};
