//! Failures to start.

use std::path::PathBuf;

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
    #[error("the first organization could not be made")]
    Bootstrap(#[source] WriteError),
    /// The first keys could not be shown.
    #[error(
        "the keys of a new database could not be printed, so it was not made; start it once with \
         a standard output that somebody reads, or choose the keys by the settings under \
         `bootstrap`"
    )]
    Unseen(#[source] std::io::Error),
    /// The log cannot be folded.
    #[error("the activity log contradicts itself; run `stampcard verify` on the database")]
    Contradiction,
    /// The database is not new, but lacks the key of member tokens.
    #[error(
        "the key of member tokens is missing in the database {}; restore a backup",
        .0.display()
    )]
    NoTokenKey(PathBuf),
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}
