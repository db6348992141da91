//! Standard output and standard error of the commands.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

/// The output format of a command.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Output {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Output {
    /// Prints the result of a command, as JSON or as text.
    pub(super) fn print(
        self,
        json: &Value,
        text: impl FnOnce() -> String,
    ) -> Result<ExitCode, anyhow::Error> {
        print(&self.render(json, text))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Prints a result that is shown only once. If standard output takes nothing, the error names
    /// `what` was created and how to replace it.
    pub(super) fn print_secret(
        self,
        json: &Value,
        text: impl FnOnce() -> String,
        what: &str,
    ) -> Result<ExitCode, anyhow::Error> {
        let mut out = io::stdout().lock();
        out.write_all(self.render(json, text).as_bytes())
            .and_then(|()| out.flush())
            .with_context(|| format!("the key of {what} was created, but could not be printed"))?;
        Ok(ExitCode::SUCCESS)
    }

    fn render(self, json: &Value, text: impl FnOnce() -> String) -> String {
        if self.json {
            format!("{json}\n")
        } else {
            text() + "\n"
        }
    }
}

/// The error of a command whose standard output was closed before everything was written. It is not
/// reported: the reader has closed the pipe on purpose.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub(super) struct ReaderGone;

/// Prints text. A reader that closes the pipe early, as `head` does, is no error.
pub(super) fn print(text: &str) -> Result<(), anyhow::Error> {
    let mut out = io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output could not be written")
        }
        _ => Ok(()),
    }
}

/// Reports an invalid command line that clap accepts, and returns the exit code for it.
pub(super) fn unusable(what: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {what}");
    ExitCode::from(2)
}

/// Renders rows as aligned columns. Leaves out fields that no row has.
pub(super) fn columns(names: &[&str], rows: &[Value]) -> String {
    let used = |name: &&&str| rows.iter().any(|row| !row[**name].is_null());
    let names: Vec<&str> = names.iter().filter(used).copied().collect();
    let mut lines = vec![
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>(),
    ];
    lines.extend(
        rows.iter()
            .map(|row| names.iter().map(|name| field(row, name)).collect()),
    );
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..names.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let render = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    if rows.is_empty() {
        return "none".to_owned();
    }
    lines.iter().map(render).collect::<Vec<_>>().join("\n")
}

/// A field of a row as text.
pub(super) fn field(row: &Value, name: &str) -> String {
    match &row[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
