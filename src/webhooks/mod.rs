//! Webhooks: what was committed, sent to whoever listens.
//!
//! The log is the outbox. Every endpoint has a place in it (its cursor), and two tasks: one sends
//! each new event once, in order; the other sends again what failed, when its time has come. Both
//! hand their outcomes to one notebook, which writes them down together. All of it lives on one
//! thread that yields to everything else, so that no receiver slows a write.
//!
//! **Must not know**: HTTP requests to this server, SQL, or the rules of the product.

mod notebook;
mod runner;
mod sender;
mod signature;

use std::collections::HashMap;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::LocalSet;

pub use signature::sign;

use self::notebook::Notebook;
use self::runner::Runner;
use self::sender::Sender;
use crate::config::WebhookSettings;
use crate::domain::{DeliveryStatus, EndpointNumber};
use crate::service::Services;
use crate::telemetry::cause_chain;

/// How long a stop waits for attempts that are under way.
const GRACE: Duration = Duration::from_secs(2);
/// How often old deliveries are deleted.
const PURGE_EVERY: Duration = Duration::from_hours(1);
/// How long it rests after some of them.
const PURGE_PAUSE: Duration = Duration::from_millis(20);
/// How long to wait before asking the database again after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// How much this thread yields to others: as much as there is.
const NICENESS: i32 = 19;

/// The thread that sends.
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
                    tracing::warn!(%error, "webhooks are sent with the priority of everything else");
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
                // A read that still runs on another thread is of no use to anybody.
                runtime.shutdown_background();
            })?;
        Ok(Self { stop, thread })
    }

    /// Stops sending: attempts under way may end, and all outcomes are written down.
    pub fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the thread of the webhooks panicked");
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
        let (notebook, writing) = Notebook::start(self.services.clone());
        self.reload(&notebook).await;
        let purging = tokio::task::spawn_local(purge(self.services.clone(), self.retention));
        let services = self.services.clone();
        let mut stopping = self.stopping.clone();
        loop {
            tokio::select! {
                news = services.signals().announcements() => {
                    if news.webhooks_changed {
                        self.reload(&notebook).await;
                    }
                    for runner in self.runners.values() {
                        if news.programs.contains(&runner.program) {
                            runner.new_events.notify_one();
                        }
                        if news.due.contains(&runner.program) {
                            runner.repeat.notify_one();
                        }
                    }
                }
                _ = stopping.changed() => break,
            }
        }
        purging.abort();
        let ending = self.runners.into_values().map(Runner::end);
        // What does not end in time is sent again after the next start.
        let _ = tokio::time::timeout(GRACE, futures_util::future::join_all(ending)).await;
        drop(notebook);
        let _ = tokio::time::timeout(GRACE, writing).await;
    }

    /// Brings the runners in line with the endpoints in use, and wakes those that repeat.
    async fn reload(&mut self, notebook: &Notebook) {
        let endpoints = loop {
            match self.services.active_webhooks().await {
                Ok(endpoints) => break endpoints,
                Err(error) => {
                    let error = cause_chain(&error);
                    tracing::error!(error, "the webhooks cannot be read; trying again");
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
                    notebook.clone(),
                    self.stopping.clone(),
                    self.pace,
                )
            };
            runner.repeat.notify_one();
            self.runners.insert(number, runner);
        }
        // Those that are left were disabled; dropping them ends their tasks.
    }
}

/// Deletes old deliveries for as long as it is let, a few at a time, so that neither attempts nor
/// writes wait for it.
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

/// A bell that keeps one ring.
type Bell = Rc<Notify>;
