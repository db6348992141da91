//! The command line, with one file per command.

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
mod man;
mod migrate;
mod openapi;
mod organizations;
mod output;
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

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use self::output::ReaderGone;
use crate::config::{Overrides, Settings};
use crate::telemetry;

/// A loyalty backend in one binary: members, points, offers, redemptions and live analytics on one
/// SQLite file.
#[derive(Debug, Parser)]
#[command(name = "stampcard", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Without a command, the server is started, as with `serve`. The first start creates the database and
prints its API keys once.

Examples:
  stampcard demo
  stampcard serve --listen 127.0.0.1:8080 --database stampcard.db
  stampcard backup /var/backups/stampcard.db --database stampcard.db
  stampcard COMMAND --help

Exit codes: 0: success. 1: failure, with one sentence on standard error that says what went wrong and
what to do; for `verify`, a difference was found. 2: invalid command line.";

/// Options of every command.
#[derive(Debug, Clone, Args)]
struct Options {
    /// Settings file (TOML); `stampcard check-config` lists every setting
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on; port 0 picks a free port [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// The SQLite file [default: stampcard.db]
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Start the server (the default)
    Serve(serve::Serve),
    /// Generate a database with thirteen months of sample history, and serve it
    ///
    /// The database is created in a temporary folder and deleted when the demo ends, unless
    /// --database names a file to keep. While the demo runs it adds to the history, about one event
    /// every forty seconds. An existing database is served without changes to it.
    ///
    /// If the default port is in use, the demo picks a free port and says so. It logs only
    /// warnings, unless log.level is set.
    Demo(demo::Demo),
    /// Recompute every balance, status and figure with SQL, and compare
    ///
    /// Only reads, so a server may be running. Exit code 0: everything agrees; 1: the differences
    /// are printed.
    Verify(verify::Verify),
    /// Copy the database, and verify the copy
    ///
    /// A server may be running. The copy is one file and contains the database as of one moment. It
    /// gets its name only after it is on the disk and `verify` has found no difference. It contains
    /// personal data and secrets: keep it as private as the database.
    #[command(after_help = "\
Examples:
  stampcard backup backup.db
  stampcard backup --force --json /var/backups/stampcard.db --database /var/lib/stampcard/stampcard.db")]
    Backup(backup::Backup),
    /// Replace the database with a backup (server stopped)
    ///
    /// The backup is copied, migrated and verified first. The replaced database is kept under a new
    /// name in the same folder; to go back, restore that file.
    #[command(after_help = "\
Examples:
  stampcard restore backup.db
  stampcard restore /var/backups/stampcard.db --database /var/lib/stampcard/stampcard.db")]
    Restore(restore::Restore),
    /// Write every row as a line of JSON, or one table as CSV
    ///
    /// Only reads, so a server may be running. The export contains the database as of one moment,
    /// including the hashes of API keys, so that the same keys work after an import. It does not
    /// contain idempotency records, deliveries and payloads of webhooks, snapshots of the figures,
    /// and, without --with-secrets, the key of member tokens and the signing secrets of webhooks.
    #[command(after_help = "\
Examples:
  stampcard export all.ndjson
  stampcard export - | zstd > all.ndjson.zst
  stampcard export --format csv --table ledger ledger.csv")]
    Export(export::Export),
    /// Read an export into a new or empty database (server stopped)
    ///
    /// An invalid line is reported by its number. To resume an interrupted import, import the same
    /// file again; until it is finished, no server starts on the database. At the end, the database
    /// is verified. Imported events are not sent to webhooks.
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
    /// List, create and revoke API keys, in the database of a stopped server or through a running
    /// server
    #[command(after_help = "\
Examples:
  stampcard keys list
  stampcard keys create 'backend 2027' --organization 6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11
  stampcard keys create billing --partner --environment live
  STAMPCARD_KEY=partner_live_… stampcard keys list --url http://127.0.0.1:8080 --organization 6f7b…
  stampcard keys rotate-token-key")]
    Keys(keys::Keys),
    /// List, create, suspend and cancel organizations, in the database of a stopped server or
    /// through a running server
    #[command(after_help = "\
Examples:
  stampcard organizations list
  stampcard organizations create Acme --environment live --external-id acme
  STAMPCARD_KEY=partner_live_… stampcard organizations create Acme --url http://127.0.0.1:8080
  stampcard organizations set-status 6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11 suspended")]
    Organizations(organizations::Organizations),
    /// Accept that the system clock was set forward by more than 24 hours
    ///
    /// Such a step stops writes until the clock is corrected or accepted.
    #[command(after_help = "\
Examples:
  STAMPCARD_KEY=partner_live_… stampcard clock accept --url http://127.0.0.1:8080
  stampcard clock accept --database /var/lib/stampcard/stampcard.db")]
    Clock(clock::Clock),
    /// Print every setting in force, secrets hidden, and where each comes from
    ///
    /// Exit code 1: a setting is invalid. The message names the file or the variable, the setting,
    /// and the expected value.
    CheckConfig(check_config::CheckConfig),
    /// Check that the server at server.listen accepts writes
    ///
    /// For health checks. Exit code 0: it does; 1: it does not, or does not respond.
    Ready(ready::Ready),
    /// Print the completion script of a shell
    #[command(after_help = "\
Example:
  stampcard completions bash > /etc/bash_completion.d/stampcard")]
    Completions(completions::Completions),
    /// Print the manual page, or write one page per command into a folder
    #[command(after_help = "\
Examples:
  stampcard man | man -l -
  stampcard man /usr/local/share/man/man1")]
    Man(man::Man),
    /// Print the API description, OpenAPI 3.1 as JSON
    ///
    /// A server returns the same document at /openapi.json. Needs no database and no server.
    Openapi,
}

/// Runs a command line and returns the exit code.
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

fn execute(cli: Cli) -> Result<ExitCode, anyhow::Error> {
    let command = cli
        .command
        .unwrap_or(Command::Serve(serve::Serve::default()));
    // These need no settings.
    match &command {
        Command::Completions(arguments) => return completions::run(arguments, Cli::command()),
        Command::Man(arguments) => return man::run(arguments, Cli::command()),
        _ => {}
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
        // Log lines would hide the result of a command, or the link of the demo.
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
        Command::Completions(arguments) => completions::run(arguments, Cli::command()),
        Command::Man(arguments) => man::run(arguments, Cli::command()),
        Command::Openapi => openapi::run(),
    }
}
