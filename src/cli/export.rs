//! `stampcard export`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::output::{Output, ReaderGone, unusable};
use super::{files::NewFile, progress, tables};
use crate::config::Settings;
use crate::service::open_read_only;
use crate::service::transfer::export;
use crate::store::Connection;
use crate::store::dump::Dump;

/// Arguments of `export`.
#[derive(Debug, Clone, Args)]
pub(super) struct Export {
    /// File to create; - is standard output
    file: PathBuf,
    /// Format of the file
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// Table to export, for csv and parquet
    #[arg(long, value_enum)]
    table: Option<Table>,
    /// Include the key of member tokens and the signing secrets of webhooks
    #[arg(long)]
    with_secrets: bool,
    /// Do not escape text in a CSV that a spreadsheet would run as a formula
    #[arg(long)]
    raw: bool,
    /// Adapt the CSV to a program
    #[arg(long = "for", value_enum)]
    reader: Option<Reader>,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    output: Output,
}

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Every row as a line of JSON, for `import`
    Ndjson,
    /// One table with a header line, for spreadsheets and databases
    Csv,
    /// One table with column types, for other databases
    #[cfg(feature = "parquet")]
    Parquet,
}

/// A program with special requirements for a CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// With a byte order mark, so that Excel reads it as UTF-8
    Excel,
}

/// A table that can be exported for other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Table {
    /// Members with their wallets
    Members,
    /// Ledger entries
    Ledger,
    /// Redemptions
    Redemptions,
}

impl From<Table> for Dump {
    fn from(table: Table) -> Self {
        match table {
            Table::Members => Self::Members,
            Table::Ledger => Self::Ledger,
            Table::Redemptions => Self::Redemptions,
        }
    }
}

/// Writes an export.
pub(super) fn run(settings: &Settings, arguments: &Export) -> Result<ExitCode, anyhow::Error> {
    let (database, file) = (&settings.database.path, &arguments.file);
    let is_table = arguments.format != Format::Ndjson;
    if is_table != arguments.table.is_some() {
        return Ok(unusable(
            "--table is required with --format csv or parquet, and not allowed with ndjson, which has every table",
        ));
    }
    if is_table && arguments.with_secrets {
        return Ok(unusable(
            "--with-secrets is allowed only with --format ndjson",
        ));
    }
    if arguments.format != Format::Csv && (arguments.raw || arguments.reader.is_some()) {
        return Ok(unusable(
            "--raw and --for are allowed only with --format csv",
        ));
    }
    let connection = open_read_only(database)?;
    if file == Path::new("-") {
        return to_stdout(&connection, arguments);
    }
    let mut target = NewFile::begin(file, database, arguments.force)?;
    let mut out = target.writer();
    let mut summary = write(&connection, arguments, &mut out)?;
    out.flush()?;
    drop(out);
    let bytes = target.keep()?;
    summary["export"] = json!(file);
    summary["bytes"] = json!(bytes);
    arguments.output.print(&summary, || {
        let rows = &summary["rows"];
        format!("{}: {rows} rows in {bytes} bytes", file.display())
    })
}

/// Writes to standard output. If the reader closes the pipe early, only the exit code shows it.
fn to_stdout(connection: &Connection, arguments: &Export) -> Result<ExitCode, anyhow::Error> {
    let mut stdout = Stdout { is_gone: false };
    let written = {
        let mut out = io::BufWriter::with_capacity(1 << 18, &mut stdout);
        write(connection, arguments, &mut out).and_then(|_| Ok(out.flush()?))
    };
    if stdout.is_gone {
        return Err(ReaderGone.into());
    }
    written?;
    Ok(ExitCode::SUCCESS)
}

/// Standard output, and whether its reader has closed the pipe.
struct Stdout {
    is_gone: bool,
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = io::stdout().write(bytes);
        if let Err(error) = &written {
            self.is_gone |= error.kind() == io::ErrorKind::BrokenPipe;
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// Writes the export and returns a summary of it.
fn write(
    connection: &Connection,
    arguments: &Export,
    out: &mut (impl Write + Send),
) -> Result<Value, anyhow::Error> {
    let bar = progress::counted("exporting")?;
    let show = |done, total| {
        // Updating the bar takes longer than writing a row.
        if done % 1024 == 0 {
            progress::show(&bar, done, total);
        }
    };
    let summary = match (arguments.format, arguments.table) {
        (Format::Csv, Some(table)) => {
            let form = tables::Form {
                is_raw: arguments.raw,
                has_mark: arguments.reader == Some(Reader::Excel),
            };
            json!({"rows": tables::csv(connection, table.into(), form, out, show)?})
        }
        #[cfg(feature = "parquet")]
        (Format::Parquet, Some(table)) => {
            json!({"rows": super::columnar::parquet(connection, table.into(), out, show)?})
        }
        _ => {
            let exported = export(connection, arguments.with_secrets, out, show)?;
            json!({"rows": exported.rows, "sha256": exported.sha256})
        }
    };
    bar.finish_and_clear();
    Ok(summary)
}
