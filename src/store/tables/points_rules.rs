//! The settings by which the points of a program are moved, from its row and that of its asset.
//!
//! **Must not know** the open transaction, which uses these.

use rusqlite::{Connection, Row};

use crate::domain::{BurnOrder, InventoryMode, Points, PointsRules, ProgramNumber};
use crate::store::Error;
use crate::store::tables::columns::{column, optional, optional_time, word};
use crate::store::tables::{programs, query};

/// The settings by which the points of a program are moved.
///
/// # Errors
/// [`Error`] if the database fails or there is no such program.
pub fn rules(connection: &Connection, program: ProgramNumber) -> Result<PointsRules, Error> {
    const SELECT: &str = "SELECT p.expiry, p.time_zone, a.inventory_mode, a.burn_order,
            a.max_amount, a.opening_expires_at
        FROM program p LEFT JOIN asset a ON a.program_id = p.id WHERE p.id = ?1";
    let found = query::one(connection, SELECT, [program.0], |row| {
        let has_row = row
            .get::<_, Option<String>>(column!(SELECT, "inventory_mode"))?
            .is_some();
        let (mode, burn_order) = if has_row {
            (
                mode(row, column!(SELECT, "inventory_mode"))?,
                burn_order(row, column!(SELECT, "burn_order"))?,
            )
        } else {
            Default::default()
        };
        Ok(PointsRules {
            mode,
            burn_order,
            max_amount: optional(row, column!(SELECT, "max_amount"), Points::new)?.flatten(),
            expiry: programs::expiry(row, column!(SELECT, "expiry"))?,
            zone: programs::zone(row, column!(SELECT, "time_zone"))?,
            opening_expires_at: optional_time(row, column!(SELECT, "opening_expires_at"))?,
        })
    })?;
    found.ok_or(Error::Impossible("program number"))
}

/// Reads how points are kept.
pub(super) fn mode(row: &Row<'_>, column: usize) -> Result<InventoryMode, Error> {
    word(row, column, InventoryMode::parse, "inventory mode")
}

/// Reads the order in which lots are used.
pub(super) fn burn_order(row: &Row<'_>, column: usize) -> Result<BurnOrder, Error> {
    word(row, column, BurnOrder::parse, "burn order")
}
