//! `stampcard export`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Output, files::NewFile, progress, tables};
use crate::config::Settings;
use crate::service::open_read_only;
use crate::service::transfer::export;
use crate::store::Connection;
use crate::store::dump::Dump;

/// What `export` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Export {
    /// The file to make; - is standard output
    file: PathBuf,
    /// The form of the file
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// The table to export, for csv and parquet
    #[arg(long, value_enum)]
    table: Option<Table>,
    /// Export the key of member tokens and the signing secrets of webhooks, too
    #[arg(long)]
    with_secrets: bool,
    /// Leave text in a CSV as it is, even what a spreadsheet would run as a formula
    #[arg(long)]
    raw: bool,
    /// The program that reads the CSV
    #[arg(long = "for", value_enum)]
    reader: Option<Reader>,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    output: Output,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Every row as a line of JSON: what `import` reads
    Ndjson,
    /// One table with a head line, for spreadsheets and databases
    Csv,
    /// One table with its types, for other databases
    #[cfg(feature = "parquet")]
    Parquet,
}

/// A program that needs a CSV of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// With a byte order mark, by which Excel knows that it is UTF-8
    Excel,
}

/// A table that other programs can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Table {
    /// Every member with the wallet
    Members,
    /// Every ledger entry
    Ledger,
    /// Every redemption
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
        return Ok(super::unusable(
            "--table goes with --format csv or parquet, which need it; ndjson has every table",
        ));
    }
    if is_table && arguments.with_secrets {
        return Ok(super::unusable(
            "--with-secrets goes with --format ndjson only",
        ));
    }
    if arguments.format != Format::Csv && (arguments.raw || arguments.reader.is_some()) {
        return Ok(super::unusable("--raw and --for go with --format csv only"));
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

/// Writes to standard output. A reader that ends before everything was written is told by the exit
/// code alone.
fn to_stdout(connection: &Connection, arguments: &Export) -> Result<ExitCode, anyhow::Error> {
    let mut stdout = Stdout { is_gone: false };
    let written = {
        let mut out = io::BufWriter::with_capacity(1 << 18, &mut stdout);
        write(connection, arguments, &mut out).and_then(|_| Ok(out.flush()?))
    };
    if stdout.is_gone {
        return Err(super::ReaderGone.into());
    }
    written?;
    Ok(ExitCode::SUCCESS)
}

/// Standard output, and whether its reader ended.
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

/// Writes what was asked for; a summary of it comes back.
fn write(
    connection: &Connection,
    arguments: &Export,
    out: &mut (impl Write + Send),
) -> Result<Value, anyhow::Error> {
    let bar = progress::counted("exporting")?;
    let show = |done, total| {
        // A bar that is asked at every row takes longer than the row.
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
