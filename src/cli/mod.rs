//! The command line: one file a command.

mod demo;
mod openapi;
mod serve;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

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

Exit codes: 0 done, 1 failed (or, for verify, something is wrong), 2 the command line cannot be used.";

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

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Start the server (the default)
    Serve,
    /// Make a database with a small believable history, and serve it
    ///
    /// The database is made in a temporary folder and goes when the demo ends, unless --database
    /// names a file to keep.
    Demo,
    /// Work out every balance, status and figure a second time by plain SQL, and compare
    ///
    /// Only reads, so a server may be running. Exit code 0: everything agrees; 1: something does
    /// not, and what is printed.
    Verify,
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
        Err(error) => {
            let _ = writeln!(io::stderr(), "stampcard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> Result<ExitCode, anyhow::Error> {
    let overrides = Overrides {
        file: cli.options.config,
        listen: cli.options.listen,
        database: cli.options.database,
    };
    let is_database_named = overrides.database.is_some();
    let settings = Settings::load(&overrides)?;
    telemetry::init(&settings.log)?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&settings),
        Command::Demo => demo::run(settings, is_database_named),
        Command::Verify => verify::run(&settings),
        Command::Openapi => openapi::run(),
    }
}
