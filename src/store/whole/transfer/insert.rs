//! Inserts the rows of an import, and checks them.

use rusqlite::{Connection, OptionalExtension as _};

use super::table::{SECRET_SETTINGS, SETTINGS, Table};
use crate::domain::Cell;
use crate::store::tables::cells::cell;
use crate::store::tables::members::terms;
use crate::store::tables::settings;
use crate::store::{Error, SCHEMA};

/// The reason a row was not inserted.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The row breaks a rule; the sentence names the table and the column.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Table {
    /// Inserts a row, whose cells are in the order of [`Table::columns`], if the API could have
    /// accepted each.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn insert(&self, connection: &Connection, cells: &[Cell<'_>]) -> Result<(), RowError> {
        self.check(cells)?;
        let mut names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        let mut values: Vec<Cell<'_>> = cells.to_vec();
        if self.name == "webhook_endpoint" {
            // Replaced when the last activity is known; until then no delivery is due.
            names.push("cursor_seq");
            values.push(Cell::Integer(i64::MAX));
        }
        let places = vec!["?"; names.len()].join(", ");
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({places})",
            self.name,
            names.join(", ")
        );
        let inserted = connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(values)));
        match inserted {
            Ok(_) if self.is_searched => {
                let number = connection.last_insert_rowid();
                Ok(terms::index_rows(
                    connection,
                    "member",
                    (number - 1, number),
                )?)
            }
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(connection, cells, error)),
        }
    }

    /// Checks every cell against the rules of the API's types.
    fn check(&self, cells: &[Cell<'_>]) -> Result<(), RowError> {
        for ((column, rule), cell) in self.columns.iter().zip(&self.rules).zip(cells) {
            rule.check(*cell).map_err(|expected| {
                RowError::Refused(format!("{}.{} {expected}", self.name, column.name))
            })?;
        }
        match (self.name, cells) {
            ("setting", [Cell::Text(name), Cell::Blob(value)]) => {
                let is_carried = SETTINGS.contains(name) || SECRET_SETTINGS.contains(name);
                let wrong = match settings::wrong_with(name, value) {
                    _ if !is_carried => Some("is not a setting of an export"),
                    wrong => wrong,
                };
                wrong.map_or(Ok(()), |wrong| {
                    Err(RowError::Refused(format!("setting {name:?} {wrong}")))
                })
            }
            _ => Ok(()),
        }
    }

    /// Finds values that no version writes, at most `limit`.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub(in crate::store) fn impossible_values(
        &self,
        connection: &Connection,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let columns: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        let (name, key) = (self.name, self.key.join(", "));
        let sql = format!("SELECT {} FROM {name} ORDER BY {key}", columns.join(", "));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            for (index, (column, rule)) in columns.iter().zip(&self.rules).enumerate() {
                let found = cell(row.get_ref(index)?);
                let checked = found.map_or(Err("must be UTF-8".to_owned()), |c| rule.check(c));
                let Err(expected) = checked else { continue };
                let key: Vec<String> = self.key_of(row);
                findings.push(format!(
                    "{name} row {}: {column} {expected}",
                    key.join(", ")
                ));
                if findings.len() >= limit {
                    return Ok(findings);
                }
            }
        }
        Ok(findings)
    }

    /// The key of a row, as text.
    fn key_of(&self, row: &rusqlite::Row<'_>) -> Vec<String> {
        let part = |name: &String| match row.get_ref(name.as_str()).ok().and_then(cell) {
            Some(Cell::Integer(number)) => number.to_string(),
            Some(Cell::Text(text)) => format!("{text:?}"),
            _ => "?".to_owned(),
        };
        self.key.iter().map(part).collect()
    }

    /// Describes why SQLite refused a row, with the column if it is known.
    fn explain(
        &self,
        connection: &Connection,
        cells: &[Cell<'_>],
        error: rusqlite::Error,
    ) -> RowError {
        let rusqlite::Error::SqliteFailure(failure, Some(message)) = &error else {
            return RowError::Failed(error.into());
        };
        if failure.code != rusqlite::ErrorCode::ConstraintViolation {
            return RowError::Failed(error.into());
        }
        let after = |prefix: &str| message.strip_prefix(prefix).map(str::to_owned);
        if let Some(columns) = after("UNIQUE constraint failed: ") {
            return RowError::Refused(format!("{columns}: another row has the same value"));
        }
        if let Some(rule) = after("CHECK constraint failed: ") {
            let rule = rule_named(&rule).unwrap_or(rule);
            let rule = rule.split_whitespace().collect::<Vec<_>>().join(" ");
            return RowError::Refused(format!(
                "{}: the row does not meet the condition {rule}",
                self.name
            ));
        }
        if message.starts_with("FOREIGN KEY") {
            return match self.dangling(connection, cells) {
                Ok(Some((column, parent))) => RowError::Refused(format!(
                    "{}.{column}: there is no such row of {parent} before this line",
                    self.name
                )),
                Ok(None) => RowError::Refused(format!("{}: {message}", self.name)),
                Err(error) => RowError::Failed(error),
            };
        }
        RowError::Refused(format!("{}: {message}", self.name))
    }

    /// A column that refers to a missing row, and the table it refers to.
    fn dangling(
        &self,
        connection: &Connection,
        cells: &[Cell<'_>],
    ) -> Result<Option<(String, String)>, Error> {
        let sql = "SELECT \"from\", \"table\", coalesce(\"to\", 'id')
                   FROM pragma_foreign_key_list(?1)";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([self.name])?;
        while let Some(row) = rows.next()? {
            let (column, parent, key): (String, String, String) = row.try_into()?;
            let place = self.columns.iter().position(|own| own.name == column);
            let Some(cell) = place.map(|place| cells[place]) else {
                continue;
            };
            let sql = format!("SELECT 1 FROM {parent} WHERE {key} = ?1");
            let found = connection.query_row(&sql, [cell], |_| Ok(())).optional()?;
            if cell != Cell::Null && found.is_none() {
                return Ok(Some((column, parent)));
            }
        }
        Ok(None)
    }
}

/// The condition of a constraint of the schema.
fn rule_named(name: &str) -> Option<String> {
    let (_, after) = SCHEMA.split_once(&format!("CONSTRAINT {name} CHECK ("))?;
    let mut depth = 1;
    let end = after.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    })?;
    Some(after[..end].to_owned())
}
