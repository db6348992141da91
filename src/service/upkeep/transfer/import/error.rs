//! Failures of an import.

use crate::store::{self, OpenError};

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is something in the database already.
    #[error(
        "the database holds data already, or tables of another version; an import needs a new file: \
         choose another --database"
    )]
    NotEmpty,
    /// An import was interrupted, and this is not the file that it read.
    #[error(
        "an import of another file into this database was interrupted; import that file again to \
         finish it, or delete the database and start again"
    )]
    AnotherFile,
    /// A line cannot be used.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong and what would be right.
        what: String,
    },
    /// The lines end too early.
    #[error(
        "the file ends after line {line} without the line that closes an export: it was cut; export \
         again, or copy the whole file, and import that: it goes on where this one ended"
    )]
    Cut {
        /// The last whole line.
        line: u64,
    },
    /// What came in contradicts itself.
    #[error("what was imported contradicts itself, so the database stays closed: {}", .0.join("; "))]
    Contradiction(Vec<String>),
    /// The lines cannot be read.
    #[error("the lines cannot be read")]
    Read(#[from] std::io::Error),
    /// The database cannot be used or brought up to date.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error("the rows cannot be written")]
    Storage(#[from] store::Error),
}
