//! `stampcard verify`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use crate::config::Settings;
use crate::service::{open_read_only, verify};

/// Verifies the database; says what is wrong, if anything is.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, anyhow::Error> {
    let path = &settings.database.path;
    let connection = open_read_only(path)?;
    // Hidden when standard error is no terminal.
    let bar = ProgressBar::new(verify::STEPS.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:20} {msg}")?);
    // A log that contradicts itself stops the fold with a panic; the report says it better.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let report = verify::verify(&connection, |step| {
        bar.set_message(step.to_owned());
        bar.inc(1);
    });
    std::panic::set_hook(hook);
    let report = report?;
    bar.finish_and_clear();
    let mut out = io::stdout().lock();
    if report.findings.is_empty() {
        let figures = report.figures;
        writeln!(
            out,
            "{}: everything agrees ({figures} figures compared)",
            path.display()
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }
    writeln!(
        out,
        "{}: {} things are wrong",
        path.display(),
        report.findings.len()
    )?;
    Ok(ExitCode::FAILURE)
}
