//! The settings of programs that most writes need: the currency, which most answers name, and how
//! points are kept.
//!
//! Only the writer changes them, so that what was read stays valid from batch to batch.

use std::collections::hash_map::Entry;

use rusqlite::Connection;

use crate::domain::{AssetNumber, ByNumber, PointsRules, ProgramNumber};
use crate::store::Error;
use crate::store::tables::points_rules;
use crate::store::tables::programs::{self, CurrencyVersion};

/// Programs whose settings are cached from batch to batch.
const PROGRAMS_MAX: usize = 1024;

/// The cached settings of a program.
#[derive(Debug)]
pub(super) struct ProgramSettings {
    pub(super) currency: CurrencyVersion,
    pub(super) points: PointsRules,
}

/// The settings of recently used programs.
#[derive(Debug, Default)]
pub(super) struct CachedSettings {
    cached: ByNumber<ProgramNumber, ProgramSettings>,
    /// The programs whose settings the open write read or changed.
    open: Vec<ProgramNumber>,
    /// Those of further assets.
    assets: ByNumber<AssetNumber, PointsRules>,
}

impl CachedSettings {
    /// The settings of a program.
    pub(super) fn get(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
    ) -> Result<&ProgramSettings, Error> {
        match self.cached.entry(program) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                // The open write may be the one that created the program.
                self.open.push(program);
                Ok(entry.insert(ProgramSettings {
                    currency: programs::currency_of(connection, program)?,
                    points: points_rules::rules(connection, program)?,
                }))
            }
        }
    }

    /// The settings of a further asset.
    pub(super) fn of_asset(
        &mut self,
        connection: &Connection,
        asset: AssetNumber,
    ) -> Result<&PointsRules, Error> {
        match self.assets.entry(asset) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(points_rules::of_asset(connection, asset)?)),
        }
    }

    /// Takes in that the open write changed the settings of a program, or of an asset of it.
    pub(super) fn changed(&mut self, program: ProgramNumber) {
        self.cached.remove(&program);
        self.assets.clear();
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
        self.assets.clear();
    }

    /// Ends a batch, before its commit.
    pub(super) fn end_batch(&mut self) {
        self.open.clear();
        if self.cached.len() > PROGRAMS_MAX {
            self.cached.clear();
        }
        if self.assets.len() > PROGRAMS_MAX {
            self.assets.clear();
        }
    }

    /// Forgets everything, as its state in the database is not known.
    pub(super) fn clear(&mut self) {
        self.cached.clear();
        self.open.clear();
        self.assets.clear();
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
    fn settings_are_read_again_once_they_were_changed() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        connection.execute_batch(FURNISH).unwrap();
        let mut settings = CachedSettings::default();
        let name = |settings: &mut CachedSettings| {
            let settings = settings.get(connection, PROGRAM).unwrap();
            settings.currency.currency.name.as_str().to_owned()
        };
        assert_eq!(name(&mut settings), "Beans");
        settings.mark();
        connection.execute_batch("SAVEPOINT job").unwrap();
        let rename = "UPDATE program SET currency_name = 'Stars'";
        connection.execute_batch(rename).unwrap();
        settings.changed(PROGRAM);
        assert_eq!(name(&mut settings), "Stars");
        connection.execute_batch("ROLLBACK TO job").unwrap();
        settings.undo();
        assert_eq!(name(&mut settings), "Beans");
    }
}
