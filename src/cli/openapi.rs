//! `stampcard openapi`.

use std::process::ExitCode;

use anyhow::Context as _;

use super::output::print;
use crate::http;

/// Prints the document that is committed as docs/openapi.json.
pub(super) fn run() -> Result<ExitCode, anyhow::Error> {
    let document = http::indented_openapi(&http::openapi());
    let document = document.context("the document could not be rendered")?;
    print(&(document + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
