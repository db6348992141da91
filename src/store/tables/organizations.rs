//! Organizations.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use super::programs::{environment, uuid};
use crate::domain::{
    Allocation, Attributes, Environment, ExternalId, Name, Note, Organization, OrganizationNumber,
    OrganizationStatus, OrganizationTier, Search, Seq,
};
use crate::store::log::timestamp;
use crate::store::{AccessChange, Counted, Error, Transaction};

/// The columns that [`organization`] reads.
const SELECT: &str = "SELECT id, uuid, environment, name, external_id, status, tier, metadata,
        allocation, allocation_uuid, allocation_notes, allocated_at, created_at, version
    FROM organization";

/// What decides whether an organization may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganizationAccessRow {
    /// The organization.
    pub number: OrganizationNumber,
    /// Its public id.
    pub uuid: Uuid,
    /// Where it lives.
    pub environment: Environment,
    /// Whether it may act.
    pub status: OrganizationStatus,
}

/// Which organizations of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationFilter {
    /// Only those of this status.
    pub status: Option<OrganizationStatus>,
    /// Only those whose name has these terms.
    pub search: Option<Search>,
    /// Only the one with this id of the partner's.
    pub external_id: Option<String>,
}

/// Makes an organization; its `number` is given by the database.
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

/// Writes everything that can change of an organization.
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
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((uuid.as_bytes(), environment.as_str()))?;
    rows.next()?.map(organization).transpose()
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
    let mut condition = String::from(" WHERE environment = ?");
    let mut values = vec![Value::Text(environment.as_str().to_owned())];
    if let Some(status) = filter.status {
        condition.push_str(" AND status = ?");
        values.push(Value::Text(status.as_str().to_owned()));
    }
    if let Some(external_id) = &filter.external_id {
        condition.push_str(" AND external_id = ?");
        values.push(Value::Text(external_id.clone()));
    }
    if let Some(search) = &filter.search {
        return found(connection, &condition, values, search, (skip, limit));
    }
    let count = format!("SELECT count(*) FROM organization{condition}");
    let mut statement = connection.prepare_cached(&count)?;
    let total = statement.query_row(params_from_iter(&values), |row| row.get(0))?;
    let sql = format!("{SELECT}{condition} ORDER BY id DESC LIMIT ? OFFSET ?");
    values.extend([Value::Integer(limit), Value::Integer(skip)]);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&values))?;
    let mut organizations = Vec::new();
    while let Some(row) = rows.next()? {
        organizations.push(organization(row)?);
    }
    Ok((organizations, total))
}

/// The organizations on one page of those that a search finds, and how many it finds. A partner has
/// few enough to read the names of all.
fn found(
    connection: &Connection,
    condition: &str,
    values: Vec<Value>,
    search: &Search,
    (skip, limit): (i64, i64),
) -> Result<(Vec<Organization>, i64), Error> {
    let sql = format!("{SELECT}{condition} ORDER BY id DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
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

/// Every organization, with what decides whether it may act.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_access(connection: &Connection) -> Result<Vec<OrganizationAccessRow>, Error> {
    let sql = "SELECT id, uuid, environment, status FROM organization ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(crate::store::readable(
            "organization",
            row,
            access_row(row),
        )?);
    }
    Ok(all)
}

/// What decides whether an organization may act.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn access(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Option<OrganizationAccessRow>, Error> {
    let sql = "SELECT id, uuid, environment, status FROM organization WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([organization.0])?;
    rows.next()?.map(access_row).transpose()
}

fn access_row(row: &Row<'_>) -> Result<OrganizationAccessRow, Error> {
    Ok(OrganizationAccessRow {
        number: OrganizationNumber(row.get(0)?),
        uuid: uuid(row, 1)?,
        environment: environment(row, 2)?,
        status: status(&row.get::<_, String>(3)?)?,
    })
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

/// The sum of what all organizations of an environment but one are allocated.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn allocated_to_others(
    connection: &Connection,
    environment: Environment,
    but: OrganizationNumber,
) -> Result<i64, Error> {
    let sql = "SELECT coalesce(sum(allocation), 0) FROM organization
               WHERE environment = ?1 AND id <> ?2";
    Ok(connection
        .prepare_cached(sql)?
        .query_row((environment.as_str(), but.0), |row| row.get(0))?)
}

fn status(name: &str) -> Result<OrganizationStatus, Error> {
    OrganizationStatus::parse(name).ok_or(Error::Impossible("organization status"))
}

/// Reads the columns of [`SELECT`].
fn organization(row: &Row<'_>) -> Result<Organization, Error> {
    let tier: String = row.get(6)?;
    let allocation = match (row.get(8)?, row.get(9)?, row.get(11)?) {
        (Some(credits), Some(uuid), Some(at)) => Some(Allocation {
            uuid: Uuid::from_bytes(uuid),
            credits,
            notes: row.get::<_, Option<String>>(10)?.map(Note::stored),
            at: timestamp(at)?,
        }),
        _ => None,
    };
    Ok(Organization {
        number: OrganizationNumber(row.get(0)?),
        uuid: uuid(row, 1)?,
        environment: environment(row, 2)?,
        name: Name::stored(row.get(3)?),
        external_id: row.get::<_, Option<String>>(4)?.map(ExternalId::stored),
        status: status(&row.get::<_, String>(5)?)?,
        tier: OrganizationTier::parse(&tier).ok_or(Error::Impossible("organization tier"))?,
        metadata: row.get::<_, Option<String>>(7)?.map(Attributes::stored),
        allocation,
        created_at: timestamp(row.get(12)?)?,
        version: Seq(row.get(13)?),
    })
}
