//! The currencies of programs, which most answers name.
//!
//! Only the writer changes them, so that a currency that was read stays valid from batch to batch.

use std::collections::hash_map::Entry;

use rusqlite::Connection;

use crate::domain::{ByNumber, ProgramNumber};
use crate::store::Error;
use crate::store::tables::programs::{self, CurrencyVersion};

/// Currencies that are cached from batch to batch.
const PROGRAMS_MAX: usize = 1024;

/// The currencies of recently used programs.
#[derive(Debug, Default)]
pub(super) struct Currencies {
    cached: ByNumber<ProgramNumber, CurrencyVersion>,
    /// The programs whose currency the open write read or changed.
    open: Vec<ProgramNumber>,
}

impl Currencies {
    /// The currency of a program's points.
    pub(super) fn get(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
    ) -> Result<&CurrencyVersion, Error> {
        match self.cached.entry(program) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                // The open write may be the one that created the program.
                self.open.push(program);
                Ok(entry.insert(programs::currency_of(connection, program)?))
            }
        }
    }

    /// Takes in that the open write changed the currency of a program.
    pub(super) fn changed(&mut self, program: ProgramNumber) {
        self.cached.remove(&program);
    }

    /// Begins a new write: the one before it stands.
    pub(super) fn mark(&mut self) {
        self.open.clear();
    }

    /// Undoes the open write.
    pub(super) fn undo(&mut self) {
        for program in self.open.drain(..) {
            self.cached.remove(&program);
        }
    }

    /// Ends a batch, before its commit.
    pub(super) fn end_batch(&mut self) {
        self.open.clear();
        if self.cached.len() > PROGRAMS_MAX {
            self.cached.clear();
        }
    }

    /// Forgets everything, as its state in the database is not known.
    pub(super) fn clear(&mut self) {
        self.cached.clear();
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    const PROGRAM: ProgramNumber = ProgramNumber(1);
    const FURNISH: &str = "
        INSERT INTO organization (id, uuid, environment, name, status, tier, created_at)
        VALUES (1, randomblob(16), 'sandbox', 'One', 'active', 'paid', 0);
        INSERT INTO program (id, uuid, organization_id, name, status, currency_name,
            currency_symbol, default_tier, created_at, updated_at)
        VALUES (1, randomblob(16), 1, 'One', 'ACTIVE', 'Beans', 'b', 'standard', 0, 0)";

    #[test]
    fn a_currency_is_read_again_once_it_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        connection.execute_batch(FURNISH).unwrap();
        let mut currencies = Currencies::default();
        let name = |currencies: &mut Currencies| {
            let currency = currencies.get(connection, PROGRAM).unwrap();
            currency.currency.name.as_str().to_owned()
        };
        assert_eq!(name(&mut currencies), "Beans");
        currencies.mark();
        connection.execute_batch("SAVEPOINT job").unwrap();
        let rename = "UPDATE program SET currency_name = 'Stars'";
        connection.execute_batch(rename).unwrap();
        currencies.changed(PROGRAM);
        assert_eq!(name(&mut currencies), "Stars");
        connection.execute_batch("ROLLBACK TO job").unwrap();
        currencies.undo();
        assert_eq!(name(&mut currencies), "Beans");
    }
}
