//! The server: listening, workers, and the layers of every connection.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::Server;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{Condition, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, web};
use socket2::{Domain, Protocol, Socket, Type};

use super::connection::{Bounds, Connection};
use super::known_keys::KnownKeys;
use super::layer::{self, Layer};
use super::openapi::page::Document;
use super::rate_limit::RateLimiter;
use super::recent_answers::RecentAnswers;
use super::starting::{self, Progress};
use super::{HttpLimits, cors, descriptors, routes};
use crate::budget::Budget;
use crate::config::{ServerSettings, Settings};
use crate::realtime::Realtime;
use crate::service::Services;
use crate::telemetry::{Cut, Metrics};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// The bytes of a response that the system buffers until the client reads them. By default it would
/// let this grow to megabytes per connection, from memory that all sockets of the machine share.
const SEND_BUFFER: usize = 256 * 1024;

/// A server that is bound to its port.
#[derive(Debug)]
pub struct BoundServer {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
}

/// Binds the port; nothing is served yet.
pub(crate) fn bind(settings: &Settings) -> io::Result<BoundServer> {
    let listener = listen(settings.server.listen)?;
    let address = listener.local_addr()?;
    Ok(BoundServer {
        listener,
        address,
        settings: settings.clone(),
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl BoundServer {
    /// The address on which it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers every request with the progress of the start, until it is dropped. Must be called
    /// within an actix runtime.
    pub(crate) async fn answer_meanwhile(&self, progress: &Progress) -> Infallible {
        starting::answer_all(&self.listener, progress).await
    }

    /// Starts serving. Must be called within an actix runtime.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub(crate) fn start(
        self,
        services: Services,
        realtime: Realtime,
        budget: Budget,
    ) -> io::Result<Server> {
        let Self {
            listener,
            address,
            settings,
        } = self;
        let limits = HttpLimits::of(&settings);
        let server = &settings.server;
        let workers = worker_count(server);
        let connections_max = descriptors::connections_max(server.connections_max);
        let keep_alive = Duration::from_secs(server.keep_alive);
        let bounds = Bounds {
            request_timeout: limits.request_timeout,
            // actix-http closes a connection that is merely idle.
            keep_alive: keep_alive + Duration::from_secs(1),
            write_timeout: Duration::from_secs(server.write_timeout),
            budget,
            metrics: services.metrics().clone(),
        };
        let builder = Server::build()
            .workers(workers)
            .max_concurrent_connections(connections_max.div_ceil(workers))
            .shutdown_timeout(server.shutdown_timeout)
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let origins = server.cors_origins.clone();
        let rates = web::Data::new(RateLimiter::new(settings.rate_limit));
        let services = web::Data::new(services);
        let realtime = web::Data::new(realtime);
        let document = web::Data::new(Document::new(routes::document));
        let metrics = bounds.metrics.clone();
        let factory = move || {
            let router = routes::router(services.metrics());
            let layer = Rc::new(Layer::new(router, services.metrics(), &limits));
            let answer = move |request| layer::answer(Rc::clone(&layer), request);
            let app = App::new()
                .app_data(web::Data::clone(&services))
                .app_data(web::Data::clone(&realtime))
                .app_data(web::Data::clone(&rates))
                .app_data(web::Data::clone(&document))
                .app_data(web::Data::new(services.analytics().clone()))
                .app_data(limits)
                .app_data(KnownKeys::default())
                .app_data(RecentAnswers::default())
                .default_service(fn_service(answer))
                .wrap(cors::layer(&origins))
                // That layer answers preflight requests alone.
                .wrap(Condition::new(
                    cors::is_on(&origins),
                    from_fn(layer::complete),
                ))
                .into_factory()
                .map_err(|error: Error| error.error_response());
            let (bounds, metrics, stopping) = (bounds.clone(), metrics.clone(), stopping.clone());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(keep_alive)
                .client_request_timeout(limits.request_timeout)
                // After a refusal, bytes that the client still sends are read for this long.
                .client_disconnect_timeout(Duration::from_secs(1))
                .local_addr(address)
                .on_connect_ext(|connection: &Connection, data| connection.share_watch(data))
                .h1(map_config(app, |()| AppConfig::default()))
                .map_err(move |error| note(&metrics, &error));
            fn_service(move |io: TcpStream| {
                let peer = io.peer_addr().ok();
                ready(Ok((Connection::new(io, bounds.clone()), peer)))
            })
            .and_then(http)
        };
        Ok(builder.listen("stampcard", listener, factory)?.run())
    }
}

/// Threads that answer requests.
pub(crate) fn worker_count(server: &ServerSettings) -> usize {
    match server.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        count => count,
    }
}

/// Counts a connection that ended because of its input, which is no error of the server.
fn note(metrics: &Metrics, error: &DispatchError) {
    if let DispatchError::Parse(error) = error {
        metrics.cut(Cut::Malformed);
        tracing::debug!(%error, "received a request that is not HTTP");
    }
}
