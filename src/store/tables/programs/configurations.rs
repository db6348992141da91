//! Configurations of programs: the present one, and those of the past, which are never changed.
//!
//! **Must not know** the open transaction, which uses these.

use rusqlite::{Connection, Row};

use crate::domain::{
    Currency, CurrencyName, CurrencySymbol, Expiry, ProgramNumber, Rate, RedemptionTarget,
    RefundGrace, Seq, Zone,
};
use crate::store::Error;
use crate::store::tables::columns::{column, optional, word};
use crate::store::tables::query;

/// The currency of a program at a version of its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencyVersion {
    /// The currency.
    pub currency: Currency,
    /// The version.
    pub version: Seq,
}

/// The present currency of a program.
///
/// # Errors
/// [`Error`] if the database fails or there is no such program.
pub fn currency_of(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<CurrencyVersion, Error> {
    const SELECT: &str = "SELECT configuration_version, currency_name, currency_symbol,
            rate_per_point, units_per_usd
        FROM program WHERE id = ?1";
    let found = query::one(connection, SELECT, [program.0], |row| {
        Ok(CurrencyVersion {
            currency: currency(row, column!(SELECT, "currency_name"))?,
            version: Seq(row.get(column!(SELECT, "configuration_version"))?),
        })
    })?;
    found.ok_or(Error::Impossible("program number"))
}

/// The currency of a program at a version of its configuration, if it had that version.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn currency_at(
    connection: &Connection,
    program: ProgramNumber,
    version: Seq,
) -> Result<Option<Currency>, Error> {
    let sql = "SELECT currency_name, currency_symbol, rate_per_point, units_per_usd
               FROM configuration
               WHERE program_id = ?1 AND version = ?2";
    query::one(connection, sql, (program.0, version.0), |row| {
        currency(row, 0)
    })
}

/// Reads a currency from four columns, of which this is the first: name, symbol, the rate a point
/// and the units a dollar.
pub(in crate::store) fn currency(row: &Row<'_>, column: usize) -> Result<Currency, Error> {
    Ok(Currency {
        name: CurrencyName::stored(row.get(column)?),
        symbol: CurrencySymbol::stored(row.get(column + 1)?),
        rate_per_point: Rate::from_millionths(row.get(column + 2)?),
        units_per_usd: Rate::from_millionths(row.get(column + 3)?),
    })
}

/// Reads the life of points.
pub(in crate::store) fn expiry(row: &Row<'_>, column: usize) -> Result<Option<Expiry>, Error> {
    let Some(text) = row.get::<_, Option<String>>(column)? else {
        return Ok(None);
    };
    let expiry = Expiry::parse_stored(&text);
    expiry.map(Some).ok_or(Error::Impossible("expiry"))
}

/// Reads the name of a time zone.
pub(in crate::store) fn zone(row: &Row<'_>, column: usize) -> Result<Zone, Error> {
    word(row, column, Zone::parse, "time zone")
}

/// Reads the account that redemptions go to.
pub(in crate::store) fn target(row: &Row<'_>, column: usize) -> Result<RedemptionTarget, Error> {
    word(row, column, RedemptionTarget::parse, "redemption target")
}

/// Reads how long points can be used that are returned after their time.
pub(in crate::store) fn refund_grace(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<RefundGrace>, Error> {
    Ok(optional(row, column, RefundGrace::new)?.flatten())
}
