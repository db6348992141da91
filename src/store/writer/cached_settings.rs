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
    /// The settings of further assets, each with its program.
    assets: ByNumber<AssetNumber, (ProgramNumber, PointsRules)>,
    /// The further assets whose settings the open write read or changed.
    open_assets: Vec<AssetNumber>,
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
                    points: points_rules::rules(connection, program, None)?,
                }))
            }
        }
    }

    /// The settings of a further asset of a program.
    pub(super) fn of_asset(
        &mut self,
        connection: &Connection,
        program: ProgramNumber,
        asset: AssetNumber,
    ) -> Result<&PointsRules, Error> {
        let (_, rules) = match self.assets.entry(asset) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                self.open_assets.push(asset);
                let rules = points_rules::rules(connection, program, Some(asset))?;
                entry.insert((program, rules))
            }
        };
        Ok(rules)
    }

    /// Takes in that the open write changed the settings of a program, or of an asset of it.
    pub(super) fn changed(&mut self, program: ProgramNumber) {
        self.cached.remove(&program);
        self.assets.retain(|_, (of, _)| *of != program);
    }

    /// Begins a new write: the one before it stands.
    pub(super) fn mark(&mut self) {
        self.open.clear();
        self.open_assets.clear();
    }

    /// Undoes the open write.
    pub(super) fn undo(&mut self) {
        for program in self.open.drain(..) {
            self.cached.remove(&program);
        }
        for asset in self.open_assets.drain(..) {
            self.assets.remove(&asset);
        }
    }

    /// Ends a batch, before its commit.
    pub(super) fn end_batch(&mut self) {
        self.mark();
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
        self.assets.clear();
        self.mark();
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

    /// A write that changed the asset of one program is undone: only what it read is read again.
    #[test]
    fn settings_of_assets_that_a_refused_write_did_not_touch_stay_cached() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        connection.execute_batch(FURNISH).unwrap();
        let add = "
            INSERT INTO program (id, uuid, organization_id, name, status, currency_name,
                currency_symbol, default_tier, created_at, updated_at)
            SELECT 2, randomblob(16), organization_id, 'Two', status, currency_name,
                currency_symbol, default_tier, 0, 0 FROM program;
            INSERT INTO asset (id, program_id, name, symbol, scale, created_at, inventory_mode,
                burn_order, updated_at, version)
            SELECT 10 + id, id, 'Miles', 'MI', 2, 0, 'SIMPLE', 'fifo', 0, 0 FROM program";
        connection.execute_batch(add).unwrap();
        let mut settings = CachedSettings::default();
        let scales = |settings: &mut CachedSettings| {
            [1, 2].map(|program| {
                let (program, asset) = (ProgramNumber(program), AssetNumber(10 + program));
                let rules = settings.of_asset(connection, program, asset).unwrap();
                rules.scale.decimals()
            })
        };
        assert_eq!(scales(&mut settings), [2, 2]);
        settings.mark();
        // Nothing is read again unless it was changed.
        connection
            .execute_batch("UPDATE asset SET scale = 3")
            .unwrap();
        settings.undo();
        assert_eq!(scales(&mut settings), [2, 2]);
        settings.changed(PROGRAM);
        assert_eq!(scales(&mut settings), [3, 2]);
        connection
            .execute_batch("UPDATE asset SET scale = 4")
            .unwrap();
        settings.undo();
        assert_eq!(scales(&mut settings), [4, 2]);
        let missing = settings.of_asset(connection, PROGRAM, AssetNumber(12 + 1));
        assert!(missing.is_err());
    }
}
