//! Organizations.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use crate::domain::{
    Allocation, Attributes, Environment, ExternalId, Name, Note, Organization, OrganizationNumber,
    OrganizationStatus, OrganizationTier, Search, Seq, Timestamp,
};
use crate::store::error::readable;
use crate::store::tables::columns::{column, environment, optional, time, timestamp, uuid, word};
use crate::store::tables::query::{self, Query};
use crate::store::{AccessChange, Counted, Error, Transaction};

/// Selects the columns that [`organization`] reads.
const SELECT: &str = "SELECT id, uuid, environment, name, external_id, status, tier, metadata,
        allocation, allocation_uuid, allocation_notes, allocated_at, created_at, version
    FROM organization";

/// Selects the columns that [`access_row`] reads.
const SELECT_ACCESS: &str = "SELECT id, uuid, environment, status FROM organization";

/// The parts of an organization that a credential check needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganizationAccessRow {
    /// The organization.
    pub number: OrganizationNumber,
    /// Its public id.
    pub uuid: Uuid,
    /// Its environment.
    pub environment: Environment,
    /// Its status, which decides whether its credentials are valid.
    pub status: OrganizationStatus,
}

/// The filter of a list of organizations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationFilter {
    /// Only those with this status.
    pub status: Option<OrganizationStatus>,
    /// Only those whose name has these terms.
    pub search: Option<Search>,
    /// Only the one with this id, given by the partner.
    pub external_id: Option<String>,
}

/// Creates an organization and sets its `number`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(tx: &mut Transaction<'_>, organization: &mut Organization) -> Result<(), Error> {
    let sql = "INSERT INTO organization (uuid, environment, name, status, tier, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.execute(
        sql,
        (
            organization.uuid.as_bytes(),
            organization.environment.as_str(),
            organization.name.as_str(),
            organization.status.as_str(),
            organization.tier.as_str(),
            organization.created_at.as_millis(),
        ),
    )?;
    organization.number = OrganizationNumber(tx.last_insert_rowid());
    tx.count_change(Counted::Organizations(organization.environment), 1);
    update(tx, organization)
}

/// Writes the columns of an organization that can change.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &mut Transaction<'_>, organization: &Organization) -> Result<(), Error> {
    let sql = "UPDATE organization SET name = ?2, external_id = ?3, status = ?4, tier = ?5,
                   metadata = ?6, allocation = ?7, allocation_uuid = ?8, allocation_notes = ?9,
                   allocated_at = ?10, version = ?11
               WHERE id = ?1";
    let allocation = organization.allocation.as_ref();
    tx.prepare_cached(sql)?.execute((
        organization.number.0,
        organization.name.as_str(),
        organization.external_id.as_ref().map(ExternalId::as_str),
        organization.status.as_str(),
        organization.tier.as_str(),
        organization.metadata.as_ref().map(Attributes::as_str),
        allocation.map(|allocation| allocation.credits),
        allocation.map(|allocation| *allocation.uuid.as_bytes()),
        allocation
            .and_then(|allocation| allocation.notes.as_ref())
            .map(Note::as_str),
        allocation.map(|allocation| allocation.at.as_millis()),
        organization.version.0,
    ))?;
    tx.access_changed(AccessChange::Organization(organization.number));
    Ok(())
}

/// An organization of an environment.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    environment: Environment,
    uuid: Uuid,
) -> Result<Option<Organization>, Error> {
    let sql = format!("{SELECT} WHERE uuid = ?1 AND environment = ?2");
    let values = (uuid.as_bytes(), environment.as_str());
    query::one(connection, &sql, values, organization)
}

/// The public id of an organization.
///
/// # Errors
/// [`Error`] if the database fails or there is no such organization.
pub fn public_id(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<String, Error> {
    let sql = "SELECT uuid FROM organization WHERE id = ?1";
    let found = query::one(connection, sql, [organization.0], |row| uuid(row, 0))?;
    let found = found.ok_or(Error::Impossible("organization number"))?;
    Ok(found.to_string())
}

/// A page of organizations, newest first, and how many there are on all pages.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    environment: Environment,
    filter: &OrganizationFilter,
    (skip, limit): (i64, i64),
) -> Result<(Vec<Organization>, i64), Error> {
    let first = [environment.as_str().to_owned()];
    let mut condition = Query::new(" WHERE environment = ?", first);
    if let Some(status) = filter.status {
        condition.and("status = ?", [status.as_str().to_owned()]);
    }
    if let Some(external_id) = &filter.external_id {
        condition.and("external_id = ?", [external_id.clone()]);
    }
    if let Some(search) = &filter.search {
        return found(connection, condition, search, (skip, limit));
    }
    let Query { sql, mut values } = condition;
    let count = format!("SELECT count(*) FROM organization{sql}");
    let mut statement = connection.prepare_cached(&count)?;
    let total = statement.query_row(params_from_iter(&values), |row| row.get(0))?;
    let sql = format!("{SELECT}{sql} ORDER BY id DESC LIMIT ? OFFSET ?");
    values.extend([Value::Integer(limit), Value::Integer(skip)]);
    let page = query::all(connection, &sql, params_from_iter(values), organization)?;
    Ok((page, total))
}

