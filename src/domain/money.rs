//! What points are worth in money: exact decimal arithmetic, no doubles.

use std::fmt;

use super::{Cents, CurrencyName, CurrencySymbol};

/// A positive decimal number or zero, with up to six digits after the point.
///
/// ```
/// use stampcard::domain::Rate;
/// assert_eq!(Rate::new(0.01), Some(Rate::from_millionths(10_000)));
/// assert_eq!(Rate::new(0.000_000_1), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(i64);

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The smallest number above zero.
    pub const LEAST: Self = Self(1);
    /// One.
    pub const ONE: Self = Self(Self::MILLION);
    /// The most dollars a point may be worth.
    pub const PER_POINT_MAX: Self = Self(1_000 * Self::MILLION);
    /// The most units of a display currency a dollar may be worth.
    pub const PER_USD_MAX: Self = Self(1_000_000 * Self::MILLION);
    /// The highest price in a display currency.
    pub const PRICE_MAX: Self = Self(1_000_000_000 * Self::MILLION);

    const MILLION: i64 = 1_000_000;

    /// The rate that a JSON number stands for; `None` if it is negative or larger than any rate, or
    /// has more digits after the point.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::float_cmp,
        reason = "a quotient of whole numbers below 2^53 is the double nearest to the decimal number"
    )]
    pub fn new(number: f64) -> Option<Self> {
        let millionths = Self((number * 1e6).round() as i64);
        let is_exact =
            (Self::ZERO..=Self::PRICE_MAX).contains(&millionths) && millionths.to_f64() == number;
        is_exact.then_some(millionths)
    }

    /// The nearest double.
    #[expect(clippy::cast_precision_loss, reason = "2^53 is above the largest rate")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The rate of a whole number of millionths.
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// The rate in millionths.
    pub const fn millionths(self) -> i64 {
        self.0
    }
}

/// The name of a program's points, and what they are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency {
    /// The display name, for example `Points`.
    pub name: CurrencyName,
    /// The symbol, for example `pts`.
    pub symbol: CurrencySymbol,
    /// The dollars that a point is worth.
    pub rate_per_point: Rate,
    /// The units in which a dollar's worth of points is displayed.
    pub units_per_usd: Rate,
}

/// An amount of money or a rate, exact to twelve digits after the point.
///
/// Formatted, it is a JSON number without needless digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i128);

impl Money {
    const ONE: i128 = 1_000_000_000_000;

    /// The dollars that points are worth.
    pub fn usd(points: i64, currency: &Currency) -> Self {
        Self(i128::from(points) * i128::from(currency.rate_per_point.0) * i128::from(Rate::ONE.0))
    }

    /// What points are worth in the program's display currency.
    pub fn display(points: i64, currency: &Currency) -> Self {
        let rate = i128::from(currency.rate_per_point.0) * i128::from(currency.units_per_usd.0);
        Self(i128::from(points) * rate)
    }

    /// An amount of cents.
    pub fn of_cents(cents: Cents) -> Self {
        Self(i128::from(cents.get()) * (Self::ONE / 100))
    }

    /// The whole number that it is, if it is one of 64 bits.
    pub fn whole(self) -> Option<i64> {
        if self.0 == 0 {
            return Some(0);
        }
        let is_whole = self.0 % Self::ONE == 0;
        is_whole.then(|| i64::try_from(self.0 / Self::ONE).ok())?
    }
}

impl From<Rate> for Money {
    fn from(rate: Rate) -> Self {
        Self(i128::from(rate.0) * i128::from(Rate::ONE.0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.0.unsigned_abs();
        let (whole, parts) = (amount / Self::ONE as u128, amount % Self::ONE as u128);
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(formatter, "{sign}{whole}")?;
        if parts == 0 {
            return Ok(());
        }
        let digits = format!("{parts:012}");
        write!(formatter, ".{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Points;

    fn currency(rate_per_point: f64, units_per_usd: f64) -> Currency {
        Currency {
            name: CurrencyName::parse("currencyName", "Points").unwrap(),
            symbol: CurrencySymbol::parse("currencySymbol", "pts").unwrap(),
            rate_per_point: Rate::new(rate_per_point).unwrap(),
            units_per_usd: Rate::new(units_per_usd).unwrap(),
        }
    }

    #[test]
    fn a_rate_has_at_most_six_digits_after_the_point() {
        for (number, millionths) in [
            (0.0, 0),
            (0.1, 100_000),
            (0.3, 300_000),
            (1.1, 1_100_000),
            (0.000_001, 1),
            (123_456.789_012, 123_456_789_012),
            (1_000_000.0, 1_000_000_000_000),
        ] {
            assert_eq!(
                Rate::new(number),
                Some(Rate::from_millionths(millionths)),
                "{number}"
            );
        }
        for wrong in [-1.0, -0.000_001, 0.000_000_1, 0.123_456_7, 1e9 + 0.5, 1e300] {
            assert_eq!(Rate::new(wrong), None, "{wrong}");
        }
        assert_eq!(Rate::new(f64::NAN), None);
    }

    #[test]
    fn money_is_exact_and_has_no_needless_digits() {
        let shown = |points, rate, units| {
            let currency = currency(rate, units);
            let (usd, display) = (
                Money::usd(points, &currency),
                Money::display(points, &currency),
            );
            (usd.to_string(), display.to_string())
        };
        let both = |usd: &str, display: &str| (usd.to_owned(), display.to_owned());
        assert_eq!(shown(100, 0.01, 100.0), both("1", "100"));
        assert_eq!(shown(3800, 0.01, 1.0), both("38", "38"));
        assert_eq!(shown(3, 0.1, 0.1), both("0.3", "0.03"));
        assert_eq!(shown(-5, 0.01, 1.0), both("-0.05", "-0.05"));
        assert_eq!(shown(7, 0.0, 3.5), both("0", "0"));
        assert_eq!(
            shown(1, 0.000_001, 0.000_001),
            both("0.000001", "0.000000000001")
        );
        assert_eq!(
            shown(Points::MAX.get(), 1_000.0, 1_000_000.0),
            both("9007199254740991000", "9007199254740991000000000")
        );
    }

    #[test]
    fn only_whole_amounts_are_whole() {
        let whole = |points, rate| Money::usd(points, &currency(rate, 1.0)).whole();
        assert_eq!(whole(3800, 0.01), Some(38));
        assert_eq!(whole(-3800, 0.01), Some(-38));
        assert_eq!(whole(0, 0.01), Some(0));
        assert_eq!(whole(1, 0.01), None);
        assert_eq!(
            whole(Points::MAX.get(), 1_000.0),
            Some(9_007_199_254_740_991_000)
        );
        let most = Money::display(Points::MAX.get(), &currency(1_000.0, 1_000_000.0));
        assert_eq!(most.whole(), None);
    }
}
