//! Points: whole numbers, never negative, that a double holds exactly.

/// A number of points, 0 to [`Points::MAX`].
///
/// ```
/// use stampcard::domain::Points;
/// let hundred = Points::new(100).unwrap();
/// assert_eq!(hundred.checked_add(hundred), Points::new(200));
/// assert_eq!(Points::MAX.checked_add(hundred), None);
/// assert_eq!(Points::new(-1), None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Points(i64);

impl Points {
    /// No points.
    pub const ZERO: Self = Self(0);
    /// 2^53 − 1, the largest whole number that a double holds exactly.
    pub const MAX: Self = Self(9_007_199_254_740_991);

    /// The points of a small number; zero for a negative one.
    pub(super) const fn of_i32(number: i32) -> Self {
        Self(if number < 0 { 0 } else { number as i64 })
    }

    /// The points, if the number is in range.
    pub fn new(number: i64) -> Option<Self> {
        (0..=Self::MAX.0).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, unless it exceeds [`Points::MAX`].
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.0 + other.0)
    }

    /// The difference, unless it falls below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::new(self.0 - other.0)
    }
}
