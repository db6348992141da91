//! Checked text: each type holds only text that its rule allows.

use super::Invalid;
use super::contact::{check_email, check_phone, digits};
use super::visible::is_visible;

/// The rule for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRule {
    /// The minimum length in characters (Unicode scalar values).
    pub least: usize,
    /// The maximum length in characters.
    pub most: usize,
    /// Whether line ends and tabs are allowed. Other control characters are always refused.
    pub lines: bool,
    /// The treatment of white space and invisible characters.
    pub blanks: Blanks,
}

/// The treatment of white space and invisible characters in new text. Stored text stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blanks {
    /// They are kept.
    Kept,
    /// They are kept, but a text that consists only of them is refused. Two ids may look the same,
    /// but an invisible id is a mistake.
    NotAlone,
    /// A text that consists only of them is refused, and white space at both ends is removed.
    Trimmed,
}

/// Checks new text and returns it as it will be stored.
fn accept(field: &str, text: String, rule: TextRule) -> Result<String, Invalid> {
    let must_be_seen = rule.blanks != Blanks::Kept && !text.is_empty();
    if must_be_seen && !text.chars().any(is_visible) {
        return Err(Invalid::new(field, "must contain a visible character"));
    }
    let text = match text.trim() {
        trimmed if rule.blanks == Blanks::Trimmed && trimmed.len() < text.len() => {
            trimmed.to_owned()
        }
        _ => text,
    };
    check(field, &text, rule)?;
    Ok(text)
}

pub(super) fn check(field: &str, text: &str, rule: TextRule) -> Result<(), Invalid> {
    let TextRule {
        least, most, lines, ..
    } = rule;
    let forbidden = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'));
    let count = text.chars().take(most + 1).count();
    if count < least || count > most {
        return Err(Invalid::new(
            field,
            format!("must be {least} to {most} characters long"),
        ));
    }
    if text.chars().any(forbidden) {
        return Err(Invalid::new(field, "must not contain control characters"));
    }
    Ok(())
}

/// Checks a text that can have any form.
#[expect(clippy::unnecessary_wraps, reason = "other forms are refused")]
fn any_form(_: &str, _: &str) -> Result<(), Invalid> {
    Ok(())
}

/// Refuses a name with the separators of a path.
fn check_file_name(field: &str, name: &str) -> Result<(), Invalid> {
    if name.contains(['/', '\\']) {
        return Err(Invalid::new(field, "must not contain / or \\"));
    }
    Ok(())
}

