//! The active rules of programs, compiled when they are first used after a start or a change.
//!
//! Only the writer changes them, so that what was compiled stays valid from batch to batch.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::{ByNumber, ProgramNumber};
use crate::store::Error;
use crate::store::tables::compiled_rules::{self, CompiledRules};

/// Programs whose rules are cached from batch to batch.
const PROGRAMS_MAX: usize = 1024;

/// The rules of recently used programs.
#[derive(Debug, Default)]
pub(super) struct CachedRules {
    cached: ByNumber<ProgramNumber, Arc<CompiledRules>>,
    /// The programs whose rules the open write compiled.
    open: Vec<ProgramNumber>,
}

impl CachedRules {
    /// The active rules of a program.
    pub(super) fn get(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
    ) -> Result<Arc<CompiledRules>, Error> {
        match self.cached.entry(program) {
            Entry::Occupied(entry) => Ok(Arc::clone(entry.get())),
            Entry::Vacant(entry) => {
                // The open write may be the one that changed them.
                self.open.push(program);
                let rules = Arc::new(compiled_rules::compiled(connection, program)?);
                Ok(Arc::clone(entry.insert(rules)))
            }
        }
    }

    /// Takes in that the open write changed the rules of a program, or what they know of assets.
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
        self.mark();
        if self.cached.len() > PROGRAMS_MAX {
            self.cached.clear();
        }
    }

    /// Forgets everything, as its state in the database is not known.
    pub(super) fn clear(&mut self) {
        self.cached.clear();
        self.mark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    const PROGRAM: ProgramNumber = ProgramNumber(1);

    #[test]
    fn rules_are_compiled_again_once_they_were_changed() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        let furnish = r#"
            INSERT INTO organization (id, uuid, environment, name, status, tier, created_at)
            VALUES (1, randomblob(16), 'sandbox', 'One', 'active', 'paid', 0);
            INSERT INTO program (id, uuid, organization_id, name, status, currency_name,
                currency_symbol, default_tier, created_at, updated_at)
            VALUES (1, randomblob(16), 1, 'One', 'ACTIVE', 'Beans', 'b', 'standard', 0, 0);
            INSERT INTO rule_version (id, rule_id, number, seq, change_type, evaluator, document)
            VALUES (7, 3, 1, 1, 'created', 1, '{"name": "One", "status": "ACTIVE", "rule": {
                "condition": "true", "actions": [{"type": "TAG", "tag": "x"}], "order": 10,
                "stop_after_match": false, "budgets": []}}')"#;
        // The version is written before its rule here.
        connection
            .execute_batch("PRAGMA foreign_keys = OFF")
            .unwrap();
        connection.execute_batch(furnish).unwrap();
        let mut cached = CachedRules::default();
        let count = |cached: &mut CachedRules| {
            let rules = cached.get(connection, PROGRAM).unwrap();
            rules.set.rules().len()
        };
        assert_eq!(count(&mut cached), 0);
        cached.mark();
        connection.execute_batch("SAVEPOINT job").unwrap();
        let insert = "INSERT INTO rule (id, uuid, program_id, name, status, position, newest,
                created_at, updated_at)
            VALUES (3, randomblob(16), 1, 'One', 'ACTIVE', 10, 7, 0, 0)";
        connection.execute_batch(insert).unwrap();
        assert_eq!(count(&mut cached), 0, "nobody said that they changed");
        cached.changed(PROGRAM);
        assert_eq!(count(&mut cached), 1);
        connection.execute_batch("ROLLBACK TO job").unwrap();
        cached.undo();
        assert_eq!(count(&mut cached), 0);
    }
}
