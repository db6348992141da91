//! The whole server, built the same way for `main` and for every test.

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use anyhow::Context as _;
use parking_lot::Mutex;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::config::{ServerSettings, Settings, WebhookSettings};
use crate::http;
use crate::realtime::Realtime;
use crate::service::bootstrap::Show;
use crate::service::{Names, Services, SystemNames};
use crate::webhooks::{Outbound, Webhooks};

/// Threads of a server apart from its HTTP workers: the writer, checkpoints, snapshots, the clock,
/// streams and webhooks; one that accepts connections, three of the pool of readers, and one for
/// reads.
const THREADS: usize = 11;

/// How long a gateway has to answer, while the client of a request waits.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that is bound to its port and ready to run.
#[derive(Debug)]
pub struct App {
    services: Services,
    address: SocketAddr,
    server: http::BoundServer,
    settings: ServerSettings,
    webhooks: WebhookSettings,
}

impl App {
    /// Binds the port, opens the database and builds the figures. It blocks, so it must not be
    /// called on a thread that runs an async runtime.
    ///
    /// # Errors
    /// If the database cannot be used or the port is taken; the message says which and why.
    pub fn build(settings: &Settings, clock: &Clock) -> Result<Self, anyhow::Error> {
        Self::build_showing(settings, clock, Arc::new(SystemNames::new()), &|_| Ok(()))
    }

    /// [`App::build`] with another name resolver, for tests of webhook targets.
    ///
    /// # Errors
    /// As [`App::build`].
    pub fn build_with(
        settings: &Settings,
        clock: &Clock,
        names: Arc<dyn Names>,
    ) -> Result<Self, anyhow::Error> {
        Self::build_showing(settings, clock, names, &|_| Ok(()))
    }

    /// [`App::build`] with a name resolver, and with a function that shows the keys of a new
    /// database before they are stored.
    ///
    /// # Errors
    /// As [`App::build`], and if the keys cannot be shown.
    pub fn build_showing(
        settings: &Settings,
        clock: &Clock,
        names: Arc<dyn Names>,
        show: Show<'_>,
    ) -> Result<Self, anyhow::Error> {
        // The port first: if the first start failed after creating the database, its keys would
        // never be shown.
        let server = Self::bind(settings)?;
        let (services, _) = Services::start_showing(settings, clock, show)?;
        Self::new(settings, server, services.with_names(names))
    }

    /// Only binds the port, for a start that does other work before it builds the rest.
    ///
    /// # Errors
    /// If the port is taken or cannot be bound, or the process may not start enough threads; the
    /// message says which and why.
    pub(crate) fn bind(settings: &Settings) -> Result<http::BoundServer, anyhow::Error> {
        let threads = THREADS + http::worker_count(&settings.server);
        check_threads(threads, Builder::new)?;
        http::bind(settings).map_err(|error| cannot_listen(settings.server.listen, error))
    }

    /// [`App::build`] on a bound port, with the settings that it was bound with.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub(crate) fn build_on(
        server: http::BoundServer,
        settings: &Settings,
        clock: &Clock,
    ) -> Result<Self, anyhow::Error> {
        let (services, _) = Services::start(settings, clock)?;
        let services = services.with_names(Arc::new(SystemNames::new()));
        Self::new(settings, server, services)
    }

    fn new(
        settings: &Settings,
        server: http::BoundServer,
        services: Services,
    ) -> Result<Self, anyhow::Error> {
        let outbound = Outbound::new(services.targets(), GATEWAY_TIMEOUT)?;
        Ok(Self {
            services: services.with_post(Arc::new(outbound)),
            address: server.address(),
            server,
            settings: settings.server.clone(),
            webhooks: settings.webhooks,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases, without HTTP.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Serves until `shutdown` completes; then finishes open requests and closes the database.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), anyhow::Error> {
        let Self {
            services,
            server,
            settings,
            webhooks,
            ..
        } = self;
        let budget = Budget::new(
            settings.buffered_bytes_max,
            settings.buffered_bytes_each_max,
        );
        let realtime = Realtime::start(services.clone(), &settings, budget.clone())
            .context("the thread of the streams cannot be started")?;
        let webhooks = Webhooks::start(services.clone(), webhooks)
            .context("the thread of the webhooks cannot be started")?;
        let server = server
            .start(services.clone(), realtime.clone(), budget)
            .context("the port cannot be served")?;
        let handle = server.handle();
        let stop = async {
            shutdown.await;
            // Open streams are requests that would never end.
            realtime.close();
            handle.stop(true).await;
        };
        let (result, ()) = futures_util::future::join(server, stop).await;
        tokio::task::spawn_blocking(move || {
            webhooks.stop();
            realtime.join();
            services.stop();
        })
        .await
        .context("the database could not be closed")?;
        result.context("the server failed")
    }
}

/// Starts this many threads at the same time and ends them again.
///
/// The actix, r2d2 and tokio libraries panic if the system refuses one of their threads. A limit
/// that is too low is found here first, so that the start fails with a sentence.
fn check_threads(count: usize, builder: fn() -> Builder) -> Result<(), anyhow::Error> {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        // All threads wait for it. An error releases it, too.
        let _closed = gate.lock();
        for started in 0..count {
            let spawned = builder().spawn_scoped(scope, || drop(gate.lock()));
            spawned.with_context(|| {
                format!(
                    "the system lets this process start {started} threads, but the server needs \
                     {count}: raise the limit of its user (`ulimit -u`), service (TasksMax=) or \
                     container, or lower server.workers"
                )
            })?;
        }
        Ok(())
    })
}

/// Explains why the port cannot be bound, and what to do.
fn cannot_listen(address: SocketAddr, error: std::io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another --listen"
        }
        ErrorKind::AddrNotAvailable => "this machine has no such address: choose another --listen",
        ErrorKind::PermissionDenied => {
            "this user may not use ports below 1024: choose a higher one"
        }
        _ => "choose another --listen",
    };
    anyhow::Error::new(error).context(format!("cannot listen on {address} ({hint})"))
}

/// Completes on SIGTERM or Ctrl-C.
///
/// # Errors
/// If the signals cannot be registered.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_cannot_be_started_is_an_error_before_the_start() {
        check_threads(100, Builder::new).unwrap();
        // No system has memory for such a stack.
        let refused = check_threads(100, || Builder::new().stack_size(1 << 60));
        let refusal = format!("{:#}", refused.unwrap_err());
        let expected = "lets this process start 0 threads, but the server needs 100";
        assert!(refusal.contains(expected), "{refusal}");
    }
}
