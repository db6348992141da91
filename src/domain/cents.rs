//! Amounts of money.

/// Cents of US dollars, from 0 to a billion dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(i64);

impl Cents {
    /// The largest amount.
    pub const MAX: Self = Self(100_000_000_000);

    /// A number of cents; `None` if it is out of range.
    pub fn new(cents: i64) -> Option<Self> {
        (0..=Self::MAX.0).contains(&cents).then_some(Self(cents))
    }

    /// The number of cents.
    pub fn get(self) -> i64 {
        self.0
    }
}
