//! Failures to start.

use std::path::PathBuf;

use crate::service::figures::FoldError;
use crate::store::{self, OpenError, WriteError};

/// A failure to start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] store::Error),
    /// The first rows could not be written.
    #[error("the first organization could not be created")]
    Bootstrap(#[source] WriteError),
    /// The first keys could not be shown.
    #[error(
        "the keys of a new database could not be printed, so it was not created; start once with \
         a standard output that is read, or set the keys in the section `bootstrap` of the \
         settings"
    )]
    Unseen(#[source] std::io::Error),
    /// The log cannot be folded.
    #[error("{0}; run `stampcard verify` on the database")]
    Contradiction(Box<dyn std::error::Error + Send + Sync>),
    /// The database is not new, but lacks the key of member tokens.
    #[error(
        "the key of member tokens is missing in the database {}; restore a backup",
        .0.display()
    )]
    NoTokenKey(PathBuf),
    /// The system refused a thread.
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl From<FoldError> for StartError {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Storage(error) => Self::Storage(error),
            FoldError::Figures(contradiction) => Self::Contradiction(contradiction.into()),
            FoldError::Books(contradiction) => Self::Contradiction(contradiction.into()),
        }
    }
}
