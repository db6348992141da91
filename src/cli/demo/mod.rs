//! `stampcard demo`: thirteen months of a believable program, made through the real services, then
//! served while life in it goes on.
//!
//! `cast` says who plays and `calendar` how busy a day is. Of a `program`, `members` are who is
//! there, `bookings` what they take, and `agenda` when; `deed` is how that is asked of the
//! services. `history` tells it all up to now, `trickle` goes on.
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

/// What `demo` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Demo {
    /// How much happens, 0.01 to 100 times the usual quarter of a million events
    #[arg(long, value_name = "N", default_value = "1", value_parser = scale)]
    scale: f64,
    /// How fast life goes on, 0.1 to 10000 times the history's pace
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    speed: f64,
}

fn scale(text: &str) -> Result<f64, String> {
    number_within(text, 0.01, 100.0)
}

fn speed(text: &str) -> Result<f64, String> {
    number_within(text, 0.1, 10_000.0)
}

/// A number of the command line, or what is right.
fn number_within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("it must be a number from {least} to {most}"))
}

/// Makes the history if the database is new, and serves it. Life goes on only in a history that was
/// made just now: what stood in a database before may be somebody's real program.
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
    // One that comes while the history is made, or after, must not be lost.
    let system = System::new();
    let mut shutdown = Box::pin(system.block_on(async { shutdown_signal() })?);
    let place = Place::bind(&mut settings, is_address_chosen)?;
    let scale = arguments.scale;
    let made = match prepare(&system, &settings, scale, is_kept, &place, &mut shutdown)? {
        Prepared::Stopped => {
            if is_kept {
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

/// Where the demo is going to be served.
struct Place {
    server: BoundServer,
    /// The usual address, if another program has it.
    taken: Option<SocketAddr>,
}

impl Place {
    /// Binds the port before anything is made that nobody could look at. If the usual one is taken
    /// any other does; one that somebody chose is not changed.
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

    /// Says where the page is, and then which keys there are.
    fn print(&self, keys: &FirstKeys) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let (_, key, _) = &keys.keys[0];
        // What follows the # is sent to nobody: the page signs in with it.
        let (page, key) = (page_of(self.server.address()), key.expose_secret());
        writeln!(out, "Look at it on {page}#key={key}")?;
        if let Some(taken) = self.taken {
            writeln!(
                out,
                "(Another program has {taken}, so it took a free port.)"
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
    /// A signal came first.
    Stopped,
    Made(Option<Box<History>>),
}

/// Makes the history on a clock of its own. Whoever opens the page meanwhile sees how far it is.
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
        // Keys to a database that goes with the process need not be seen.
        if is_kept && !are_seen(&settings.bootstrap)? {
            return Ok(());
        }
        place.print(keys)
    };
    let its_settings = history::settings(settings);
    let (services, first_keys) = Services::start_showing(&its_settings, &clock, &show)?;
    let progress = Progress {
        what: "The demo's history is being made",
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

/// Says which keys came with the organizations that were made later.
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
