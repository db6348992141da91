//! `stampcard check-config`.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::Output;
use crate::config::Loaded;

/// Arguments of `check-config`.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckConfig {
    #[command(flatten)]
    output: Output,
}

/// Prints every setting in force and its origin.
pub(super) fn run(loaded: &Loaded, arguments: &CheckConfig) -> Result<ExitCode, anyhow::Error> {
    let effective = loaded.effective();
    let settings: Vec<_> = effective
        .iter()
        .map(|setting| {
            let origin = setting.origin.to_string();
            json!({"key": setting.key, "value": setting.value, "origin": origin})
        })
        .collect();
    arguments.output.print(&json!({"settings": settings}), || {
        let line = |setting: &crate::config::Effective| {
            let value = setting.value.as_deref().unwrap_or("(not set)");
            format!("{} = {value}    [{}]", setting.key, setting.origin)
        };
        effective.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
