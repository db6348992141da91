//! Programs and their settings.

mod configurations;

use std::sync::Arc;

use rusqlite::{Connection, Row};
use uuid::Uuid;

pub use self::configurations::{CurrencyVersion, currency_at, currency_of};
pub(in crate::store) use self::configurations::{currency, expiry, refund_grace, target, zone};
use crate::domain::{
    Currency, Environment, ExpiryNotice, Name, Note, OrganizationNumber, OrganizationStatus,
    Program, ProgramNumber, ProgramSort, ProgramStatus, RefundGrace, Search, Seq, Tier, Timestamp,
    UnknownParticipants,
};
use crate::store::error::readable;
use crate::store::tables::columns::{
    column, environment, optional, optional_time, time, uuid, word,
};
use crate::store::tables::query::{self, Query};
use crate::store::{AccessChange, Counted, Error, Tenant, Transaction};

/// Selects the columns that [`program`] reads.
const SELECT: &str = "SELECT p.id, p.uuid, p.organization_id, o.environment, p.name, p.status,
        p.currency_name, p.currency_symbol, p.rate_per_point, p.units_per_usd, p.default_tier,
        p.expiry, p.time_zone, p.expiry_notice, p.created_at, p.updated_at, p.archived_at, p.version,
        p.configuration_version, p.description, p.redemption_target, p.refund_grace,
        p.unknown_participants
    FROM program p JOIN organization o ON o.id = p.organization_id";

/// Selects the columns that [`access_row`] reads.
const SELECT_ACCESS: &str =
    "SELECT p.id, p.uuid, p.organization_id, o.environment, p.status, p.name,
        p.currency_name, p.currency_symbol, p.rate_per_point, p.units_per_usd,
        (SELECT count(*) FROM asset WHERE program_id = p.id AND symbol IS NOT NULL
            AND archived_at IS NULL) AS further_assets,
        EXISTS (SELECT 1 FROM asset WHERE program_id = p.id AND symbol IS NOT NULL)
            AS has_further_assets,
        (SELECT count(*) FROM rule WHERE program_id = p.id AND archived_at IS NULL) AS rules
    FROM program p JOIN organization o ON o.id = p.organization_id";

/// The parts of a program that a credential check needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramAccessRow {
    /// The program.
    pub number: ProgramNumber,
    /// Its public id.
    pub uuid: Uuid,
    /// Its organization.
    pub organization: OrganizationNumber,
    /// Its environment.
    pub environment: Environment,
    /// Its status.
    pub status: ProgramStatus,
    /// Its name.
    pub name: Name,
    /// The currency of its points.
    pub currency: Arc<Currency>,
    /// The number of its further assets that are not archived.
    pub further_assets: u32,
    /// Whether it has any, archived ones included.
    pub has_further_assets: bool,
    /// The number of its earning rules that are not archived.
    pub rules: u32,
}

/// Creates a program and sets its `number`. [`update`] and [`configure`] write its versions, which
/// are not known yet.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(tx: &mut Transaction<'_>, program: &mut Program) -> Result<(), Error> {
    let sql = "INSERT INTO program (uuid, organization_id, name, status, currency_name,
                   currency_symbol, rate_per_point, units_per_usd, default_tier, created_at,
                   updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)";
    tx.execute(
        sql,
        (
            program.uuid.as_bytes(),
            program.organization.0,
            program.name.as_str(),
            program.status.as_str(),
            program.currency.name.as_str(),
            program.currency.symbol.as_str(),
            program.currency.rate_per_point.millionths(),
            program.currency.units_per_usd.millionths(),
            program.default_tier.as_str(),
            program.created_at.as_millis(),
        ),
    )?;
    program.number = ProgramNumber(tx.last_insert_rowid());
    tx.count_change(Counted::Programs(program.organization), 1);
    tx.access_changed(AccessChange::Program(program.number));
    Ok(())
}

/// A program.
///
/// # Errors
/// [`Error`] if the database fails or there is no such program.
pub fn get(connection: &Connection, number: ProgramNumber) -> Result<Program, Error> {
    let sql = format!("{SELECT} WHERE p.id = ?1");
    let found = query::one(connection, &sql, [number.0], program)?;
    found.ok_or(Error::Impossible("program number"))
}

