//! The sums over the wallets of a program, and the head of its chain of hashes, written once a
//! batch.
//!
//! Every entry of a ledger changes both, and most entries of a batch belong to few
//! programs. So a program's row is read when it is first needed, both are kept here, and they
//! are written back before the commit of the transaction that changed them. Only the writer changes
//! them, so what is kept stays true from batch to batch.

use std::collections::hash_map::Entry;

use rusqlite::Connection;

use crate::domain::{ByNumber, Currency, Points, ProgramNumber};
use crate::store::Error;
use crate::store::log::chain::Hash;
use crate::store::tables::programs;

/// Programs that are kept from batch to batch.
const PROGRAMS_MAX: usize = 1024;

/// What is kept of a program's row.
#[derive(Debug)]
struct ProgramSums {
    /// Points that came into wallets, ever.
    received: Points,
    /// Points that went out of wallets, ever.
    spent: Points,
    /// The hash of the newest ledger entry.
    chain: Hash,
    /// Whether the log has the hash that the entries of this batch follow.
    has_start: bool,
    /// What the points are called, if that was read since it last changed.
    currency: Option<Currency>,
    /// Whether the row has other sums or another hash.
    is_changed: bool,
}

/// How to undo what the open write did to a program's sums.
#[derive(Debug)]
enum Undo {
    Forget(ProgramNumber),
    Restore(ProgramNumber, Points, Points),
    RestoreChain(ProgramNumber, Hash, bool),
    ForgetCurrency(ProgramNumber),
}

/// The sums of the programs that were written to of late.
#[derive(Debug, Default)]
pub(in crate::store) struct Sums {
    programs: ByNumber<ProgramNumber, ProgramSums>,
    /// Of the open write, in order.
    undo: Vec<Undo>,
}

impl Sums {
    /// Adds to the sums of a program; `false`, and nothing is changed, if one would pass
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

    /// Puts the hash of a program's next ledger entry, which `next` makes of the one before it, at
    /// the head of the chain. The one before comes back if the log does not have it yet: the entry
    /// is the first of its program in this batch.
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

    /// What the points of a program are called.
    pub(in crate::store) fn currency(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
    ) -> Result<&Currency, Error> {
        let sums = Self::of(&mut self.programs, &mut self.undo, connection, program)?;
        match &mut sums.currency {
            Some(currency) => Ok(currency),
            none => Ok(none.insert(programs::currency_of(connection, program)?)),
        }
    }

    /// Says that the open write changed what the points of a program are called.
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
                // The open write may be the one that made the program.
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

    /// A new write begins: the one before it stands.
    pub(super) fn mark(&mut self) {
        self.undo.clear();
    }

    /// Undoes what the open write did.
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

    /// Writes what changed.
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

    /// Forgets everything: what became of it is not known.
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

        // The first that asks is undone: nothing of it is kept.
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

        // A total that would pass its limit is refused and changes nothing.
        sums.mark();
        assert!(!add(&mut sums, Points::MAX.get(), 0));
        assert!(add(&mut sums, 1, 4));
        sums.flush(connection).unwrap();
        assert_eq!(row(connection), (6, 4));
    }

    #[test]
    fn the_name_of_a_currency_is_read_anew_once_it_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        connection.execute_batch(FURNISH).unwrap();
        let mut sums = Sums::default();
        let name = |sums: &mut Sums| {
            let currency = sums.currency(connection, PROGRAM).unwrap();
            currency.name.as_str().to_owned()
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
