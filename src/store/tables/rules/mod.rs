//! Earning rules, their versions, and what they used of their budgets.

mod budgets;
mod versions;

use rusqlite::{Connection, Row};
use uuid::Uuid;

pub use self::budgets::{budgets, budgets_of, drop_budgets, save_budgets};
pub use self::versions::{
    NamedVersion, VersionFilter, VersionRow, insert_version, named_version, next_version,
    numbers_of_versions, version_document, versions,
};
use crate::domain::{
    ProgramNumber, RuleNumber, RuleSort, RuleStatus, RuleVersionNumber, Search, Seq, Timestamp,
};
use crate::rules::RuleDocument;
use crate::store::tables::columns::{column, optional_time, time, uuid};
use crate::store::tables::compiled_rules::document;
pub use crate::store::tables::compiled_rules::{
    ActiveRule, CompiledRules, ProgramAssets, compiled, version_of,
};
use crate::store::tables::query::{self, Query};
use crate::store::{AccessChange, Error, Transaction};

const SELECT: &str = "SELECT r.id, r.uuid, r.program_id, r.newest, r.created_at, r.updated_at,
        r.archived_at, v.seq, v.number, v.document
    FROM rule r JOIN rule_version v ON v.id = r.newest";

/// A rule with its newest version.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRow {
    /// The rule.
    pub number: RuleNumber,
    /// Its public id.
    pub uuid: Uuid,
    /// Its program.
    pub program: ProgramNumber,
    /// Its newest version.
    pub version: RuleVersionNumber,
    /// The place of that one among the versions of the rule, from 1.
    pub version_place: i64,
    /// The activity that began it.
    pub seq: Seq,
    /// When the rule was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// What it says.
    pub document: RuleDocument,
}

/// The filter and the order of a list of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFilter {
    /// Only those after this one.
    pub after: Option<RuleNumber>,
    /// Only those with this status.
    pub status: Option<RuleStatus>,
    /// Only those with these terms in their name.
    pub search: Option<Search>,
    /// Whether to include archived ones.
    pub include_archived: bool,
    /// The field that orders them.
    pub sort: RuleSort,
    /// Whether the order is reversed.
    pub is_descending: bool,
}

/// A rule of a program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    uuid: Uuid,
) -> Result<Option<RuleRow>, Error> {
    let sql = format!("{SELECT} WHERE r.uuid = ?1 AND r.program_id = ?2");
    query::one(connection, &sql, (uuid.as_bytes(), program.0), rule)
}

/// A page of the rules of a program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &RuleFilter,
    limit: usize,
) -> Result<Vec<RuleRow>, Error> {
    let mut query = Query::new(format!("{SELECT} WHERE r.program_id = ?"), [program.0]);
    if let Some(status) = filter.status {
        query.and("r.status = ?", [status.as_str().to_owned()]);
    } else if !filter.include_archived {
        query.push(" AND r.archived_at IS NULL");
    }
    let (key, select) = match filter.sort {
        RuleSort::Order => ("r.position, r.id", "position, id"),
        RuleSort::Name => ("r.name, r.id", "name, id"),
        RuleSort::CreatedAt => ("r.created_at, r.id", "created_at, id"),
    };
    if let Some(after) = filter.after {
        let than = if filter.is_descending { '<' } else { '>' };
        let later = format!("({key}) {than} (SELECT {select} FROM rule WHERE id = ?)");
        query.and(&later, [after.0]);
    }
    let order = if filter.is_descending {
        key.replace(',', " DESC,") + " DESC"
    } else {
        key.to_owned()
    };
    query.push(&format!(" ORDER BY {order}"));
    let search = filter.search.as_ref();
    query.searched_page(connection, limit, search, rule, |rule| {
        rule.document.name.as_str()
    })
}

/// Whether an active rule of a program has a place in the order, other than the given one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn is_order_taken(
    connection: &Connection,
    program: ProgramNumber,
    order: u32,
    except: RuleNumber,
) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM rule
               WHERE program_id = ?1 AND position = ?2 AND status = 'ACTIVE' AND id <> ?3)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((program.0, order, except.0), |row| row.get(0))?)
}

/// The rules of a program that are not archived, and the highest of their places in the order.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn count(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<(usize, Option<u32>), Error> {
    let sql = "SELECT count(*), max(position) FROM rule
               WHERE program_id = ?1 AND archived_at IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let (count, highest): (u32, _) =
        statement.query_row([program.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((count as usize, highest))
}

/// The number of the next rule.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn next_number(connection: &Connection) -> Result<RuleNumber, Error> {
    let sql = "SELECT coalesce(max(id), 0) + 1 FROM rule";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(RuleNumber(statement.query_row([], |row| row.get(0))?))
}

/// Writes a rule that is new or was changed. Its newest version is another row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put(tx: &mut Transaction<'_>, rule: &RuleRow) -> Result<(), Error> {
    let sql = "INSERT INTO rule (id, uuid, program_id, name, status, position, newest,
                   created_at, updated_at, archived_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (id) DO UPDATE SET name = ?4, status = ?5, position = ?6,
                   newest = ?7, updated_at = ?9, archived_at = ?10";
    let document = &rule.document;
    tx.prepare_cached(sql)?.execute((
        rule.number.0,
        rule.uuid.as_bytes(),
        rule.program.0,
        document.name.as_str(),
        document.status.as_str(),
        document.draft.order,
        rule.version.0,
        rule.created_at.as_millis(),
        rule.updated_at.as_millis(),
        rule.archived_at.map(Timestamp::as_millis),
    ))?;
    tx.rules_changed(rule.program);
    // The directory counts the rules of programs.
    tx.access_changed(AccessChange::Program(rule.program));
    Ok(())
}

fn rule(row: &Row<'_>) -> Result<RuleRow, Error> {
    Ok(RuleRow {
        number: RuleNumber(row.get(column!(SELECT, "r.id"))?),
        uuid: uuid(row, column!(SELECT, "uuid"))?,
        program: ProgramNumber(row.get(column!(SELECT, "program_id"))?),
        version: RuleVersionNumber(row.get(column!(SELECT, "newest"))?),
        version_place: row.get(column!(SELECT, "v.number"))?,
        seq: Seq(row.get(column!(SELECT, "v.seq"))?),
        created_at: time(row, column!(SELECT, "created_at"))?,
        updated_at: time(row, column!(SELECT, "updated_at"))?,
        archived_at: optional_time(row, column!(SELECT, "archived_at"))?,
        document: document(row, column!(SELECT, "document"))?,
    })
}
