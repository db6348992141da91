//! Progress on standard error; nothing where that is no terminal.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::service::verify::{self, Report};
use crate::store::Connection;

/// A bar of something that is counted.
pub(super) fn counted(what: &str) -> Result<ProgressBar, anyhow::Error> {
    let template = format!("{what} {{bar:30}} {{percent:>3}} %  {{eta}}");
    Ok(ProgressBar::new(0).with_style(ProgressStyle::with_template(&template)?))
}

/// Moves a bar.
pub(super) fn show(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done);
}

/// A bar of the steps of a verification.
pub(super) fn of_verification() -> Result<ProgressBar, anyhow::Error> {
    let style = ProgressStyle::with_template("{bar:20} {msg}")?;
    Ok(ProgressBar::new(verify::STEPS.len() as u64).with_style(style))
}

/// Verifies a database, showing how far it is.
pub(super) fn verified(connection: &Connection) -> Result<Report, anyhow::Error> {
    let bar = of_verification()?;
    let report = verify::verify(connection, |step| {
        bar.set_message(step.to_owned());
        bar.inc(1);
    });
    bar.finish_and_clear();
    Ok(report?)
}

/// Verifies a file that is not in use yet. Findings are returned as an error.
pub(super) fn good(path: &Path, what: &str) -> Result<Report, anyhow::Error> {
    let connection = crate::service::open_read_only(path)?;
    let report = verified(&connection)?;
    let findings = &report.findings;
    if let Some(first) = findings.first() {
        let more = match findings.len() - 1 {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        anyhow::bail!("{what} does not verify, so nothing was put in place: {first}{more}");
    }
    Ok(report)
}
