//! The observer of commits: it follows the log, rebuilds what it derives from it, or the process
//! ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;

use crate::books::Draft;
use crate::domain::{Activity, CredentialNumber, MemberNumber, OrganizationNumber, ProgramNumber};
use crate::store::Error;
use crate::telemetry::cause_chain;

/// A changed row that decides who may do what. The directory reads it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessChange {
    /// A key.
    Credential(CredentialNumber),
    /// A program.
    Program(ProgramNumber),
    /// An organization.
    Organization(OrganizationNumber),
    /// A member's tokens.
    Member(MemberNumber),
}

/// The changes of one commit, for everything that is derived from them.
#[derive(Debug)]
pub struct Committed<'a> {
    /// The rows that were added to the log, in order.
    pub activities: &'a [Activity],
    /// The changes of members' accounts, to be published in the books.
    pub draft: &'a Draft,
    /// The changes of keys and of what decides whether they are valid.
    pub access: &'a [AccessChange],
    /// The programs of the events that webhooks listen to; one may be listed more than once.
    pub announced: &'a [ProgramNumber],
    /// The programs with a webhook that has something to send again, or a test.
    pub due: &'a [ProgramNumber],
    /// Whether webhooks were created or deleted.
    pub webhooks_changed: bool,
}

/// Follows every commit, on the writer's thread and before any caller receives its response.
pub trait Observer: Send {
    /// Takes in the changes of a commit.
    ///
    /// # Errors
    /// [`ObserverError`]. What was taken in of the commit is then rebuilt.
    fn committed(
        &mut self,
        connection: &Connection,
        committed: &Committed<'_>,
    ) -> Result<(), ObserverError>;

    /// Rebuilds everything from the database, after [`Observer::committed`] failed or panicked.
    ///
    /// # Errors
    /// [`ObserverError`].
    fn rebuild(&mut self, connection: &Connection) -> Result<(), ObserverError>;
}

/// The cause of a failure that is a panic, which the log of the process has already.
const PANICKED: &str = "a panic";

/// The reason why an observer cannot follow the log.
#[derive(Debug, thiserror::Error)]
pub enum ObserverError {
    /// The database cannot be read.
    #[error(transparent)]
    Storage(#[from] Error),
    /// The log contradicts itself.
    #[error(transparent)]
    Contradiction(Box<dyn std::error::Error + Send + Sync>),
}

/// Passes a commit to the observer. If the observer cannot follow it, it rebuilds everything; if it
/// cannot do that either, the process ends.
pub(super) fn publish(
    observer: &mut dyn Observer,
    connection: &Connection,
    committed: &Committed<'_>,
) {
    let followed = catch_unwind(AssertUnwindSafe(|| {
        observer.committed(connection, committed)
    }));
    let cause = match followed {
        Ok(Ok(())) => return,
        Ok(Err(error)) => cause_chain(&error),
        Err(_) => PANICKED.to_owned(),
    };
    tracing::error!(cause, "the figures cannot follow a commit; rebuilding them");
    if let Err(error) = rebuild(observer, connection) {
        abort(&cause_chain(&error));
    }
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
fn abort(cause: &str) -> ! {
    tracing::error!(cause, "the figures cannot be rebuilt; the process ends");
    std::process::abort();
}
