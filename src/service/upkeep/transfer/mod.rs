//! A database as lines of JSON and back: `stampcard export` and `import`.
//!
//! The first line is the header, then comes one object a row, then the trailer, which has a
//! checksum of every byte before it: a file that was cut or changed does not pass for a whole one.

mod export;
mod import;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use export::{ExportError, Exported, export};
pub use import::{ImportError, Imported, Step, import};

/// The version of the form of the lines.
const FORMAT: u32 = 1;

/// The version of the rules that values of an export keep to: those of `parse_stored` in the
/// domain. Rules that let in more than before get another number.
const RULES: u32 = 1;

/// The longest line that is read, in bytes: far more than any row holds.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What the first line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Always `export`: by this a file is known.
    stampcard: String,
    format: u32,
    /// The version of the schema whose columns the rows have.
    schema: i64,
    /// The version of the rules of its values; 0.1.0 did not name it.
    #[serde(default)]
    rules: u32,
    /// Whether the secrets that cannot be made anew without notice are in it.
    secrets: bool,
    /// Rows of each table.
    rows: BTreeMap<String, u64>,
}

/// What the last line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    /// Rows in all.
    end: u64,
    /// SHA-256 of every byte before this line, in hexadecimal.
    sha256: String,
}
