//! The command line in, the exit code out.

use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
use mimalloc::MiMalloc;

/// A request allocates a dozen times, which costs less with it than with the C library.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    stampcard::cli::run(std::env::args_os())
}
