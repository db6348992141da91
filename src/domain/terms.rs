//! Legal documents of a program, which members accept.

use super::text::check;
use super::{Blanks, Invalid, Seq, TermsVersionId, TextRule, Timestamp};

/// The text of a legal document, an HTML fragment: 1 to 262,144 bytes in UTF-8, line ends allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsHtml(String);

impl TermsHtml {
    /// The largest size in bytes.
    pub const BYTES_MAX: usize = 262_144;

    /// The rule for the text, which has at most as many characters as bytes.
    pub const RULE: TextRule = TextRule {
        least: 1,
        most: Self::BYTES_MAX,
        lines: true,
        blanks: Blanks::Kept,
    };

    /// Checks the text given as `field`.
    ///
    /// # Errors
    /// [`Invalid`] if it is empty, too large or has control characters other than line ends and
    /// tabs.
    pub fn parse(field: &str, text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        let (bytes, most) = (text.len(), Self::BYTES_MAX);
        if bytes > most {
            let expected = format!("must be at most {most} bytes in UTF-8, but has {bytes}");
            return Err(Invalid::new(field, expected));
        }
        Self::parse_stored(field, &text)
    }

    /// Checks the text of a row, which may be as large as the API of any release accepted it: by
    /// its characters, not by its bytes.
    ///
    /// # Errors
    /// [`Invalid`] if no release accepted it.
    pub fn parse_stored(field: &str, text: &str) -> Result<Self, Invalid> {
        check(field, text, Self::RULE)?;
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

/// A document of which a program publishes versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermsType {
    /// The terms of service.
    TermsOfService,
    /// The privacy policy.
    PrivacyPolicy,
}

impl TermsType {
    /// Both.
    pub const ALL: [Self; 2] = [Self::TermsOfService, Self::PrivacyPolicy];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TermsOfService => "TERMS_OF_SERVICE",
            Self::PrivacyPolicy => "PRIVACY_POLICY",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == name)
    }
}

/// A version of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermsVersion {
    /// Its public id.
    pub id: TermsVersionId,
    /// The document.
    pub of: TermsType,
}

/// The present version of a document, as a member sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentTerms {
    /// The activity that published it.
    pub seq: Seq,
    /// The version.
    pub version: TermsVersion,
    /// When it was published.
    pub published_at: Timestamp,
    /// When the member accepted it, if so.
    pub accepted_at: Option<Timestamp>,
}

/// A version with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsContent {
    /// The version.
    pub version: TermsVersion,
    /// When it was published.
    pub published_at: Timestamp,
    /// The text.
    pub html: TermsHtml,
}
