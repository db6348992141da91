//! Rows as they are, to be carried from one database to another: what tables there are,
//! which of their columns are carried, and the rows in the order in which they can be put back.

use rusqlite::{Connection, OptionalExtension as _};

use super::rules::{self, Rule};
pub use crate::domain::Cell;
use crate::store::tables::cells::cell;
use crate::store::tables::search;
use crate::store::{Error, SCHEMA, schema_of};

/// The tables that are carried, each after those that it points to, with the columns that are left
/// behind and those that are secrets.
const TABLES: &[(&str, &[&str], &[&str])] = &[
    ("setting", &[], &[]),
    ("organization", &[], &[]),
    ("program", &[], &[]),
    ("credential", &[], &[]),
    ("member", &[], &[]),
    ("removal", &[], &[]),
    ("offer", &[], &[]),
    ("redemption", &[], &[]),
    ("activity", &[], &[]),
    ("log_text", &[], &[]),
    ("conversation", &[], &[]),
    ("message", &[], &[]),
    // How far an endpoint has come means nothing where nothing was delivered.
    ("webhook_endpoint", &["cursor_seq"], &["secret"]),
    ("pool_usage", &[], &[]),
    ("organization_usage", &[], &[]),
];

/// The tables that stay: answers that are kept for a day, what is on its way, and what follows from
/// the log or from the rows.
#[cfg(test)]
const LEFT_BEHIND: &[&str] = &[
    "search_term",
    "event_payload",
    "webhook_delivery",
    "idempotency",
    "idempotency_words",
    "idempotency_segment",
    "idempotency_list",
    "idempotency_filter",
    "snapshot",
    "snapshot_state",
    "snapshot_segment",
];

/// Settings that are carried, and those that are secrets.
const SETTINGS: &[&str] = &["partner_uuid"];
const SECRET_SETTINGS: &[&str] = &["token_key"];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// Text.
    Text,
    /// Bytes.
    Blob,
}

/// A column that is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing.
    pub is_nullable: bool,
    /// Whether it is carried only when secrets are.
    pub is_secret: bool,
    /// Whether it is a time that a server's clock stamped.
    pub is_stamp: bool,
}

/// A table that is carried.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order of the schema.
    pub columns: Vec<Column>,
    /// What each column may hold.
    rules: Vec<Rule>,
    /// The columns of the key, in which its rows are ordered.
    key: Vec<String>,
    /// Whether a search finds its rows.
    is_searched: bool,
}

/// The tables of a version's schema that are carried, in the order in which their rows can be put
/// back.
///
/// # Errors
/// [`Error`] if there is no such version or its schema cannot be read.
pub fn tables(version: i64) -> Result<Vec<Table>, Error> {
    let text = schema_of(version).ok_or(Error::Impossible("version of the schema"))?;
    let schema = Connection::open_in_memory()?;
    schema.execute_batch(text)?;
    let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1) ORDER BY cid";
    let mut statement = schema.prepare(sql)?;
    let mut tables = Vec::new();
    let has_search = schema.table_exists(None, "search_term")?;
    for (name, left_behind, secrets) in TABLES {
        let mut table = Table {
            name,
            columns: Vec::new(),
            rules: Vec::new(),
            key: Vec::new(),
            is_searched: has_search && *name == "member",
        };
        let mut rows = statement.query([name])?;
        while let Some(row) = rows.next()? {
            let column: String = row.get(0)?;
            let kind = match row.get_ref(1)?.as_str() {
                Ok("INTEGER") => Kind::Integer,
                Ok("TEXT") => Kind::Text,
                _ => Kind::Blob,
            };
            let is_key = row.get::<_, i64>(3)? > 0;
            if is_key {
                table.key.push(column.clone());
            }
            if !left_behind.contains(&column.as_str()) {
                let rule = Rule::of(name, &column);
                table.rules.push(rule.ok_or(Error::Impossible("column"))?);
                table.columns.push(Column {
                    kind,
                    is_nullable: !row.get::<_, bool>(2)? && !is_key,
                    is_secret: secrets.contains(&column.as_str()),
                    is_stamp: rules::is_stamp(&column),
                    name: column,
                });
            }
        }
        // Earlier versions have fewer tables.
        if !table.columns.is_empty() {
            tables.push(table);
        }
    }
    Ok(tables)
}

impl Table {
    fn condition(&self, with_secrets: bool) -> String {
        if self.name != "setting" {
            return String::new();
        }
        let secrets = if with_secrets { SECRET_SETTINGS } else { &[] };
        let names: Vec<&str> = SETTINGS.iter().chain(secrets).copied().collect();
        format!(" WHERE name IN ('{}')", names.join("', '"))
    }

