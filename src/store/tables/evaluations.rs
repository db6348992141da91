//! What the rules made of events.

use rusqlite::Connection;

use crate::domain::{RuleNumber, RuleVersionNumber, Seq};
use crate::store::tables::columns::column;
use crate::store::tables::query;
use crate::store::{Error, Transaction};

const SELECT: &str = "SELECT place, rule_id, rule_version, status, reason, error, stopped_by
    FROM evaluation WHERE event_seq = ?1 ORDER BY place";

/// What a rule made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationRow {
    /// The place among the evaluations of the event, from 0.
    pub place: u32,
    /// The rule.
    pub rule: RuleNumber,
    /// Its version.
    pub version: RuleVersionNumber,
    /// The result.
    pub status: String,
    /// The reason of the result, if it has one.
    pub reason: Option<String>,
    /// What went wrong, if something did.
    pub error: Option<String>,
    /// The version of the rule that ended the evaluation before, if one did.
    pub stopped_by: Option<RuleVersionNumber>,
}

/// The evaluations of an event, in their order.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn of_event(connection: &Connection, event: Seq) -> Result<Vec<EvaluationRow>, Error> {
    query::all(connection, SELECT, [event.0], |row| {
        let stopped_by: Option<i64> = row.get(column!(SELECT, "stopped_by"))?;
        Ok(EvaluationRow {
            place: row.get(column!(SELECT, "place"))?,
            rule: RuleNumber(row.get(column!(SELECT, "rule_id"))?),
            version: RuleVersionNumber(row.get(column!(SELECT, "rule_version"))?),
            status: row.get(column!(SELECT, "status"))?,
            reason: row.get(column!(SELECT, "reason"))?,
            error: row.get(column!(SELECT, "error"))?,
            stopped_by: stopped_by.map(RuleVersionNumber),
        })
    })
}

/// Adds an evaluation of an event.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(tx: &Transaction<'_>, event: Seq, row: &EvaluationRow) -> Result<(), Error> {
    let sql = "INSERT INTO evaluation
                   (event_seq, place, rule_id, rule_version, status, reason, error, stopped_by)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = (
        event.0,
        row.place,
        row.rule.0,
        row.version.0,
        row.status.as_str(),
        row.reason.as_deref(),
        row.error.as_deref(),
        row.stopped_by.map(|version| version.0),
    );
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}
