//! The result of a verification.

use super::compared::Compared;
use crate::store;

/// The result of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of figures that were compared.
    pub figures: usize,
    /// Erased texts of the log, of which only the commitments in the chain can be checked.
    pub erased: u64,
    /// Erased files, of which nothing is left to check.
    pub erased_files: u64,
    /// Rows of version 0.1.0 in the log that lack some of the compared values.
    pub given: u64,
    /// Events whose rules could not be applied again, because what they depend on was erased.
    pub skipped: u64,
    /// Rows that were written because something was due, all of which were checked.
    pub due: u64,
    /// The findings, one sentence each; empty if everything agrees.
    pub findings: Vec<String>,
}

impl Report {
    /// Returns what was read. A value that no version writes is a finding, and the verification
    /// continues.
    pub(super) fn read<T>(
        &mut self,
        what: &str,
        read: Result<T, store::Error>,
    ) -> Result<Option<T>, store::Error> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.is_storage_failure() || error.is_damage() => Err(error),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let cause = cause.unwrap_or_else(|| error.to_string());
                self.findings
                    .push(format!("{what}: a value that no version writes ({cause})"));
                Ok(None)
            }
        }
    }

    /// Adds what a comparison found.
    pub(super) fn add(
        &mut self,
        what: &str,
        compared: Result<Compared, store::Error>,
    ) -> Result<(), store::Error> {
        if let Some(compared) = self.read(what, compared)? {
            self.findings.extend(compared.findings);
            self.figures += compared.figures;
        }
        Ok(())
    }
}
