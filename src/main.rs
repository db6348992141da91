//! The command line in, the exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    stampcard::cli::run(std::env::args_os())
}
