//! Rows that a constraint of the schema would not let in.
//!
//! A file that is edited by hand can hold them, as constraints can be turned off, and SQLite's own
//! integrity check does not report all of them. So each is evaluated again, as `schema.sql` has it.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::rows::FINDINGS_MAX;
use crate::store::file::definitions;
use crate::store::{Error, SCHEMA};

/// A condition that every row of a table must meet.
#[derive(Debug, PartialEq, Eq)]
struct Condition {
    sql: String,
    /// For a person.
    text: String,
}

/// The rows that do not meet a constraint of their table. The log is left out, which is looked at
/// row by row, and the snapshot, which is worth nothing if it does not fit.
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

/// All conditions are looked at in one pass over the table.
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

/// What tells a row of a table from others, and the types of its columns.
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
            // One that is neither true nor false lets a row in.
            sql: format!("coalesce(({inside}), 1)"),
            text: format!("CHECK ({inside}) does not hold"),
        });
    }
    found
}

/// Comments of the schema go to the end of their line, and none of its texts has `--`.
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
        assert!(words >= 60, "{words}");
        let mention = |text: &str| found.iter().filter(|one| one.text.contains(text)).count();
        assert!(mention("CHECK (length(uuid) = 16) does not hold") > 5);
        assert_eq!(mention("'VENDOR_DECLINED', 'DATE_UNAVAILABLE'"), 1);
    }
}
