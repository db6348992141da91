//! Reads and writes the rows of the tables. A folder holds related tables.

pub mod assets;
pub mod attachments;
pub mod books;
pub(in crate::store) mod cells;
mod clocks;
pub(in crate::store) mod columns;
pub(in crate::store) mod compiled_rules;
pub mod conversations;
pub mod credentials;
pub mod credits;
pub mod evaluations;
pub mod gateways;
pub mod interests;
pub mod members;
pub mod offers;
pub mod organizations;
pub mod phone_codes;
pub mod points_rules;
pub mod pools;
pub mod programs;
pub(in crate::store) mod query;
pub mod redemptions;
pub mod rules;
pub mod sandbox;
pub mod settings;
pub mod snapshots;
pub mod state;
pub mod stored_events;
pub mod terms;
pub mod webhooks;

pub use self::conversations::inbox;
pub use self::members::{removals, search};
pub use self::webhooks::deliveries;
