//! Columns of programs that the writer keeps in memory: the sums over the wallets, and the
//! currency.
//!
//! **Must not know** the open transaction, which uses these.

use rusqlite::Connection;

use super::configurations::{CurrencyVersion, currency};
use crate::domain::{Points, ProgramNumber, Seq};
use crate::store::Error;
use crate::store::log::chain::{self, Hash};
use crate::store::tables::columns::{column, points};
use crate::store::tables::query;

/// The points received and spent, summed over all wallets, the hash of the newest ledger entry, and
/// the currency.
pub(in crate::store) fn sums(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<(Points, Points, Hash, CurrencyVersion), Error> {
    const SELECT: &str = "SELECT amount_received, amount_spent, chain, configuration_version,
        currency_name, currency_symbol FROM program WHERE id = ?1";
    let found = query::one(connection, SELECT, [program.0], |row| {
        let chain: Option<Hash> = row.get(column!(SELECT, "chain"))?;
        Ok((
            points(row, column!(SELECT, "amount_received"))?,
            points(row, column!(SELECT, "amount_spent"))?,
            chain.unwrap_or(chain::START),
            CurrencyVersion {
                currency: currency(row, column!(SELECT, "currency_name"))?,
                version: Seq(row.get(column!(SELECT, "configuration_version"))?),
            },
        ))
    })?;
    found.ok_or(Error::Impossible("program number"))
}

/// Writes the sums over all wallets and the hash of the newest ledger entry.
pub(in crate::store) fn set_sums(
    connection: &Connection,
    program: ProgramNumber,
    received: Points,
    spent: Points,
    chain: &Hash,
) -> Result<(), Error> {
    let sql =
        "UPDATE program SET amount_received = ?2, amount_spent = ?3, chain = ?4 WHERE id = ?1";
    let chain = (*chain != chain::START).then_some(chain);
    let values = (program.0, received.get(), spent.get(), chain);
    match connection.prepare_cached(sql)?.execute(values)? {
        1 => Ok(()),
        _ => Err(Error::Impossible("program number")),
    }
}
