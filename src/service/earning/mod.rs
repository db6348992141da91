//! The earning engine: participants, which are its view of members, and their balances.

mod balances;
mod checks;
mod holds;
mod moves;
mod participants;
mod subject;
