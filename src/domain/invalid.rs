//! Input that cannot be used.

/// How many characters of a wrong value an error repeats.
const RECEIVED_MAX: usize = 64;

/// Says which field of the input is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {expected}")]
pub struct Invalid {
    /// The field's name as the caller wrote it, for example `amount`.
    pub field: String,
    /// What would be right, for example `must be a string`.
    pub expected: String,
    /// The beginning of what came instead, if it was one value.
    pub received: Option<String>,
}

impl Invalid {
    /// The error for `field`, which should have been as `expected` says.
    pub fn new(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            expected: expected.into(),
            received: None,
        }
    }

    /// The same, with what came instead: its first characters, unless they are known already.
    #[must_use]
    pub fn received(mut self, value: &str) -> Self {
        let start = || value.chars().take(RECEIVED_MAX).collect();
        self.received = Some(self.received.unwrap_or_else(start));
        self
    }
}
