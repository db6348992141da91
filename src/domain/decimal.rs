//! Amounts as decimal strings: the one place in which they are read and written.

use super::{Invalid, Points, Refusal};

/// The number of decimals of an asset's amounts. Inside, an amount is a whole number of the
/// smallest units.
///
/// ```
/// use stampcard::domain::{Decimal, Points, Scale};
/// let cents = Scale::new(2).unwrap();
/// assert_eq!(cents.show(1_250), "12.50");
/// assert_eq!(cents.show(-5), "-0.05");
/// let amount = Decimal::parse("12.5").unwrap();
/// assert_eq!(amount.points(cents), Ok(Points::new(1_250).unwrap()));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scale(u8);

impl Scale {
    /// No decimals: whole points.
    pub const WHOLE: Self = Self(0);
    /// The most decimals.
    pub const MAX: Self = Self(6);

    /// The scale with a number of decimals, 0 to 6.
    pub fn new(decimals: u8) -> Option<Self> {
        (decimals <= Self::MAX.0).then_some(Self(decimals))
    }

    /// The number of decimals.
    pub const fn decimals(self) -> u8 {
        self.0
    }

    /// The smallest units in one whole.
    fn units(self) -> i64 {
        10_i64.pow(self.0.into())
    }

    /// A number of the smallest units, with all decimals.
    pub fn show(self, units: i64) -> String {
        if self.0 == 0 {
            return units.to_string();
        }
        let sign = if units < 0 { "-" } else { "" };
        let (units, one) = (units.unsigned_abs(), self.units().unsigned_abs());
        let width = usize::from(self.0);
        format!("{sign}{}.{:0width$}", units / one, units % one)
    }

    /// [`Scale::show`] of points.
    pub fn show_points(self, points: Points) -> String {
        self.show(points.get())
    }

    /// The refusal of points that the wallet of a program does not have.
    pub fn wallet_empty(self, available: Points, needed: Points) -> Refusal {
        Refusal::WalletEmpty {
            available: self.show_points(available),
            needed: self.show_points(needed),
        }
    }

    /// The expectation of an amount.
    fn range(self) -> String {
        let (least, most) = (self.show(1), self.show_points(Points::MAX));
        let number = if self.0 == 0 {
            "whole number"
        } else {
            "number"
        };
        format!("must be a string with a {number} from {least} to {most}")
    }

    /// A whole number, in the smallest units.
    pub fn of_whole(self, number: i64) -> i64 {
        number.saturating_mul(self.units())
    }
}

/// The reason why a decimal is no amount of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAmount {
    /// It has more decimals than the asset.
    TooFine,
    /// It is zero, or too large.
    OutOfRange,
}

/// A number as a client writes an amount: digits, perhaps with a point among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// All digits, as one number.
    digits: u128,
    decimals: u8,
}

impl Decimal {
    /// The most characters.
    pub const LENGTH_MAX: usize = 32;

    /// Reads a number; `None` for anything else than digits with at most one point among them.
    ///
    /// ```
    /// use stampcard::domain::Decimal;
    /// for text in ["", ".", ".5", "5.", "-5", "+5", "1e2", "1,5", " 1", "٣"] {
    ///     assert_eq!(Decimal::parse(text), None, "{text}");
    /// }
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_complete = !whole.is_empty() && text.contains('.') != decimals.is_empty();
        if !is_complete
            || !is_digits(whole)
            || !is_digits(decimals)
            || text.len() > Self::LENGTH_MAX
        {
            return None;
        }
        Some(Self {
            digits: format!("{whole}{decimals}").parse().ok()?,
            decimals: u8::try_from(decimals.len()).ok()?,
        })
    }

    /// The amount in the smallest units of an asset, at least one of them.
    ///
    /// # Errors
    /// [`NoAmount`] if it has more decimals than the asset, is zero or is above [`Points::MAX`].
    pub fn points(self, scale: Scale) -> Result<Points, NoAmount> {
        let missing = scale.0.checked_sub(self.decimals);
        let missing = missing.ok_or(NoAmount::TooFine)?;
        let units = self.digits.checked_mul(10_u128.pow(missing.into()));
        let units = units.and_then(|units| i64::try_from(units).ok());
        let points = units.and_then(Points::new);
        points
            .filter(|points| !points.is_zero())
            .ok_or(NoAmount::OutOfRange)
    }

    /// [`Decimal::points`] of a field of a request.
    ///
    /// # Errors
    /// [`Refusal::InvalidScale`], or [`Refusal::Invalid`] if it is out of range.
    pub fn amount(self, field: &str, scale: Scale) -> Result<Points, Refusal> {
        self.points(scale).map_err(|error| match error {
            NoAmount::TooFine => Refusal::InvalidScale {
                field: field.to_owned(),
                scale: scale.decimals(),
            },
            NoAmount::OutOfRange => Invalid::new(field, scale.range()).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for decimals in 0..=6 {
            let scale = Scale::new(decimals).unwrap();
            for units in [1, 9, 10, 99, 100, 123_456_789, Points::MAX.get()] {
                let text = scale.show(units);
                let read = Decimal::parse(&text).unwrap().points(scale);
                assert_eq!(read.map(Points::get), Ok(units), "{text}");
            }
        }
        assert_eq!(Scale::new(7), None);
    }

    #[test]
    fn amounts_out_of_range_and_finer_ones_are_told_apart() {
        let points = |text: &str, decimals: u8| {
            let scale = Scale::new(decimals).unwrap();
            Decimal::parse(text).unwrap().points(scale).map(Points::get)
        };
        assert_eq!(points("0.50", 2), Ok(50));
        assert_eq!(points("0007", 0), Ok(7));
        assert_eq!(points("0.500", 2), Err(NoAmount::TooFine));
        assert_eq!(points("5.0", 0), Err(NoAmount::TooFine));
        assert_eq!(points("0", 0), Err(NoAmount::OutOfRange));
        assert_eq!(points("0.00", 2), Err(NoAmount::OutOfRange));
        assert_eq!(points("90071992547409.91", 2), Ok(Points::MAX.get()));
        assert_eq!(points("90071992547409.92", 2), Err(NoAmount::OutOfRange));
        let most = "9".repeat(Decimal::LENGTH_MAX);
        assert_eq!(points(&most, 6), Err(NoAmount::OutOfRange));
        assert_eq!(Decimal::parse(&format!("{most}9")), None);
    }
}
