//! `stampcard serve`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use actix_web::rt::{System, SystemRunner};
use futures_util::future::pending;
use secrecy::ExposeSecret as _;

use crate::app::{App, shutdown_signal};
use crate::clock::Clock;
use crate::config::Settings;
use crate::service::bootstrap::FirstKeys;

/// Serves until SIGTERM or Ctrl-C.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, anyhow::Error> {
    super::migrate::migrated(&settings.database.path)?;
    let app = App::build(settings, &Clock::system())?;
    if let Some(keys) = app.first_keys() {
        print_keys(keys)?;
    }
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
        announce(&app)?;
        let beside = actix_web::rt::spawn(beside);
        app.run(async {
            shutdown.await;
            beside.abort();
        })
        .await?;
        Ok(ExitCode::SUCCESS)
    })
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
    Ok(())
}

/// The line that says the server is ready.
fn announce(app: &App) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "stampcard listening on http://{}", app.address())?;
    out.flush()
}
