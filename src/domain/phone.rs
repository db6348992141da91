//! Phone numbers.

use std::ops::RangeInclusive;

use super::text::check;
use super::{Blanks, Invalid, TextRule};

/// The digits that a phone number may have.
const DIGITS: RangeInclusive<usize> = 5..=15;

/// A phone number: 5 to 15 digits, with a leading plus sign and separators as its owner writes it.
///
/// ```
/// use stampcard::domain::Phone;
/// let phone = Phone::parse("phone", " +30 694 123-4567 ").unwrap();
/// assert_eq!(phone.as_str(), "+30 694 123-4567");
/// assert_eq!(phone.digits(), "306941234567");
/// assert!(Phone::parse("phone", "1234").is_err());
/// assert!(Phone::parse("phone", "call me").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// The rule for the text.
    pub const RULE: TextRule = TextRule {
        least: 5,
        most: 32,
        lines: false,
        blanks: Blanks::Trimmed,
    };

    /// Checks the number given as `field`.
    ///
    /// # Errors
    /// [`Invalid`] if it is not a phone number.
    pub fn parse(field: &str, text: impl Into<String>) -> Result<Self, Invalid> {
        Self::parse_stored(field, text.into().trim())
    }

    /// Checks the number of a row.
    ///
    /// # Errors
    /// [`Invalid`] if no release accepted it.
    pub fn parse_stored(field: &str, text: &str) -> Result<Self, Invalid> {
        check(field, text, Self::RULE)?;
        let is_digit = |c: char| c.is_ascii_digit();
        let (head, tail) = text.split_at(text.find(is_digit).unwrap_or_default());
        let separates = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')');
        let is_clean = head.replacen('+', "", 1).chars().all(separates)
            && tail.chars().all(|c| is_digit(c) || separates(c));
        if is_clean && DIGITS.contains(&tail.matches(is_digit).count()) {
            return Ok(Self(text.to_owned()));
        }
        let expected = "must have 5 to 15 digits, with only blanks, dashes, dots, brackets and a \
                        leading + besides";
        Err(Invalid::new(field, expected))
    }

    /// Trusts a number from the database.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The number as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone, by which numbers are compared.
    pub fn digits(&self) -> String {
        self.0.chars().filter(char::is_ascii_digit).collect()
    }
}