    /// How many rows of it are carried.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn count(&self, connection: &Connection, with_secrets: bool) -> Result<u64, Error> {
        let sql = format!(
            "SELECT count(*) FROM {}{}",
            self.name,
            self.condition(with_secrets)
        );
        let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Hands every row that is carried to `take`, in the order of its key. A secret is handed out
    /// as nothing unless `with_secrets`.
    ///
    /// # Errors
    /// What `take` returns, or [`Error`] if the database fails.
    pub fn each_row<E: From<Error>>(
        &self,
        connection: &Connection,
        with_secrets: bool,
        mut take: impl FnMut(&[Cell<'_>]) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns: Vec<&str> = self
            .columns
            .iter()
            .map(|column| {
                if column.is_secret && !with_secrets {
                    "NULL"
                } else {
                    column.name.as_str()
                }
            })
            .collect();
        let sql = format!(
            "SELECT {} FROM {}{} ORDER BY {}",
            columns.join(", "),
            self.name,
            self.condition(with_secrets),
            self.key.join(", ")
        );
        let mut statement = connection.prepare(&sql).map_err(Error::from)?;
        let mut rows = statement.query([]).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            let mut cells = Vec::with_capacity(self.columns.len());
            for index in 0..self.columns.len() {
                let value = row.get_ref(index).map_err(Error::from)?;
                cells.push(cell(value).ok_or(Error::Impossible("value"))?);
            }
            take(&cells)?;
        }
        Ok(())
    }

    /// Puts a row in, whose cells stand in the order of [`Table::columns`]. Each is held to the
    /// rules of the API.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn insert(&self, connection: &Connection, cells: &[Cell<'_>]) -> Result<(), RowError> {
        self.check(cells)?;
        let mut names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        let mut values: Vec<Cell<'_>> = cells.to_vec();
        if self.name == "webhook_endpoint" {
            // Replaced once the last activity is known; until then nothing is due.
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
                Ok(search::index_rows(
                    connection,
                    "member",
                    (number - 1, number),
                )?)
            }
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(connection, cells, error)),
        }
    }

    /// Whether every cell is as the API's own types would have it.
    fn check(&self, cells: &[Cell<'_>]) -> Result<(), RowError> {
        for ((column, rule), cell) in self.columns.iter().zip(&self.rules).zip(cells) {
            rule.check(*cell).map_err(|expected| {
                RowError::Refused(format!("{}.{} {expected}", self.name, column.name))
            })?;
        }
        match (self.name, cells) {
            ("setting", [Cell::Text(name), Cell::Blob(value)]) => {
                let is_carried = SETTINGS.contains(name) || SECRET_SETTINGS.contains(name);
                let wrong = match crate::store::tables::settings::wrong_with(name, value) {
                    _ if !is_carried => Some("is not the name of a setting that is carried"),
                    wrong => wrong,
                };
                wrong.map_or(Ok(()), |wrong| {
                    Err(RowError::Refused(format!("setting {name:?} {wrong}")))
                })
            }
            _ => Ok(()),
        }
    }

    /// What each row holds that no version writes, a sentence each, at most `limit`.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub(in crate::store) fn impossible(
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

    /// The key of a row.
    fn key_of(&self, row: &rusqlite::Row<'_>) -> Vec<String> {
        let part = |name: &String| match row.get_ref(name.as_str()).ok().and_then(cell) {
            Some(Cell::Integer(number)) => number.to_string(),
            Some(Cell::Text(text)) => format!("{text:?}"),
            _ => "?".to_owned(),
        };
        self.key.iter().map(part).collect()
    }

    /// Which column is to blame for a row that was refused.
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
            return RowError::Refused(format!("{columns}: another row has the same"));
        }
        if let Some(rule) = after("CHECK constraint failed: ") {
            let rule = rule_named(&rule).unwrap_or(rule);
            let rule = rule.split_whitespace().collect::<Vec<_>>().join(" ");
            return RowError::Refused(format!("{}: it must hold that {rule}", self.name));
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

    /// A column that points to no row, and the table it points to.
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

/// What a constraint of this name checks.
fn rule_named(name: &str) -> Option<String> {
    let (_, after) = SCHEMA.split_once(&format!("CONSTRAINT {name} CHECK ("))?;
    let mut depth = 1;
    let end = after.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    })?;
    Some(after[..end].to_owned())
}

/// Why a row was not put in.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// It breaks a rule of the schema; the sentence names the table and the column.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Whether any table that is carried has a row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn has_rows(connection: &Connection) -> Result<bool, Error> {
    for (table, ..) in TABLES {
        if !connection.table_exists(None, *table)? {
            continue;
        }
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        if connection.query_row(&sql, [], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_either_carried_or_left_behind() {
        let schema = Connection::open_in_memory().unwrap();
        schema.execute_batch(SCHEMA).unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut statement = schema.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        let found: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
        let mut known: Vec<&str> = TABLES.iter().map(|(name, ..)| *name).collect();
        known.extend(LEFT_BEHIND);
        known.sort_unstable();
        assert_eq!(found, known);
    }

    #[test]
    fn every_column_that_is_treated_apart_exists() {
        let tables = tables(crate::store::schema_version()).unwrap();
        for ((name, left_behind, secrets), table) in TABLES.iter().zip(&tables) {
            let has = |column: &&str| table.columns.iter().any(|own| own.name == **column);
            assert!(secrets.iter().all(has), "{name}");
            assert!(!left_behind.iter().any(has), "{name}");
            assert!(!table.key.is_empty(), "{name}");
        }
    }
}
