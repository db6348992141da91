//! Input that cannot be used.

/// Says which field of the input is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {expected}")]
pub struct Invalid {
    /// The field's name as the caller wrote it, for example `amount`.
    pub field: String,
    /// What would be right, for example `must be a string`.
    pub expected: String,
}

impl Invalid {
    /// The error for `field`, which should have been as `expected` says.
    pub fn new(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            expected: expected.into(),
        }
    }
}
