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

/// The settings by which the points of a program are moved, or a further asset of it. The program's
/// expiry is that of its points.
///
/// # Errors
/// [`Error`] if the database fails or there is no such program or asset.
pub fn rules(
    connection: &Connection,
    program: ProgramNumber,
    asset: Option<AssetNumber>,
) -> Result<PointsRules, Error> {
    const SELECT: &str = "SELECT p.expiry, p.time_zone, p.redemption_target, p.refund_grace,
            a.inventory_mode, a.burn_order, a.max_amount, a.opening_expires_at,
            a.archived_at IS NOT NULL AS is_archived, coalesce(a.scale, 0) AS scale
        FROM program p LEFT JOIN asset a
            ON a.program_id = p.id AND iif(?2 IS NULL, a.symbol IS NULL, a.id = ?2)
        WHERE p.id = ?1 AND (?2 IS NULL OR a.id IS NOT NULL)";
    let numbers = (program.0, asset.map(|asset| asset.0));
    let found = query::one(connection, SELECT, numbers, |row| {
        // The points of a program have no row before they are first changed.
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
        let expiry = programs::expiry(row, column!(SELECT, "expiry"))?;
        Ok(PointsRules {
            mode,
            burn_order,
            max_amount: optional(row, column!(SELECT, "max_amount"), Points::new)?.flatten(),
            expiry: expiry.filter(|_| asset.is_none()),
            zone: programs::zone(row, column!(SELECT, "time_zone"))?,
            opening_expires_at: optional_time(row, column!(SELECT, "opening_expires_at"))?,
            is_archived: row.get(column!(SELECT, "is_archived"))?,
            scale: scale(row, column!(SELECT, "scale"))?,
            target: programs::target(row, column!(SELECT, "redemption_target"))?,
            refund_grace: programs::refund_grace(row, column!(SELECT, "refund_grace"))?,
        })
    })?;
    found.ok_or(Error::Impossible("number of a program or an asset"))
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
