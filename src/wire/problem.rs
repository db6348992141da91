//! The three error envelopes.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::{Problem, Surface};

/// An error under `/v1`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorResponse {
    /// What went wrong.
    pub error: PlainErrorResponse,
}

/// An error under `/v1/reports` and `/v1/programs`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlainErrorResponse {
    /// Stable, and what a client should look at. There may be new ones at any time.
    pub code: &'static str,
    /// For a person; it may change.
    pub message: String,
}

/// An error under `/partner`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartnerErrorResponse {
    /// Stable, and what a client should look at. There may be new ones at any time.
    pub code: &'static str,
    /// For a person; it may change.
    pub message: String,
    /// Always empty.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
}

/// The status and the body of an error on a surface.
pub fn render(surface: Surface, problem: &Problem) -> (u16, Vec<u8>) {
    let (status, code) = problem.code.on(surface);
    let message = problem.message.clone().into_owned();
    let body = match surface {
        Surface::Expys => super::to_json(&ErrorResponse {
            error: PlainErrorResponse { code, message },
        }),
        Surface::Scrip => super::to_json(&PlainErrorResponse { code, message }),
        Surface::Bullseye => super::to_json(&PartnerErrorResponse {
            code,
            message,
            details: Map::new(),
        }),
    };
    (status, body)
}
