//! The resources of a loyalty program: members, wallets, offers, interests, redemptions,
//! conversations.

mod actors;
pub(in crate::service) mod assets;
mod attachments;
mod attribute_log;
mod configuration;
mod conversations;
pub(in crate::service) mod due;
mod interests;
pub(in crate::service) mod ledger;
pub(in crate::service) mod members;
mod offers;
pub(in crate::service) mod opening;
mod past_wallets;
pub(in crate::service) mod points;
pub(in crate::service) mod profiles;
pub(in crate::service) mod redemptions;
pub(in crate::service) mod sandbox;
pub(in crate::service) mod standing;
mod terms;
mod tokens;
mod wallet_of;
mod wallets;

pub(in crate::service) use self::actors::Actors;
pub use self::attachments::{LinkedFile, NewFile};
pub use self::members::RemoveOptions;
pub use self::redemptions::UNKNOWN_OFFER;
pub use self::wallets::TransactionSelection;
