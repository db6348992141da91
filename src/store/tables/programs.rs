//! Programs and what they are set to.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use crate::domain::{
    Currency, CurrencyName, CurrencySymbol, Environment, Name, OrganizationNumber, Points, Program,
    ProgramNumber, ProgramSort, ProgramStatus, Search, Seq, Tier, Timestamp,
};
use crate::store::log::chain;
use crate::store::log::chain::Hash;
use crate::store::log::timestamp;
use crate::store::{AccessChange, Counted, Error, Transaction};

/// The columns that [`program`] reads.
const SELECT: &str = "SELECT p.id, p.uuid, p.organization_id, o.environment, p.name, p.status,
        p.currency_name, p.currency_symbol, p.default_tier, p.created_at, p.updated_at,
        p.archived_at, p.version, p.configuration_version
    FROM program p JOIN organization o ON o.id = p.organization_id";

/// What decides whether a program's credentials are good.
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
    /// Whether it is in use.
    pub status: ProgramStatus,
    /// Its name.
    pub name: Name,
}

/// Makes a program; its `number` is given by the database.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(tx: &mut Transaction<'_>, program: &mut Program) -> Result<(), Error> {
    let sql = "INSERT INTO program (uuid, organization_id, name, status, currency_name,
                   currency_symbol, default_tier, created_at, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)";
    tx.execute(
        sql,
        (
            program.uuid.as_bytes(),
            program.organization.0,
            program.name.as_str(),
            program.status.as_str(),
            program.currency.name.as_str(),
            program.currency.symbol.as_str(),
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
pub fn get(connection: &Connection, program: ProgramNumber) -> Result<Program, Error> {
    let sql = format!("{SELECT} WHERE p.id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([program.0])?;
    self::program(rows.next()?.ok_or(Error::Impossible("program number"))?)
}

/// A program of an organization, in use or not.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    organization: OrganizationNumber,
    uuid: Uuid,
) -> Result<Option<Program>, Error> {
    let sql = format!("{SELECT} WHERE p.uuid = ?1 AND p.organization_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((uuid.as_bytes(), organization.0))?;
    rows.next()?.map(program).transpose()
}

/// A page of an organization's programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramFilter {
    /// Only those behind this one.
    pub after: Option<ProgramNumber>,
    /// What they are ordered by.
    pub sort: ProgramSort,
    /// Whether the last comes first.
    pub is_descending: bool,
    /// Only those of this status.
    pub status: Option<ProgramStatus>,
    /// Only those whose name has these terms.
    pub search: Option<Search>,
    /// Archived ones too.
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
    let mut sql = format!("{SELECT} WHERE p.organization_id = ?");
    let mut values = vec![Value::Integer(organization.0)];
    let (behind, order) = match (filter.sort, filter.is_descending) {
        (ProgramSort::CreatedAt, true) => (" AND p.id < ?", " ORDER BY p.id DESC LIMIT ?"),
        (ProgramSort::CreatedAt, false) => (" AND p.id > ?", " ORDER BY p.id LIMIT ?"),
        (ProgramSort::Name, true) => (
            " AND (p.name COLLATE NOCASE, p.id) < (SELECT name, id FROM program WHERE id = ?)",
            " ORDER BY p.name COLLATE NOCASE DESC, p.id DESC LIMIT ?",
        ),
        (ProgramSort::Name, false) => (
            " AND (p.name COLLATE NOCASE, p.id) > (SELECT name, id FROM program WHERE id = ?)",
            " ORDER BY p.name COLLATE NOCASE, p.id LIMIT ?",
        ),
    };
    if let Some(after) = filter.after {
        sql.push_str(behind);
        values.push(Value::Integer(after.0));
    }
    if let Some(status) = filter.status {
        sql.push_str(" AND p.status = ?");
        values.push(Value::Text(status.as_str().to_owned()));
    } else if !filter.include_archived {
        sql.push_str(" AND p.status <> 'ARCHIVED'");
    }
    sql.push_str(order);
    // An organization has few programs: those that a search leaves out are read.
    let rows = filter.search.is_none().then_some(limit);
    let rows = rows.and_then(|rows| i64::try_from(rows).ok());
    values.push(Value::Integer(rows.unwrap_or(-1)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut programs = Vec::new();
    while programs.len() < limit
        && let Some(row) = rows.next()?
    {
        let program = program(row)?;
        let is_found = |search: &Search| search.finds(&[program.name.as_str()]);
        if filter.search.as_ref().is_none_or(is_found) {
            programs.push(program);
        }
    }
    Ok(programs)
}

/// Writes a program's name, status and settings versions.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &mut Transaction<'_>, program: &Program) -> Result<(), Error> {
    let sql = "UPDATE program SET name = ?2, status = ?3, updated_at = ?4, archived_at = ?5,
                   version = ?6, configuration_version = ?7
               WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((
        program.number.0,
        program.name.as_str(),
        program.status.as_str(),
        program.updated_at.as_millis(),
        program.archived_at.map(Timestamp::as_millis),
        program.version.0,
        program.configuration_version.0,
    ))?;
    tx.access_changed(AccessChange::Program(program.number));
    Ok(())
}

/// What a program's points are called.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn currency_of(connection: &Connection, program: ProgramNumber) -> Result<Currency, Error> {
    let sql = "SELECT currency_name, currency_symbol FROM program WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([program.0])?;
    currency(rows.next()?.ok_or(Error::Impossible("program number"))?, 0)
}

/// Changes what a program is set to.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn configure(tx: &mut Transaction<'_>, program: &Program) -> Result<(), Error> {
    let sql = "UPDATE program SET currency_name = ?2, currency_symbol = ?3, default_tier = ?4,
                   configuration_version = ?5
               WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((
        program.number.0,
        program.currency.name.as_str(),
        program.currency.symbol.as_str(),
        program.default_tier.as_str(),
        program.configuration_version.0,
    ))?;
    tx.currency_changed(program.number);
    Ok(())
}

/// The sums over all wallets, received and spent, the hash of the newest ledger entry, and what the
/// points are called.
pub(in crate::store) fn sums(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<(Points, Points, Hash, Currency), Error> {
    let sql = "SELECT amount_received, amount_spent, chain, currency_name, currency_symbol
               FROM program WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([program.0])?;
    let row = rows.next()?.ok_or(Error::Impossible("program number"))?;
    let points = |column| -> Result<Points, Error> {
        Points::new(row.get(column)?).ok_or(Error::Impossible("number of points"))
    };
    let chain: Option<Hash> = row.get(2)?;
    let chain = chain.unwrap_or(chain::START);
    Ok((points(0)?, points(1)?, chain, currency(row, 3)?))
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

/// Every program, with what decides whether its credentials are good, the oldest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_access(connection: &Connection) -> Result<Vec<ProgramAccessRow>, Error> {
    let sql = "SELECT p.id, p.uuid, p.organization_id, o.environment, p.status, p.name
               FROM program p JOIN organization o ON o.id = p.organization_id ORDER BY p.id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(crate::store::readable("program", row, access_row(row))?);
    }
    Ok(all)
}

/// What decides whether a program's credentials are good.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn access(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<Option<ProgramAccessRow>, Error> {
    let sql = "SELECT p.id, p.uuid, p.organization_id, o.environment, p.status, p.name
               FROM program p JOIN organization o ON o.id = p.organization_id WHERE p.id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([program.0])?;
    rows.next()?.map(access_row).transpose()
}

