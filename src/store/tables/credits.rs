//! Partner credits used in a calendar month.

use rusqlite::Connection;

use crate::domain::{Environment, OrganizationNumber};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// The credits that all organizations of an environment used in a month (see
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
    let values = (environment.as_str(), month);
    let used = query::one(connection, sql, values, |row| Ok(row.get(0)?))?;
    Ok(used.unwrap_or(0))
}

/// The credits that one organization used in a month.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn organization_used(
    connection: &Connection,
    organization: OrganizationNumber,
    month: i64,
) -> Result<i64, Error> {
    let sql = "SELECT credits FROM organization_usage WHERE organization_id = ?1 AND month = ?2";
    let values = (organization.0, month);
    let used = query::one(connection, sql, values, |row| Ok(row.get(0)?))?;
    Ok(used.unwrap_or(0))
}

/// Counts one credit as used by an organization.
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
