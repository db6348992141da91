//! Assets: how the points of programs are kept, and their further assets.

use rusqlite::{Connection, Row};

use crate::domain::{
    Asset, AssetNumber, AssetSymbol, FurtherAsset, IssuancePolicy, MemberNumber, Name, Points,
    ProgramNumber, Seq, Timestamp,
};
use crate::store::tables::columns::{column, optional, optional_time, time, word};
use crate::store::tables::points_rules::{burn_order, mode, scale};
use crate::store::tables::query;
use crate::store::{AccessChange, Error, Transaction};

const SELECT: &str = "SELECT id, program_id, name, symbol, scale, created_at, archived_at,
        inventory_mode, issuance_policy, burn_order, max_amount, opening_after,
        opening_expires_at, updated_at, version
    FROM asset";

/// How the points of a program are kept, if that was ever changed.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(connection: &Connection, program: ProgramNumber) -> Result<Option<Asset>, Error> {
    let sql = format!("{SELECT} WHERE program_id = ?1 AND symbol IS NULL");
    query::one(connection, &sql, [program.0], asset)
}

/// A further asset of a program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_further(
    connection: &Connection,
    program: ProgramNumber,
    number: AssetNumber,
) -> Result<Option<Asset>, Error> {
    let sql = format!("{SELECT} WHERE id = ?1 AND program_id = ?2 AND symbol IS NOT NULL");
    query::one(connection, &sql, [number.0, program.0], asset)
}

/// The further assets of a program after one of them, oldest first, at most `limit`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn further(
    connection: &Connection,
    program: ProgramNumber,
    after: AssetNumber,
    limit: usize,
) -> Result<Vec<Asset>, Error> {
    let sql = format!(
        "{SELECT} WHERE program_id = ?1 AND id > ?2 AND symbol IS NOT NULL ORDER BY id LIMIT ?3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    query::all(connection, &sql, [program.0, after.0, limit], asset)
}

/// The assets of a program that are issued from its wallet, after one of them: its points, then the
/// further ones, oldest first, at most `limit`. The points have the number 0.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn prefunded(
    connection: &Connection,
    program: ProgramNumber,
    after: Option<AssetNumber>,
    limit: usize,
) -> Result<Vec<Asset>, Error> {
    let sql = format!(
        "{SELECT} WHERE program_id = ?1 AND issuance_policy = 'PREFUNDED'
             AND iif(symbol IS NULL, 0, id) > ?2
         ORDER BY iif(symbol IS NULL, 0, id) LIMIT ?3"
    );
    let after = after.map_or(-1, |after| after.0);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    query::all(connection, &sql, [program.0, after, limit], asset)
}

/// Whether a further asset of a program has a symbol.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn has_symbol(
    connection: &Connection,
    program: ProgramNumber,
    symbol: &str,
) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM asset WHERE program_id = ?1 AND symbol = ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((program.0, symbol), |row| row.get(0))?)
}

/// Every further asset, and how the points of every program are kept for which that was ever
/// changed.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all(connection: &Connection) -> Result<Vec<Asset>, Error> {
    query::all(connection, SELECT, [], asset)
}

/// The assets that may have points that are to be put into lots, each with its program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn opening(
    connection: &Connection,
) -> Result<Vec<(ProgramNumber, Option<AssetNumber>)>, Error> {
    let sql = "SELECT program_id, CASE WHEN symbol IS NOT NULL THEN id END FROM asset
               WHERE opening_after IS NOT NULL ORDER BY program_id, id";
    let mut statement = connection.prepare(sql)?;
    let assets = statement.query_map([], |row| {
        let number: Option<i64> = row.get(1)?;
        Ok((ProgramNumber(row.get(0)?), number.map(AssetNumber)))
    })?;
    Ok(assets.collect::<Result<_, _>>()?)
}

/// The number of the next further asset.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn next_number(tx: &Transaction<'_>) -> Result<AssetNumber, Error> {
    let sql = "SELECT coalesce(max(id), 0) + 1 FROM asset";
    tx.run(sql, |statement| statement.query_row([], |row| row.get(0)))
        .map(AssetNumber)
}

