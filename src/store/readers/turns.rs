//! The queue of the reads, for other work that takes as long as a read.

use std::sync::Arc;

use super::gate::Gate;
use crate::store::{Error, Tenant};

/// Schedules long work among the reads: in the same fair shares, and together with the reads no
/// more at a time than there are reading connections. Clones share the queue.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Gate>);

impl Turns {
    pub(in crate::store) fn new(gate: &Arc<Gate>) -> Self {
        Self(Arc::clone(gate))
    }

    /// Runs `work` on a thread where blocking is allowed, when the tenant's turn has come.
    ///
    /// # Errors
    /// [`Error::TooManyReads`] if too many wait, or for too long.
    ///
    /// # Panics
    /// If `work` does.
    pub async fn run<T, F>(&self, tenant: Tenant, work: F) -> Result<T, Error>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.0.enter(tenant).await?;
        let task = tokio::task::spawn_blocking(move || {
            // Dropped after everything that `work` holds.
            let _permit = permit;
            work()
        });
        match task.await {
            Ok(result) => Ok(result),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