/// A page of the organizations that a search finds, and how many it finds. Reads the names of all,
/// as a partner has few.
fn found(
    connection: &Connection,
    condition: Query,
    search: &Search,
    (skip, limit): (i64, i64),
) -> Result<(Vec<Organization>, i64), Error> {
    let sql = format!("{SELECT}{} ORDER BY id DESC", condition.sql);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(condition.values))?;
    let (mut organizations, mut total) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let organization = organization(row)?;
        if search.finds(&[organization.name.as_str()]) {
            if total >= skip && total - skip < limit {
                organizations.push(organization);
            }
            total += 1;
        }
    }
    Ok((organizations, total))
}

/// When the first organization was created; `None` if there is none.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn first_created_at(connection: &Connection) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT created_at FROM organization ORDER BY id LIMIT 1";
    query::one(connection, sql, [], |row| time(row, 0))
}

/// Every organization, with the parts that a credential check needs.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_access(connection: &Connection) -> Result<Vec<OrganizationAccessRow>, Error> {
    let sql = format!("{SELECT_ACCESS} ORDER BY id");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(readable("organization", row, access_row(row))?);
    }
    Ok(all)
}

/// The parts of an organization that a credential check needs.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn access(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Option<OrganizationAccessRow>, Error> {
    let sql = format!("{SELECT_ACCESS} WHERE id = ?1");
    query::one(connection, &sql, [organization.0], access_row)
}

/// Reads the columns of [`SELECT_ACCESS`].
fn access_row(row: &Row<'_>) -> Result<OrganizationAccessRow, Error> {
    Ok(OrganizationAccessRow {
        number: OrganizationNumber(row.get(column!(SELECT_ACCESS, "id"))?),
        uuid: uuid(row, column!(SELECT_ACCESS, "uuid"))?,
        environment: environment(row, column!(SELECT_ACCESS, "environment"))?,
        status: status(row, column!(SELECT_ACCESS, "status"))?,
    })
}

/// The most credits that an organization may use in a month, if there is a limit.
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

/// The sum of the allocations of all organizations of an environment except one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn allocated_to_others(
    connection: &Connection,
    environment: Environment,
    except: OrganizationNumber,
) -> Result<i64, Error> {
    let sql = "SELECT coalesce(sum(allocation), 0) FROM organization
               WHERE environment = ?1 AND id <> ?2";
    Ok(connection
        .prepare_cached(sql)?
        .query_row((environment.as_str(), except.0), |row| row.get(0))?)
}

/// Reads the columns of [`SELECT`].
fn organization(row: &Row<'_>) -> Result<Organization, Error> {
    let credits: Option<i64> = row.get(column!(SELECT, "allocation"))?;
    let id: Option<[u8; 16]> = row.get(column!(SELECT, "allocation_uuid"))?;
    let at: Option<i64> = row.get(column!(SELECT, "allocated_at"))?;
    let allocation = match (credits, id, at) {
        (Some(credits), Some(id), Some(at)) => Some(Allocation {
            uuid: Uuid::from_bytes(id),
            credits,
            notes: optional(row, column!(SELECT, "allocation_notes"), Note::stored)?,
            at: timestamp(at)?,
        }),
        _ => None,
    };
    Ok(Organization {
        number: OrganizationNumber(row.get(column!(SELECT, "id"))?),
        uuid: uuid(row, column!(SELECT, "uuid"))?,
        environment: environment(row, column!(SELECT, "environment"))?,
        name: Name::stored(row.get(column!(SELECT, "name"))?),
        external_id: optional(row, column!(SELECT, "external_id"), ExternalId::stored)?,
        status: status(row, column!(SELECT, "status"))?,
        tier: word(
            row,
            column!(SELECT, "tier"),
            OrganizationTier::parse,
            "organization tier",
        )?,
        metadata: optional(row, column!(SELECT, "metadata"), Attributes::stored)?,
        allocation,
        created_at: time(row, column!(SELECT, "created_at"))?,
        version: Seq(row.get(column!(SELECT, "version"))?),
    })
}

fn status(row: &Row<'_>, column: usize) -> Result<OrganizationStatus, Error> {
    let what = "organization status";
    word(row, column, OrganizationStatus::parse, what)
}
