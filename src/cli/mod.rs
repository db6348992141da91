//! The command line: one file a command.

mod backup;
mod check_config;
mod clock;
#[cfg(feature = "parquet")]
mod columnar;
mod completions;
mod demo;
mod export;
mod files;
mod import;
mod keys;
mod migrate;
mod openapi;
mod organizations;
mod partner;
mod progress;
mod ready;
mod restore;
mod serve;
mod tables;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use serde_json::Value;

use crate::config::{Overrides, Settings};
use crate::telemetry;

/// The loyalty backend in one binary: members, points, offers, redemptions and live analytics on
/// one SQLite file.
#[derive(Debug, Parser)]
#[command(name = "stampcard", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Without a command the server is started, as with `serve`. Its first start makes the database and
prints the keys to it, once.

Examples:
  stampcard demo
  stampcard serve --listen 127.0.0.1:8080 --database stampcard.db
  stampcard backup /var/backups/stampcard.db --database stampcard.db
  stampcard COMMAND --help

Exit codes: 0 done; 1 failed, with one sentence on standard error that says what to do (or, for
verify, something is wrong); 2 the command line cannot be used.";

/// What every command takes.
#[derive(Debug, Clone, Args)]
struct Options {
    /// Settings file; see config.toml for what it may say
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// The SQLite file [default: stampcard.db]
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
}

/// How a command says what it did.
#[derive(Debug, Clone, Copy, Args)]
struct Output {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Start the server (the default)
    Serve(serve::Serve),
    /// Make a database with thirteen months of a believable history, and serve it
    ///
    /// The database is made in a temporary folder and goes when the demo ends, unless --database
    /// names a file to keep. While it is served life goes on in it as it did in the history:
    /// something happens about every forty seconds. A database that is there already is only
    /// served.
    ///
    /// If the usual port is taken the demo takes a free one and says so. It logs only warnings,
    /// unless log.level is set.
    Demo(demo::Demo),
    /// Work out every balance, status and figure a second time by plain SQL, and compare
    ///
    /// Only reads, so a server may be running. Exit code 0: everything agrees; 1: something does
    /// not, and what is printed.
    Verify(verify::Verify),
    /// Copy the database while a server runs on it, and verify the copy
    ///
    /// The copy is of one moment and complete in one file. It gets its name only once it is on the
    /// disk and `verify` finds nothing wrong with it. It holds everything the database does: keep
    /// it as private.
    #[command(after_help = "\
Examples:
  stampcard backup backup.db
  stampcard backup --force --json /var/backups/stampcard.db --database /var/lib/stampcard/stampcard.db")]
    Backup(backup::Backup),
    /// Put a backup in the place of the database (server stopped)
    ///
    /// The backup is copied, brought up to date and verified first; what stood in its place is kept
    /// under a new name beside it. It stays possible to go back: restore that one.
    #[command(after_help = "\
Examples:
  stampcard restore backup.db
  stampcard restore /var/backups/stampcard.db --database /var/lib/stampcard/stampcard.db")]
    Restore(restore::Restore),
    /// Write every row as a line of JSON, or one table as CSV
    ///
    /// Only reads, so a server may be running; what is written is of one moment. Hashes of keys are
    /// in it, so that the same keys work after an import. Left out: kept answers to idempotent
    /// requests, deliveries and payloads of webhooks, snapshots of the figures, and, unless
    /// --with-secrets, the key of member tokens and the signing secrets of webhooks.
    #[command(after_help = "\
Examples:
  stampcard export all.ndjson
  stampcard export - | zstd > all.ndjson.zst
  stampcard export --format csv --table ledger ledger.csv")]
    Export(export::Export),
    /// Read an export into a new or empty database (server stopped)
    ///
    /// A bad line is refused by its number. What was interrupted goes on when the same file is
    /// imported again; until it is finished, no server starts on the database. At the end
    /// everything is verified. No webhook is delivered for what is imported.
    #[command(after_help = "\
Examples:
  stampcard import all.ndjson --database new.db
  zstd -dc all.ndjson.zst | stampcard import - --database new.db")]
    Import(import::Import),
    /// Migrate a database of an earlier version to the current schema (server stopped)
    ///
    /// Starting the server does the same. It needs free disk space of about half the database, and
    /// checks that first. An interrupted migration resumes when it is run again. Earlier versions
    /// cannot open the database afterwards: make a backup with the old version first.
    Migrate(migrate::Migrate),
    /// List, make and revoke keys, on a stopped server's database or through a running server
    #[command(after_help = "\
Examples:
  stampcard keys list
  stampcard keys create 'backend 2027' --organization 6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11
  stampcard keys create billing --partner --environment live
  STAMPCARD_KEY=partner_live_… stampcard keys list --url http://127.0.0.1:8080 --organization 6f7b…
  stampcard keys rotate-token-key")]
    Keys(keys::Keys),
    /// List, make, suspend and cancel organizations, on a stopped server's database or through a
    /// running server
    #[command(after_help = "\
Examples:
  stampcard organizations list
  stampcard organizations create Acme --environment live --external-id acme
  STAMPCARD_KEY=partner_live_… stampcard organizations create Acme --url http://127.0.0.1:8080
  stampcard organizations set-status 6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11 suspended")]
    Organizations(organizations::Organizations),
    /// Accept that the system's clock was set forward by more than 24 hours
    ///
    /// Such a step stops writes until the clock is right again or is accepted by this.
    #[command(after_help = "\
Examples:
  STAMPCARD_KEY=partner_live_… stampcard clock accept --url http://127.0.0.1:8080
  stampcard clock accept --database /var/lib/stampcard/stampcard.db")]
    Clock(clock::Clock),
    /// Print every setting as it is in force, secrets hidden, and where each comes from
    ///
    /// Exit code 1 if a setting cannot be used: the message names the file or the variable, the
    /// key, and what would be right.
    CheckConfig(check_config::CheckConfig),
    /// Ask the server that these settings start whether it takes writes
    ///
    /// For health checks. Exit code 0: it does; 1: it does not, or there is none.
    Ready(ready::Ready),
    /// Print completions for a shell
    #[command(after_help = "\
Example:
  stampcard completions bash > /etc/bash_completion.d/stampcard")]
    Completions(completions::Completions),
    /// Print the description of the API, OpenAPI 3.1 as JSON
    ///
    /// The same as a server gives at /openapi.json. It needs no database and no server.
    Openapi,
}

