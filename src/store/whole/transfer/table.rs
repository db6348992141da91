//! The tables and columns that an export contains, and their rows.

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::domain::Cell;
use crate::store::tables::cells::cell;
use crate::store::whole::rules::{self, Rule};
use crate::store::{Error, schema_of};

/// The tables of an export, each after those that it refers to, with the columns that are left out
/// and those that are secrets.
const TABLES: &[(&str, &[&str], &[&str])] = &[
    ("setting", &[], &[]),
    ("organization", &[], &[]),
    ("program", &[], &[]),
    ("configuration", &[], &[]),
    ("asset", &[], &[]),
    ("rule", &[], &[]),
    ("rule_version", &[], &[]),
    ("rule_budget", &[], &[]),
    ("credential", &[], &[]),
    ("member", &[], &[]),
    ("removal", &[], &[]),
    ("member_tag", &[], &[]),
    ("counter", &[], &[]),
    ("offer", &[], &[]),
    ("redemption", &[], &[]),
    ("activity", &[], &[]),
    ("log_text", &[], &[]),
    ("event", &[], &[]),
    ("evaluation", &[], &[]),
    ("conversation", &[], &[]),
    ("message", &[], &[]),
    // Nothing of an unfinished upload is exported, and of an erased file no piece.
    ("attachment", &["discard_at"], &[]),
    ("attachment_piece", &[], &[]),
    // A cursor has no meaning in a database where nothing was delivered.
    ("webhook_endpoint", &["cursor_seq"], &["secret"]),
    ("organization_pool", &[], &[]),
    ("pool_funding", &[], &[]),
    ("terms_version", &[], &[]),
    ("terms_acceptance", &[], &[]),
    ("interest", &[], &[]),
    ("gateway", &[], &["secret"]),
    ("pool_usage", &[], &[]),
    ("organization_usage", &[], &[]),
];

/// The tables that are left out: idempotency records, deliveries, phone codes, and what is computed
/// from the log or from other rows.
#[cfg(test)]
const LEFT_OUT: &[&str] = &[
    "search_term",
    "event_payload",
    "webhook_delivery",
    "phone_code",
    "idempotency",
    "idempotency_words",
    "idempotency_segment",
    "idempotency_list",
    "idempotency_filter",
    "snapshot",
    "snapshot_state",
    "snapshot_segment",
    "book_generation",
    "book_part",
];

/// The settings of an export.
pub(super) const SETTINGS: &[&str] = &["partner_uuid"];
/// The settings of an export with secrets.
pub(super) const SECRET_SETTINGS: &[&str] = &["token_key"];

/// The columns with bytes that are rendered in base64, because they are many.
const LONG: &[(&str, &str)] = &[("attachment_piece", "data")];

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// Text.
    Text,
    /// A few bytes, rendered in hexadecimal.
    Blob,
    /// Many bytes, rendered in base64.
    LongBlob,
}

/// The value that a column has by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultValue {
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl DefaultValue {
    /// The value.
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Self::Integer(number) => Cell::Integer(*number),
            Self::Text(text) => Cell::Text(text),
        }
    }
}

/// A column of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// The value of a row that does not have it; exports of development versions may lack columns.
    pub default: Option<DefaultValue>,
    /// Whether it is left out unless the export has secrets.
    pub is_secret: bool,
    /// Whether it is a time stamped by a server's clock.
    pub is_stamp: bool,
}

/// A table of an export.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order of the schema.
    pub columns: Vec<Column>,
    /// The rule of each column.
    pub(super) rules: Vec<Rule>,
    /// The columns of the key, which orders the rows.
    pub(super) key: Vec<String>,
    /// Whether a search finds its rows.
    pub(super) is_searched: bool,
}

/// The tables of an export of a schema version, in the order in which their rows can be inserted.
///
/// # Errors
/// [`Error`] if there is no such version or its schema cannot be read.
pub fn tables(version: i64) -> Result<Vec<Table>, Error> {
    let text = schema_of(version).ok_or(Error::Impossible("version of the schema"))?;
    let schema = Connection::open_in_memory()?;
    schema.execute_batch(text)?;
    let sql =
        "SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_info(?1) ORDER BY cid";
    let mut statement = schema.prepare(sql)?;
    let mut tables = Vec::new();
    let has_search = schema.table_exists(None, "search_term")?;
    for (name, left_out, secrets) in TABLES {
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
                _ if LONG.contains(&(*name, column.as_str())) => Kind::LongBlob,
                _ => Kind::Blob,
            };
            let is_key = row.get::<_, i64>(3)? > 0;
            if is_key {
                table.key.push(column.clone());
            }
            if !left_out.contains(&column.as_str()) {
                let rule = Rule::of(name, &column);
                table.rules.push(rule.ok_or(Error::Impossible("column"))?);
                table.columns.push(Column {
                    kind,
                    default: default(&schema, row.get(4)?)?,
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

/// The value of an expression of the schema, if it is a number or text.
fn default(schema: &Connection, expression: Option<String>) -> Result<Option<DefaultValue>, Error> {
    let Some(expression) = expression else {
        return Ok(None);
    };
    let sql = format!("SELECT {expression}");
    Ok(match schema.query_row(&sql, [], |row| row.get(0))? {
        Value::Integer(number) => Some(DefaultValue::Integer(number)),
        Value::Text(text) => Some(DefaultValue::Text(text)),
        _ => None,
    })
}

impl Table {
    /// The condition of rows that are exported, as SQL.
    fn condition(&self, with_secrets: bool) -> String {
        match self.name {
            "setting" => {
                let secrets = if with_secrets { SECRET_SETTINGS } else { &[] };
                let names: Vec<&str> = SETTINGS.iter().chain(secrets).copied().collect();
                format!(" WHERE name IN ('{}')", names.join("', '"))
            }
            "attachment" => " WHERE message_id IS NOT NULL".to_owned(),
            "attachment_piece" => " WHERE attachment_id IN (SELECT id FROM attachment
                WHERE message_id IS NOT NULL AND name IS NOT NULL)"
                .to_owned(),
            _ => String::new(),
        }
    }

    /// The number of rows in an export.
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

    /// Passes every row of an export to `take`, in the order of its key. Secrets are null unless
    /// `with_secrets`.
    ///
    /// # Errors
    /// The error of `take`, or [`Error`] if the database fails.
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
}

/// Whether any table of an export has a row.
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
    use crate::store::SCHEMA;

    #[test]
    fn every_table_is_either_exported_or_left_out() {
        let schema = Connection::open_in_memory().unwrap();
        schema.execute_batch(SCHEMA).unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut statement = schema.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        let found: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
        let mut known: Vec<&str> = TABLES.iter().map(|(name, ..)| *name).collect();
        known.extend(LEFT_OUT);
        known.sort_unstable();
        assert_eq!(found, known);
    }

    #[test]
    fn every_column_with_a_special_treatment_exists() {
        let tables = tables(crate::store::schema_version()).unwrap();
        for ((name, left_out, secrets), table) in TABLES.iter().zip(&tables) {
            let has = |column: &&str| table.columns.iter().any(|own| own.name == **column);
            assert!(secrets.iter().all(has), "{name}");
            assert!(!left_out.iter().any(has), "{name}");
            assert!(!table.key.is_empty(), "{name}");
        }
    }
}
