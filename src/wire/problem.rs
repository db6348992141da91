//! The three error envelopes.

use serde_json::json;

use crate::error::{Problem, Surface};

/// The status and the body of an error on a surface.
pub fn render(surface: Surface, problem: &Problem) -> (u16, Vec<u8>) {
    let (status, code) = problem.code.on(surface);
    let message = problem.message.as_ref();
    let body = match surface {
        Surface::Expys => json!({"error": {"code": code, "message": message}}),
        Surface::Scrip => json!({"code": code, "message": message}),
        Surface::Bullseye => json!({"code": code, "message": message, "details": {}}),
    };
    (status, super::to_json(&body))
}
