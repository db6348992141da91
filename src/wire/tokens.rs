//! The token exchange.

use serde::Serialize;
use serde_json::Value;

use super::fields::{Fields, text};
use crate::domain::{DisplayName, Email, ExternalUserId, Invalid, MemberProfile, Tier, Timestamp};

/// The body of `POST /v1/auth/exchange`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeTokenRequest {
    /// Who the token is for.
    pub external_user_id: ExternalUserId,
    /// What to store of the profile.
    pub profile: MemberProfile,
}

impl ExchangeTokenRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            external_user_id: fields.required("externalUserID", text(ExternalUserId::parse))?,
            profile: MemberProfile {
                display_name: fields.change("displayName", text(DisplayName::parse))?,
                email: fields.change("email", text(Email::parse))?,
                tier: fields.optional("tier", text(Tier::parse))?,
                ..MemberProfile::default()
            },
        })
    }
}

/// `TokenGrant`: exactly these fields.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct TokenGrantResponse {
    pub access_token: String,
    pub expires_at: String,
}

impl TokenGrantResponse {
    /// The grant of a token until a time.
    pub fn new(access_token: String, expires_at: Timestamp) -> Self {
        Self {
            access_token,
            expires_at: expires_at.to_string(),
        }
    }
}
