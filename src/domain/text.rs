//! Text that has been looked at: each type here holds only what its rule allows.

use super::Invalid;

/// What a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRule {
    /// The fewest characters (Unicode scalar values).
    pub least: usize,
    /// The most.
    pub most: usize,
    /// Whether it may have line ends and tabs. Other control characters are always refused.
    pub lines: bool,
}

fn check(field: &str, text: &str, rule: TextRule) -> Result<(), Invalid> {
    let TextRule { least, most, lines } = rule;
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

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $range:expr, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What it may be.
            pub const RULE: TextRule = TextRule {
                least: $range.0,
                most: $range.1,
                lines: $lines,
            };

            /// Takes the text given as `field`.
            ///
            /// # Errors
            /// [`Invalid`] if it is too short or too long or has a forbidden character.
            pub fn parse(field: &str, text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                check(field, &text, Self::RULE)?;
                Ok(Self(text))
            }

            /// Takes text of a row, which may be as any release's API accepted it.
            ///
            /// # Errors
            /// [`Invalid`] if no release accepted it.
            pub fn parse_stored(field: &str, text: &str) -> Result<Self, Invalid> {
                check(field, text, Self::RULE)?;
                Ok(Self(text.to_owned()))
            }

            /// Takes text that the database holds, which was checked when it was stored.
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
    /// The operator's own id for a member: 1 to 255 characters, any Unicode but control characters.
    ///
    /// ```
    /// use stampcard::domain::ExternalUserId;
    /// assert!(ExternalUserId::parse("externalUserID", "team/ada 🦊").is_ok());
    /// assert!(ExternalUserId::parse("externalUserID", "").is_err());
    /// assert!(ExternalUserId::parse("externalUserID", "a\nb").is_err());
    /// ```
    ExternalUserId, (1, 255), lines: false
);
text!(
    /// A member's tier: 1 to 64 characters.
    Tier, (1, 64), lines: false
);
text!(
    /// A member's display name: up to 255 characters.
    DisplayName, (0, 255), lines: false
);
text!(
    /// A member's email address: 1 to 320 characters; its form is the operator's affair.
    Email, (1, 320), lines: false
);
text!(
    /// Why points moved: up to 500 characters.
    Reason, (0, 500), lines: false
);
text!(
    /// Why a redemption was canceled: up to 1,000 characters, lines allowed.
    Note, (0, 1000), lines: true
);
text!(
    /// An offer's title: 1 to 200 characters.
    Title, (1, 200), lines: false
);
text!(
    /// An offer's kind or type: 1 to 64 characters.
    Label, (1, 64), lines: false
);
text!(
    /// An offer's description: up to 10,000 characters, lines allowed.
    LongText, (0, 10_000), lines: true
);
text!(
    /// The address of an image: 1 to 2,048 characters.
    Url, (1, 2048), lines: false
);
text!(
    /// What a program's points are called: 1 to 64 characters.
    CurrencyName, (1, 64), lines: false
);
text!(
    /// The symbol of a program's points: 1 to 16 characters.
    CurrencySymbol, (1, 16), lines: false
);

text!(
    /// What is said in a conversation: 1 to 4,000 characters, lines allowed.
    MessageText, (1, 4000), lines: true
);
text!(
    /// The name of an organization, a program or a key: 1 to 255 characters.
    Name, (1, 255), lines: false
);
text!(
    /// The partner's own id for an organization: 1 to 255 characters.
    ExternalId, (1, 255), lines: false
);

/// A JSON object of the operator's own (a member's attributes, an organization's metadata), kept
/// byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes(String);

impl Attributes {
    /// The largest size, in bytes.
    pub const BYTES_MAX: usize = 16 * 1024;

    /// Takes the text of a JSON object; that it is one is for the caller to see to.
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

    /// Takes the JSON of a row, which may be as any release's API accepted it.
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

    /// Takes text that the database holds.
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
    fn lines_are_allowed_only_where_the_rule_says() {
        assert!(LongText::parse("description", "a\nb\tc").is_ok());
        assert!(LongText::parse("description", "a\0b").is_err());
        assert!(Title::parse("title", "a\nb").is_err());
        assert!(Title::parse("title", "a\u{85}b").is_err());
    }
}
