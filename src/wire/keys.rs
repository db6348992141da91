//! The keys of a program.

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::text;
use super::request::request;
use crate::domain::Name;

request! {
    /// The body of `POST /v1/keys`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateKeyRequest {
        /// The name.
        pub name: Name = required("name", text!(Name)),
    }
    example {"name": "till"}
    parse(body);
}

/// A key of the program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "0d9e5f5e-6a4b-4b0e-9a0a-2f5d3c1b7a66",
    "name": "till",
    "keyPrefix": "expys_sandbox_4f2a31",
    "createdAt": "2026-06-15T12:00:00.000Z",
    "lastUsedAt": "2026-06-21T09:30:00.000Z",
    "current": false,
})))]
pub struct KeyResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The name.
    pub name: String,
    /// Its first characters, to recognize it by.
    pub key_prefix: String,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used, to about a second; null if never. A server that is killed loses up to
    /// the last five minutes of this.
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
    /// Whether this request was made with it.
    pub current: bool,
}

/// A new key, which is shown only once.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedKeyResponse {
    /// The key as shown in the list.
    pub key: KeyResponse,
    /// The key itself, which is not shown again.
    #[serde(serialize_with = "super::exposed")]
    #[schema(value_type = String)]
    pub plain_key: SecretString,
}

/// A program's keys.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyListResponse {
    /// The keys that are not revoked, newest first.
    pub keys: Vec<KeyResponse>,
}
