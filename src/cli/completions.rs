//! `stampcard completions`.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::output::print;

/// Arguments of `completions`.
#[derive(Debug, Clone, Args)]
pub(super) struct Completions {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completion script of a shell.
pub(super) fn run(
    arguments: &Completions,
    mut command: Command,
) -> Result<ExitCode, anyhow::Error> {
    let mut completions = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "stampcard", &mut completions);
    print(&String::from_utf8(completions)?)?;
    Ok(ExitCode::SUCCESS)
}
