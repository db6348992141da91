//! Invalid input.

/// Characters of the received value that an error repeats.
const RECEIVED_MAX: usize = 64;

/// A field of the input that is invalid, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {expected}")]
pub struct Invalid {
    /// The field's name as the caller wrote it, for example `amount`.
    pub field: String,
    /// The expectation, for example `must be a string`.
    pub expected: String,
    /// The beginning of the received value, if there was a single one.
    pub received: Option<String>,
}

impl Invalid {
    /// An error of `field`, which does not meet `expected`.
    pub fn new(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            expected: expected.into(),
            received: None,
        }
    }

    /// Adds the first characters of the received value, unless the error has one already.
    #[must_use]
    pub fn received(mut self, value: &str) -> Self {
        let start = || value.chars().take(RECEIVED_MAX).collect();
        self.received = Some(self.received.unwrap_or_else(start));
        self
    }
}
