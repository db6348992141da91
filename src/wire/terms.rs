//! Legal documents and their acceptance.

use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::field_types::{EXTERNAL_USER_ID, VERSIONS, text};
use super::request::request;
use super::schema::TermsDocumentType;
use crate::domain::{ExternalUserId, PresentTerms, TermsContent, TermsHtml, TermsVersionId};

request! {
    /// The body of `PUT /v1/terms/{type}`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PublishTermsRequest {
        /// The text, an HTML fragment of at most 262,144 bytes in UTF-8. It is returned as it is.
        pub content_html: TermsHtml = required("contentHTML", text!(TermsHtml)),
    }
    example {"contentHTML": "<h1>Terms of service</h1><p>Between you and the Harbour Café.</p>"}
    parse(body);
}

request! {
    /// The body of `POST /v1/terms/acceptance`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AcceptTermsRequest {
        /// The accepted versions.
        pub versions: Vec<TermsVersionId> = required("versions", VERSIONS),
        /// The member, if an Org-API-Key calls.
        pub external_user_id: Option<ExternalUserId> = optional("externalUserID", EXTERNAL_USER_ID),
    }
    example {"versions": ["ldv_01a1fda8-1988-75da-9f29-66beffff55ec"]}
    parse(body);
}

/// The present version of a document.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "type": "TERMS_OF_SERVICE",
    "version": "ldv_01a1fda8-1988-75da-9f29-66beffff55ec",
    "publishedAt": "2026-06-15T12:00:00.000Z",
    "acceptedAt": null,
})))]
pub struct TermsDocumentResponse {
    /// The document.
    #[serde(rename = "type")]
    #[schema(value_type = TermsDocumentType)]
    pub document_type: &'static str,
    /// The id of the version, `ldv_…`.
    pub version: String,
    /// When it was published.
    #[schema(format = DateTime)]
    pub published_at: String,
    /// When the member accepted this version; null if not, or if no member is named.
    #[schema(format = DateTime)]
    pub accepted_at: Option<String>,
}

impl From<&PresentTerms> for TermsDocumentResponse {
    fn from(terms: &PresentTerms) -> Self {
        Self {
            document_type: terms.version.of.as_str(),
            version: terms.version.id.to_string(),
            published_at: terms.published_at.to_string(),
            accepted_at: super::time(terms.accepted_at),
        }
    }
}

/// The documents of a program.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TermsResponse {
    /// The present version of each document that the program has published.
    pub documents: Vec<TermsDocumentResponse>,
}

impl From<&[PresentTerms]> for TermsResponse {
    fn from(terms: &[PresentTerms]) -> Self {
        Self {
            documents: terms.iter().map(Into::into).collect(),
        }
    }
}

/// A version of a document with its text.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermsContentResponse {
    /// The document.
    #[serde(rename = "type")]
    #[schema(value_type = TermsDocumentType)]
    pub document_type: &'static str,
    /// The id of the version, `ldv_…`.
    pub version: String,
    /// When it was published.
    #[schema(format = DateTime)]
    pub published_at: String,
    /// The text as it was published: an HTML fragment from the operator. Sanitize it before showing
    /// it in a page.
    #[serde(rename = "contentHTML")]
    pub content_html: String,
    /// The SHA-256 of `contentHTML` in UTF-8, in hexadecimal digits.
    pub rendered_hash: String,
}

impl From<TermsContent> for TermsContentResponse {
    fn from(terms: TermsContent) -> Self {
        let html = terms.html.as_str();
        Self {
            document_type: terms.version.of.as_str(),
            version: terms.version.id.to_string(),
            published_at: terms.published_at.to_string(),
            rendered_hash: HEXLOWER.encode(&Sha256::digest(html)),
            content_html: html.to_owned(),
        }
    }
}
