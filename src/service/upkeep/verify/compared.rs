//! What a comparison found.

use super::Report;
use crate::store;

/// Findings, and the number of figures that were compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The findings, one sentence each.
    pub(super) findings: Vec<String>,
    /// The number of compared figures.
    pub(super) figures: usize,
}

impl Report {
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
