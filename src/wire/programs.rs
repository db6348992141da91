//! Programs, in the manner of the Scrip surface: `snake_case`, plain times.

use serde::Serialize;
use serde_json::Value;

use super::fields::{Fields, text};
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

fn status(name: &str, word: &str) -> Result<ProgramStatus, Invalid> {
    ProgramStatus::parse(word).ok_or_else(|| Invalid::new(name, "must be ACTIVE or ARCHIVED"))
}

impl super::Query {
    /// The `status` that a list of programs is narrowed to.
    ///
    /// # Errors
    /// [`Invalid`] if it is none.
    pub fn program_status(&self) -> Result<Option<ProgramStatus>, Invalid> {
        self.parsed("status", status)
    }
}

/// A program.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ProgramResponse {
    pub id: String,
    pub name: String,
    pub status: &'static str,
    pub created_at: String,
    pub updated_at: String,
    pub deleted_at: Option<String>,
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
        }
    }
}

/// A program that was just made, with its key, which is shown only now.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct CreatedProgramResponse {
    #[serde(flatten)]
    pub program: ProgramResponse,
    #[serde(rename = "apiKey")]
    pub api_key: String,
}

/// Where a list of the Scrip surface goes on.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct PaginationResponse {
    pub has_more: bool,
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
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ProgramListResponse {
    pub data: Vec<ProgramResponse>,
    pub pagination: PaginationResponse,
}
