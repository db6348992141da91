//! The codes of redemptions.

/// The characters of a code.
const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The number of characters of a code.
const LENGTH: usize = 8;

/// The code of a redemption, which a person can read out and type: eight digits and capital letters
/// without those that look alike (0 and O; 1, I and L; U and V).
///
/// ```
/// use stampcard::domain::RedemptionCode;
/// assert_eq!(RedemptionCode::parse("k7x2m9qp").unwrap().as_str(), "K7X2M9QP");
/// assert_eq!(RedemptionCode::parse("K7X2M9Q"), None);
/// assert_eq!(RedemptionCode::parse("K0X2M9QP"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionCode(String);

impl RedemptionCode {
    /// The expectation of a text that is a code.
    pub const EXPECTED: &str =
        "must be a code of 8 digits and letters, which has none of 0, 1, I, L, O and U";

    /// The code of a random number. No code is noticeably more likely than another, because there
    /// are 28 million times as many numbers as codes.
    pub fn of_random(number: u64) -> Self {
        let mut rest = number;
        let mut next = || {
            let count = ALPHABET.len() as u64;
            let place = usize::try_from(rest % count).unwrap_or_default();
            rest /= count;
            char::from(ALPHABET[place])
        };
        Self((0..LENGTH).map(|_| next()).collect())
    }

    /// Reads a code in upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let code = text.to_ascii_uppercase();
        let is_one = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        is_one.then_some(Self(code))
    }

    /// The code in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gives_a_code_that_can_be_read() {
        for (number, text) in [
            (0, "22222222"),
            (29, "Z2222222"),
            (30, "23222222"),
            (30_u64.pow(8) - 1, "ZZZZZZZZ"),
            (30_u64.pow(8), "22222222"),
            (u64::MAX, "H26T25TR"),
        ] {
            let code = RedemptionCode::of_random(number);
            assert_eq!(code.as_str(), text, "{number}");
            assert_eq!(RedemptionCode::parse(text).as_ref(), Some(&code));
            assert_eq!(RedemptionCode::parse(&text.to_lowercase()), Some(code));
        }
    }

    #[test]
    fn other_texts_are_no_codes() {
        for text in [
            "",
            "K7X2M9Q",
            "K7X2M9QPP",
            "K7X2M9Q1",
            "K7X2M9QO",
            "K7X2-9QP",
            "K7X2M9Q ",
            "K7X2M9é",
            "ıııııııı",
        ] {
            assert_eq!(RedemptionCode::parse(text), None, "{text:?}");
        }
    }
}