/// Writes how the points of a program are kept, or a further asset.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put(tx: &mut Transaction<'_>, asset: &Asset) -> Result<(), Error> {
    let sql = match asset.further {
        None => {
            "INSERT INTO asset (program_id, inventory_mode, burn_order, max_amount,
                 opening_after, opening_expires_at, updated_at, version, id, name, symbol, scale,
                 created_at, archived_at, issuance_policy)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (program_id) WHERE symbol IS NULL DO UPDATE SET inventory_mode = ?2,
                 burn_order = ?3, max_amount = ?4, opening_after = ?5, opening_expires_at = ?6,
                 updated_at = ?7, version = ?8, issuance_policy = ?15"
        }
        Some(_) => {
            "INSERT INTO asset (program_id, inventory_mode, burn_order, max_amount,
                 opening_after, opening_expires_at, updated_at, version, id, name, symbol, scale,
                 created_at, archived_at, issuance_policy)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (id) DO UPDATE SET inventory_mode = ?2, burn_order = ?3,
                 max_amount = ?4, opening_after = ?5, opening_expires_at = ?6, updated_at = ?7,
                 version = ?8, name = ?10, archived_at = ?14"
        }
    };
    let further = asset.further.as_ref();
    let values = (
        asset.program.0,
        asset.mode.as_str(),
        asset.burn_order.as_str(),
        asset.max_amount.map(Points::get),
        asset.opening_after.map(|member| member.0),
        asset.opening_expires_at.map(Timestamp::as_millis),
        asset.updated_at.as_millis(),
        asset.version.0,
        further.map(|further| further.number.0),
        further.map(|further| further.name.as_str()),
        further.map(|further| further.symbol.as_str()),
        asset.scale().decimals(),
        further.map(|further| further.created_at.as_millis()),
        further.and_then(|further| further.archived_at.map(Timestamp::as_millis)),
        asset.policy.as_str(),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    tx.settings_changed(asset.program);
    if further.is_some() {
        // The directory counts the assets of programs.
        tx.access_changed(AccessChange::Program(asset.program));
    }
    Ok(())
}

/// Notes the last member whose points were put into lots; `None`: all were.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn note_opened(
    tx: &Transaction<'_>,
    (program, asset): (ProgramNumber, Option<AssetNumber>),
    after: Option<MemberNumber>,
) -> Result<(), Error> {
    let sql = match asset {
        None => "UPDATE asset SET opening_after = ?2 WHERE program_id = ?1 AND symbol IS NULL",
        Some(_) => "UPDATE asset SET opening_after = ?2 WHERE id = ?1",
    };
    let row = asset.map_or(program.0, |asset| asset.0);
    let values = (row, after.map(|member| member.0));
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Reads the columns of [`SELECT`].
fn asset(row: &Row<'_>) -> Result<Asset, Error> {
    let symbol = optional(row, column!(SELECT, "symbol"), AssetSymbol::stored)?;
    let further = match symbol {
        None => None,
        Some(symbol) => Some(FurtherAsset {
            number: AssetNumber(row.get(column!(SELECT, "id"))?),
            name: Name::stored(row.get(column!(SELECT, "name"))?),
            symbol,
            scale: scale(row, column!(SELECT, "scale"))?,
            created_at: time(row, column!(SELECT, "created_at"))?,
            archived_at: optional_time(row, column!(SELECT, "archived_at"))?,
        }),
    };
    Ok(Asset {
        program: ProgramNumber(row.get(column!(SELECT, "program_id"))?),
        further,
        mode: mode(row, column!(SELECT, "inventory_mode"))?,
        policy: word(
            row,
            column!(SELECT, "issuance_policy"),
            IssuancePolicy::parse,
            "issuance policy",
        )?,
        burn_order: burn_order(row, column!(SELECT, "burn_order"))?,
        max_amount: optional(row, column!(SELECT, "max_amount"), Points::new)?.flatten(),
        opening_after: optional(row, column!(SELECT, "opening_after"), MemberNumber)?,
        opening_expires_at: optional_time(row, column!(SELECT, "opening_expires_at"))?,
        updated_at: time(row, column!(SELECT, "updated_at"))?,
        version: Seq(row.get(column!(SELECT, "version"))?),
    })
}
