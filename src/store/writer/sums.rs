//! The sums over the wallets of a program, and the head of its chain of hashes, written once a
//! batch.
//!
//! Every ledger entry changes both, and most entries of a batch belong to few programs. So a
//! program's row is read when it is first needed, both values are cached here, and they are written
//! back before the commit of the transaction that changed them. Only the writer changes them, so
//! the cached values stay valid from batch to batch.

use std::collections::hash_map::Entry;

use rusqlite::Connection;

use crate::domain::{ByNumber, Points, ProgramNumber};
use crate::store::Error;
use crate::store::log::chain::Hash;
use crate::store::tables::programs::{self, CurrencyVersion};

/// Programs that are cached from batch to batch.
const PROGRAMS_MAX: usize = 1024;

/// The cached part of a program's row.
#[derive(Debug)]
struct ProgramSums {
    /// All points that wallets ever received.
    received: Points,
    /// All points that were ever spent from wallets.
    spent: Points,
    /// The hash of the newest ledger entry.
    chain: Hash,
    /// Whether the log already holds the hash that the first entry of this batch follows.
    has_start: bool,
    /// The currency, if it was read since it last changed.
    currency: Option<CurrencyVersion>,
    /// Whether the row has to be updated.
    is_changed: bool,
}

/// A step that undoes a change of the open write.
#[derive(Debug)]
enum Undo {
    Forget(ProgramNumber),
    Restore(ProgramNumber, Points, Points),
    RestoreChain(ProgramNumber, Hash, bool),
    ForgetCurrency(ProgramNumber),
}

/// The sums of recently used programs.
#[derive(Debug, Default)]
pub(in crate::store) struct Sums {
    programs: ByNumber<ProgramNumber, ProgramSums>,
    /// The steps that undo the open write, in the order of its changes.
    undo: Vec<Undo>,
}

impl Sums {
    /// Adds to the sums of a program. Returns `false` and changes nothing if one would exceed
    /// [`Points::MAX`].
    pub(in crate::store) fn add(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
        received: Points,
        spent: Points,
    ) -> Result<bool, Error> {
        let sums = Self::of(&mut self.programs, &mut self.undo, connection, program)?;
        let after = (
            sums.received.checked_add(received),
            sums.spent.checked_add(spent),
        );
        let (Some(received), Some(spent)) = after else {
            return Ok(false);
        };
        self.undo
            .push(Undo::Restore(program, sums.received, sums.spent));
        sums.received = received;
        sums.spent = spent;
        sums.is_changed = true;
        Ok(true)
    }

    /// Puts the hash of a program's next ledger entry, which `next` computes from the one before
    /// it, at the head of the chain. Returns the hash before it if the entry is the first of its
    /// program in this batch and so has to store that hash.
    pub(in crate::store) fn extend_chain(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
        next: impl FnOnce(&Hash) -> Hash,
    ) -> Result<Option<Hash>, Error> {
        let sums = Self::of(&mut self.programs, &mut self.undo, connection, program)?;
        let before = sums.chain;
        self.undo
            .push(Undo::RestoreChain(program, before, sums.has_start));
        sums.chain = next(&before);
        sums.is_changed = true;
        let had_start = std::mem::replace(&mut sums.has_start, true);
        Ok((!had_start).then_some(before))
    }

    /// The currency of a program's points.
    pub(in crate::store) fn currency(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
    ) -> Result<&CurrencyVersion, Error> {
        let sums = Self::of(&mut self.programs, &mut self.undo, connection, program)?;
        match &mut sums.currency {
            Some(currency) => Ok(currency),
            none => Ok(none.insert(programs::currency_of(connection, program)?)),
        }
    }

    /// Takes in that the open write changed the currency of a program.
    pub(in crate::store) fn currency_changed(&mut self, program: ProgramNumber) {
        if let Some(sums) = self.programs.get_mut(&program) {
            sums.currency = None;
            self.undo.push(Undo::ForgetCurrency(program));
        }
    }

