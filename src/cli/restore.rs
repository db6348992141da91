//! `stampcard restore`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::Output;
use super::{backup::copied, files, progress};
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::{Lock, backup, open_any_version};

/// Arguments of `restore`.
#[derive(Debug, Clone, Args)]
pub(super) struct Restore {
    /// Backup to restore; it is copied, and not changed
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Replaces the database with a verified copy of the backup.
pub(super) fn run(settings: &Settings, arguments: &Restore) -> Result<ExitCode, anyhow::Error> {
    let file = &arguments.file;
    // Replaces the file, not a symbolic link to it.
    let database = &backup::resolved(&settings.database.path)?;
    let source = open_any_version(file)?;
    // Held to the end, so that no server starts on the replaced database.
    let _lock = Lock::take(database)?;
    let prepared = files::scratch(database)?;
    copied(&source, &prepared)?;
    drop(source);
    let bar = progress::counted("migrating")?;
    backup::bring_up_to_date(&prepared, &mut |done, total| {
        progress::show(&bar, done, total);
    })?;
    bar.finish_and_clear();
    let report = progress::good(&prepared, &file.display().to_string())?;
    backup::enter_final_mode(&prepared)?;
    let kept = replaced_name(database);
    let was_there = backup::replace(database, &prepared, &kept)?;
    // It was renamed, so there is nothing to delete.
    let _ = prepared.keep();
    let kept = was_there.then_some(kept);
    super::verify::noted(database, report.figures as u64, 0);
    arguments.output.print(
        &json!({"database": database, "replaced": kept, "figures": report.figures}),
        || {
            let kept = kept.as_ref().map_or_else(String::new, |kept| {
                format!("; the replaced database is kept as {}", kept.display())
            });
            format!(
                "{}: restored from {} ({} figures compared){kept}",
                database.display(),
                file.display(),
                report.figures
            )
        },
    )
}

/// The new name of the replaced database. It contains the current time, so that it is unique.
fn replaced_name(database: &Path) -> PathBuf {
    let now = Clock::system().now().to_string();
    let digits: String = now.chars().filter(char::is_ascii_digit).collect();
    backup::with_suffix(database, &format!(".replaced-{digits}"))
}