fn access_row(row: &Row<'_>) -> Result<ProgramAccessRow, Error> {
    Ok(ProgramAccessRow {
        number: ProgramNumber(row.get(0)?),
        uuid: uuid(row, 1)?,
        organization: OrganizationNumber(row.get(2)?),
        environment: environment(row, 3)?,
        status: status(row, 4)?,
        name: Name::stored(row.get(5)?),
    })
}

/// The oldest program of an organization that is in use.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn first_of(
    connection: &Connection,
    organization: OrganizationNumber,
) -> Result<Option<ProgramNumber>, Error> {
    let sql = "SELECT min(id) FROM program WHERE organization_id = ?1 AND status = 'ACTIVE'";
    let number: Option<i64> = connection.query_row(sql, [organization.0], |row| row.get(0))?;
    Ok(number.map(ProgramNumber))
}

/// Reads the columns of [`SELECT`].
fn program(row: &Row<'_>) -> Result<Program, Error> {
    Ok(Program {
        number: ProgramNumber(row.get(0)?),
        uuid: uuid(row, 1)?,
        organization: OrganizationNumber(row.get(2)?),
        environment: environment(row, 3)?,
        name: Name::stored(row.get(4)?),
        status: status(row, 5)?,
        currency: currency(row, 6)?,
        default_tier: Tier::stored(row.get(8)?),
        created_at: timestamp(row.get(9)?)?,
        updated_at: timestamp(row.get(10)?)?,
        archived_at: row.get::<_, Option<i64>>(11)?.map(timestamp).transpose()?,
        version: Seq(row.get(12)?),
        configuration_version: Seq(row.get(13)?),
    })
}

/// The sixteen bytes in a column.
pub(in crate::store) fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid, Error> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

pub(in crate::store) fn environment(row: &Row<'_>, column: usize) -> Result<Environment, Error> {
    let name: String = row.get(column)?;
    Environment::parse(&name).ok_or(Error::Impossible("environment"))
}

fn status(row: &Row<'_>, column: usize) -> Result<ProgramStatus, Error> {
    let name: String = row.get(column)?;
    ProgramStatus::parse(&name).ok_or(Error::Impossible("program status"))
}

/// The name and the symbol in two columns beside each other.
pub(in crate::store) fn currency(row: &Row<'_>, column: usize) -> Result<Currency, Error> {
    Ok(Currency {
        name: CurrencyName::stored(row.get(column)?),
        symbol: CurrencySymbol::stored(row.get(column + 1)?),
    })
}
