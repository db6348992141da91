//! Programs, in the manner of the Scrip surface: `snake_case`, plain times.

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::{Fields, text};
use super::schema::{self, ProgramState, request_schema};
use crate::domain::{Invalid, Name, Program, ProgramStatus, Timestamp};

/// The body of `POST /v1/programs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateProgramRequest {
    /// What it is called.
    pub name: Name,
}

impl CreateProgramRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let name = Fields::of(body)?.required("name", text(Name::parse))?;
        Ok(Self { name })
    }
}

request_schema!(CreateProgramRequest {
    /// What it is called.
    required name: schema::text(Name::RULE),
} example {"name": "Summer club"});

/// The body of `PATCH /v1/programs/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchProgramRequest {
    /// What it is called.
    pub name: Option<Name>,
    /// Whether it is in use.
    pub status: Option<ProgramStatus>,
}

impl PatchProgramRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            name: fields.optional("name", text(Name::parse))?,
            status: fields.optional("status", text(|name, word| status(name, &word)))?,
        })
    }
}

request_schema!(PatchProgramRequest {
    /// What it is called.
    optional name: schema::text(Name::RULE),
    /// Whether it is in use.
    optional status: schema::one_of(ProgramStatus::ALL.map(ProgramStatus::as_str)),
} example {"name": "Winter club"});

fn status(name: &str, word: &str) -> Result<ProgramStatus, Invalid> {
    ProgramStatus::parse(word).ok_or_else(|| Invalid::new(name, "must be ACTIVE or ARCHIVED"))
}

/// A program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "name": "Sandbox",
    "status": "ACTIVE",
    "created_at": "2026-06-15T12:00:00Z",
    "updated_at": "2026-06-15T12:00:00Z",
    "deleted_at": null,
    "version": 2,
})))]
pub struct ProgramResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whether it is in use.
    #[schema(value_type = ProgramState)]
    pub status: &'static str,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When name or status last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// When it was archived.
    #[schema(format = DateTime)]
    pub deleted_at: Option<String>,
    /// The settings version; in quotes it is the `ETag` of the program.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl From<&Program> for ProgramResponse {
    fn from(program: &Program) -> Self {
        Self {
            id: program.uuid.to_string(),
            name: program.name.as_str().to_owned(),
            status: program.status.as_str(),
            created_at: program.created_at.to_short(),
            updated_at: program.updated_at.to_short(),
            deleted_at: program.archived_at.map(Timestamp::to_short),
            version: program.version.0,
        }
    }
}

/// A program that was just made, with its key, which is shown only now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreatedProgramResponse {
    /// The program.
    #[serde(flatten)]
    pub program: ProgramResponse,
    /// Its first Org-API-Key, which is never shown again.
    #[serde(rename = "apiKey", serialize_with = "super::exposed")]
    #[schema(value_type = String)]
    pub api_key: SecretString,
}

/// Where a list of the Scrip surface goes on.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"has_more": false, "next_cursor": null})))]
pub struct PaginationResponse {
    /// Whether another page follows.
    pub has_more: bool,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl From<Option<String>> for PaginationResponse {
    fn from(next_cursor: Option<String>) -> Self {
        Self {
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }
}

/// A page of programs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProgramListResponse {
    /// The programs, newest first.
    pub data: Vec<ProgramResponse>,
    /// Where the list goes on.
    pub pagination: PaginationResponse,
}
