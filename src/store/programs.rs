//! Programs and what they are set to.

use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use super::{Error, Transaction};
use crate::domain::{
    Currency, CurrencyName, CurrencySymbol, Environment, OrganizationNumber, OrganizationStatus,
    Points, Program, ProgramNumber, ProgramStatus, Tier, Timestamp,
};

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
    /// Whether its organization may act.
    pub organization_status: OrganizationStatus,
}

/// Makes a program that is in use.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    uuid: Uuid,
    organization: OrganizationNumber,
    name: &str,
    currency: &Currency,
    default_tier: &Tier,
    now: Timestamp,
) -> Result<ProgramNumber, Error> {
    let sql = "INSERT INTO program (uuid, organization_id, name, status, currency_name,
                   currency_symbol, default_tier, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.execute(
        sql,
        (
            uuid.as_bytes(),
            organization.0,
            name,
            ProgramStatus::Active.as_str(),
            currency.name.as_str(),
            currency.symbol.as_str(),
            default_tier.as_str(),
            now.as_millis(),
        ),
    )?;
    Ok(ProgramNumber(tx.last_insert_rowid()))
}

/// A program.
///
/// # Errors
/// [`Error`] if the database fails or there is no such program.
pub fn get(connection: &Connection, program: ProgramNumber) -> Result<Program, Error> {
    let sql = "SELECT p.uuid, p.organization_id, o.environment, p.name, p.status, p.currency_name,
                   p.currency_symbol, p.default_tier
               FROM program p JOIN organization o ON o.id = p.organization_id WHERE p.id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([program.0])?;
    let row = rows.next()?.ok_or(Error::Impossible("program number"))?;
    Ok(Program {
        number: program,
        uuid: uuid(row, 0)?,
        organization: OrganizationNumber(row.get(1)?),
        environment: environment(row, 2)?,
        name: row.get(3)?,
        status: status(row, 4)?,
        currency: currency(row, 5)?,
        default_tier: Tier::stored(row.get(7)?),
    })
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
pub fn configure(tx: &Transaction<'_>, program: &Program) -> Result<(), Error> {
    let sql = "UPDATE program SET currency_name = ?2, currency_symbol = ?3, default_tier = ?4
               WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((
        program.number.0,
        program.currency.name.as_str(),
        program.currency.symbol.as_str(),
        program.default_tier.as_str(),
    ))?;
    Ok(())
}

/// Adds to the sums over all wallets; `false`, and nothing is changed, if one would pass
/// [`Points::MAX`].
///
/// # Errors
/// [`Error`] if the database fails.
pub fn add_to_totals(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    received: Points,
    spent: Points,
) -> Result<bool, Error> {
    let sql = "UPDATE program SET amount_received = amount_received + ?2,
                   amount_spent = amount_spent + ?3
               WHERE id = ?1 AND amount_received <= ?4 - ?2 AND amount_spent <= ?4 - ?3";
    let changed = tx.prepare_cached(sql)?.execute((
        program.0,
        received.get(),
        spent.get(),
        Points::MAX.get(),
    ))?;
    Ok(changed == 1)
}

/// Every program, with what decides whether its credentials are good.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_access(connection: &Connection) -> Result<Vec<ProgramAccessRow>, Error> {
    let sql = "SELECT p.id, p.uuid, p.organization_id, o.environment, p.status, o.status
               FROM program p JOIN organization o ON o.id = p.organization_id ORDER BY p.id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let organization_status: String = row.get(5)?;
        all.push(ProgramAccessRow {
            number: ProgramNumber(row.get(0)?),
            uuid: uuid(row, 1)?,
            organization: OrganizationNumber(row.get(2)?),
            environment: environment(row, 3)?,
            status: status(row, 4)?,
            organization_status: OrganizationStatus::parse(&organization_status)
                .ok_or(Error::Impossible("organization status"))?,
        });
    }
    Ok(all)
}

/// The program a new database begins with in an environment.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn first(
    connection: &Connection,
    environment: Environment,
) -> Result<Option<ProgramNumber>, Error> {
    let sql = "SELECT min(p.id) FROM program p JOIN organization o ON o.id = p.organization_id
               WHERE o.environment = ?1";
    let number: Option<Option<i64>> = connection
        .query_row(sql, [environment.as_str()], |row| row.get(0))
        .optional()?;
    Ok(number.flatten().map(ProgramNumber))
}

/// The sixteen bytes in a column.
pub(super) fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid, Error> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

fn environment(row: &Row<'_>, column: usize) -> Result<Environment, Error> {
    let name: String = row.get(column)?;
    Environment::parse(&name).ok_or(Error::Impossible("environment"))
}

fn status(row: &Row<'_>, column: usize) -> Result<ProgramStatus, Error> {
    let name: String = row.get(column)?;
    ProgramStatus::parse(&name).ok_or(Error::Impossible("program status"))
}

/// The name and the symbol in two columns beside each other.
pub(super) fn currency(row: &Row<'_>, column: usize) -> Result<Currency, Error> {
    Ok(Currency {
        name: CurrencyName::stored(row.get(column)?),
        symbol: CurrencySymbol::stored(row.get(column + 1)?),
    })
}
