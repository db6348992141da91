//! The whole server, built the same way by `main` and by every test.

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;

use actix_web::dev::Server;
use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::Settings;
use crate::http;
use crate::service::Services;
use crate::service::bootstrap::FirstKeys;

/// A server that is bound to its port and ready to run.
#[derive(Debug)]
pub struct App {
    services: Services,
    first_keys: Option<FirstKeys>,
    address: SocketAddr,
    server: http::BoundServer,
}

impl App {
    /// Binds the port, opens the database and builds the figures. It blocks, so it is not for a
    /// thread that runs an async runtime.
    ///
    /// # Errors
    /// When the database cannot be used or the port is taken; the message says which and why.
    pub fn build(settings: &Settings, clock: &Clock) -> Result<Self, anyhow::Error> {
        // The port first: a database whose first start fails would keep its keys to itself.
        let (server, address) =
            http::bind(settings).map_err(|error| cannot_listen(settings.server.listen, error))?;
        let (services, first_keys) = Services::start(settings, clock)?;
        Ok(Self {
            services,
            first_keys,
            address,
            server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The keys made on the first start of the database.
    pub fn first_keys(&self) -> Option<&FirstKeys> {
        self.first_keys.as_ref()
    }

    /// The product without HTTP.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Serves until `shutdown` is done; then finishes open requests and closes the database.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), anyhow::Error> {
        let Self {
            services, server, ..
        } = self;
        let server: Server = server.start(services.clone());
        let handle = server.handle();
        let stop = async {
            shutdown.await;
            handle.stop(true).await;
        };
        let (result, ()) = futures_util::future::join(server, stop).await;
        let closing = services.clone();
        tokio::task::spawn_blocking(move || closing.stop())
            .await
            .context("the database could not be closed")?;
        result.context("the server failed")
    }
}

/// Why a port cannot be had, and what to do about it.
fn cannot_listen(address: SocketAddr, error: std::io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another --listen"
        }
        ErrorKind::AddrNotAvailable => "this machine has no such address: choose another --listen",
        ErrorKind::PermissionDenied => {
            "ports below 1024 are not for this user: choose a higher one"
        }
        _ => "choose another --listen",
    };
    anyhow::Error::new(error).context(format!("cannot listen on {address} ({hint})"))
}

/// Completes on SIGTERM or Ctrl-C.
///
/// # Errors
/// When the signals cannot be listened for.
pub fn shutdown_signal() -> Result<impl Future<Output = ()>, anyhow::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let ended = std::pin::pin!(terminate.recv());
        let interrupted = std::pin::pin!(interrupt.recv());
        futures_util::future::select(ended, interrupted).await;
        tracing::info!("stopping");
    })
}
