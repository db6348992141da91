//! The lines of an export: reading them with their count and checksum, the header, the trailer.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::error::ImportError;
use crate::service::upkeep::transfer::{FORMAT, Header, LINE_BYTES_MAX, RULES, Trailer};
use crate::store;

/// The progress of an unfinished import, stored in the database in the transaction of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The number of lines that are imported.
    pub(super) lines: u64,
    /// The SHA-256 of their bytes, so that only an import of the same file is continued.
    pub(super) sha256: String,
}

/// The lines, with their count and checksum.
pub(super) struct Lines<R> {
    pub(super) input: R,
    pub(super) number: u64,
    line: Vec<u8>,
    hash: Sha256,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            line: Vec::new(),
            hash: Sha256::new(),
        }
    }

    /// Reads the next line; `None` at the end of the file, also if the last line is incomplete.
    pub(super) fn next_object(&mut self) -> Result<Option<Map<String, Value>>, ImportError> {
        self.hash.update(&self.line);
        self.line.clear();
        let mut limited = (&mut self.input).take(LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut self.line)?;
        if self.line.last() != Some(&b'\n') {
            if self.line.len() as u64 == LINE_BYTES_MAX {
                self.number += 1;
                return Err(self.bad(format!("is longer than {LINE_BYTES_MAX} bytes")));
            }
            self.line.clear();
            return Ok(None);
        }
        self.number += 1;
        match serde_json::from_slice(&self.line) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            Ok(_) => Err(self.bad("must be a JSON object")),
            Err(error) => Err(self.bad(format!(
                "is not well-formed JSON (column {}); a line must be one JSON object",
                error.column()
            ))),
        }
    }

    /// The checksum of every line read so far, including the current one.
    pub(super) fn checksum(&self) -> String {
        let hash = self.hash.clone().chain_update(&self.line);
        HEXLOWER.encode(&hash.finalize())
    }

    /// Checks that these are the lines that an interrupted import had read.
    pub(super) fn check_same(&self, note: Option<&Note>) -> Result<(), ImportError> {
        let is_same = |note: &Note| note.lines == self.number && note.sha256 == self.checksum();
        if note.is_none_or(is_same) {
            Ok(())
        } else {
            Err(ImportError::AnotherFile)
        }
    }

    /// The error that names the current line.
    pub(super) fn bad(&self, what: impl Into<String>) -> ImportError {
        ImportError::Line {
            line: self.number,
            what: what.into(),
        }
    }
}

/// Reads the first line and checks its versions.
pub(super) fn read_header(lines: &mut Lines<impl BufRead>) -> Result<Header, ImportError> {
    let what = "must be the header of an export, which begins with {\"stampcard\":\"export\"";
    let object = match lines.next_object() {
        Ok(Some(object)) => object,
        Ok(None) => return Err(ImportError::Cut { line: 0 }),
        Err(ImportError::Line { .. }) => return Err(lines.bad(what)),
        Err(error) => return Err(error),
    };
    if object.get("stampcard") != Some(&Value::from("export")) {
        return Err(lines.bad(what));
    }
    for (name, first, last) in [
        ("format", i64::from(FORMAT), i64::from(FORMAT)),
        ("schema", 1, store::schema_version()),
        ("rules", 0, i64::from(RULES)),
    ] {
        let found = match object.get(name) {
            // Version 0.1.0 named no rules.
            None if name == "rules" => Some(0),
            found => found.and_then(Value::as_i64),
        };
        if found.is_none_or(|found| !(first..=last).contains(&found)) {
            let found = found.map_or("missing".to_owned(), |found| found.to_string());
            let known = if first == last {
                first.to_string()
            } else {
                format!("{first} to {last}")
            };
            return Err(lines.bad(format!(
                "{name} is {found}; this version of stampcard reads {known}: import with the \
                 version that exported, or a newer one"
            )));
        }
    }
    serde_json::from_value(Value::Object(object)).map_err(|error| lines.bad(error.to_string()))
}

/// Checks the last line against the lines before it.
pub(super) fn check_trailer(
    lines: &mut Lines<impl BufRead>,
    object: Map<String, Value>,
) -> Result<Trailer, ImportError> {
    let trailer: Trailer = serde_json::from_value(Value::Object(object))
        .map_err(|error| lines.bad(error.to_string()))?;
    let before = HEXLOWER.encode(&lines.hash.clone().finalize());
    let rows = lines.number - 2;
    if trailer.end != rows {
        return Err(lines.bad(format!(
            "end is {}, but {rows} rows precede it: lines are missing, or there are too many",
            trailer.end
        )));
    }
    if trailer.sha256 != before {
        return Err(lines.bad("sha256 does not match the lines before it: the file was changed"));
    }
    Ok(trailer)
}

/// Checks the number of rows of each table against the header.
pub(super) fn check_counts(
    lines: &Lines<impl BufRead>,
    header: &Header,
    counts: &BTreeMap<&str, u64>,
) -> Result<(), ImportError> {
    for (table, count) in &header.rows {
        let found = counts.get(table.as_str()).copied().unwrap_or(0);
        if found != *count {
            return Err(lines.bad(format!(
                "the file has {found} rows of {table}, but its header says {count}"
            )));
        }
    }
    Ok(())
}
