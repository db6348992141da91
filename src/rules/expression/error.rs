//! Why a text is no expression, and why an expression has no value.

use std::fmt;

use super::kind::Kind;

/// A place in the text of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Place {
    /// The place of a byte of a text; one past the end if there is no such byte.
    pub(super) fn of(source: &str, offset: usize) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[start..].chars().count() + 1;
        Self { line, column }
    }
}

/// The reason why a text is no expression of the subset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where in the text.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if that can be said.
    pub hint: Option<String>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        write!(f, "line {line}, column {column}: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SyntaxError {}

/// A limit of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The number of steps.
    Steps,
    /// The bytes of texts and lists that it makes.
    Memory,
}

/// The reason why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValue {
    /// It reached a field that is absent.
    Absent(Box<str>),
    /// It failed.
    Failed(Failure),
    /// It reached a limit.
    Exhausted(Limit),
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(field) => write!(f, "the field {field} is absent"),
            Self::Failed(failure) => failure.fmt(f),
            Self::Exhausted(Limit::Steps) => f.write_str("it takes too many steps"),
            Self::Exhausted(Limit::Memory) => f.write_str("it takes too much memory"),
        }
    }
}

/// An operation without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A division by zero.
    DivisionByZero,
    /// A number beyond 28 digits.
    OutOfRange,
    /// A text that must be a number, and is none.
    NoNumber,
    /// A text that must be a time, and is none.
    NoTime,
    /// A number of digits that is not a whole number from 0 to 28.
    NoDigits,
    /// A map with two values for a key.
    SameKey,
    /// An operand of the wrong kind.
    Kind {
        /// The operation.
        operation: &'static str,
        /// The kind of the operand.
        found: Kind,
    },
    /// Two operands that do not go together.
    Kinds {
        /// The operation.
        operation: &'static str,
        /// The kind of the left one.
        left: Kind,
        /// The kind of the right one.
        right: Kind,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DivisionByZero => f.write_str("division by zero"),
            Self::OutOfRange => f.write_str("a number is out of range"),
            Self::NoNumber => f.write_str("a text is not a number"),
            Self::NoTime => f.write_str("a text is not a time as in RFC 3339"),
            Self::NoDigits => f.write_str("round needs a whole number of digits from 0 to 28"),
            Self::SameKey => f.write_str("a map has a key twice"),
            Self::Kind { operation, found } => {
                write!(f, "{operation} does not take {}", found.with_article())
            }
            Self::Kinds {
                operation,
                left,
                right,
            } => {
                let (left, right) = (left.with_article(), right.with_article());
                write!(f, "{operation} does not take {left} and {right}")
            }
        }
    }
}
