//! Organizations.

use rusqlite::Connection;
use uuid::Uuid;

use super::{Error, Transaction};
use crate::domain::{
    Environment, OrganizationNumber, OrganizationStatus, OrganizationTier, Timestamp,
};

/// Makes an active organization.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    uuid: Uuid,
    environment: Environment,
    name: &str,
    tier: OrganizationTier,
    now: Timestamp,
) -> Result<OrganizationNumber, Error> {
    let sql = "INSERT INTO organization (uuid, environment, name, status, tier, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.execute(
        sql,
        (
            uuid.as_bytes(),
            environment.as_str(),
            name,
            OrganizationStatus::Active.as_str(),
            tier.as_str(),
            now.as_millis(),
        ),
    )?;
    Ok(OrganizationNumber(tx.last_insert_rowid()))
}

/// The credits a month that an organization may take, if it is capped.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn allocation(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Option<i64>, Error> {
    let sql = "SELECT allocation FROM organization WHERE id = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([organization.0], |row| row.get(0))?)
}
