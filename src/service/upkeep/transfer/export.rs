//! A database as lines of JSON.

use std::io::Write;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

use super::{FORMAT, Header, RULES, Trailer};
use crate::store;
use crate::store::Connection;
use crate::store::audit;
use crate::store::transfer;
use crate::store::transfer::{Cell, Kind, Table};

/// The result of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The number of rows in total.
    pub rows: u64,
    /// The checksum, in hexadecimal.
    pub sha256: String,
}

/// A failure of an export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] store::Error),
    /// The output could not be written.
    #[error("the export cannot be written")]
    Write(#[from] std::io::Error),
}

/// Writes every exported row, as of one moment. `progress` receives the number of rows written so
/// far and in total.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    connection: &Connection,
    with_secrets: bool,
    out: impl Write,
    mut progress: impl FnMut(u64, u64),
) -> Result<Exported, ExportError> {
    let _moment = audit::begin_snapshot(connection)?;
    let tables = transfer::tables(store::schema_version())?;
    let mut header = Header {
        stampcard: "export".to_owned(),
        format: FORMAT,
        schema: store::schema_version(),
        rules: RULES,
        secrets: with_secrets,
        rows: std::collections::BTreeMap::new(),
    };
    for table in &tables {
        let count = table.count(connection, with_secrets)?;
        header.rows.insert(table.name.to_owned(), count);
    }
    let total = header.rows.values().sum();
    let mut lines = Lines {
        out,
        hash: Sha256::new(),
    };
    lines.write(&to_line(&header)?)?;
    let mut rows = 0;
    let mut line = Vec::new();
    for table in &tables {
        table.each_row(connection, with_secrets, |cells| {
            line.clear();
            render(table, cells, &mut line)?;
            rows += 1;
            progress(rows, total);
            lines.write(&line)
        })?;
    }
    let sha256 = HEXLOWER.encode(&lines.hash.clone().finalize());
    let trailer = Trailer {
        end: rows,
        sha256: sha256.clone(),
    };
    lines.write(&to_line(&trailer)?)?;
    lines.out.flush()?;
    Ok(Exported { rows, sha256 })
}

/// The output and its checksum.
struct Lines<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, line: &[u8]) -> Result<(), ExportError> {
        self.hash.update(line);
        Ok(self.out.write_all(line)?)
    }
}

fn to_line(value: &impl serde::Serialize) -> Result<Vec<u8>, ExportError> {
    let mut line = serde_json::to_vec(value).map_err(std::io::Error::from)?;
    line.push(b'\n');
    Ok(line)
}

/// Renders a row as one object. NULL columns, which most columns of the log are, are omitted.
fn render(table: &Table, cells: &[Cell<'_>], line: &mut Vec<u8>) -> Result<(), ExportError> {
    write!(line, "{{\"table\":\"{}\"", table.name)?;
    for (column, cell) in table.columns.iter().zip(cells) {
        if *cell == Cell::Null {
            continue;
        }
        write!(line, ",\"{}\":", column.name)?;
        match cell {
            Cell::Null => {}
            Cell::Integer(number) => write!(line, "{number}")?,
            Cell::Text(text) => {
                serde_json::to_writer(&mut *line, text).map_err(std::io::Error::from)?;
            }
            Cell::Blob(bytes) if column.kind == Kind::LongBlob => {
                write!(line, "\"{}\"", BASE64.encode(bytes))?;
            }
            Cell::Blob(bytes) => write!(line, "\"{}\"", HEXLOWER.encode(bytes))?,
        }
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}
