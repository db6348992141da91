//! Telemetry: logs, as text or JSON lines on standard error, and metrics.
//!
//! **Must not know**: what is logged or counted.

mod best_effort;
mod metrics;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

pub use self::best_effort::log_lines_lost;
pub use self::metrics::{Cut, Metrics, PathMetrics, Sizes};

use self::best_effort::BestEffort;
use crate::config::{LogFormat, LogSettings};

/// Starts logging for the whole process. A second call has no effect.
///
/// # Errors
/// If `log.level` is not a filter.
pub fn init(settings: &LogSettings) -> Result<(), anyhow::Error> {
    let level = &settings.level;
    let mut filter = EnvFilter::try_new(level)
        .map_err(|error| anyhow::anyhow!("log.level {level:?} is not a filter: {error}"))?;
    // It logs an error for any input that is not HTTP. The server counts such input instead.
    if !level.contains("actix_http") {
        filter = filter.add_directive("actix_http=off".parse()?);
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Its own report of a failed write would panic if that cannot be written either.
        .log_internal_errors(false)
        .with_writer(|| BestEffort);
    // A test process may start several servers: the settings of the first one stay.
    let _ = match settings.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic as one line, like any other failure, so that log collectors receive it whole.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    let is_captured = backtrace.status() == BacktraceStatus::Captured;
    tracing::error!(
        thread = std::thread::current().name(),
        at = panic.location().map(tracing::field::display),
        backtrace = is_captured.then(|| tracing::field::display(&backtrace)),
        "panicked: {}",
        panic.payload_as_str().unwrap_or("without a message")
    );
}

/// An error and its causes, in one line.
pub fn cause_chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String cannot fail.
        let _ = write!(chain, ": {cause}");
        source = cause.source();
    }
    chain
}
