//! `stampcard migrate`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::Output;
use super::progress;
use crate::config::Settings;
use crate::store::{Database, open_any_version, open_read_only, schema_version};

/// Arguments of `migrate`.
#[derive(Debug, Clone, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    output: Output,
}

/// Migrates the database to the current schema, as a start of the server does.
pub(super) fn run(settings: &Settings, arguments: &Migrate) -> Result<ExitCode, anyhow::Error> {
    let path = &settings.database.path;
    // A missing database is not created.
    drop(open_any_version(path)?);
    let changed = migrated(path)?;
    let version = schema_version();
    arguments.output.print(
        &json!({"database": path, "schema": version, "changed": changed}),
        || {
            let path = path.display();
            if changed {
                format!("{path}: its schema is now version {version}")
            } else {
                format!("{path}: its schema is version {version} already; there was nothing to do")
            }
        },
    )
}

/// Migrates an existing database and shows the progress; returns whether there was anything to do.
/// A file that cannot be opened is left to the caller, whose own attempt reports why.
pub(super) fn migrated(path: &Path) -> Result<bool, anyhow::Error> {
    if open_any_version(path).is_err() || open_read_only(path).is_ok() {
        return Ok(false);
    }
    let bar = progress::counted("migrating")?;
    Database::open_with(path, &mut |done, total| progress::show(&bar, done, total))?;
    bar.finish_and_clear();
    Ok(true)
}
