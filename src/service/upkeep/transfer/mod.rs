//! A database as lines of JSON and back: `stampcard export` and `import`.
//!
//! The first line is the header, followed by one object for each row and the trailer. The trailer
//! has a checksum of every byte before it, so that a truncated or changed file is recognized.

mod export;
mod import;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use export::{ExportError, Exported, export};
pub use import::{ImportError, Imported, Step, import};

/// The version of the format.
const FORMAT: u32 = 1;

/// The version of the rules that the values of an export follow: those of `parse_stored` in the
/// domain. Rules that accept more than before get a new number.
const RULES: u32 = 1;

/// The longest accepted line in bytes: far longer than any row.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Always `export`, which identifies an export.
    stampcard: String,
    format: u32,
    /// The version of the schema whose columns the rows have.
    schema: i64,
    /// The version of the rules of its values; exports of 0.1.0 do not have it.
    #[serde(default)]
    rules: u32,
    /// Whether it contains the secrets that cannot be replaced without notice.
    secrets: bool,
    /// The number of rows of each table.
    rows: BTreeMap<String, u64>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    /// The number of rows in total.
    end: u64,
    /// The SHA-256 of every byte before this line, in hexadecimal.
    sha256: String,
}
