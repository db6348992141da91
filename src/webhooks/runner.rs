//! The two tasks of one endpoint.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::recorder::{RETRY, Recorder};
use super::sender::Sender;
use crate::domain::{
    Attempt, Delivery, DeliveryStatus, ProgramNumber, RETRY_AFTER, Seq, Timestamp,
};
use crate::service::{DueDeliveries, Outcome, Services, ShownEvent, after_attempt};
use crate::store::webhooks::ActiveEndpoint;
use crate::telemetry::cause_chain;

/// The most rows of the log that are skipped before the cursor is saved.
const SKIPPED_MAX: i64 = 100_000;
/// The most deliveries of an endpoint that are retried at the same time.
const RETRIES_MAX: usize = 4;
/// The longest sleep while a delivery is due later. The clock may be set forward meanwhile.
const CLOCK_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// An endpoint's tasks. Dropping it aborts them.
pub(super) struct Runner {
    pub(super) program: ProgramNumber,
    /// Notified when there are new events.
    pub(super) new_events: Rc<Notify>,
    /// Notified when a delivery may be due.
    pub(super) due: Rc<Notify>,
    target: Target,
    tasks: [Task; 2],
}

/// The endpoint as last read. Its address and events may change while its tasks run.
type Target = Rc<RefCell<Rc<ActiveEndpoint>>>;

/// A task that is aborted when its handle is dropped.
struct Task(Option<JoinHandle<()>>);

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Runner {
    pub(super) fn start(
        target: ActiveEndpoint,
        services: Services,
        sender: Rc<Sender>,
        recorder: Recorder,
        stopping: watch::Receiver<bool>,
        pace: Duration,
    ) -> Self {
        let program = target.program;
        let (new_events, due) = (Rc::<Notify>::default(), Rc::<Notify>::default());
        let target = Rc::new(RefCell::new(Rc::new(target)));
        let worker = Worker {
            target: Rc::clone(&target),
            services,
            sender,
            recorder,
            stopping,
            pace,
        };
        let first = worker
            .clone()
            .send_new(Rc::clone(&new_events), Rc::clone(&due));
        let retries = worker.send_due(Rc::clone(&due));
        Self {
            program,
            new_events,
            due,
            target,
            tasks: [
                Task(Some(tokio::task::spawn_local(first))),
                Task(Some(tokio::task::spawn_local(retries))),
            ],
        }
    }

    /// Replaces the endpoint that the tasks use.
    pub(super) fn retarget(&self, target: ActiveEndpoint) {
        self.target.replace(Rc::new(target));
    }

    /// Waits for attempts in progress, after a stop was announced.
    pub(super) async fn end(mut self) {
        for task in &mut self.tasks {
            if let Some(running) = &mut task.0 {
                // A panic was reported where it happened.
                let _ = running.await;
            }
        }
    }
}

/// The state of either task.
#[derive(Clone)]
struct Worker {
    target: Target,
    services: Services,
    sender: Rc<Sender>,
    recorder: Recorder,
    stopping: watch::Receiver<bool>,
    /// The shortest time between two first attempts.
    pace: Duration,
}

impl Worker {
    /// The current endpoint.
    fn target(&self) -> Rc<ActiveEndpoint> {
        Rc::clone(&self.target.borrow())
    }

    /// Sends every new event once, one after another, so that first attempts arrive in order.
    async fn send_new(mut self, new_events: Rc<Notify>, due: Rc<Notify>) {
        let mut cursor = self.target().cursor;
        let mut recorded = cursor;
        while !*self.stopping.borrow() {
            // The stored cursor is ahead only if the endpoint was disabled and enabled again.
            cursor = cursor.max(self.target().cursor);
            let (events, read_to) = match self.services.new_events(&self.target(), cursor).await {
                Ok(read) => read,
                Err(error) => {
                    let error = cause_chain(&error);
                    tracing::error!(
                        error,
                        "events for a webhook could not be read; trying again"
                    );
                    self.pause(RETRY).await;
                    continue;
                }
            };
            for event in &events {
                let next_at = Instant::now() + self.pace;
                if *self.stopping.borrow() {
                    return;
                }
                let target = self.target();
                let is_wanted = target.endpoint.subscription.set().contains(event.name);
                if event.seq <= target.cursor || !is_wanted {
                    // The event was read before the endpoint changed.
                    continue;
                }
                if self.send_first(&target, event).await {
                    due.notify_one();
                }
                recorded = event.seq;
                tokio::time::sleep_until(next_at).await;
            }
            if read_to.0 - recorded.0 > SKIPPED_MAX {
                // So that the next start does not read these rows again.
                self.recorder.record(self.skipped(read_to)).await;
                recorded = read_to;
            }
            let has_read_all = read_to == cursor;
            cursor = read_to;
            if has_read_all {
                self.wait_for(&new_events).await;
            }
        }
    }

