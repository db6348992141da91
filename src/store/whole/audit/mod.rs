//! The checks of `stampcard verify`, in plain SQL over the tables. They share no code with the
//! parts that compute the figures.
//!
//! A check returns its findings: a sentence for each row that is wrong.

mod attachments;
mod constraints;
mod contradictions;
mod figures;
mod findings;
mod ledger;
mod members;
mod structure;
mod values;

use rusqlite::Connection;

pub use self::attachments::{attachments, erased_attachments};
pub use self::contradictions::contradictions;
pub use self::figures::{
    DayRow, OfferNumbersRow, ProgramNumberRow, offer_numbers, program_numbers, timeline_days,
};
pub use self::ledger::{
    AccountRow, FundsRow, FurtherRow, accounts, chains, credits, funds, further_accounts,
    redemptions,
};
pub use self::members::{MemberDayRow, member_days};
pub use self::structure::{cursors, foreign_keys, integrity, schema};
pub use self::values::{missing_settings, start, values};
use crate::store::Error;

/// Begins a read transaction, so that several checks see the same rows.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn begin_snapshot(connection: &Connection) -> Result<rusqlite::Transaction<'_>, Error> {
    Ok(connection.unchecked_transaction()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA;

    #[test]
    fn an_empty_database_has_no_findings() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        for check in [
            values,
            missing_settings,
            contradictions,
            attachments,
            cursors,
            start,
        ] {
            assert_eq!(check(&connection).unwrap(), Vec::<String>::new());
        }
    }
}
