//! The token exchange.

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::{Fields, known_id, text};
use super::schema::{self, request_schema};
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
            external_user_id: fields.required("externalUserID", known_id)?,
            profile: MemberProfile {
                display_name: fields.change("displayName", text(DisplayName::parse))?,
                email: fields.change("email", text(Email::parse))?,
                tier: fields.optional("tier", text(Tier::parse))?,
                ..MemberProfile::default()
            },
        })
    }
}

request_schema!(ExchangeTokenRequest {
    /// The operator's own id for the member.
    required externalUserID: schema::text(ExternalUserId::RULE),
    /// The name to show; null clears it.
    optional displayName: schema::nullable(schema::text(DisplayName::RULE)),
    /// The email address, which no answer returns; null clears it.
    optional email: schema::nullable(schema::text(Email::RULE)),
    /// The tier; the program's default tier for a new member without one.
    optional tier: schema::text(Tier::RULE),
} example {"externalUserID": "user_42", "displayName": "Ada Lovelace", "tier": "gold"});

/// `TokenGrant`: exactly these fields.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "accessToken": "v4.local.Vg4F62tg4fIY4sicf7pcM4ddvfdPGMlDtU-gP_hJMfRR",
    "expiresAt": "2026-06-15T12:15:00.000Z",
})))]
pub struct TokenGrantResponse {
    /// The member token.
    #[serde(serialize_with = "super::exposed")]
    #[schema(value_type = String)]
    pub access_token: SecretString,
    /// When it ends.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

impl TokenGrantResponse {
    /// The grant of a token until a time.
    pub fn new(access_token: String, expires_at: Timestamp) -> Self {
        Self {
            access_token: SecretString::from(access_token),
            expires_at: expires_at.to_string(),
        }
    }
}
