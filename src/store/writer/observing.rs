//! Failures of the observer: it rebuilds what it derives from the log, or the process ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;

use super::Observer;
use crate::store::Error;
use crate::telemetry::cause_chain;

/// The cause of a failure that is a panic, which the log of the process has already.
pub(super) const PANICKED: &str = "a panic";

/// Why an observer cannot follow the log.
#[derive(Debug, thiserror::Error)]
pub enum ObserverError {
    /// The database cannot be read.
    #[error(transparent)]
    Storage(#[from] Error),
    /// The log contradicts itself.
    #[error(transparent)]
    Contradiction(Box<dyn std::error::Error + Send + Sync>),
}

/// Has the observer rebuild what it derives from the log. If the log is at fault, or the observer
/// panics, the process ends.
pub(super) fn rebuild(observer: &mut dyn Observer, connection: &Connection) -> Result<(), Error> {
    match catch_unwind(AssertUnwindSafe(|| observer.rebuild(connection))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(ObserverError::Storage(error))) => Err(error),
        Ok(Err(error)) => abort(&cause_chain(&error)),
        Err(_) => abort(PANICKED),
    }
}

/// Ends the process: wrong figures and stale keys are worse than none, and what was committed is
/// safe.
pub(super) fn abort(cause: &str) -> ! {
    tracing::error!(cause, "the figures cannot be rebuilt; the process ends");
    std::process::abort();
}
