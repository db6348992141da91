//! Failures of an import.

use crate::store::{self, OpenError};

/// A failure of an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The database has data already.
    #[error(
        "the database holds data already, or tables of another version; an import needs a new \
         file: choose another --database"
    )]
    NotEmpty,
    /// An import of another file into this database was interrupted.
    #[error(
        "an import of another file into this database was interrupted; import that file again to \
         finish it, or delete the database and start again"
    )]
    AnotherFile,
    /// A line is invalid.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// The fault, and what was expected.
        what: String,
    },
    /// The file ends too early.
    #[error(
        "the file ends after line {line} without the last line of an export, so it was truncated; \
         export again, or copy the whole file, and import that: the import continues where this \
         one ended"
    )]
    Cut {
        /// The last whole line.
        line: u64,
    },
    /// The imported rows contradict each other.
    #[error(
        "the imported rows contradict each other, so the database stays closed: {}",
        .0.join("; ")
    )]
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
