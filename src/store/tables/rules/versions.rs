//! Versions of earning rules. The time and the actor of each are those of its activity.

use rusqlite::{Connection, Row};

use uuid::Uuid;

use crate::domain::{Actor, Name, RuleChange, RuleNumber, RuleVersionNumber, Seq, Timestamp};
use crate::rules::{EVALUATOR_VERSION, RuleDocument};
use crate::store::tables::columns::{column, time, uuid, word};
use crate::store::tables::compiled_rules::document;
use crate::store::tables::query::{self, Query};
use crate::store::{Error, Transaction};

const SELECT: &str = "SELECT v.id, v.seq, v.change_type, v.document, a.at, a.actor, a.actor_number,
        (SELECT document FROM rule_version
            WHERE rule_id = v.rule_id AND number = v.number - 1) AS former
    FROM rule_version v JOIN activity a ON a.seq = v.seq
    WHERE v.rule_id = ?";

/// A version of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// The version.
    pub number: RuleVersionNumber,
    /// The activity that began it.
    pub seq: Seq,
    /// What changed.
    pub change: RuleChange,
    /// When.
    pub at: Timestamp,
    /// Who changed it.
    pub actor: Option<Actor>,
    /// What the rule says since then.
    pub document: RuleDocument,
    /// What it said before.
    pub before: Option<RuleDocument>,
}

/// A version of a rule, as others name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedVersion {
    /// The public id of the rule.
    pub rule: Uuid,
    /// The name that the rule had then.
    pub name: Name,
}

/// The version of a rule with a number.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn named_version(
    connection: &Connection,
    version: RuleVersionNumber,
) -> Result<Option<NamedVersion>, Error> {
    let sql = "SELECT r.uuid, v.document FROM rule_version v JOIN rule r ON r.id = v.rule_id
               WHERE v.id = ?1";
    query::one(connection, sql, [version.0], |row| {
        Ok(NamedVersion {
            rule: uuid(row, 0)?,
            name: document(row, 1)?.name,
        })
    })
}

/// The numbers of the versions of a rule.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn numbers_of_versions(
    connection: &Connection,
    rule: RuleNumber,
) -> Result<Vec<RuleVersionNumber>, Error> {
    let sql = "SELECT id FROM rule_version WHERE rule_id = ?1";
    query::all(connection, sql, [rule.0], |row| {
        Ok(RuleVersionNumber(row.get(0)?))
    })
}

/// The rule of a version, and what it says since then.
///
/// # Errors
/// [`Error`] if the database fails or the version is no rule.
pub fn version_document(
    connection: &Connection,
    version: RuleVersionNumber,
) -> Result<Option<(RuleNumber, RuleDocument)>, Error> {
    let sql = "SELECT rule_id, document FROM rule_version WHERE id = ?1";
    query::one(connection, sql, [version.0], |row| {
        Ok((RuleNumber(row.get(0)?), document(row, 1)?))
    })
}

/// The filter of a list of versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VersionFilter {
    /// Only those before this one.
    pub before: Option<RuleVersionNumber>,
    /// Only those with this change.
    pub change: Option<RuleChange>,
    /// Only those that began at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that began at this time or earlier.
    pub to: Option<Timestamp>,
}

/// A page of the versions of a rule, the newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn versions(
    connection: &Connection,
    rule: RuleNumber,
    filter: &VersionFilter,
    limit: usize,
) -> Result<Vec<VersionRow>, Error> {
    let mut query = Query::new(SELECT, [rule.0]);
    if let Some(before) = filter.before {
        query.and("v.id < ?", [before.0]);
    }
    if let Some(change) = filter.change {
        query.and("v.change_type = ?", [change.as_str().to_owned()]);
    }
    if let Some(from) = filter.from {
        query.and("a.at >= ?", [from.as_millis()]);
    }
    if let Some(to) = filter.to {
        query.and("a.at <= ?", [to.as_millis()]);
    }
    query.push(" ORDER BY v.id DESC");
    query.page(connection, limit, version)
}

/// The number of the next version of any rule.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn next_version(connection: &Connection) -> Result<RuleVersionNumber, Error> {
    let sql = "SELECT coalesce(max(id), 0) + 1 FROM rule_version";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(RuleVersionNumber(
        statement.query_row([], |row| row.get(0))?,
    ))
}

/// Writes a version, which is checked by the present evaluator.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert_version(
    tx: &Transaction<'_>,
    (rule, place): (RuleNumber, i64),
    (version, seq): (RuleVersionNumber, Seq),
    change: RuleChange,
    document: &RuleDocument,
) -> Result<(), Error> {
    let sql =
        "INSERT INTO rule_version (id, rule_id, number, seq, change_type, evaluator, document)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.prepare_cached(sql)?.execute((
        version.0,
        rule.0,
        place,
        seq.0,
        change.as_str(),
        EVALUATOR_VERSION,
        document.to_json(),
    ))?;
    Ok(())
}

fn version(row: &Row<'_>) -> Result<VersionRow, Error> {
    let before = column!(SELECT, "former");
    let before = match row.get_ref(before)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(document(row, before)?),
    };
    Ok(VersionRow {
        number: RuleVersionNumber(row.get(column!(SELECT, "v.id"))?),
        seq: Seq(row.get(column!(SELECT, "v.seq"))?),
        change: word(
            row,
            column!(SELECT, "change_type"),
            RuleChange::parse,
            "change of a rule",
        )?,
        at: time(row, column!(SELECT, "a.at"))?,
        actor: Actor::of_numbers(
            row.get(column!(SELECT, "actor"))?,
            row.get(column!(SELECT, "actor_number"))?,
        ),
        document: document(row, column!(SELECT, "v.document"))?,
        before,
    })
}
