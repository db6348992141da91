//! Checks of rows against the constraints of the schema.
//!
//! A file that was edited by hand can hold rows that violate them, as constraints can be turned
//! off, and the integrity check of SQLite does not report all of them. So each constraint of
//! `schema.sql` is evaluated again.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::findings::FINDINGS_MAX;
use crate::store::file::definitions;
use crate::store::{Error, SCHEMA};

/// A condition that every row of a table must meet.
#[derive(Debug, PartialEq, Eq)]
struct Condition {
    sql: String,
    /// The description in a finding.
    text: String,
}

/// Finds rows that violate a constraint of their table. Leaves out the log, as another check reads
/// every row of it, and the snapshot, which is discarded if it is damaged.
pub(super) fn broken(connection: &Connection) -> Result<Vec<String>, Error> {
    let schema = definitions::in_memory(SCHEMA)?;
    let sql = "SELECT name, sql FROM sqlite_schema
        WHERE type = 'table' AND name <> 'activity' AND name NOT GLOB 'snapshot*' ORDER BY name";
    let mut statement = schema.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let (table, definition): (String, String) = row.try_into()?;
        let (key, mut conditions) = columns(&schema, &table)?;
        conditions.extend(checks(&definition));
        findings.extend(broken_in(connection, &table, &key, &conditions)?);
    }
    Ok(findings)
}

/// Evaluates all conditions in one pass over a table.
fn broken_in(
    connection: &Connection,
    table: &str,
    key: &str,
    conditions: &[Condition],
) -> Result<Vec<String>, Error> {
    let each: Vec<&str> = conditions.iter().map(|one| one.sql.as_str()).collect();
    let sql = format!(
        "SELECT {key}, {} FROM {table} WHERE NOT ({}) LIMIT {FINDINGS_MAX}",
        each.join(", "),
        each.join(" AND ")
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        for (place, condition) in conditions.iter().enumerate() {
            if row.get::<_, Value>(place + 1)? == Value::Integer(0) {
                findings.push(format!("{table} row {key}: {}", condition.text));
            }
        }
    }
    Ok(findings)
}

/// An expression for the key of a table, and conditions for the types of its columns.
fn columns(schema: &Connection, table: &str) -> Result<(String, Vec<Condition>), Error> {
    let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1) ORDER BY cid";
    let mut statement = schema.prepare(sql)?;
    let mut rows = statement.query([table])?;
    let (mut key, mut conditions) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (name, kind, not_null, pk): (String, String, bool, i64) = row.try_into()?;
        if pk > 0 {
            key.push(format!("quote({name})"));
        }
        let or_null = if not_null || pk > 0 { "" } else { ", 'null'" };
        conditions.push(Condition {
            sql: format!("typeof({name}) IN ('{}'{or_null})", kind.to_lowercase()),
            text: format!("{name} must be of the type {kind}"),
        });
    }
    Ok((key.join(" || ', ' || "), conditions))
}

/// The CHECK constraints of a table's definition.
fn checks(definition: &str) -> Vec<Condition> {
    let code = without_comments(definition);
    let mut found = Vec::new();
    for rest in code.split("CHECK (").skip(1) {
        let (mut depth, mut quoted) = (1, false);
        let end = rest.char_indices().find(|(_, character)| {
            match character {
                '\'' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => (),
            }
            depth == 0
        });
        let inside = end.and_then(|(end, _)| rest.get(..end)).unwrap_or(rest);
        let inside = inside.split_whitespace().collect::<Vec<_>>().join(" ");
        found.push(Condition {
            // A constraint that evaluates to null is met.
            sql: format!("coalesce(({inside}), 1)"),
            text: format!("CHECK ({inside}) does not hold"),
        });
    }
    found
}

/// Removes comments. In the schema each extends to the end of its line, and no text contains `--`.
fn without_comments(definition: &str) -> String {
    let code = |line: &str| line.split("--").next().unwrap_or_default().to_owned();
    definition.lines().map(code).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_of_the_schema_is_evaluated() {
        let words = without_comments(SCHEMA).matches("CHECK").count();
        let found = checks(SCHEMA);
        assert_eq!(found.len(), words);
        assert!(words >= 50, "{words}");
        let mention = |text: &str| found.iter().filter(|one| one.text.contains(text)).count();
        assert!(mention("CHECK (length(uuid) = 16) does not hold") > 5);
        assert_eq!(mention("'VENDOR_DECLINED', 'DATE_UNAVAILABLE'"), 1);
    }
}
