//! `stampcard serve`.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::rt::{System, SystemRunner};
use clap::Args;
use futures_util::future::pending;
use secrecy::ExposeSecret as _;

use super::ready::reachable;
use crate::app::{App, shutdown_signal};
use crate::clock::Clock;
use crate::config::{BootstrapSettings, Settings};
use crate::domain::Environment;
use crate::service::SystemNames;
use crate::service::bootstrap::FirstKeys;

/// What `serve` takes.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct Serve {
    /// Take the system's clock to be right although a step of it was refused before
    #[arg(long)]
    accept_clock: bool,
}

/// Serves until SIGTERM or Ctrl-C.
pub(super) fn run(settings: &Settings, arguments: Serve) -> Result<ExitCode, anyhow::Error> {
    let clock = Clock::system();
    if arguments.accept_clock {
        clock.accept_at_start();
    }
    super::migrate::migrated(&settings.database.path)?;
    let show = |keys: &FirstKeys| show_keys(keys, &settings.bootstrap);
    let names = Arc::new(SystemNames::new());
    let app = App::build_showing(settings, &clock, names, &show)?;
    let system = System::new();
    let shutdown = system.block_on(async { shutdown_signal() })?;
    serve(&system, app, shutdown, pending())
}

/// Says where the app listens and serves until `shutdown` is done. Until then something else may go
/// on beside it.
pub(super) fn serve(
    system: &SystemRunner,
    app: App,
    shutdown: impl Future<Output = ()>,
    beside: impl Future<Output = ()> + 'static,
) -> Result<ExitCode, anyhow::Error> {
    system.block_on(async {
        if let Err(error) = announce(&app) {
            // Whoever knows the address can do without the line.
            let address = app.address();
            tracing::warn!(%address, %error, "listening, which standard output did not take");
        }
        let beside = actix_web::rt::spawn(beside);
        app.run(async {
            shutdown.await;
            beside.abort();
        })
        .await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints the keys of a new database where somebody can see them. A standard output that was closed
/// is `/dev/null` by now: keys that nobody chose would be lost there.
pub(super) fn show_keys(keys: &FirstKeys, chosen: &BootstrapSettings) -> io::Result<()> {
    if are_seen(chosen)? {
        print_keys(keys)?;
    }
    Ok(())
}

/// Whether keys that are printed are seen. It is an error if they are not, and nobody chose them.
pub(super) fn are_seen(chosen: &BootstrapSettings) -> io::Result<bool> {
    if is_discarded()? {
        let is_chosen = |environment: &Environment| {
            chosen.org_key(*environment).is_some() || chosen.partner_key(*environment).is_some()
        };
        if !Environment::ALL.iter().any(is_chosen) {
            let what = "standard output is closed, or /dev/null";
            return Err(io::Error::other(what));
        }
        tracing::warn!(
            "the keys of the new database were not shown, because standard output is /dev/null; \
             `stampcard keys create` makes others than those that were chosen by settings"
        );
        return Ok(false);
    }
    Ok(true)
}

/// Whether nobody can ever see what is printed.
fn is_discarded() -> io::Result<bool> {
    let discarded = rustix::fs::stat("/dev/null")?;
    let out = rustix::fs::fstat(io::stdout())?;
    let is_device = |stat: &rustix::fs::Stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode).is_char_device()
    };
    Ok(is_device(&out) && is_device(&discarded) && out.st_rdev == discarded.st_rdev)
}

/// Prints the keys of a new database, the sandbox Org-API-Key first. They are never shown again.
pub(super) fn print_keys(keys: &FirstKeys) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "A new database. These are its keys; they are shown only now:"
    )?;
    for (environment, org_key, partner_key) in &keys.keys {
        let name = environment.as_str();
        writeln!(out, "  {name:<7} Org-API-Key  {}", org_key.expose_secret())?;
        writeln!(
            out,
            "  {name:<7} partner key  {}",
            partner_key.expose_secret()
        )?;
    }
    out.flush()
}

/// The line that says the server is ready. It is the last one on standard output: what else a
/// person may want to know is for the log.
fn announce(app: &App) -> io::Result<()> {
    tracing::info!("the dashboard is on {}", page_of(app.address()));
    let mut out = io::stdout().lock();
    writeln!(out, "stampcard listening on http://{}", app.address())?;
    out.flush()
}

/// Where a browser on this machine finds the dashboard.
pub(super) fn page_of(address: SocketAddr) -> String {
    format!("http://{}/", reachable(address))
}
