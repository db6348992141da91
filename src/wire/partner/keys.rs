//! The keys of an organization.

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Name;
use crate::wire::field_types::{STRING, text};
use crate::wire::request::request;

request! {
    /// The body of `POST /partner/organizations/{id}/api-keys`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateApiKeyRequest {
        /// The name.
        pub name: Name = required("name", text!(Name)),
        /// The program that the key opens; by default the organization's oldest one that is not
        /// archived.
        pub program_id: Option<String> = nullable("programId", STRING),
    }
    example {"name": "backend"}
    parse(body);
}

/// A key, as shown in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "0d9e5f5e-6a4b-4b0e-9a0a-2f5d3c1b7a66",
    "name": "backend",
    "keyPrefix": "expys_sandbox_4f2a",
    "programId": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "createdAt": "2026-06-15T12:00:00.000Z",
})))]
pub struct ApiKeyResponse {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Its first characters, to recognize it by.
    pub key_prefix: String,
    /// The program that it opens.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// A new key, which is shown only once.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKeyResponse {
    /// The key as shown in the list.
    pub api_key: ApiKeyResponse,
    /// The key itself, which is not shown again.
    #[serde(serialize_with = "crate::wire::exposed")]
    #[schema(value_type = String)]
    pub plain_key: SecretString,
}

/// An organization's keys.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyListResponse {
    /// The keys that are not revoked, newest first.
    pub api_keys: Vec<ApiKeyResponse>,
}
