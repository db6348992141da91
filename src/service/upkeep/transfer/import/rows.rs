//! The rows of an import: their tables, their values, and how late their times may be.

use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::domain::{ByNumber, ProgramNumber, Timestamp};
use crate::service::events::webhooks::new_secret;
use crate::service::upkeep::transfer::Header;
use crate::store::transfer::{Cell, DefaultValue, Kind, RowError, Table};
use crate::store::{self, Connection};

/// The latest time that a row may have.
pub(super) struct Latest {
    now: Timestamp,
    /// How far the time of a program is ahead of that, for those that are ahead.
    ahead: ByNumber<ProgramNumber, Duration>,
}

impl Latest {
    /// Reads how far the programs that are already imported are ahead.
    pub(super) fn load(connection: &Connection, now: Timestamp) -> Result<Self, store::Error> {
        let ahead = store::sandbox::all_ahead(connection)?;
        Ok(Self { now, ahead })
    }

    /// Refuses a row with a time later than its program's; notes a program that is ahead.
    fn check(&mut self, table: &Table, cells: &[Cell<'_>]) -> Result<(), RowError> {
        let of = |name: &str| {
            let place = table.columns.iter().position(|column| column.name == name);
            place.and_then(|place| cells.get(place)?.integer())
        };
        let is_program = table.name == "program";
        let program = of(if is_program { "id" } else { "program_id" }).map(ProgramNumber);
        if let (true, Some(program)) = (is_program, program) {
            let ahead = of("clock_offset").and_then(|ahead| u64::try_from(ahead).ok());
            self.ahead
                .insert(program, Duration::from_millis(ahead.unwrap_or(0)));
        }
        let ahead = match program {
            Some(program) => self.ahead.get(&program).copied(),
            // The conversation of a message has a program, which is not looked up.
            None => self.ahead.values().max().copied(),
        };
        let latest = self.now.saturating_add(ahead.unwrap_or_default());
        for (column, cell) in table.columns.iter().zip(cells) {
            let at = cell.integer().filter(|_| column.is_stamp);
            if at.is_some_and(|at| at > latest.as_millis()) {
                return Err(RowError::Refused(format!(
                    "{}.{} must be no later than this machine's clock, which shows {latest}; if \
                     the clock is wrong, correct it",
                    table.name, column.name
                )));
            }
        }
        Ok(())
    }
}

/// Finds the table of a row. Tables come in a fixed order, so that referenced rows come first.
pub(super) fn table_of<'a>(
    tables: &'a [Table],
    place: &mut usize,
    object: &Map<String, Value>,
) -> Result<&'a Table, String> {
    let names = || {
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        names.join(", ")
    };
    let name = object
        .get("table")
        .and_then(Value::as_str)
        .ok_or_else(|| format!("table is missing; it must be one of {}", names()))?;
    let found = tables
        .iter()
        .position(|table| table.name == name)
        .ok_or_else(|| format!("table {name:?} is not known; it must be one of {}", names()))?;
    if found < *place {
        let last = tables[*place].name;
        return Err(format!(
            "a row of {name} comes after one of {last}; the tables must come in the order {}",
            names()
        ));
    }
    *place = found;
    Ok(&tables[found])
}

/// Inserts one row.
pub(super) fn insert(
    connection: &Connection,
    (table, latest): (&Table, &mut Latest),
    header: &Header,
    object: &Map<String, Value>,
) -> Result<(), RowError> {
    let known = |name: &str| name == "table" || table.columns.iter().any(|own| own.name == name);
    if let Some(unknown) = object.keys().find(|name| !known(name)) {
        let names: Vec<&str> = table.columns.iter().map(|own| own.name.as_str()).collect();
        return Err(RowError::Refused(format!(
            "{}.{unknown} is not known; its fields are {}",
            table.name,
            names.join(", ")
        )));
    }
    // Holds values that the line does not contain as they are: bytes, and new secrets.
    let mut created: Vec<Option<Vec<u8>>> = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let value = object.get(&column.name);
        created.push(match value {
            Some(Value::String(text)) if column.kind == Kind::Blob => {
                HEXLOWER.decode(text.as_bytes()).ok()
            }
            Some(Value::String(text)) if column.kind == Kind::LongBlob => {
                BASE64.decode(text.as_bytes()).ok()
            }
            None if column.is_secret && !header.secrets => {
                // The receiver has to be given the new one.
                Some(new_secret().expose_secret().as_bytes().to_vec())
            }
            _ => None,
        });
    }
    let mut cells = Vec::with_capacity(table.columns.len());
    for (column, created) in table.columns.iter().zip(&created) {
        let wrong =
            |what: &str| RowError::Refused(format!("{}.{} {what}", table.name, column.name));
        let cell = match (object.get(&column.name), column.kind, created) {
            (None, Kind::Text, Some(secret)) => {
                Cell::Text(std::str::from_utf8(secret).map_err(|_| wrong("must be text"))?)
            }
            (None | Some(Value::Null), ..) if column.is_nullable => Cell::Null,
            (None, ..) if column.default.is_some() => column
                .default
                .as_ref()
                .map_or(Cell::Null, DefaultValue::cell),
            (None | Some(Value::Null), ..) => return Err(wrong("is missing")),
            (Some(value), Kind::Integer, _) => Cell::Integer(
                value
                    .as_i64()
                    .ok_or_else(|| wrong("must be a whole number"))?,
            ),
            (Some(value), Kind::Text, _) => {
                Cell::Text(value.as_str().ok_or_else(|| wrong("must be text"))?)
            }
            (Some(_), Kind::Blob | Kind::LongBlob, Some(bytes)) => Cell::Blob(bytes),
            (Some(_), Kind::LongBlob, None) => return Err(wrong("must be bytes in base64")),
            (Some(_), Kind::Blob, None) => {
                return Err(wrong("must be bytes in lower-case hexadecimal"));
            }
        };
        cells.push(cell);
    }
    latest.check(table, &cells)?;
    table.insert(connection, &cells)
}
