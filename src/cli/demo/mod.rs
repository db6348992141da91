//! `stampcard demo`: thirteen months of a believable program, made through the real services, then
//! served while life in it goes on.
//!
//! `cast` says who plays and `calendar` how busy a day is. Of a `program`, `members` are who is there,
//! `bookings` what they take, and `agenda` when; `deed` is how that is asked of the services.
//! `history` tells it all up to now, `trickle` goes on.
//!
//! **Must not know**: SQL or HTTP. Whatever it does, a client could have asked for.

mod agenda;
mod bookings;
mod calendar;
mod cast;
mod deed;
mod history;
mod members;
mod program;
mod receiver;
mod trickle;

use std::io::{self, Write as _};
use std::pin::pin;
use std::process::ExitCode;

use actix_web::rt::{System, SystemRunner};
use futures_util::future::{Either, pending, select};
use secrecy::ExposeSecret as _;

use self::calendar::Calendar;
use self::history::History;
use super::serve::{print_keys, serve, show_keys};
use crate::app::{App, shutdown_signal};
use crate::clock::Clock;
use crate::config::Settings;
use crate::service::Services;
use crate::service::bootstrap::FirstKeys;

/// Makes the history if the database is new, and serves it. Life goes on only in a history that was
/// made just now: what stood in a database before may be somebody's real program.
pub(super) fn run(
    mut settings: Settings,
    keep: bool,
    scale: f64,
    speed: f64,
) -> Result<ExitCode, anyhow::Error> {
    let folder = tempfile::Builder::new()
        .prefix("stampcard-demo-")
        .tempdir()?;
    if !keep {
        settings.database.path = folder.path().join("demo.db");
    }
    // One that comes while the history is made, or after, must not be lost.
    let system = System::new();
    let mut shutdown = Box::pin(system.block_on(async { shutdown_signal() })?);
    let made = match prepare(&system, &settings, scale, keep, &mut shutdown)? {
        Prepared::Stopped => {
            if keep {
                let path = settings.database.path.display();
                // It ends all the same where that cannot be said.
                let _ = writeln!(
                    io::stderr(),
                    "stampcard: the history in {path} is not finished"
                );
            }
            return Ok(ExitCode::SUCCESS);
        }
        Prepared::Made(made) => made,
    };
    let app = App::build(&settings, &Clock::system())?;
    match made {
        None => serve(&system, app, shutdown, pending()),
        Some(history) => {
            if !keep {
                print_keys(&history.first_keys)?;
            }
            print(&history, &app)?;
            let services = app.services().clone();
            let life = trickle::go_on(services, *history, speed);
            serve(&system, app, shutdown, life)
        }
    }
}

enum Prepared {
    /// A signal came first.
    Stopped,
    Made(Option<Box<History>>),
}

/// Makes the history on a clock of its own.
fn prepare(
    system: &SystemRunner,
    settings: &Settings,
    scale: f64,
    keep: bool,
    shutdown: impl Future<Output = ()> + Unpin,
) -> Result<Prepared, anyhow::Error> {
    let calendar = Calendar::until(Clock::system().now());
    let clock = Clock::fixed(calendar.start_of(0));
    let show = |keys: &FirstKeys| {
        // Keys to a database that goes with the process are shown when there is something to see.
        if keep {
            show_keys(keys, &settings.bootstrap)
        } else {
            Ok(())
        }
    };
    let its_settings = history::settings(settings);
    let (services, first_keys) = Services::start_showing(&its_settings, &clock, &show)?;
    let made = system.block_on(async {
        let making = history::make(&services, first_keys, &clock, calendar, scale);
        match select(pin!(making), shutdown).await {
            Either::Left((made, _)) => made.map(|made| Prepared::Made(made.map(Box::new))),
            Either::Right(_) => Ok(Prepared::Stopped),
        }
    });
    services.stop();
    made
}

/// Says what else there is: the keys of the other programs, and where the page is.
fn print(history: &History, app: &App) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (name, key) in &history.other_keys {
        writeln!(
            out,
            "  sandbox Org-API-Key  {}  ({name})",
            key.expose_secret()
        )?;
    }
    // What follows the # is sent to nobody: the page signs in with it.
    let (_, key, _) = &history.first_keys.keys[0];
    let key = key.expose_secret();
    writeln!(out, "Look at it on http://{}/#key={key}", app.address())
}
