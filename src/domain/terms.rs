//! Legal documents of a program, which members accept.

use super::{Seq, TermsHtml, TermsVersionId, Timestamp};

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
