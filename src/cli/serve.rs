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

/// Arguments of `serve`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct Serve {
    /// Accept the system clock although a step of it was refused before
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

/// Prints the address and serves until `shutdown` is done. Meanwhile runs `beside` as well.
pub(super) fn serve(
    system: &SystemRunner,
    app: App,
    shutdown: impl Future<Output = ()>,
    beside: impl Future<Output = ()> + 'static,
) -> Result<ExitCode, anyhow::Error> {
    system.block_on(async {
        if let Err(error) = announce(&app) {
            // The server is useful without this line.
            let address = app.address();
            tracing::warn!(%address, %error, "listening, but standard output did not take the address");
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

/// Prints the keys of a new database, unless standard output is `/dev/null`, where random keys
/// would be lost. A closed standard output is `/dev/null` by now.
pub(super) fn show_keys(keys: &FirstKeys, chosen: &BootstrapSettings) -> io::Result<()> {
    if are_seen(chosen)? {
        print_keys(keys)?;
    }
    Ok(())
}

/// Whether printed keys are visible. If they are not, and no key was chosen by a setting, returns
/// an error.
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
            "the keys of the new database were not printed, because standard output is /dev/null; \
             besides those chosen by settings, create keys with `stampcard keys create`"
        );
        return Ok(false);
    }
    Ok(true)
}

/// Whether standard output is `/dev/null`.
fn is_discarded() -> io::Result<bool> {
    let discarded = rustix::fs::stat("/dev/null")?;
    let out = rustix::fs::fstat(io::stdout())?;
    let is_device = |stat: &rustix::fs::Stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode).is_char_device()
    };
    Ok(is_device(&out) && is_device(&discarded) && out.st_rdev == discarded.st_rdev)
}

/// Prints the keys of a new database, which are never shown again, the sandbox Org-API-Key first.
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

/// Prints the line that says that the server is ready, the last one on standard output. Other
/// information goes to the log.
fn announce(app: &App) -> io::Result<()> {
    tracing::info!("the dashboard is on {}", page_of(app.address()));
    let mut out = io::stdout().lock();
    writeln!(out, "stampcard listening on http://{}", app.address())?;
    out.flush()
}

/// The address of the dashboard for a browser on this machine.
pub(super) fn page_of(address: SocketAddr) -> String {
    format!("http://{}/", reachable(address))
}
