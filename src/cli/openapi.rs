//! `openapi`: prints the description of the API.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::http;

/// Prints the document as it is committed under docs.
pub(super) fn run() -> Result<ExitCode, anyhow::Error> {
    let document = http::openapi()
        .to_pretty_json()
        .context("the document could not be rendered")?;
    super::print(&(document + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
