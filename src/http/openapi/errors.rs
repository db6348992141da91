//! The errors of an operation. Most follow from its route and its parameters, and all are rows of
//! the table of codes.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{ContentBuilder, RefOr, Response, Schema};

use super::operation::{Named, Operation, collect, header, response_with_headers};
use crate::error::{Code, Problem, Surface};
use crate::http::route::{Access, Route};
use crate::wire::{self, ErrorResponse, PartnerErrorResponse, ReportErrorResponse, schema};

/// Every error that an operation can return.
pub(super) fn of(route: &Route, operation: &Operation) -> Vec<Code> {
    let is_closed = route.access != Access::Public;
    let has_segment = operation.reads(&ParameterIn::Path);
    // Only a member's id is validated; any other malformed id is unknown.
    let has_member = route.path.contains("{externalUserID}");
    let has_body = operation.body.is_some();
    let reads_text = operation.reads(&ParameterIn::Query) || has_member || has_body;
    let mut codes = operation.codes.to_vec();
    let is_write = route.method != "GET";
    let is_of_scrip = Surface::of_path(route.path) == Surface::Scrip;
    let rules: [(bool, &[Code]); 8] = [
        (
            is_closed,
            &[
                Code::Unauthorized,
                Code::Forbidden,
                Code::RateLimited,
                Code::Internal,
                Code::Overloaded,
            ],
        ),
        (has_segment, &[Code::BadRequest]),
        (
            operation.is_conditional_write(),
            &[Code::BadRequest, Code::PreconditionFailed],
        ),
        (has_body, &[Code::BadRequest, Code::PayloadTooLarge]),
        (reads_text, &[Code::Validation]),
        (
            route.method == "POST",
            &[Code::Validation, Code::IdempotencyKeyReused],
        ),
        (is_write, &[Code::StorageUnavailable]),
        (is_write && is_of_scrip, &[Code::ProgramInactive]),
    ];
    for (_, follow) in rules.into_iter().filter(|(applies, _)| *applies) {
        codes.extend(follow);
    }
    // Each once, in the order of the table.
    Code::ALL
        .iter()
        .copied()
        .filter(|code| codes.contains(code))
        .collect()
}

/// Groups codes by their status on a surface.
pub(super) fn by_status(surface: Surface, codes: &[Code]) -> BTreeMap<u16, Vec<Code>> {
    let mut statuses: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        statuses.entry(code.on(surface).0).or_default().push(*code);
    }
    statuses
}

/// A response for these codes, which share a status, and its name in the document.
pub(super) fn response(surface: Surface, codes: &[Code]) -> (String, Response) {
    let about: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.on(surface).1, code.meaning()))
        .collect();
    let examples = codes.iter().rev().map(|code| {
        let (_, body) = wire::render_problem(surface, &Problem::plain(*code));
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let example = ExampleBuilder::new().value(Some(body)).build();
        (code.on(surface).1, RefOr::T(example))
    });
    let content = ContentBuilder::new()
        .schema(Some(envelope(surface)))
        .examples_from_iter(examples)
        .build();
    let mut response =
        response_with_headers(&about.join("\n\n")).content("application/json", content);
    let status = codes.first().map_or(500, |code| code.on(surface).0);
    if let Some(name) = header_of(status) {
        response = response.header_ref(name, header(name));
    }
    // On the other surfaces several codes share a name; the names of the table are unique.
    let names: Vec<String> = codes.iter().map(|code| format!("{code:?}")).collect();
    let name = format!("{surface:?}.{}", names.join("."));
    (name, response.build())
}

/// The header of errors with this status, besides those of every response.
fn header_of(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("WWW-Authenticate"),
        405 => Some("Allow"),
        429 | 503 => Some("Retry-After"),
        _ => None,
    }
}

/// The body of an error on a surface.
fn envelope(surface: Surface) -> RefOr<Schema> {
    match surface {
        Surface::Expys => schema::reference::<ErrorResponse>(),
        Surface::Scrip => schema::reference::<ReportErrorResponse>(),
        Surface::Bullseye => schema::reference::<PartnerErrorResponse>(),
    }
}

/// The schemas of the three error envelopes.
pub(super) fn envelopes() -> Vec<Named> {
    let mut schemas = Vec::new();
    collect::<ErrorResponse>(&mut schemas);
    collect::<PartnerErrorResponse>(&mut schemas);
    collect::<ReportErrorResponse>(&mut schemas);
    schemas
}
