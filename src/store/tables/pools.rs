//! Pools of organizations, and what was bought for them.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::domain::{
    Note, OrganizationNumber, Pool, ProgramNumber, RedemptionNumber, Seq, SettlementMode,
};
use crate::store::tables::columns::{column, word};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

const SELECT: &str = "SELECT balance, lifetime_spent, credit_limit, settlement_mode, low_threshold
    FROM organization_pool WHERE organization_id = ?1";

/// The pool of an organization, if it has one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Option<Pool>, Error> {
    query::one(connection, SELECT, [organization.0], pool)
}

/// The pool of an organization as the open write sees it. Before the write changes anything, this
/// opens no savepoint.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn present(
    tx: &Transaction<'_>,
    organization: OrganizationNumber,
) -> Result<Option<Pool>, Error> {
    let found = tx.look_up(SELECT, |statement| {
        let row = statement.query_row([organization.0], |row| Ok(pool(row)));
        row.optional()
    })?;
    found.transpose()
}

/// Writes the pool of an organization, which may be new.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put(
    tx: &Transaction<'_>,
    organization: OrganizationNumber,
    pool: &Pool,
) -> Result<(), Error> {
    let sql = "INSERT INTO organization_pool (organization_id, balance, lifetime_spent,
                   credit_limit, settlement_mode, low_threshold)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (organization_id) DO UPDATE SET balance = ?2, lifetime_spent = ?3,
                   credit_limit = ?4, settlement_mode = ?5, low_threshold = ?6";
    let values = (
        organization.0,
        pool.balance,
        pool.lifetime_spent,
        pool.credit_limit,
        pool.mode.as_str(),
        pool.low_threshold,
    );
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Adds the note on points that the activity `seq` bought.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn note(tx: &Transaction<'_>, seq: Seq, note: Option<&Note>) -> Result<(), Error> {
    let sql = "INSERT INTO pool_funding (seq, note) VALUES (?1, ?2)";
    let values = (seq.0, note.map(Note::as_str));
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// The programs of an organization, each with whether it is in use: not archived.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn programs(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Vec<(ProgramNumber, bool)>, Error> {
    let sql = "SELECT id, status <> 'ARCHIVED' FROM program WHERE organization_id = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([organization.0], |row| {
        Ok((ProgramNumber(row.get(0)?), row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The points that a redemption drew from the pool and that were not returned; `kinds` are the
/// numbers of the events of the two.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn drawn_by(
    connection: &Connection,
    redemption: RedemptionNumber,
    kinds: [i64; 2],
) -> Result<i64, Error> {
    let sql = "SELECT coalesce(sum(iif(kind = ?2, amount, -amount)), 0) FROM activity
               WHERE redemption_id = ?1 AND kind IN (?2, ?3)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((redemption.0, kinds[0], kinds[1]), |row| row.get(0))?)
}

/// Reads the columns of [`SELECT`].
fn pool(row: &Row<'_>) -> Result<Pool, Error> {
    Ok(Pool {
        balance: row.get(column!(SELECT, "balance"))?,
        lifetime_spent: row.get(column!(SELECT, "lifetime_spent"))?,
        credit_limit: row.get(column!(SELECT, "credit_limit"))?,
        mode: word(
            row,
            column!(SELECT, "settlement_mode"),
            SettlementMode::parse,
            "settlement mode",
        )?,
        low_threshold: row.get(column!(SELECT, "low_threshold"))?,
    })
}
