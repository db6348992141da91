//! The operations that belong to no program: health, and this document.

use super::operation::{Operation, tagged};
use crate::error::Code;
use crate::wire::{HealthResponse, UnreadyResponse};

pub(super) fn operations() -> impl Iterator<Item = Operation> {
    let page = Operation::new("get_page", "The dashboard")
        .serves(
            200,
            "text/html; charset=utf-8",
            "The page. It asks this server alone, with the key that is given to it.",
        )
        .conditional();
    let asset = Operation::new("get_asset", "A file of the dashboard")
        .serves(
            200,
            "text/css; charset=utf-8",
            "It never changes under its path.",
        )
        .serves_too(200, "text/javascript; charset=utf-8")
        .fails(&[Code::NotFound]);
    let health = Operation::new("get_health", "Whether the process is up")
        .answers::<HealthResponse>(200, "It is.");
    let readiness = Operation::new("get_readiness", "Whether the database takes writes")
        .answers::<HealthResponse>(200, "It does.")
        .answers::<UnreadyResponse>(503, "It does not.");
    let metrics = Operation::new("get_metrics", "What the server counts")
        .about("For Prometheus. It takes a partner key if `metrics.public` is false.")
        .serves(
            200,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "OpenMetrics text.",
        )
        .fails(&[Code::Unauthorized, Code::Forbidden, Code::RateLimited]);
    let openapi =
        Operation::new("get_openapi", "This document").answers_any_object(200, "OpenAPI 3.1.");
    let docs = Operation::new("get_docs", "This document as a page").serves(
        200,
        "text/html; charset=utf-8",
        "The page. Nothing is fetched from elsewhere.",
    );
    let file = Operation::new("get_docs_file", "A file of that page")
        .serves(200, "text/css; charset=utf-8", "A style sheet or a script.")
        .serves_too(200, "text/javascript; charset=utf-8")
        .fails(&[Code::NotFound]);
    tagged(
        "Server",
        [page, asset, health, readiness, metrics, openapi, docs, file],
    )
}
