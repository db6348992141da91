//! Webhooks: sends committed events to the registered endpoints.
//!
//! The log is the outbox. Every endpoint has a cursor in it and two tasks: one sends each new event
//! once, in order; the other retries failed deliveries when they are due. Both pass their outcomes
//! to one recorder, which saves them in batches. Everything runs on one thread with the lowest
//! priority, so that no receiver slows a write.
//!
//! **Must not know**: HTTP requests to this server, SQL, or the rules of the product.

mod outbound;
mod recorder;
mod runner;
mod sender;
mod signature;

use std::collections::HashMap;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::LocalSet;

pub use outbound::Outbound;
pub use signature::sign;

use self::recorder::{RETRY, Recorder};
use self::runner::Runner;
use self::sender::Sender;
use crate::config::WebhookSettings;
use crate::domain::{DeliveryStatus, EndpointNumber};
use crate::service::Services;
use crate::telemetry::cause_chain;

/// How long a stop waits for attempts in progress.
const GRACE: Duration = Duration::from_secs(2);
/// How often old deliveries are deleted.
const PURGE_EVERY: Duration = Duration::from_hours(1);
/// The pause after each batch of deleted deliveries.
const PURGE_PAUSE: Duration = Duration::from_millis(20);
/// The niceness of the thread: the lowest priority.
const NICENESS: i32 = 19;

/// The thread that sends webhooks.
#[derive(Debug)]
pub struct Webhooks {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Webhooks {
    /// Starts sending.
    ///
    /// # Errors
    /// If the thread or the client cannot be started.
    pub fn start(services: Services, settings: WebhookSettings) -> Result<Self, anyhow::Error> {
        let sender = Sender::new(&services, Duration::from_secs(settings.timeout))?;
        for status in DeliveryStatus::ALL {
            services.metrics().expect_attempts(status.as_str());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopping) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name("stampcard-webhooks".to_owned())
            .spawn(move || {
                if let Err(error) = rustix::process::nice(NICENESS) {
                    tracing::warn!(%error, "the webhook thread runs at normal priority");
                }
                let dispatcher = Dispatcher {
                    services,
                    sender: Rc::new(sender),
                    runners: HashMap::new(),
                    retention: Duration::from_secs(settings.retention),
                    pace: Duration::from_secs(1) / settings.per_second,
                    stopping,
                };
                LocalSet::new().block_on(&runtime, dispatcher.run());
                // The result of a read that still runs on another thread is not needed.
                runtime.shutdown_background();
            })?;
        Ok(Self { stop, thread })
    }

    /// Stops sending: attempts in progress may finish, and all outcomes are saved.
    pub fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the webhook thread panicked");
        }
    }
}

struct Dispatcher {
    services: Services,
    sender: Rc<Sender>,
    runners: HashMap<EndpointNumber, Runner>,
    retention: Duration,
    pace: Duration,
    stopping: watch::Receiver<bool>,
}

impl Dispatcher {
    async fn run(mut self) {
        let (recorder, saving) = Recorder::start(self.services.clone());
        self.reload(&recorder).await;
        let purging = tokio::task::spawn_local(purge(self.services.clone(), self.retention));
        let services = self.services.clone();
        let mut stopping = self.stopping.clone();
        loop {
            tokio::select! {
                news = services.signals().announcements() => {
                    if news.webhooks_changed {
                        self.reload(&recorder).await;
                    }
                    for runner in self.runners.values() {
                        if news.programs.contains(&runner.program) {
                            runner.new_events.notify_one();
                        }
                        if news.due.contains(&runner.program) {
                            runner.due.notify_one();
                        }
                    }
                }
                _ = stopping.changed() => break,
            }
        }
        purging.abort();
        let ending = self.runners.into_values().map(Runner::end);
        // A delivery whose attempt does not end in time is sent again after the next start.
        let _ = tokio::time::timeout(GRACE, futures_util::future::join_all(ending)).await;
        drop(recorder);
        let _ = tokio::time::timeout(GRACE, saving).await;
    }

    /// Starts, updates and ends runners to match the active endpoints, and wakes their retries.
    async fn reload(&mut self, recorder: &Recorder) {
        let endpoints = loop {
            match self.services.active_webhooks().await {
                Ok(endpoints) => break endpoints,
                Err(error) => {
                    let error = cause_chain(&error);
                    tracing::error!(error, "the webhooks could not be read; trying again");
                    tokio::time::sleep(RETRY).await;
                    if *self.stopping.borrow() {
                        return;
                    }
                }
            }
        };
        let mut before = std::mem::take(&mut self.runners);
        for endpoint in endpoints {
            let number = endpoint.endpoint.number;
            let runner = if let Some(runner) = before.remove(&number) {
                runner.retarget(endpoint);
                runner
            } else {
                Runner::start(
                    endpoint,
                    self.services.clone(),
                    Rc::clone(&self.sender),
                    recorder.clone(),
                    self.stopping.clone(),
                    self.pace,
                )
            };
            runner.due.notify_one();
            self.runners.insert(number, runner);
        }
        // The remaining endpoints were disabled; dropping their runners ends the tasks.
    }
}

/// Deletes old deliveries in small batches, so that neither attempts nor writes wait for it, until
/// the task is aborted.
async fn purge(services: Services, retention: Duration) {
    let mut hours = tokio::time::interval(PURGE_EVERY);
    loop {
        hours.tick().await;
        loop {
            match services.purge_deliveries(retention).await {
                Ok(true) => tokio::time::sleep(PURGE_PAUSE).await,
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "old webhook deliveries could not be deleted");
                    break;
                }
            }
        }
    }
}
