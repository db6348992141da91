//! The earning engine: participants, which are its view of members, and their balances.

mod subject;
