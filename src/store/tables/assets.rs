//! How the points of programs are kept.

use rusqlite::{Connection, Row};

use crate::domain::{Asset, MemberNumber, Points, ProgramNumber, Seq, Timestamp};
use crate::store::tables::columns::{column, optional, optional_time, time};
use crate::store::tables::points_rules::{burn_order, mode};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

const SELECT: &str = "SELECT program_id, inventory_mode, burn_order, max_amount, opening_after,
        opening_expires_at, updated_at, version
    FROM asset";

/// How the points of a program are kept, if that was ever changed.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(connection: &Connection, program: ProgramNumber) -> Result<Option<Asset>, Error> {
    let sql = format!("{SELECT} WHERE program_id = ?1");
    query::one(connection, &sql, [program.0], asset)
}

/// How the points of every program are kept for which that was ever changed.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all(connection: &Connection) -> Result<Vec<Asset>, Error> {
    query::all(connection, SELECT, [], asset)
}

/// The programs with points that may have to be put into lots.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn opening(connection: &Connection) -> Result<Vec<ProgramNumber>, Error> {
    let sql = "SELECT program_id FROM asset WHERE opening_after IS NOT NULL ORDER BY program_id";
    let mut statement = connection.prepare(sql)?;
    let programs = statement.query_map([], |row| row.get(0).map(ProgramNumber))?;
    Ok(programs.collect::<Result<_, _>>()?)
}

/// Writes how the points of a program are kept.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put(tx: &mut Transaction<'_>, asset: &Asset) -> Result<(), Error> {
    let sql = "INSERT INTO asset (program_id, inventory_mode, burn_order, max_amount,
                   opening_after, opening_expires_at, updated_at, version)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (program_id) DO UPDATE SET inventory_mode = ?2, burn_order = ?3,
                   max_amount = ?4, opening_after = ?5, opening_expires_at = ?6,
                   updated_at = ?7, version = ?8";
    let values = (
        asset.program.0,
        asset.mode.as_str(),
        asset.burn_order.as_str(),
        asset.max_amount.map(Points::get),
        asset.opening_after.map(|member| member.0),
        asset.opening_expires_at.map(Timestamp::as_millis),
        asset.updated_at.as_millis(),
        asset.version.0,
    );
    tx.run(sql, |statement| statement.execute(values))?;
    tx.settings_changed(asset.program);
    Ok(())
}

/// Notes the last member whose points were put into lots; `None`: all were.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn note_opened(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    after: Option<MemberNumber>,
) -> Result<(), Error> {
    let sql = "UPDATE asset SET opening_after = ?2 WHERE program_id = ?1";
    let values = (program.0, after.map(|member| member.0));
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Reads the columns of [`SELECT`].
fn asset(row: &Row<'_>) -> Result<Asset, Error> {
    Ok(Asset {
        program: ProgramNumber(row.get(column!(SELECT, "program_id"))?),
        mode: mode(row, column!(SELECT, "inventory_mode"))?,
        burn_order: burn_order(row, column!(SELECT, "burn_order"))?,
        max_amount: optional(row, column!(SELECT, "max_amount"), Points::new)?.flatten(),
        opening_after: optional(row, column!(SELECT, "opening_after"), MemberNumber)?,
        opening_expires_at: optional_time(row, column!(SELECT, "opening_expires_at"))?,
        updated_at: time(row, column!(SELECT, "updated_at"))?,
        version: Seq(row.get(column!(SELECT, "version"))?),
    })
}
