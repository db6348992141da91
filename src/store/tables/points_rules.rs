//! The settings by which the points of a program are moved, from its row and that of its asset.
//!
//! **Must not know** the open transaction, which uses these.

use rusqlite::{Connection, Row};

use crate::domain::{
    AssetNumber, BurnOrder, InventoryMode, Points, PointsRules, ProgramNumber, Scale,
};
use crate::store::Error;
use crate::store::tables::columns::{column, optional, optional_time, word};
use crate::store::tables::{programs, query};

/// The settings by which the points of a program are moved.
///
/// # Errors
/// [`Error`] if the database fails or there is no such program.
pub fn rules(connection: &Connection, program: ProgramNumber) -> Result<PointsRules, Error> {
    const SELECT: &str = "SELECT p.expiry, p.time_zone,
            p.redemption_target, p.refund_grace, a.inventory_mode, a.burn_order,
            a.max_amount, a.opening_expires_at
        FROM program p LEFT JOIN asset a ON a.program_id = p.id AND a.symbol IS NULL
        WHERE p.id = ?1";
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
            is_archived: false,
            scale: Scale::WHOLE,
            target: programs::target(row, column!(SELECT, "redemption_target"))?,
            refund_grace: programs::refund_grace(row, column!(SELECT, "refund_grace"))?,
        })
    })?;
    found.ok_or(Error::Impossible("program number"))
}

/// The settings by which a further asset is moved. The program's expiry is that of its points.
///
/// # Errors
/// [`Error`] if the database fails or there is no such asset.
pub fn of_asset(connection: &Connection, asset: AssetNumber) -> Result<PointsRules, Error> {
    const SELECT: &str = "SELECT p.time_zone, p.redemption_target, p.refund_grace, a.inventory_mode, a.burn_order, a.max_amount,
            a.opening_expires_at, a.archived_at IS NOT NULL AS is_archived, a.scale
        FROM asset a JOIN program p ON p.id = a.program_id WHERE a.id = ?1";
    let found = query::one(connection, SELECT, [asset.0], |row| {
        Ok(PointsRules {
            mode: mode(row, column!(SELECT, "inventory_mode"))?,
            burn_order: burn_order(row, column!(SELECT, "burn_order"))?,
            max_amount: optional(row, column!(SELECT, "max_amount"), Points::new)?.flatten(),
            expiry: None,
            zone: programs::zone(row, column!(SELECT, "time_zone"))?,
            opening_expires_at: optional_time(row, column!(SELECT, "opening_expires_at"))?,
            is_archived: row.get(column!(SELECT, "is_archived"))?,
            scale: scale(row, column!(SELECT, "scale"))?,
            target: programs::target(row, column!(SELECT, "redemption_target"))?,
            refund_grace: programs::refund_grace(row, column!(SELECT, "refund_grace"))?,
        })
    })?;
    found.ok_or(Error::Impossible("asset number"))
}

/// Reads the decimals of amounts.
pub(super) fn scale(row: &Row<'_>, column: usize) -> Result<Scale, Error> {
    Scale::new(row.get(column)?).ok_or(Error::Impossible("scale"))
}

/// Reads how points are kept.
pub(super) fn mode(row: &Row<'_>, column: usize) -> Result<InventoryMode, Error> {
    word(row, column, InventoryMode::parse, "inventory mode")
}

/// Reads the order in which lots are used.
pub(super) fn burn_order(row: &Row<'_>, column: usize) -> Result<BurnOrder, Error> {
    word(row, column, BurnOrder::parse, "burn order")
}
