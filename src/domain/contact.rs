//! The forms of email addresses and phone numbers, and how a search finds a phone number.
//!
//! Phone numbers are compared by their digits, without leading zeros. In the search index, a number
//! has a term from its first digit on, one without its country code, and one of all digits in
//! reverse, for searches by the last digits. Signs before them keep them apart from words.

use std::ops::RangeInclusive;

use super::Invalid;

/// The digits that a phone number may have.
const DIGITS: RangeInclusive<usize> = 5..=15;
/// A search finds the end of a number by this many digits or more.
const LAST_DIGITS: usize = 4;

/// Checks that a text has one `@` with text on both sides, and no white space.
pub(super) fn check_email(field: &str, text: &str) -> Result<(), Invalid> {
    let sides: Vec<&str> = text.split('@').collect();
    let is_whole = sides.len() == 2 && sides.iter().all(|side| !side.is_empty());
    if is_whole && !text.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(Invalid::new(
        field,
        "must be an email address such as ada@example.com",
    ))
}

/// Checks that a text has the digits of a phone number and nothing else but separators and, before
/// the first digit, a plus sign.
pub(super) fn check_phone(field: &str, text: &str) -> Result<(), Invalid> {
    let is_digit = |c: char| c.is_ascii_digit();
    let separates = |c: char| matches!(c, ' ' | '-' | '(' | ')');
    let (head, tail) = text.split_at(text.find(is_digit).unwrap_or_default());
    let head = head.replacen('+', "", 1);
    let is_clean = head.chars().all(separates) && tail.chars().all(|c| is_digit(c) || separates(c));
    if is_clean && DIGITS.contains(&tail.matches(is_digit).count()) {
        return Ok(());
    }
    let expected = format!(
        "must have {} to {} digits, with only blanks, dashes, brackets and a leading + besides",
        DIGITS.start(),
        DIGITS.end()
    );
    Err(Invalid::new(field, expected))
}

/// The terms of a phone number.
pub fn phone_terms(phone: &str) -> Vec<String> {
    let all = digits(phone);
    let number = all.trim_start_matches('0');
    let is_international = phone.contains('+') || all.starts_with("00");
    let code = if is_international {
        country_code(number)
    } else {
        0
    };
    let national = number[code..].trim_start_matches('0');
    let mut terms = vec![
        format!("+{number}"),
        format!("+{national}"),
        reverse(number),
    ];
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// The beginnings of terms of the phone numbers that some digits find: those that begin with them,
/// and those that end with them if they are enough.
pub(super) fn number_beginnings(digits: &str) -> impl Iterator<Item = String> {
    let number = digits.trim_start_matches('0');
    let begins = (!number.is_empty()).then(|| format!("+{number}"));
    let ends = (digits.len() >= LAST_DIGITS).then(|| reverse(digits));
    begins.into_iter().chain(ends)
}

/// The digits of a text that has only digits and what can separate those of a phone number.
pub(super) fn only_digits(text: &str) -> Option<String> {
    let may_be = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-()./".contains(c);
    text.chars().all(may_be).then(|| digits(text))
}

/// The digits, without a zero in brackets, which is dialed only instead of the country code.
pub(super) fn digits(text: &str) -> String {
    let text = text.replace("(0)", "");
    text.chars().filter(char::is_ascii_digit).collect()
}

fn reverse(digits: &str) -> String {
    let reversed: String = digits.chars().rev().collect();
    format!("-{reversed}")
}

/// The length of the country code with which an international number begins (ITU-T E.164).
fn country_code(number: &str) -> usize {
    let length = match number.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    };
    length.min(number.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, Phone};

    #[test]
    fn an_email_address_has_one_at_sign_and_no_white_space() {
        for valid in ["a@b", "ada.lovelace+x@example.com", "γιώργος@παράδειγμα.gr"]
        {
            assert_eq!(Email::parse("email", valid).unwrap().as_str(), valid);
        }
        assert_eq!(Email::parse("email", " a@b ").unwrap().as_str(), "a@b");
        for invalid in ["ada", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\u{a0}c"] {
            let refused = Email::parse("email", invalid).unwrap_err().to_string();
            assert!(refused.contains("ada@example.com"), "{invalid}: {refused}");
            assert!(Email::parse_stored("email", invalid).is_ok(), "{invalid}");
        }
        assert!(Email::parse("email", "a@b\u{7}").is_err());
        let long = |count: usize| format!("{}@b", "x".repeat(count - 2));
        assert!(Email::parse("email", long(254)).is_ok());
        assert!(Email::parse("email", long(255)).is_err());
        assert!(Email::parse_stored("email", &long(320)).is_ok());
        assert!(Email::parse_stored("email", &long(321)).is_err());
    }

    #[test]
    fn a_phone_number_has_5_to_15_digits_and_few_signs() {
        for valid in [
            "12345",
            "+30 694 123 4567",
            "(+30) 694-1234567",
            "+49 (0)171 1234567",
            "123456789012345",
        ] {
            assert_eq!(Phone::parse("phone", valid).unwrap().as_str(), valid);
            assert!(Phone::parse_stored("phone", valid).is_ok());
        }
        for invalid in [
            "",
            "1234",
            "1234567890123456",
            "+",
            "12345+",
            "++12345",
            "12345 ext 6",
            "123.456",
            "１２３４５",
            "12345\n6",
        ] {
            let refused = Phone::parse("phone", invalid).unwrap_err().to_string();
            assert!(refused.starts_with("phone must"), "{invalid}: {refused}");
        }
    }

    #[test]
    fn a_number_is_found_by_its_beginning_with_or_without_country_code_and_by_its_end() {
        let finds = |search: &str, phone: &str| {
            let terms = phone_terms(phone);
            let digits = only_digits(search).unwrap();
            number_beginnings(&digits).any(|start| terms.iter().any(|t| t.starts_with(&start)))
        };
        for phone in ["+30 694 123 4567", "0030 6941234567", "(+30) 694-123-4567"] {
            for search in [
                "+30 694 123 4567",
                "0030694",
                "30 69",
                "694 123",
                "0694",
                "4567",
                "123-4567",
                "6941234567",
                "3",
            ] {
                assert!(finds(search, phone), "{search} in {phone}");
            }
            for search in ["567", "941", "1234", "0", "000", "+31", "306941234568"] {
                assert!(!finds(search, phone), "{search} in {phone}");
            }
        }
        assert!(finds("+49 171", "+49 (0)171 1234567"));
        assert!(finds("171 1234567", "0171 1234567"));
        assert!(finds("0171", "0171 1234567"));
        assert!(!finds("+49 171", "0171 1234567"));
        assert!(finds("0042", "+1 202 555 0042"));
        assert!(finds("202", "+1 202 555 0042"));
        assert!(finds("71", "+357 71 2345"));
        assert_eq!(phone_terms("00000"), ["+", "-"]);
    }
}