/// A program of an organization, archived or not.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    organization: OrganizationNumber,
    uuid: Uuid,
) -> Result<Option<Program>, Error> {
    let sql = format!("{SELECT} WHERE p.uuid = ?1 AND p.organization_id = ?2");
    query::one(connection, &sql, (uuid.as_bytes(), organization.0), program)
}

/// The filter and the order of a list of programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramFilter {
    /// Only those after this one.
    pub after: Option<ProgramNumber>,
    /// The field that orders them.
    pub sort: ProgramSort,
    /// Whether the order is reversed.
    pub is_descending: bool,
    /// Only those with this status.
    pub status: Option<ProgramStatus>,
    /// Only those whose name has these terms.
    pub search: Option<Search>,
    /// Include archived ones.
    pub include_archived: bool,
}

/// A page of programs.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    organization: OrganizationNumber,
    filter: &ProgramFilter,
    limit: usize,
) -> Result<Vec<Program>, Error> {
    let mut query = Query::new(
        format!("{SELECT} WHERE p.organization_id = ?"),
        [organization.0],
    );
    let (after, order) = match (filter.sort, filter.is_descending) {
        (ProgramSort::CreatedAt, true) => ("p.id < ?", " ORDER BY p.id DESC"),
        (ProgramSort::CreatedAt, false) => ("p.id > ?", " ORDER BY p.id"),
        (ProgramSort::Name, true) => (
            "(p.name COLLATE NOCASE, p.id) < (SELECT name, id FROM program WHERE id = ?)",
            " ORDER BY p.name COLLATE NOCASE DESC, p.id DESC",
        ),
        (ProgramSort::Name, false) => (
            "(p.name COLLATE NOCASE, p.id) > (SELECT name, id FROM program WHERE id = ?)",
            " ORDER BY p.name COLLATE NOCASE, p.id",
        ),
    };
    if let Some(last) = filter.after {
        query.and(after, [last.0]);
    }
    if let Some(status) = filter.status {
        query.and("p.status = ?", [status.as_str().to_owned()]);
    } else if !filter.include_archived {
        query.push(" AND p.status <> 'ARCHIVED'");
    }
    query.push(order);
    let search = filter.search.as_ref();
    query.searched_page(connection, limit, search, program, |program| {
        program.name.as_str()
    })
}

/// Writes a program's name, status, settings of its points, times and the version of these.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &mut Transaction<'_>, program: &Program) -> Result<(), Error> {
    let sql = "UPDATE program SET name = ?2, status = ?3, updated_at = ?4, archived_at = ?5,
                   version = ?6, expiry = ?7, time_zone = ?8, expiry_notice = ?9,
                   description = ?10, redemption_target = ?11, refund_grace = ?12,
                   unknown_participants = ?13
               WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((
        program.number.0,
        program.name.as_str(),
        program.status.as_str(),
        program.updated_at.as_millis(),
        program.archived_at.map(Timestamp::as_millis),
        program.version.0,
        program.expiry.map(|expiry| expiry.to_string()),
        program.zone.name(),
        program.expiry_notice.map(ExpiryNotice::days),
        program.description.as_ref().map(Note::as_str),
        program.target.as_str(),
        program.refund_grace.map(RefundGrace::hours),
        program.unknown.as_str(),
    ))?;
    tx.settings_changed(program.number);
    tx.access_changed(AccessChange::Program(program.number));
    Ok(())
}

/// Writes a program's configuration, which is new or was changed, as its newest version.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn configure(tx: &mut Transaction<'_>, program: &Program) -> Result<(), Error> {
    let values = (
        program.number.0,
        program.configuration_version.0,
        program.currency.name.as_str(),
        program.currency.symbol.as_str(),
        program.currency.rate_per_point.millionths(),
        program.currency.units_per_usd.millionths(),
        program.default_tier.as_str(),
    );
    let sql = "UPDATE program SET configuration_version = ?2, currency_name = ?3,
                   currency_symbol = ?4, rate_per_point = ?5, units_per_usd = ?6,
                   default_tier = ?7
               WHERE id = ?1";
    tx.prepare_cached(sql)?.execute(values)?;
    let sql = "INSERT INTO configuration
                   (program_id, version, currency_name, currency_symbol, rate_per_point,
                    units_per_usd, default_tier)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.prepare_cached(sql)?.execute(values)?;
    tx.settings_changed(program.number);
    tx.access_changed(AccessChange::Program(program.number));
    Ok(())
}

