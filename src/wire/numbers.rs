//! Reads the numbers of a body exactly, without rounding them to doubles.

use std::borrow::Cow;

/// The largest number of digits with which every number fits an `i64`.
const DIGITS_SAFE: usize = 18;

/// Checks whether every number of a JSON body is a plain integer, which every parser reads exactly.
/// The check may fail for a long integer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlainNumbers {
    digits: usize,
    has_other: bool,
}

impl PlainNumbers {
    /// Takes the next byte outside of strings.
    #[inline]
    pub fn next(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' => {
                self.digits += 1;
                self.has_other |= self.digits > DIGITS_SAFE;
            }
            b'-' | b'.' => self.has_other = true,
            b'e' | b'E' => self.has_other |= self.digits > 0,
            _ => self.digits = 0,
        }
    }

    /// Whether every number was a plain integer.
    pub fn are_all(self) -> bool {
        !self.has_other
    }
}

/// Rewrites a body so that every whole number of 64 bits is a plain integer, in any notation
/// (`100.0`, `1e2`). A number above the range of a double becomes the largest double: it is not a
/// whole number of 64 bits, and the field that it is in reports it.
///
/// A body that is not JSON stays invalid.
pub fn with_plain_numbers(body: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while at < body.len() {
        match body[at] {
            b'"' => at = after_string(body, at),
            b'-' | b'0'..=b'9' => {
                let start = at;
                while at < body.len() && is_of_number(body[at]) {
                    at += 1;
                }
                if let Some(number) = plain_number(&body[start..at]) {
                    plain.extend_from_slice(&body[copied..start]);
                    plain.extend_from_slice(number.as_bytes());
                    copied = at;
                }
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(body);
    }
    plain.extend_from_slice(&body[copied..]);
    Cow::Owned(plain)
}

/// The position after the string that begins at `start`.
fn after_string(body: &[u8], start: usize) -> usize {
    let mut is_escaped = false;
    for (length, byte) in body[start + 1..].iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return start + length + 2,
            _ => {}
        }
    }
    body.len()
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The new notation of a number, if it changes.
fn plain_number(literal: &[u8]) -> Option<String> {
    let literal = std::str::from_utf8(literal).ok()?;
    let number = Number::parse(literal)?;
    if let Some(whole) = number.scaled(0) {
        let plain = whole.to_string();
        return (plain != literal).then_some(plain);
    }
    let double: f64 = literal.parse().ok()?;
    double
        .is_infinite()
        .then(|| f64::MAX.copysign(double))
        .map(|most| format!("{most:e}"))
}

/// A number in JSON notation, multiplied by a power of ten, if that is a whole number of 64 bits.
pub(super) fn scaled(literal: &str, power: i64) -> Option<i64> {
    Number::parse(literal)?.scaled(power)
}

/// A number in JSON notation.
struct Number<'a> {
    is_negative: bool,
    integer: &'a str,
    fraction: &'a str,
    exponent: &'a str,
}

impl<'a> Number<'a> {
    /// The parts of a number; `None` if it is not valid JSON.
    fn parse(literal: &'a str) -> Option<Self> {
        let unsigned = literal.strip_prefix('-');
        let is_negative = unsigned.is_some();
        let unsigned = unsigned.unwrap_or(literal);
        let (decimal, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (integer, fraction) = decimal.split_once('.').unwrap_or((decimal, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let is_json = is_digits(integer)
            && (integer == "0" || !integer.starts_with('0'))
            && is_digits(fraction)
            && is_digits(power);
        is_json.then_some(Self {
            is_negative,
            integer,
            fraction,
            exponent,
        })
    }

    /// The number multiplied by a power of ten, if that is a whole number of 64 bits.
    fn scaled(&self, power: i64) -> Option<i64> {
        let digits = format!("{}{}", self.integer, self.fraction);
        let short = digits.trim_end_matches('0');
        let significant = short.trim_start_matches('0');
        if significant.is_empty() {
            return Some(0);
        }
        // A number with a larger exponent does not fit 64 bits.
        let exponent: i64 = self.exponent.parse().ok()?;
        let cut = i64::try_from(digits.len() - short.len()).ok()?;
        let fraction = i64::try_from(self.fraction.len()).ok()?;
        let zeros = exponent.checked_add(cut + power)?.checked_sub(fraction)?;
        let zeros = usize::try_from(zeros).ok()?;
        if significant.len().saturating_add(zeros) > 19 {
            return None;
        }
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}{significant}{}", "0".repeat(zeros))
            .parse()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(body: &str) -> String {
        String::from_utf8(with_plain_numbers(body.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn whole_numbers_become_plain_integers_and_others_stay() {
        for (written, becomes) in [
            ("100.0", "100"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("1000e-1", "100"),
            ("0.001e5", "100"),
            ("-1.50e1", "-15"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0e99999999999999999999", "0"),
            ("9223372036854775807.0", "9223372036854775807"),
            ("-9223372036854775808.0", "-9223372036854775808"),
            ("1e400", "1.7976931348623157e308"),
            ("-1e99999999999999999999", "-1.7976931348623157e308"),
        ] {
            assert_eq!(plain(written), becomes, "{written}");
            let body = format!(r#"{{"a":[{written},"{written} \" {written}"],"b": {written}}}"#);
            let expected =
                format!(r#"{{"a":[{becomes},"{written} \" {written}"],"b": {becomes}}}"#);
            assert_eq!(plain(&body), expected);
        }
        for same in [
            "100",
            "-7",
            "1.5",
            "0.99999999999999999999",
            "1.00000000000000000001",
            "1e-400",
            "9223372036854775808",
            "1e19",
            "100000000000000000000.0",
            "1.",
            ".5",
            "01.0",
            "1e",
            "--1",
            "1.0.0",
            "\"1.0",
            "\"\\",
            "true",
            "",
        ] {
            assert_eq!(plain(same), same);
        }
    }

    #[test]
    fn decimals_are_read_as_they_are_written() {
        for (written, cents) in [
            ("12.34", Some(1234)),
            ("12.3", Some(1230)),
            ("12.340000000000000000000", Some(1234)),
            ("1.1e1", Some(1100)),
            ("90071992547409.93", Some(9_007_199_254_740_993)),
            ("-0.01", Some(-1)),
            ("0.0", Some(0)),
            ("12.345", None),
            ("12.340000000000000000001", None),
            ("1e-3", None),
            ("1e400", None),
        ] {
            assert_eq!(scaled(written, 2), cents, "{written}");
        }
    }

    #[test]
    fn only_plain_integers_are_called_so() {
        let are_plain = |body: &str| {
            let mut numbers = PlainNumbers::default();
            body.bytes().for_each(|byte| numbers.next(byte));
            numbers.are_all()
        };
        for body in ["[1,23,true,false]", "100", "[123456789012345678,1]", "null"] {
            assert!(are_plain(body), "{body}");
        }
        for body in ["1.0", "1e2", "[1,2E1]", "-0", "1234567890123456789"] {
            assert!(!are_plain(body), "{body}");
        }
    }
}
