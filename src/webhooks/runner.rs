//! The two tasks of one endpoint.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::notebook::Notebook;
use super::sender::Sender;
use super::{Bell, RETRY};
use crate::domain::{
    Attempt, Delivery, DeliveryStatus, ProgramNumber, RETRY_AFTER, Seq, Timestamp,
};
use crate::service::{DueDeliveries, Outcome, Services, ShownEvent, after_attempt};
use crate::store::webhooks::ActiveEndpoint;
use crate::telemetry::cause_chain;

/// Rows of the log that may be passed over before the cursor is written down.
const PASSED_MAX: i64 = 100_000;
/// Deliveries of an endpoint that are repeated at the same time.
const REPEATED_AT_ONCE: usize = 4;
/// The longest sleep while something is due later: the clock may be moved.
const LOOK_AT_CLOCK: Duration = Duration::from_millis(250);

/// An endpoint's tasks. Dropping it ends them, wherever they are.
pub(super) struct Runner {
    pub(super) program: ProgramNumber,
    /// Rung when there are new events.
    pub(super) new_events: Bell,
    /// Rung when something may be due.
    pub(super) repeat: Bell,
    target: Target,
    tasks: [Task; 2],
}

/// The endpoint as it was last read: its address and events may change while its tasks run.
type Target = Rc<RefCell<Rc<ActiveEndpoint>>>;

/// A task that ends with its handle.
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
        notebook: Notebook,
        stopping: watch::Receiver<bool>,
        pace: Duration,
    ) -> Self {
        let program = target.program;
        let (new_events, repeat) = (Bell::default(), Bell::default());
        let target = Rc::new(RefCell::new(Rc::new(target)));
        let lane = Lane {
            target: Rc::clone(&target),
            services,
            sender,
            notebook,
            stopping,
            pace,
        };
        let first = lane
            .clone()
            .send_new(Rc::clone(&new_events), Rc::clone(&repeat));
        let again = lane.send_again(Rc::clone(&repeat));
        Self {
            program,
            new_events,
            repeat,
            target,
            tasks: [
                Task(Some(tokio::task::spawn_local(first))),
                Task(Some(tokio::task::spawn_local(again))),
            ],
        }
    }

    /// Lets the tasks go on with the endpoint as it is now.
    pub(super) fn retarget(&self, target: ActiveEndpoint) {
        self.target.replace(Rc::new(target));
    }

    /// Waits for attempts that are under way, once a stop was announced.
    pub(super) async fn end(mut self) {
        for task in &mut self.tasks {
            if let Some(running) = &mut task.0 {
                // A panic was reported where it happened.
                let _ = running.await;
            }
        }
    }
}

/// What both tasks work with.
#[derive(Clone)]
struct Lane {
    target: Target,
    services: Services,
    sender: Rc<Sender>,
    notebook: Notebook,
    stopping: watch::Receiver<bool>,
    /// The least time from one first attempt to the next.
    pace: Duration,
}

impl Lane {
    /// The endpoint as it is now.
    fn target(&self) -> Rc<ActiveEndpoint> {
        Rc::clone(&self.target.borrow())
    }

    /// Sends every new event once, one after the other, so that first attempts arrive in order.
    async fn send_new(mut self, new_events: Bell, repeat: Bell) {
        let mut cursor = self.target().cursor;
        let mut noted = cursor;
        while !*self.stopping.borrow() {
            // Further on only if it was disabled meanwhile and enabled again.
            cursor = cursor.max(self.target().cursor);
            let (events, read_to) = match self.services.new_events(&self.target(), cursor).await {
                Ok(read) => read,
                Err(error) => {
                    let error = cause_chain(&error);
                    tracing::error!(error, "events for a webhook cannot be read; trying again");
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
                    // It was read before the endpoint changed.
                    continue;
                }
                if self.send_first(&target, event).await {
                    repeat.notify_one();
                }
                noted = event.seq;
                tokio::time::sleep_until(next_at).await;
            }
            if read_to.0 - noted.0 > PASSED_MAX {
                // The next start need not read all that again.
                self.notebook.add(self.passed(read_to)).await;
                noted = read_to;
            }
            let has_read_all = read_to == cursor;
            cursor = read_to;
            if has_read_all {
                self.wait_for(&new_events).await;
            }
        }
    }

    /// The first attempt; whether it failed.
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
            // The other task asks the database what is due.
            self.notebook.write_down(outcome).await;
        } else {
            self.notebook.add(outcome).await;
        }
        failed
    }

    /// Sends again what is due, a few at a time.
    async fn send_again(mut self, repeat: Bell) {
        while !*self.stopping.borrow() {
            let target = self.target();
            let due = self.services.due_deliveries(&target, REPEATED_AT_ONCE);
            match due.await {
                Ok(DueDeliveries { now_due, next_at }) => match next_at {
                    _ if !now_due.is_empty() => {
                        let all = now_due.iter();
                        join_all(all.map(|(due, event)| self.repeat(due, event.as_ref()))).await;
                    }
                    Some(next_at) => self.sleep_until(next_at, &repeat).await,
                    None => self.wait_for(&repeat).await,
                },
                Err(error) => {
                    let error = cause_chain(&error);
                    tracing::error!(error, "due deliveries cannot be read; trying again");
                    self.pause(RETRY).await;
                }
            }
        }
    }

    async fn repeat(&self, delivery: &Delivery, event: Option<&ShownEvent>) {
        let attempt = self.sender.attempt(&self.target(), delivery, event).await;
        self.notebook
            .write_down(self.outcome(delivery, attempt))
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

    /// Events that this endpoint does not listen to.
    fn passed(&self, seq: Seq) -> Outcome {
        Outcome {
            endpoint: self.target().endpoint.number,
            delivery: None,
            cursor: Some(seq),
        }
    }

    async fn wait_for(&mut self, bell: &Notify) {
        tokio::select! {
            () = bell.notified() => {}
            _ = self.stopping.changed() => {}
        }
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = self.stopping.changed() => {}
        }
    }

    /// Sleeps until a time by the server's clock, or until the bell is rung.
    async fn sleep_until(&mut self, at: Timestamp, bell: &Notify) {
        while !*self.stopping.borrow() {
            let left = at
                .as_millis()
                .saturating_sub(self.services.now().as_millis());
            if left <= 0 {
                return;
            }
            let left = Duration::from_millis(left.unsigned_abs()).min(LOOK_AT_CLOCK);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = bell.notified() => return,
                _ = self.stopping.changed() => return,
            }
        }
    }
}

/// How long to wait after a failed attempt, with up to a fifth more so that receivers that went
/// down together are not all tried at once; `None`: this was the last attempt.
fn retry_after(delivery: &Delivery) -> Option<Duration> {
    if delivery.seq <= Seq(0) {
        return None;
    }
    let attempt = usize::try_from(delivery.attempts).ok()?;
    let delay = *RETRY_AFTER.get(attempt)?;
    Some(delay + delay.mul_f64(fastrand::f64() / 5.0))
}
