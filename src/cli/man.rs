//! `stampcard man`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_mangen::Man as Page;

use super::output::print;

/// Arguments of `man`.
#[derive(Debug, Clone, Args)]
pub(super) struct Man {
    /// Folder for one page per command, created if it is missing
    folder: Option<PathBuf>,
}

/// Prints the manual page of the program, or writes the pages of all commands into a folder.
pub(super) fn run(arguments: &Man, command: Command) -> Result<ExitCode, anyhow::Error> {
    if let Some(folder) = &arguments.folder {
        write(folder, command).with_context(|| {
            format!("the manual pages cannot be written to {}", folder.display())
        })?;
    } else {
        let mut page = Vec::new();
        Page::new(command).render(&mut page)?;
        print(&String::from_utf8(page)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(folder: &Path, command: Command) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
