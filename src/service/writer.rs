//! Access to the writer. [`RequestWriter`] is for requests of a caller, which go through
//! `Services::write` or `Services::write_on`; [`UpkeepWriter`] is for the server's own work.

use crate::domain::ProgramNumber;
use crate::store::{self, Overdue, Tenant, Timing, Transaction, WriteError, Writer};

/// The writer for requests of a caller.
#[derive(Debug, Clone)]
pub(in crate::service) struct RequestWriter(pub(in crate::service) Writer);

impl RequestWriter {
    pub(in crate::service) fn new(writer: Writer) -> Self {
        Self(writer)
    }

    /// The writer for the server's own work.
    pub(in crate::service) fn upkeep(&self) -> UpkeepWriter {
        UpkeepWriter(self.0.clone())
    }

    /// Whether the last write, or the last attempt to recover, worked.
    pub(in crate::service) fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    /// The programs in which something is overdue.
    pub(in crate::service) fn overdue(&self) -> &Overdue {
        self.0.overdue()
    }

    /// Whether everything was applied that was due at the start.
    pub(in crate::service) fn is_settled(&self) -> bool {
        self.0.is_settled()
    }

    /// The reason why no write is accepted until the next start, if there is one.
    pub(in crate::service) fn loss(&self) -> Option<&'static str> {
        self.0.loss()
    }

    /// Finishes the queued writes and closes the database. Later writes are refused.
    pub(in crate::service) fn stop(&self) {
        self.0.stop();
    }
}

/// The writer for the server's own work, and for operators who have the database file itself.
#[derive(Debug, Clone)]
pub(in crate::service) struct UpkeepWriter(Writer);

impl UpkeepWriter {
    /// [`RequestWriter::is_writable`].
    pub(in crate::service) fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    /// Runs `work` in a transaction; returns once it is durable.
    ///
    /// # Errors
    /// [`WriteError`].
    pub(in crate::service) async fn write<T, F>(&self, work: F) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
        T: Send + 'static,
    {
        self.0.write(Tenant::Upkeep, Timing::default(), work).await
    }

    /// [`UpkeepWriter::write`] for a thread that may block.
    ///
    /// # Errors
    /// [`WriteError`].
    pub(in crate::service) fn write_blocking<T, F>(&self, work: F) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
        T: Send + 'static,
    {
        self.0
            .write_blocking(Tenant::Upkeep, Timing::default(), work)
    }

    /// [`UpkeepWriter::write_blocking`] in a program, in which everything is applied first that is
    /// due.
    ///
    /// # Errors
    /// [`WriteError`].
    pub(in crate::service) fn write_in<T, F>(
        &self,
        program: ProgramNumber,
        work: F,
    ) -> Result<T, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, store::Error> + Send + 'static,
        T: Send + 'static,
    {
        let timing = Timing {
            program: Some(program),
            step: None,
        };
        self.0.write_blocking(Tenant::Upkeep, timing, work)
    }
}