    /// Makes the first attempt. True if it failed.
    async fn send_first(&self, target: &ActiveEndpoint, event: &ShownEvent) -> bool {
        let fresh = Delivery {
            seq: event.seq,
            status: DeliveryStatus::Pending,
            attempts: 0,
            next_at: None,
            last: None,
            created_at: event.at,
        };
        let attempt = self.sender.attempt(target, &fresh, Some(event)).await;
        let failed = attempt.error.is_some();
        let outcome = Outcome {
            cursor: Some(event.seq),
            ..self.outcome(&fresh, attempt)
        };
        if failed {
            // The other task reads due deliveries from the database.
            self.recorder.record_and_wait(outcome).await;
        } else {
            self.recorder.record(outcome).await;
        }
        failed
    }

    /// Retries due deliveries, a few at a time.
    async fn send_due(mut self, due: Rc<Notify>) {
        while !*self.stopping.borrow() {
            let target = self.target();
            let deliveries = self.services.due_deliveries(&target, RETRIES_MAX);
            match deliveries.await {
                Ok(DueDeliveries { now_due, next_at }) => match next_at {
                    _ if !now_due.is_empty() => {
                        let all = now_due.iter();
                        join_all(all.map(|(due, event)| self.retry(due, event.as_ref()))).await;
                    }
                    Some(next_at) => self.sleep_until(next_at, &due).await,
                    None => self.wait_for(&due).await,
                },
                Err(error) => {
                    let error = cause_chain(&error);
                    tracing::error!(error, "due deliveries could not be read; trying again");
                    self.pause(RETRY).await;
                }
            }
        }
    }

    async fn retry(&self, delivery: &Delivery, event: Option<&ShownEvent>) {
        let attempt = self.sender.attempt(&self.target(), delivery, event).await;
        self.recorder
            .record_and_wait(self.outcome(delivery, attempt))
            .await;
    }

    fn outcome(&self, delivery: &Delivery, attempt: Attempt) -> Outcome {
        let ended_at = attempt.at.saturating_add(attempt.duration);
        let retry_at = retry_after(delivery).map(|delay| ended_at.saturating_add(delay));
        let took = attempt.duration;
        let after = after_attempt(delivery, attempt, retry_at);
        let metrics = self.services.metrics();
        metrics.attempted(after.status.as_str(), took);
        Outcome {
            endpoint: self.target().endpoint.number,
            delivery: Some(after),
            cursor: None,
        }
    }

    /// Moves the cursor past events that the endpoint does not receive.
    fn skipped(&self, seq: Seq) -> Outcome {
        Outcome {
            endpoint: self.target().endpoint.number,
            delivery: None,
            cursor: Some(seq),
        }
    }

    async fn wait_for(&mut self, wake: &Notify) {
        tokio::select! {
            () = wake.notified() => {}
            _ = self.stopping.changed() => {}
        }
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = self.stopping.changed() => {}
        }
    }

    /// Sleeps until a time of the server's clock, or until it is notified.
    async fn sleep_until(&mut self, at: Timestamp, wake: &Notify) {
        while !*self.stopping.borrow() {
            let left = at
                .as_millis()
                .saturating_sub(self.services.now().as_millis());
            if left <= 0 {
                return;
            }
            let left = Duration::from_millis(left.unsigned_abs()).min(CLOCK_CHECK_INTERVAL);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = wake.notified() => return,
                _ = self.stopping.changed() => return,
            }
        }
    }
}

/// The delay after a failed attempt, or `None` after the last one. Up to a fifth is added at
/// random, so that receivers that went down together are not all retried at the same moment.
fn retry_after(delivery: &Delivery) -> Option<Duration> {
    if delivery.seq <= Seq(0) {
        return None;
    }
    let attempt = usize::try_from(delivery.attempts).ok()?;
    let delay = *RETRY_AFTER.get(attempt)?;
    Some(delay + delay.mul_f64(fastrand::f64() / 5.0))
}
