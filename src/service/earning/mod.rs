//! The earning engine: participants, which are its view of members, and their balances.

mod balances;
mod causes;
mod checks;
mod expirations;
mod funds;
mod holds;
mod journal;
mod lots;
mod moves;
mod participants;
pub(in crate::service) mod past;
mod redemptions;
mod rules;
mod scope;
mod state;
mod statement;
mod stored_events;
mod subject;

pub use self::expirations::{ExpirationSelection, Granularity};
pub use self::funds::FundingKind;
pub use self::journal::JournalFilter;
pub use self::lots::LotFilter;
pub use self::redemptions::RedemptionSelection;
pub use self::state::HistoryFilter;
pub use self::statement::StatementSelection;
pub use self::stored_events::EventSelection;
