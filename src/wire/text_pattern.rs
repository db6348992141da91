//! The pattern of texts in JSON Schema.

use std::fmt::Write as _;

use crate::domain::{Blanks, INVISIBLE, TextRule};

/// Control characters, as the contents of a character class: the first without those of lines.
const CONTROLS_OF_LINES: &str = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f";
const CONTROLS: &str = r"\x00-\x1f\x7f-\x9f";

/// The pattern of a text with a rule. It says nothing of the length.
pub(super) fn pattern(rule: TextRule) -> String {
    let controls = if rule.lines {
        CONTROLS_OF_LINES
    } else {
        CONTROLS
    };
    if rule.blanks == Blanks::Kept {
        return format!("^[^{controls}]*$");
    }
    let seen = format!("[^{controls}]*[^{}][^{controls}]*", invisible());
    if rule.least == 0 {
        format!("^({seen})?$")
    } else {
        format!("^{seen}$")
    }
}

/// The pattern of email addresses: one `@` with text on both sides, and no white space.
pub(super) const EMAIL: &str = concat!(
    r"^[^@\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+@",
    r"[^@\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$"
);
/// The pattern of phone numbers: digits, with separators and, before them, a plus sign.
pub(super) const PHONE: &str = "^[-() ]*[+]?[-() ]*([0-9][-() ]*){5,15}$";
/// The pattern of the symbols of further assets.
pub(super) const SYMBOL: &str = "^[0-9A-Za-z]*$";

/// The characters that are not visible, as the contents of a character class. It leaves out those
/// beyond U+FFFF: engines have no common form for them.
fn invisible() -> String {
    let mut class = String::new();
    let written = |&&(_, last): &&(char, char)| u32::from(last) <= 0xffff;
    for &(first, last) in INVISIBLE.iter().filter(written) {
        write_char(&mut class, first);
        if first < last {
            class.push('-');
            write_char(&mut class, last);
        }
    }
    class
}

/// Adds a character as all engines read it.
fn write_char(class: &mut String, c: char) {
    let written = match u32::from(c) {
        code @ 0..=0xff => write!(class, r"\x{code:02x}"),
        code => write!(class, r"\u{code:04x}"),
    };
    written.expect("a string accepts everything");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{AssetSymbol, Email, Name, Phone};

    /// Texts fit a pattern if they are accepted.
    fn check(pattern: &str, is_accepted: impl Fn(&str) -> bool, texts: &[&str]) {
        let schema = json!({"type": "string", "pattern": pattern});
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let fits = |text: &&&str| schema.is_valid(&json!(text));
        let fitting: Vec<_> = texts.iter().filter(fits).collect();
        let accepted: Vec<_> = texts.iter().filter(|text| is_accepted(text)).collect();
        assert_eq!(fitting, accepted, "{pattern}");
    }

    #[test]
    fn a_text_fits_its_pattern_if_it_is_accepted() {
        let is_name = |text: &str| Name::parse("name", text).is_ok();
        let texts = [
            " ",
            "a",
            " a ",
            "\u{200b}",
            "\u{200b}é",
            "\u{e1000}",
            "🦊\u{fe0f}",
            "a\u{7}b",
        ];
        check(&pattern(Name::RULE), is_name, &texts);
        // The pattern says nothing of these.
        let is_refused = |text: &&str| !is_name(text);
        assert!(["\u{e0041}", "\u{110bd}"].iter().all(is_refused));
        check(&pattern(Name::RULE), |_| true, &["\u{e0041}", "\u{110bd}"]);
        let cleared = TextRule {
            least: 0,
            ..Name::RULE
        };
        let with_empty = ["", " ", "\u{3164}", "a"];
        let is_accepted = |text: &str| text.is_empty() || is_name(text);
        check(&pattern(cleared), is_accepted, &with_empty);
    }

    #[test]
    fn a_text_of_a_form_fits_the_pattern_of_the_form() {
        let emails = [
            "a@b",
            "a@b@c",
            "@b",
            "a@",
            "a",
            "a @b",
            "a@\u{a0}b",
            "a@\u{3000}",
            "é@🦊",
            "a@b\u{1}",
        ];
        check(EMAIL, |text| Email::parse("email", text).is_ok(), &emails);
        let phones = [
            "12345",
            "1234",
            "+30 694-123 (4567)",
            "(+30) 694",
            "++30 694",
            "30+694",
            "1234567890123456",
            "12345a",
            "123456789012345",
        ];
        check(PHONE, |text| Phone::parse("phone", text).is_ok(), &phones);
        let is_symbol = |text: &str| AssetSymbol::parse("symbol", text).is_ok();
        check(SYMBOL, is_symbol, &["M2", "m-2", "é", "m ", "٣"]);
    }
}
