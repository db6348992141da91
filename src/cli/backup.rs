//! `stampcard backup`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::Output;
use super::{files::NewFile, progress};
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::{backup, checks, open_read_only};

/// Arguments of `backup`.
#[derive(Debug, Clone, Args)]
pub(super) struct Backup {
    /// File to create
    file: PathBuf,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    output: Output,
}

/// Copies the database, verifies the copy, and then gives it its name.
pub(super) fn run(settings: &Settings, arguments: &Backup) -> Result<ExitCode, anyhow::Error> {
    let (database, file) = (&settings.database.path, &arguments.file);
    let source = open_read_only(database)?;
    let copy = NewFile::begin(file, database, arguments.force)?;
    copied(&source, copy.path())?;
    drop(source);
    let report = progress::good(copy.path(), "the copy")?;
    let bytes = copy.keep()?;
    let at = Clock::system().now().as_millis();
    // Best effort: if this cannot be saved, `GET /partner/server` does not show it.
    let _ = checks::note(database, &checks::BackupMade { at, bytes });
    arguments.output.print(
        &json!({"backup": file, "bytes": bytes, "figures": report.figures}),
        || {
            format!(
                "{}: a copy of {bytes} bytes; everything in it agrees ({} figures compared)",
                file.display(),
                report.figures
            )
        },
    )
}

/// Copies a database into an empty file.
pub(super) fn copied(
    source: &crate::store::Connection,
    target: &Path,
) -> Result<(), anyhow::Error> {
    let bar = progress::counted("copying")?;
    backup::copy(source, target, |done, total| {
        progress::show(&bar, done, total);
    })?;
    bar.finish_and_clear();
    Ok(())
}
