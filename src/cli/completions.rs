//! `stampcard completions`.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// What `completions` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of a shell.
pub(super) fn run(arguments: &Completions) -> Result<ExitCode, anyhow::Error> {
    let mut completions = Vec::new();
    let mut command = super::Cli::command();
    clap_complete::generate(arguments.shell, &mut command, "stampcard", &mut completions);
    super::print(&String::from_utf8(completions)?)?;
    Ok(ExitCode::SUCCESS)
}