    fn of<'a>(
        programs: &'a mut ByNumber<ProgramNumber, ProgramSums>,
        undo: &mut Vec<Undo>,
        connection: &Connection,
        program: ProgramNumber,
    ) -> Result<&'a mut ProgramSums, Error> {
        match programs.entry(program) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let (received, spent, chain, currency) = programs::sums(connection, program)?;
                // The open write may be the one that created the program.
                undo.push(Undo::Forget(program));
                Ok(entry.insert(ProgramSums {
                    received,
                    spent,
                    chain,
                    has_start: false,
                    currency: Some(currency),
                    is_changed: false,
                }))
            }
        }
    }

    /// Begins a new write: the one before it stands.
    pub(super) fn mark(&mut self) {
        self.undo.clear();
    }

    /// Undoes the open write.
    pub(super) fn undo(&mut self) {
        for undo in self.undo.drain(..).rev() {
            match undo {
                Undo::Forget(program) => {
                    self.programs.remove(&program);
                }
                Undo::ForgetCurrency(program) => {
                    if let Some(sums) = self.programs.get_mut(&program) {
                        sums.currency = None;
                    }
                }
                Undo::Restore(program, received, spent) => {
                    if let Some(sums) = self.programs.get_mut(&program) {
                        sums.received = received;
                        sums.spent = spent;
                    }
                }
                Undo::RestoreChain(program, chain, has_start) => {
                    if let Some(sums) = self.programs.get_mut(&program) {
                        sums.chain = chain;
                        sums.has_start = has_start;
                    }
                }
            }
        }
    }

    /// Writes the changed sums to the database.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<(), Error> {
        self.undo.clear();
        for (program, sums) in &mut self.programs {
            if std::mem::take(&mut sums.is_changed) {
                let (received, spent) = (sums.received, sums.spent);
                programs::set_sums(connection, *program, received, spent, &sums.chain)?;
                sums.has_start = false;
            }
        }
        if self.programs.len() > PROGRAMS_MAX {
            self.programs.clear();
        }
        Ok(())
    }

    /// Forgets everything, as its state in the database is not known.
    pub(super) fn clear(&mut self) {
        self.programs.clear();
        self.undo.clear();
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

    fn row(connection: &Connection) -> (i64, i64) {
        let (received, spent, ..) = programs::sums(connection, PROGRAM).unwrap();
        (received.get(), spent.get())
    }

    #[test]
    fn a_write_that_is_undone_leaves_the_sums_of_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        connection.execute_batch(FURNISH).unwrap();
        let points = |number| Points::new(number).unwrap();
        let mut sums = Sums::default();
        let add = |sums: &mut Sums, received, spent| {
            sums.add(connection, PROGRAM, points(received), points(spent))
                .unwrap()
        };

        // The first write is undone: nothing of it stays cached.
        sums.mark();
        assert!(add(&mut sums, 9, 0));
        sums.undo();
        sums.mark();
        assert!(add(&mut sums, 5, 0));
        sums.mark();
        assert!(add(&mut sums, 7, 1));
        assert!(add(&mut sums, 0, 2));
        sums.undo();
        assert_eq!(row(connection), (0, 0));
        sums.flush(connection).unwrap();
        assert_eq!(row(connection), (5, 0));

        // A total that would exceed its limit is refused and changes nothing.
        sums.mark();
        assert!(!add(&mut sums, Points::MAX.get(), 0));
        assert!(add(&mut sums, 1, 4));
        sums.flush(connection).unwrap();
        assert_eq!(row(connection), (6, 4));
    }

    #[test]
    fn the_name_of_a_currency_is_read_again_once_it_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        connection.execute_batch(FURNISH).unwrap();
        let mut sums = Sums::default();
        let name = |sums: &mut Sums| {
            let currency = sums.currency(connection, PROGRAM).unwrap();
            currency.currency.name.as_str().to_owned()
        };
        assert_eq!(name(&mut sums), "Beans");
        sums.mark();
        connection.execute_batch("SAVEPOINT job").unwrap();
        let rename = "UPDATE program SET currency_name = 'Stars'";
        connection.execute_batch(rename).unwrap();
        sums.currency_changed(PROGRAM);
        assert_eq!(name(&mut sums), "Stars");
        connection.execute_batch("ROLLBACK TO job").unwrap();
        sums.undo();
        assert_eq!(name(&mut sums), "Beans");
    }
}
