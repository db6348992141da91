//! The currency of a program, which the writer and the directory keep in memory.
//!
//! **Must not know** the open transaction, which uses this.

use rusqlite::{Connection, Row};

use crate::domain::{Currency, CurrencyName, CurrencySymbol, ProgramNumber};
use crate::store::Error;
use crate::store::tables::query;

/// The currency of a program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn currency_of(connection: &Connection, program: ProgramNumber) -> Result<Currency, Error> {
    let sql = "SELECT currency_name, currency_symbol FROM program WHERE id = ?1";
    let found = query::one(connection, sql, [program.0], |row| currency(row, 0))?;
    found.ok_or(Error::Impossible("program number"))
}

/// Reads the name of a currency from a column, and the symbol from the next one.
pub(in crate::store) fn currency(row: &Row<'_>, column: usize) -> Result<Currency, Error> {
    Ok(Currency {
        name: CurrencyName::stored(row.get(column)?),
        symbol: CurrencySymbol::stored(row.get(column + 1)?),
    })
}
