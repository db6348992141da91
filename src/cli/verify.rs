//! `stampcard verify`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::Output;
use super::progress;
use crate::clock::Clock;
use crate::config::Settings;
use crate::service::open_read_only;
use crate::store::checks;

/// Arguments of `verify`.
#[derive(Debug, Clone, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    output: Output,
}

/// Saves the result for the server that owns the database, which shows it. Best effort: in a
/// read-only folder nothing is saved.
pub(super) fn noted(path: &Path, figures: u64, findings: u64) {
    let check = checks::Verification {
        at: Clock::system().now().as_millis(),
        figures,
        findings,
    };
    let _ = checks::note(path, &check);
}

/// Verifies the database and prints what does not agree.
pub(super) fn run(settings: &Settings, arguments: &Verify) -> Result<ExitCode, anyhow::Error> {
    let path = &settings.database.path;
    let report = progress::verified(&open_read_only(path)?)?;
    let (figures, findings) = (report.figures, &report.findings);
    let agrees = findings.is_empty();
    noted(path, figures as u64, findings.len() as u64);
    arguments.output.print(
        &json!({
            "database": path,
            "agrees": agrees,
            "figures": figures,
            "erased": report.erased,
            "erasedFiles": report.erased_files,
            "given": report.given,
            "skippedEvents": report.skipped,
            "due": report.due,
            "findings": findings,
        }),
        || {
            let path = path.display();
            if agrees {
                let erased = match report.erased {
                    0 => String::new(),
                    1 => "; 1 text was erased".to_owned(),
                    texts => format!("; {texts} texts were erased"),
                };
                let files = match report.erased_files {
                    0 => String::new(),
                    1 => "; 1 file was erased".to_owned(),
                    files => format!("; {files} files were erased"),
                };
                let given = match report.given {
                    0 => String::new(),
                    1 => "; 1 row of version 0.1.0 is taken as given".to_owned(),
                    rows => format!("; {rows} rows of version 0.1.0 are taken as given"),
                };
                let skipped = match report.skipped {
                    0 => String::new(),
                    1 => "; 1 event of an erased member was skipped".to_owned(),
                    events => format!("; {events} events of erased members were skipped"),
                };
                let due = match report.due {
                    0 => String::new(),
                    1 => "; 1 ledger entry was due and came in time".to_owned(),
                    rows => format!("; {rows} ledger entries were due and came in time"),
                };
                return format!(
                    "{path}: everything agrees ({figures} figures \
                     compared{erased}{files}{given}{skipped}{due})"
                );
            }
            let count = findings.len();
            format!("{}\n{path}: {count} things are wrong", findings.join("\n"))
        },
    )?;
    Ok(if agrees {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
