//! How the points of programs are kept, according to the log.

use std::collections::{HashMap, HashSet};

use crate::domain::{Cell, Cells, Column, Entry, Event, InventoryMode, Points, Timestamp};

/// The settings after an event.
pub(super) struct Asset {
    pub(super) mode: InventoryMode,
    pub(super) burn_order: &'static str,
    pub(super) max_amount: Option<i64>,
    pub(super) expires_at: Option<i64>,
    pub(super) updated_at: i64,
    pub(super) version: i64,
}

/// The settings of all programs for which they were ever changed.
#[derive(Default)]
pub(super) struct Assets {
    of: HashMap<i64, Asset>,
    /// The programs with an entry whose lots do not fit the settings.
    misfits: HashSet<i64>,
}

impl Assets {
    /// Applies an event that sets how the points of a program are kept. Returns a finding.
    pub(super) fn change(
        &mut self,
        seq: i64,
        at: i64,
        program: i64,
        event: &Event,
    ) -> Option<String> {
        let Event::AssetChanged {
            mode,
            burn_order,
            max_amount,
            expires_at,
        } = event
        else {
            return None;
        };
        let changed = Asset {
            mode: *mode,
            burn_order: burn_order.as_str(),
            max_amount: max_amount.map(Points::get),
            expires_at: expires_at.map(Timestamp::as_millis),
            updated_at: at,
            version: seq,
        };
        let is_lot = changed.mode == InventoryMode::Lot;
        let before = self.of.get(&program);
        // Points in lots stay in lots, and the date of the first ones stays what it was.
        let fits = match before.filter(|before| before.mode == InventoryMode::Lot) {
            Some(before) => is_lot && before.expires_at == changed.expires_at,
            None => is_lot || changed.expires_at.is_none(),
        };
        self.of.insert(program, changed);
        (!fits).then(|| {
            format!(
                "activity {seq} does not fit the way in which the points of program row {program} \
                 were kept before"
            )
        })
    }

    /// Checks that a ledger entry has lots only where points are kept in them, and that points are
    /// credited to lots there. Returns a finding, for each program once.
    pub(super) fn entry(
        &mut self,
        row: &impl Cells,
        seq: i64,
        program: Option<i64>,
    ) -> Option<String> {
        let entry = row.cell(Column::Entry).integer().and_then(Entry::of_number);
        let (entry, program) = entry.zip(program)?;
        let has_lots = row.cell(Column::Lots) != Cell::Null;
        let asset = self.of.get(&program);
        let is_lot = asset.is_some_and(|asset| asset.mode == InventoryMode::Lot);
        let (has, kept) = match (is_lot, has_lots) {
            (false, true) => ("has lots", "as a sum"),
            (true, false) if entry == Entry::Mint => ("has no lot", "in lots"),
            _ => return None,
        };
        self.misfits.insert(program).then(|| {
            format!(
                "activity {seq} {has}, but at that time the points of program row {program} were \
                 kept {kept}"
            )
        })
    }

    /// Takes out the settings of a program.
    pub(super) fn remove(&mut self, program: i64) -> Option<Asset> {
        self.of.remove(&program)
    }

    /// The programs whose settings were not taken out.
    pub(super) fn programs(&self) -> impl Iterator<Item = &i64> {
        self.of.keys()
    }
}