/// Refuses a symbol with anything but letters and digits.
fn check_symbol(field: &str, symbol: &str) -> Result<(), Invalid> {
    if !symbol.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Invalid::new(field, "must be letters and digits"));
    }
    Ok(())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $range:expr, lines: $lines:literal) => {
        text!($(#[$doc])* $name, $range, lines: $lines, Kept);
    };
    ($(#[$doc:meta])* $name:ident, $range:expr, lines: $lines:literal, $blanks:ident) => {
        text!($(#[$doc])* $name, $range, lines: $lines, $blanks, stored: $range);
    };
    (
        $(#[$doc:meta])* $name:ident, $range:expr, lines: $lines:literal, $blanks:ident,
        stored: $stored:expr
    ) => {
        text!($(#[$doc])* $name, $range, lines: $lines, $blanks, stored: $stored, form: any_form,
            stored_form: any_form);
    };
    (
        $(#[$doc:meta])* $name:ident, $range:expr, lines: $lines:literal, $blanks:ident,
        stored: $stored:expr, form: $form:ident, stored_form: $stored_form:ident
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The rule for the text.
            pub const RULE: TextRule = TextRule {
                least: $range.0,
                most: $range.1,
                lines: $lines,
                blanks: Blanks::$blanks,
            };

            /// Checks the text given as `field`.
            ///
            /// # Errors
            /// [`Invalid`] if it is too short or too long, contains a forbidden character, has no
            /// visible character where one is required, or has the wrong form.
            pub fn parse(field: &str, text: impl Into<String>) -> Result<Self, Invalid> {
                let text = accept(field, text.into(), Self::RULE)?;
                $form(field, &text)?;
                Ok(Self(text))
            }

            /// Checks text of a row, which may be as the API of any release accepted it.
            ///
            /// # Errors
            /// [`Invalid`] if no release accepted it.
            pub fn parse_stored(field: &str, text: &str) -> Result<Self, Invalid> {
                let rule = TextRule {
                    least: $stored.0,
                    most: $stored.1,
                    ..Self::RULE
                };
                check(field, text, rule)?;
                $stored_form(field, text)?;
                Ok(Self(text.to_owned()))
            }

            /// Trusts text from the database, which was checked when it was stored.
            pub(crate) fn stored(text: String) -> Self {
                Self(text)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text!(
    /// The operator's own id of a member: 1 to 255 characters, any Unicode except control
    /// characters, at least one of them visible.
    ///
    /// ```
    /// use stampcard::domain::ExternalUserId;
    /// assert!(ExternalUserId::parse("externalUserID", "team/ada 🦊").is_ok());
    /// assert!(ExternalUserId::parse("externalUserID", "").is_err());
    /// assert!(ExternalUserId::parse("externalUserID", "a\nb").is_err());
    /// assert!(ExternalUserId::parse("externalUserID", " \u{200b}").is_err());
    /// ```
    ExternalUserId, (1, 255), lines: false, NotAlone
);
text!(
    /// A member's tier: 1 to 64 characters.
    Tier, (1, 64), lines: false, NotAlone
);
text!(
    /// A member's display name: 1 to 255 characters. 0.1.0 accepted an empty one.
    DisplayName, (1, 255), lines: false, Trimmed, stored: (0, 255)
);
text!(
    /// A member's email address: up to 254 characters with one `@` and no white space. 0.1.0
    /// accepted any text of up to 320 characters.
    ///
    /// ```
    /// use stampcard::domain::Email;
    /// assert!(Email::parse("email", "ada@example.com").is_ok());
    /// assert!(Email::parse("email", "ada").is_err());
    /// ```
    Email, (1, 254), lines: false, Trimmed, stored: (1, 320), form: check_email,
    stored_form: any_form
);
text!(
    /// A member's phone number: 5 to 15 digits, with blanks, dashes and brackets among them, and
    /// perhaps a plus sign before them.
    ///
    /// ```
    /// use stampcard::domain::Phone;
    /// assert!(Phone::parse("phone", "+30 694 123 4567").is_ok());
    /// assert!(Phone::parse("phone", "none").is_err());
    /// ```
    Phone, (5, 32), lines: false, Trimmed, stored: (5, 32), form: check_phone,
    stored_form: check_phone
);
impl Phone {
    /// The digits, by which numbers are compared.
    pub fn digits(&self) -> String {
        digits(self.as_str())
    }
}

text!(
    /// The reason of a ledger entry: up to 500 characters.
    Reason, (0, 500), lines: false
);
text!(
    /// A note, such as on a cancellation: up to 1,000 characters, line ends allowed.
    Note, (0, 1000), lines: true
);
text!(
    /// An offer's title: 1 to 200 characters.
    Title, (1, 200), lines: false, Trimmed
);
text!(
    /// An offer's kind or type: 1 to 64 characters.
    Label, (1, 64), lines: false, NotAlone
);
text!(
    /// An offer's description: up to 10,000 characters, line ends allowed.
    LongText, (0, 10_000), lines: true
);
text!(
    /// A short text of an offer's inclusions or location: 1 to 200 characters.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(try_from = "String")]
    Caption, (1, 200), lines: false, Trimmed
);
text!(
    /// The address of an image: 1 to 2,048 characters.
    Url, (1, 2048), lines: false
);
text!(
    /// The name of a program's points: 1 to 64 characters.
    CurrencyName, (1, 64), lines: false, Trimmed
);
text!(
    /// The symbol of a program's points: 1 to 16 characters.
    CurrencySymbol, (1, 16), lines: false, Trimmed
);

text!(
    /// The symbol of a further asset: 1 to 16 letters and digits of ASCII.
    ///
    /// ```
    /// use stampcard::domain::AssetSymbol;
    /// assert!(AssetSymbol::parse("symbol", "MILES2").is_ok());
    /// assert!(AssetSymbol::parse("symbol", "mi-les").is_err());
    /// ```
    AssetSymbol, (1, 16), lines: false, Kept, stored: (1, 16), form: check_symbol,
    stored_form: check_symbol
);

text!(
    /// The text of a message: 1 to 4,000 characters, line ends allowed. It is empty if the message
    /// is only a file.
    MessageText, (1, 4000), lines: true, Kept, stored: (0, 4000)
);
impl MessageText {
    /// The text of a message that is only a file.
    pub fn empty() -> Self {
        Self(String::new())
    }
}

text!(
    /// The name of a file: 1 to 255 characters without `/` and `\\`.
    ///
    /// ```
    /// use stampcard::domain::FileName;
    /// assert!(FileName::parse("name", "menu.pdf").is_ok());
    /// assert!(FileName::parse("name", "../menu.pdf").is_err());
    /// ```
    FileName, (1, 255), lines: false, Trimmed, stored: (1, 255), form: check_file_name,
    stored_form: check_file_name
);
text!(
    /// A member's comment on a redemption: up to 4,000 characters, line ends allowed.
    Comment, (0, 4000), lines: true
);
text!(
    /// The name of an organization, a program or a key: 1 to 255 characters.
    Name, (1, 255), lines: false, Trimmed
);
text!(
    /// What a caller calls the purpose for which points are held or credited, such as an order: 1
    /// to 255 characters. It is no personal text.
    ReferenceId, (1, 255), lines: false, Trimmed
);
text!(
    /// A tag of a participant: 1 to 100 characters, in lower case.
    Tag, (1, 100), lines: false, NotAlone
);
text!(
    /// The name of a counter of a participant: 1 to 100 characters.
    CounterKey, (1, 100), lines: false, NotAlone
);
text!(
    /// The partner's own id of an organization: 1 to 255 characters.
    ExternalId, (1, 255), lines: false, NotAlone
);

impl TryFrom<String> for Caption {
    type Error = Invalid;

    /// Reads stored text.
    fn try_from(text: String) -> Result<Self, Invalid> {
        check("text", &text, Self::RULE)?;
        Ok(Self::stored(text))
    }
}

/// A JSON object of the operator (a member's attributes) or the partner (an organization's
/// metadata), stored byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes(String);

impl Attributes {
    /// The largest size, in bytes.
    pub const BYTES_MAX: usize = 16 * 1024;

    /// Checks the size of a JSON object. The caller makes sure that the text is a JSON object.
    ///
    /// # Errors
    /// [`Invalid`] if it is longer than [`Attributes::BYTES_MAX`].
    pub fn parse(field: &str, json: &str) -> Result<Self, Invalid> {
        if json.len() > Self::BYTES_MAX {
            let expected = format!("must be at most {} bytes of JSON", Self::BYTES_MAX);
            return Err(Invalid::new(field, expected));
        }
        Ok(Self(json.to_owned()))
    }

    /// Checks the JSON of a row, which may be as the API of any release accepted it.
    ///
    /// # Errors
    /// [`Invalid`] if no release accepted it.
    pub fn parse_stored(field: &str, json: &str) -> Result<Self, Invalid> {
        let object: Result<serde_json::Map<String, serde_json::Value>, _> =
            serde_json::from_str(json);
        if object.is_err() {
            return Err(Invalid::new(field, "must be a JSON object"));
        }
        Self::parse(field, json)
    }

    /// Trusts text from the database.
    pub(crate) fn stored(json: String) -> Self {
        Self(json)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert!(ExternalUserId::parse("id", "é".repeat(255)).is_ok());
        let error = ExternalUserId::parse("id", "é".repeat(256)).unwrap_err();
        assert_eq!(error.to_string(), "id must be 1 to 255 characters long");
    }

    #[test]
    fn text_without_a_visible_character_is_refused_unless_stored() {
        let blank = [
            " ",
            "\u{a0}\u{3000}",
            "\u{200b}",
            "\u{ad}\u{feff}",
            "\u{2066}\u{2069}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{e0041}",
        ];
        for text in blank {
            for error in [
                ExternalUserId::parse("field", text).unwrap_err(),
                Tier::parse("field", text).unwrap_err(),
                ExternalId::parse("field", text).unwrap_err(),
                Title::parse("field", text).unwrap_err(),
                DisplayName::parse("field", text).unwrap_err(),
                Name::parse("field", text).unwrap_err(),
            ] {
                assert_eq!(error.to_string(), "field must contain a visible character");
            }
            assert!(ExternalUserId::parse_stored("field", text).is_ok());
            assert!(Title::parse_stored("field", text).is_ok());
        }
        assert!(DisplayName::parse("field", "").is_err());
        assert!(DisplayName::parse_stored("field", "").is_ok());
        for text in [" a ", "\u{200b}é", "🦊\u{fe0f}", "\u{3164}ㄱ"] {
            assert_eq!(ExternalUserId::parse("field", text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn names_are_trimmed_and_measured_without_the_white_space() {
        let title = Title::parse("title", "\u{3000}\t A  b\n").unwrap();
        assert_eq!(title.as_str(), "A  b");
        assert!(Title::parse("title", format!(" {} ", "x".repeat(200))).is_ok());
        assert!(Title::parse("title", format!(" {} ", "x".repeat(201))).is_err());
        assert_eq!(Title::parse_stored("title", " A ").unwrap().as_str(), " A ");
        assert_eq!(Reason::parse("reason", " A ").unwrap().as_str(), " A ");
    }

    #[test]
    fn lines_are_allowed_only_where_the_rule_says() {
        assert!(LongText::parse("description", "a\nb\tc").is_ok());
        assert!(LongText::parse("description", "a\0b").is_err());
        assert!(Title::parse("title", "a\nb").is_err());
        assert!(Title::parse("title", "a\u{85}b").is_err());
    }
}
