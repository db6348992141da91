//! `stampcard import`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::output::Output;
use super::progress;
use crate::clock::Clock;
use crate::config::Settings;
use crate::service::transfer::{Step, import};
use crate::store::Database;

/// Arguments of `import`.
#[derive(Debug, Clone, Args)]
pub(super) struct Import {
    /// Export to read; - is standard input
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Imports an export into a new or empty database, or resumes an interrupted import.
pub(super) fn run(settings: &Settings, arguments: &Import) -> Result<ExitCode, anyhow::Error> {
    let (path, file) = (&settings.database.path, &arguments.file);
    let input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file).with_context(|| cannot_be_read(file))?;
        Box::new(BufReader::with_capacity(1 << 18, opened))
    };
    let mut database = Database::open_for_import(path)?;
    let rows = progress::counted("importing")?;
    let moved = progress::counted("migrating")?;
    let steps = progress::of_verification()?;
    let now = Clock::system().now();
    let imported = import(&mut database, input, now, |step| match step {
        Step::Rows(done, total) => progress::show(&rows, done, total),
        Step::Migrate(done, total) => progress::show(&moved, done, total),
        Step::Verify(name) => {
            rows.finish_and_clear();
            moved.finish_and_clear();
            steps.set_message(name.to_owned());
            steps.inc(1);
        }
    });
    rows.finish_and_clear();
    steps.finish_and_clear();
    let imported = imported.with_context(|| format!("{} into {}", named(file), path.display()))?;
    let made = match (imported.with_secrets, imported.endpoints) {
        (true, _) => String::new(),
        (false, 0) => "; the key of member tokens is new".to_owned(),
        (false, count) => format!(
            "; the key of member tokens and the signing secrets of {count} webhook endpoints are \
             new"
        ),
    };
    arguments.output.print(
        &json!({
            "database": path,
            "rows": imported.rows,
            "resumed": imported.resumed,
            "secretsMade": !imported.with_secrets,
            "figures": imported.report.figures,
        }),
        || {
            let resumed = match imported.resumed {
                0 => String::new(),
                rows => format!(", {rows} of them by an earlier run"),
            };
            format!(
                "{}: {} rows imported{resumed}; everything agrees ({} figures compared){made}",
                path.display(),
                imported.rows,
                imported.report.figures
            )
        },
    )
}

fn named(file: &Path) -> String {
    match file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => file.display().to_string(),
    }
}

fn cannot_be_read(file: &Path) -> String {
    format!("{} cannot be read", file.display())
}