/// Runs a command line; what comes back is the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output, the rest to standard error.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match execute(cli) {
        Ok(code) => code,
        Err(error) if error.is::<ReaderGone>() => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "stampcard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever read what is printed ended before all of it was: nobody needs to be told.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
struct ReaderGone;

/// Prints what a command has to say. A reader that ends early, as `head` does, has what it wanted.
fn print(text: &str) -> Result<(), anyhow::Error> {
    let mut out = io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output could not be written")
        }
        _ => Ok(()),
    }
}

fn execute(cli: Cli) -> Result<ExitCode, anyhow::Error> {
    let command = cli
        .command
        .unwrap_or(Command::Serve(serve::Serve::default()));
    if let Command::Completions(arguments) = &command {
        return completions::run(arguments);
    }
    let overrides = Overrides {
        file: cli.options.config,
        listen: cli.options.listen,
        database: cli.options.database,
    };
    let is_kept = overrides.database.is_some();
    let loaded = Settings::load(&overrides)?;
    let mut log = loaded.settings.log.clone();
    if !matches!(command, Command::Serve(_)) && !loaded.is_set("log.level") {
        // A command prints its own result, and a demo its link: log lines would hide them.
        "warn".clone_into(&mut log.level);
    }
    telemetry::init(&log).map_err(|error| loaded.blame(&error))?;
    let settings = &loaded.settings;
    match &command {
        Command::Demo(arguments) => {
            let is_address_chosen = loaded.is_set("server.listen");
            demo::run(loaded.settings, arguments, is_kept, is_address_chosen)
        }
        Command::Serve(arguments) => serve::run(settings, *arguments),
        Command::Clock(arguments) => clock::run(settings, arguments),
        Command::Verify(arguments) => verify::run(settings, arguments),
        Command::Backup(arguments) => backup::run(settings, arguments),
        Command::Restore(arguments) => restore::run(settings, arguments),
        Command::Export(arguments) => export::run(settings, arguments),
        Command::Import(arguments) => import::run(settings, arguments),
        Command::Migrate(arguments) => migrate::run(settings, arguments),
        Command::Keys(arguments) => keys::run(settings, arguments),
        Command::Organizations(arguments) => organizations::run(settings, arguments),
        Command::Ready(arguments) => ready::run(settings, arguments),
        Command::CheckConfig(arguments) => check_config::run(&loaded, arguments),
        Command::Completions(arguments) => completions::run(arguments),
        Command::Openapi => openapi::run(),
    }
}

impl Output {
    /// Prints what a command did, for a program or for a person.
    fn print(self, json: &Value, text: impl FnOnce() -> String) -> Result<ExitCode, anyhow::Error> {
        print(&self.render(json, text))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The same for what is shown only once: that nobody reads it is an error, which says what to
    /// do about `what`.
    fn print_secret(
        self,
        json: &Value,
        text: impl FnOnce() -> String,
        what: &str,
    ) -> Result<ExitCode, anyhow::Error> {
        let mut out = io::stdout().lock();
        out.write_all(self.render(json, text).as_bytes())
            .and_then(|()| out.flush())
            .with_context(|| format!("the key of {what} was made, but could not be printed"))?;
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

/// Says what is wrong with a command line that clap could not refuse; the exit code comes back.
fn unusable(what: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {what}");
    ExitCode::from(2)
}

/// Rows as columns for a person; a field that no row has is left out.
fn columns(names: &[&str], rows: &[Value]) -> String {
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
fn field(row: &Value, name: &str) -> String {
    match &row[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
