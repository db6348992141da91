//! The token exchange.

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::{EMAIL, EXTERNAL_USER_ID, text};
use super::request::request;
use crate::domain::{DisplayName, ExternalUserId, MemberProfile, Tier, Timestamp};

request! {
    /// The body of `POST /v1/auth/exchange`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ExchangeTokenRequest {
        /// The operator's own id for the member.
        pub external_user_id: ExternalUserId = required("externalUserID", EXTERNAL_USER_ID),
    }
    /// The changes to the member's profile.
    pub profile: MemberProfile {
        /// The display name; null clears it.
        display_name = change("displayName", text!(DisplayName)),
        /// The email address; null clears it.
        email = change("email", EMAIL),
        /// The tier; a new member without one gets the program's default tier.
        tier = optional("tier", text!(Tier)),
        ..MemberProfile::default()
    }
    example {"externalUserID": "user_42", "displayName": "Ada Lovelace", "tier": "gold"}
    parse(body);
}

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
    /// When it expires.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

impl TokenGrantResponse {
    /// The grant of a token that is valid until a time.
    pub fn new(access_token: String, expires_at: Timestamp) -> Self {
        Self {
            access_token: SecretString::from(access_token),
            expires_at: expires_at.to_string(),
        }
    }
}
