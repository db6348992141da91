//! The value of a counter of a participant.

use std::fmt;

use rust_decimal::Decimal as Exact;

use super::Invalid;

/// The value of a counter: a decimal number, shown without needless zeros.
///
/// ```
/// use stampcard::domain::CounterValue;
/// let value = CounterValue::parse("value", "-012.50").unwrap();
/// assert_eq!(value.to_string(), "-12.5");
/// assert!(CounterValue::parse("value", "1e3").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterValue(Exact);

impl CounterValue {
    /// The most digits that a request can set.
    pub const DIGITS_MAX: usize = 28;
    /// The most characters that are read.
    pub const CHARS_MAX: usize = 64;

    /// The value of a number.
    pub fn of(number: Exact) -> Self {
        Self(number.normalize())
    }

    /// The number.
    pub fn number(self) -> Exact {
        self.0
    }

    /// Reads the value given as `field`.
    ///
    /// # Errors
    /// [`Invalid`] if it is no decimal number, or has more digits than
    /// [`CounterValue::DIGITS_MAX`].
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let value = Self::read(text).filter(|value| {
            let digits = value.0.mantissa().unsigned_abs().to_string().len();
            digits <= Self::DIGITS_MAX
        });
        value.ok_or_else(|| {
            let most = Self::DIGITS_MAX;
            let expected =
                format!("must be a decimal number of at most {most} digits, such as 12.5");
            Invalid::new(field, expected).received(text)
        })
    }

    /// Reads the value of a row, which may be a sum with more digits.
    ///
    /// # Errors
    /// [`Invalid`] if it is not as [`CounterValue`] shows it.
    pub fn parse_stored(field: &str, text: &str) -> Result<Self, Invalid> {
        let value = Self::read(text).filter(|value| value.to_string() == text);
        value.ok_or_else(|| Invalid::new(field, "must be a decimal number without needless zeros"))
    }

    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = [whole, decimals]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_number || text.len() > Self::CHARS_MAX {
            return None;
        }
        // Zeros at the end may be more than a number can have.
        let exact = match text.split_once('.') {
            Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
            None => text,
        };
        Exact::from_str_exact(exact).ok().map(Self::of)
    }
}

impl fmt::Display for CounterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_exactly_or_refused() {
        for (text, shown) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.00", "0"),
            ("007.10", "7.1"),
            ("1.00000000000000000000000000000000000000", "1"),
            (
                "9999999999999999999999999999",
                "9999999999999999999999999999",
            ),
            (
                "0.0000000000000000000000000001",
                "0.0000000000000000000000000001",
            ),
        ] {
            let value = CounterValue::parse("value", text).unwrap();
            assert_eq!(value.to_string(), shown);
            assert_eq!(CounterValue::parse_stored("value", shown), Ok(value));
        }
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            " 1",
            "1 ",
            "1e3",
            "1_000",
            "NaN",
            "--1",
            "1.2.3",
            "٣",
            "10000000000000000000000000000",
            "0.00000000000000000000000000001",
        ] {
            assert!(CounterValue::parse("value", text).is_err(), "{text}");
        }
        for text in ["1.0", "01", "-0", "1e3"] {
            assert!(CounterValue::parse_stored("value", text).is_err(), "{text}");
        }
    }
}
