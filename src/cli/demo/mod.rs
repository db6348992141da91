//! `stampcard demo`: generates thirteen months of sample history and serves it, adding to it while
//! it runs.
//!
//! The demo drives the same service layer as the API with a fixed random seed. `cast` holds the
//! programs and names, `calendar` the activity per day. A `program` has `members`, their `bookings`
//! and an `agenda` of what happens when; a `deed` is one request to the services. `history`
//! generates the past, `trickle` continues it.
//!
//! **Must not know**: SQL or HTTP. It does nothing that a client could not request.

mod agenda;
mod bookings;
mod calendar;
mod cast;
mod deed;
mod history;
mod lots;
mod members;
mod program;
mod receiver;
mod trickle;

use std::cell::Cell;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use actix_web::rt::{System, SystemRunner};
use clap::Args;
use futures_util::future::pending;
use secrecy::ExposeSecret as _;

use self::calendar::Calendar;
use self::history::History;
use super::serve::{are_seen, page_of, print_keys, serve};
use crate::app::{App, shutdown_signal};
use crate::clock::Clock;
use crate::config::Settings;
use crate::http::{BoundServer, Progress};
use crate::service::Services;
use crate::service::bootstrap::FirstKeys;

/// Arguments of `demo`.
#[derive(Debug, Clone, Args)]
pub(super) struct Demo {
    /// Size of the history, 0.01 to 100 times the default of about 250,000 events
    #[arg(long, value_name = "N", default_value = "1", value_parser = scale)]
    scale: f64,
    /// Pace of new events, 0.1 to 10000 times that of the history
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    speed: f64,
}

fn scale(text: &str) -> Result<f64, String> {
    number_within(text, 0.01, 100.0)
}

fn speed(text: &str) -> Result<f64, String> {
    number_within(text, 0.1, 10_000.0)
}

/// Parses a number within a range.
fn number_within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("expected a number from {least} to {most}"))
}

/// Generates the history if the database is new, and serves it. New events are added only to a
/// history that was just generated: an existing database may be a real program.
pub(super) fn run(
    mut settings: Settings,
    arguments: &Demo,
    is_kept: bool,
    is_address_chosen: bool,
) -> Result<ExitCode, anyhow::Error> {
    let folder = tempfile::Builder::new()
        .prefix("stampcard-demo-")
        .tempdir()?;
    if !is_kept {
        settings.database.path = folder.path().join("demo.db");
    }
    // Installed now, so that a signal during the generation is not lost.
    let system = System::new();
    let mut shutdown = Box::pin(system.block_on(async { shutdown_signal() })?);
    let place = Place::bind(&mut settings, is_address_chosen)?;
    let scale = arguments.scale;
    let made = match prepare(&system, &settings, scale, is_kept, &place, &mut shutdown)? {
        Prepared::Stopped => {
            if is_kept {
                let path = settings.database.path.display();
                // Best effort: the demo ends in any case.
                let _ = writeln!(
                    io::stderr(),
                    "stampcard: the history in {path} is incomplete"
                );
            }
            return Ok(ExitCode::SUCCESS);
        }
        Prepared::Made(made) => made,
    };
    let app = App::build_on(place.server, &settings, &Clock::system())?;
    match made {
        None => serve(&system, app, shutdown, pending()),
        Some(history) => {
            print_other_keys(&history)?;
            let services = app.services().clone();
            let life = trickle::go_on(services, *history, arguments.speed);
            serve(&system, app, shutdown, life)
        }
    }
}

/// The bound port of the demo.
struct Place {
    server: BoundServer,
    /// The default address, if another program uses it.
    taken: Option<SocketAddr>,
}

impl Place {
    /// Binds the port before the history is generated. If the default port is in use, picks a free
    /// one; an address that was set is not changed.
    fn bind(settings: &mut Settings, is_address_chosen: bool) -> Result<Self, anyhow::Error> {
        let usual = settings.server.listen;
        match App::bind(settings) {
            Err(error) if !is_address_chosen && is_taken(&error) => {
                settings.server.listen.set_port(0);
                Ok(Self {
                    server: App::bind(settings)?,
                    taken: Some(usual),
                })
            }
            bound => Ok(Self {
                server: bound?,
                taken: None,
            }),
        }
    }

    /// Prints the link to the dashboard and the keys.
    fn print(&self, keys: &FirstKeys) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let (_, key, _) = &keys.keys[0];
        // Browsers do not send the part after the #; the page signs in with it.
        let (page, key) = (page_of(self.server.address()), key.expose_secret());
        writeln!(out, "Open the dashboard at {page}#key={key}")?;
        if let Some(taken) = self.taken {
            writeln!(
                out,
                "({taken} is in use by another program, so the demo uses a free port.)"
            )?;
        }
        print_keys(keys)
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

enum Prepared {
    /// A signal stopped the generation.
    Stopped,
    Made(Option<Box<History>>),
}

/// Generates the history on a separate clock. Meanwhile the page shows the progress.
fn prepare(
    system: &SystemRunner,
    settings: &Settings,
    scale: f64,
    is_kept: bool,
    place: &Place,
    shutdown: impl Future<Output = ()> + Unpin,
) -> Result<Prepared, anyhow::Error> {
    let calendar = Calendar::until(Clock::system().now());
    let clock = Clock::fixed(calendar.start_of(0));
    let show = |keys: &FirstKeys| {
        // The keys of a temporary database need not be visible.
        if is_kept && !are_seen(&settings.bootstrap)? {
            return Ok(());
        }
        place.print(keys)
    };
    let its_settings = history::settings(settings);
    let (services, first_keys) = Services::start_showing(&its_settings, &clock, &show)?;
    let progress = Progress {
        what: "The demo's history is being generated",
        percent: Cell::new(0),
    };
    let made = system.block_on(async {
        let making = history::make(&services, first_keys, &clock, calendar, scale, &progress);
        tokio::select! {
            made = making => made.map(|made| Prepared::Made(made.map(Box::new))),
            () = shutdown => Ok(Prepared::Stopped),
            never = place.server.answer_meanwhile(&progress) => match never {},
        }
    });
    services.stop();
    made
}

/// Prints the keys of the organizations that the demo created.
fn print_other_keys(history: &History) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (name, key) in &history.other_keys {
        writeln!(
            out,
            "  sandbox Org-API-Key  {}  ({name})",
            key.expose_secret()
        )?;
    }
    out.flush()
}
