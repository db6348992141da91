//! What a comparison found.

/// Findings, and the number of figures that were compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The findings, one sentence each.
    pub(super) findings: Vec<String>,
    /// The number of compared figures.
    pub(super) figures: usize,
}
