//! `stampcard restore`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Output, backup::copied, files, progress};
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::{Lock, backup, open_any_version};

/// What `restore` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Restore {
    /// The backup to put in the place of the database; it is copied and stays as it is
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Verifies a copy of the backup and puts it in the place of the database.
pub(super) fn run(settings: &Settings, arguments: &Restore) -> Result<ExitCode, anyhow::Error> {
    let file = &arguments.file;
    // The file itself is replaced, not a link to it.
    let database = &backup::resolved(&settings.database.path)?;
    let source = open_any_version(file)?;
    // Held to the end, so that no server starts on what is being replaced.
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
    // It has another name now, under which it stays.
    let _ = prepared.keep();
    let kept = was_there.then_some(kept);
    super::verify::noted(database, report.figures as u64, 0);
    arguments.output.print(
        &json!({"database": database, "replaced": kept, "figures": report.figures}),
        || {
            let kept = kept.as_ref().map_or_else(String::new, |kept| {
                format!("; what stood there is kept as {}", kept.display())
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

/// The name that the replaced database is kept under: of this moment, so that it is a new one.
fn replaced_name(database: &Path) -> PathBuf {
    let now = Clock::system().now().to_string();
    let digits: String = now.chars().filter(char::is_ascii_digit).collect();
    backup::beside(database, &format!(".replaced-{digits}"))
}