/// Every program, the oldest first, with the parts that a credential check needs.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_access(connection: &Connection) -> Result<Vec<ProgramAccessRow>, Error> {
    let sql = format!("{SELECT_ACCESS} ORDER BY p.id");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(readable("program", row, access_row(row))?);
    }
    Ok(all)
}

/// The parts of a program that a credential check needs.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn access(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<Option<ProgramAccessRow>, Error> {
    let sql = format!("{SELECT_ACCESS} WHERE p.id = ?1");
    query::one(connection, &sql, [program.0], access_row)
}

/// The tenant whose share the work for a program takes, if the program and its organization are
/// active.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn active_tenant(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<Option<Tenant>, Error> {
    let sql = format!("{SELECT_ACCESS} WHERE p.id = ?1 AND p.status = ?2 AND o.status = ?3");
    let (active, organization) = (ProgramStatus::Active, OrganizationStatus::Active);
    let row = query::one(
        connection,
        &sql,
        (program.0, active.as_str(), organization.as_str()),
        access_row,
    )?;
    Ok(row.map(|row| Tenant::Program {
        organization: row.organization,
        program,
        environment: row.environment,
    }))
}

/// Reads the columns of [`SELECT_ACCESS`].
fn access_row(row: &Row<'_>) -> Result<ProgramAccessRow, Error> {
    Ok(ProgramAccessRow {
        number: ProgramNumber(row.get(column!(SELECT_ACCESS, "p.id"))?),
        uuid: uuid(row, column!(SELECT_ACCESS, "uuid"))?,
        organization: OrganizationNumber(row.get(column!(SELECT_ACCESS, "organization_id"))?),
        environment: environment(row, column!(SELECT_ACCESS, "environment"))?,
        status: status(row, column!(SELECT_ACCESS, "status"))?,
        name: Name::stored(row.get(column!(SELECT_ACCESS, "name"))?),
        currency: Arc::new(currency(row, column!(SELECT_ACCESS, "currency_name"))?),
        further_assets: row.get(column!(SELECT_ACCESS, "further_assets"))?,
        has_further_assets: row.get(column!(SELECT_ACCESS, "has_further_assets"))?,
        rules: row.get(column!(SELECT_ACCESS, "rules"))?,
    })
}

/// The oldest program of an organization that is not archived.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn first_of(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Option<ProgramNumber>, Error> {
    let sql = "SELECT min(id) FROM program WHERE organization_id = ?1 AND status <> 'ARCHIVED'";
    let number: Option<i64> = connection.query_row(sql, [organization.0], |row| row.get(0))?;
    Ok(number.map(ProgramNumber))
}

/// Reads the columns of [`SELECT`].
fn program(row: &Row<'_>) -> Result<Program, Error> {
    Ok(Program {
        number: ProgramNumber(row.get(column!(SELECT, "p.id"))?),
        uuid: uuid(row, column!(SELECT, "uuid"))?,
        organization: OrganizationNumber(row.get(column!(SELECT, "organization_id"))?),
        environment: environment(row, column!(SELECT, "environment"))?,
        name: Name::stored(row.get(column!(SELECT, "name"))?),
        status: status(row, column!(SELECT, "status"))?,
        currency: currency(row, column!(SELECT, "currency_name"))?,
        default_tier: Tier::stored(row.get(column!(SELECT, "default_tier"))?),
        expiry: expiry(row, column!(SELECT, "expiry"))?,
        zone: zone(row, column!(SELECT, "time_zone"))?,
        expiry_notice: optional(row, column!(SELECT, "expiry_notice"), ExpiryNotice::new)?
            .flatten(),
        created_at: time(row, column!(SELECT, "created_at"))?,
        updated_at: time(row, column!(SELECT, "updated_at"))?,
        archived_at: optional_time(row, column!(SELECT, "archived_at"))?,
        version: Seq(row.get(column!(SELECT, "p.version"))?),
        configuration_version: Seq(row.get(column!(SELECT, "configuration_version"))?),
        description: optional(row, column!(SELECT, "description"), Note::stored)?,
        target: target(row, column!(SELECT, "redemption_target"))?,
        refund_grace: refund_grace(row, column!(SELECT, "refund_grace"))?,
        unknown: word(
            row,
            column!(SELECT, "unknown_participants"),
            UnknownParticipants::parse,
            "treatment of unknown participants",
        )?,
    })
}

fn status(row: &Row<'_>, column: usize) -> Result<ProgramStatus, Error> {
    word(row, column, ProgramStatus::parse, "program status")
}
