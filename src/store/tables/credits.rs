//! Partner credits used in a calendar month.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::{Environment, OrganizationNumber};
use crate::store::{Error, Transaction};

/// Credits that all organizations of an environment took in a month (see
/// [`crate::domain::Timestamp::month`]).
///
/// # Errors
/// [`Error`] if the database fails.
pub fn pool_used(
    connection: &Connection,
    environment: Environment,
    month: i64,
) -> Result<i64, Error> {
    let sql = "SELECT credits FROM pool_usage WHERE environment = ?1 AND month = ?2";
    let used = connection
        .prepare_cached(sql)?
        .query_row((environment.as_str(), month), |row| row.get(0))
        .optional()?;
    Ok(used.unwrap_or(0))
}

/// Credits that one organization took in a month.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn organization_used(
    connection: &Connection,
    organization: OrganizationNumber,
    month: i64,
) -> Result<i64, Error> {
    let sql = "SELECT credits FROM organization_usage WHERE organization_id = ?1 AND month = ?2";
    let used = connection
        .prepare_cached(sql)?
        .query_row((organization.0, month), |row| row.get(0))
        .optional()?;
    Ok(used.unwrap_or(0))
}

/// Takes one credit from the pool for an organization.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn take(
    tx: &Transaction<'_>,
    environment: Environment,
    organization: OrganizationNumber,
    month: i64,
) -> Result<(), Error> {
    let pool = "INSERT INTO pool_usage (environment, month, credits) VALUES (?1, ?2, 1)
                ON CONFLICT (environment, month) DO UPDATE SET credits = credits + 1";
    tx.run(pool, |statement| {
        statement.execute((environment.as_str(), month))
    })?;
    let own = "INSERT INTO organization_usage (organization_id, month, credits) VALUES (?1, ?2, 1)
               ON CONFLICT (organization_id, month) DO UPDATE SET credits = credits + 1";
    tx.run(own, |statement| statement.execute((organization.0, month)))?;
    Ok(())
}
