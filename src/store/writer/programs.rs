//! What the writer caches of each program: the head of its chain of hashes, and its currency.
//!
//! Only the writer changes them, so the cached values stay valid from batch to batch. The log does
//! not store the head, because it follows from the newest entry that stores the hash before it,
//! and from the entries after that one: those of one commit.

use std::collections::hash_map::Entry;

use rusqlite::Connection;

use crate::books::ProgramRecord;
use crate::domain::{ByNumber, Currency, ProgramNumber};
use crate::store::Error;
use crate::store::log::chain::Hash;
use crate::store::log::chain_head;
use crate::store::tables::programs;

/// Programs that are cached from batch to batch.
const PROGRAMS_MAX: usize = 1 << 16;

/// The cached values of a program.
#[derive(Debug, Default)]
struct Cached {
    /// The hash of the newest ledger entry, if it was needed before.
    chain: Option<Hash>,
    /// Whether an entry of this batch stores the hash before it.
    has_start: bool,
    /// The currency, if it was read since it last changed.
    currency: Option<Currency>,
}

/// A step that undoes a change of the open write.
#[derive(Debug)]
enum Undo {
    Forget(ProgramNumber),
    RestoreChain(ProgramNumber, Option<Hash>, bool),
    ForgetCurrency(ProgramNumber),
}

/// The cached values of recently used programs.
#[derive(Debug, Default)]
pub(in crate::store) struct Programs {
    cached: ByNumber<ProgramNumber, Cached>,
    /// The programs with a ledger entry in this batch.
    started: Vec<ProgramNumber>,
    /// The steps that undo the open write, in the order of its changes.
    undo: Vec<Undo>,
}

impl Programs {
    /// Puts the hash of a program's next ledger entry, which `next` computes from the one before
    /// it, at the head of the chain. Returns the hash before it if the entry is the first of its
    /// program in this batch and so has to store that hash. `record` is the state of the program
    /// before the entry.
    pub(in crate::store) fn extend_chain(
        &mut self,
        connection: &Connection,
        (program, record): (ProgramNumber, ProgramRecord),
        next: impl FnOnce(&Hash) -> Hash,
    ) -> Result<Option<Hash>, Error> {
        let cached = Self::of(&mut self.cached, &mut self.undo, program);
        let before = match cached.chain {
            Some(chain) => chain,
            None => chain_head(connection, program, record)?,
        };
        self.undo
            .push(Undo::RestoreChain(program, cached.chain, cached.has_start));
        cached.chain = Some(next(&before));
        let had_start = std::mem::replace(&mut cached.has_start, true);
        if !had_start {
            self.started.push(program);
        }
        Ok((!had_start).then_some(before))
    }

    /// The currency of a program's points.
    pub(in crate::store) fn currency(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
    ) -> Result<&Currency, Error> {
        let cached = Self::of(&mut self.cached, &mut self.undo, program);
        match &mut cached.currency {
            Some(currency) => Ok(currency),
            none => Ok(none.insert(programs::currency_of(connection, program)?)),
        }
    }

    /// Takes in that the open write changed the currency of a program.
    pub(in crate::store) fn currency_changed(&mut self, program: ProgramNumber) {
        if let Some(cached) = self.cached.get_mut(&program) {
            cached.currency = None;
            self.undo.push(Undo::ForgetCurrency(program));
        }
    }

    fn of<'a>(
        cached: &'a mut ByNumber<ProgramNumber, Cached>,
        undo: &mut Vec<Undo>,
        program: ProgramNumber,
    ) -> &'a mut Cached {
        match cached.entry(program) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                // The open write may be the one that created the program.
                undo.push(Undo::Forget(program));
                entry.insert(Cached::default())
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
                    self.cached.remove(&program);
                }
                Undo::ForgetCurrency(program) => {
                    if let Some(cached) = self.cached.get_mut(&program) {
                        cached.currency = None;
                    }
                }
                Undo::RestoreChain(program, chain, has_start) => {
                    if let Some(cached) = self.cached.get_mut(&program) {
                        cached.chain = chain;
                        cached.has_start = has_start;
                    }
                }
            }
        }
    }

    /// Ends a batch, before its commit: the next entry of each program stores the hash before it.
    pub(super) fn end_batch(&mut self) {
        self.undo.clear();
        for program in self.started.drain(..) {
            if let Some(cached) = self.cached.get_mut(&program) {
                cached.has_start = false;
            }
        }
        if self.cached.len() > PROGRAMS_MAX {
            self.cached.clear();
        }
    }

    /// Forgets everything, as its state in the database is not known.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Seq;
    use crate::store::Database;
    use crate::store::log::chain;

    const PROGRAM: ProgramNumber = ProgramNumber(1);
    const FURNISH: &str = "
        INSERT INTO organization (id, uuid, environment, name, status, tier, created_at)
        VALUES (1, randomblob(16), 'sandbox', 'One', 'active', 'paid', 0);
        INSERT INTO program (id, uuid, organization_id, name, status, currency_name,
            currency_symbol, default_tier, created_at, updated_at)
        VALUES (1, randomblob(16), 1, 'One', 'ACTIVE', 'Beans', 'b', 'standard', 0, 0)";

    fn with_database(test: impl FnOnce(&Connection)) {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        database.connection().execute_batch(FURNISH).unwrap();
        test(database.connection());
    }

    #[test]
    fn a_write_that_is_undone_leaves_the_chain_of_those_before_it() {
        with_database(|connection| {
            let mut programs = Programs::default();
            let none = (PROGRAM, ProgramRecord::default());
            let extend = |programs: &mut Programs, hash: u8| {
                programs
                    .extend_chain(connection, none, |_| [hash; 32])
                    .unwrap()
            };
            // The first write is undone: nothing of it stays cached.
            programs.mark();
            assert_eq!(extend(&mut programs, 9), Some(chain::START));
            programs.undo();
            programs.mark();
            assert_eq!(extend(&mut programs, 1), Some(chain::START));
            programs.mark();
            assert_eq!(extend(&mut programs, 2), None);
            programs.undo();
            programs.end_batch();
            programs.mark();
            // The first entry of the next batch stores the hash that it follows.
            assert_eq!(extend(&mut programs, 3), Some([1; 32]));
            programs.undo();
            assert_eq!(extend(&mut programs, 4), Some([1; 32]));
        });
    }

    #[test]
    fn an_entry_that_the_log_should_have_and_does_not_is_no_start_of_a_chain() {
        with_database(|connection| {
            let record = ProgramRecord {
                chain_start: Some(Seq(1)),
                last_entry: Some(Seq(2)),
                ..ProgramRecord::default()
            };
            let mut programs = Programs::default();
            let extended = programs.extend_chain(connection, (PROGRAM, record), |_| [1; 32]);
            assert!(matches!(extended, Err(Error::Impossible(_))));
        });
    }

    #[test]
    fn the_name_of_a_currency_is_read_again_once_it_was_changed() {
        with_database(|connection| {
            let mut programs = Programs::default();
            let name = |programs: &mut Programs| {
                let currency = programs.currency(connection, PROGRAM).unwrap();
                currency.name.as_str().to_owned()
            };
            assert_eq!(name(&mut programs), "Beans");
            programs.mark();
            connection.execute_batch("SAVEPOINT job").unwrap();
            let rename = "UPDATE program SET currency_name = 'Stars'";
            connection.execute_batch(rename).unwrap();
            programs.currency_changed(PROGRAM);
            assert_eq!(name(&mut programs), "Stars");
            connection.execute_batch("ROLLBACK TO job").unwrap();
            programs.undo();
            assert_eq!(name(&mut programs), "Beans");
        });
    }
}
