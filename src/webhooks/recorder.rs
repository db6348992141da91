//! The recorder: outcomes of attempts, saved in batches.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::service::{Outcome, Services};

/// How long to wait before the database is tried again after a failure.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// The most outcomes that wait to be saved. When the queue is full, senders wait.
const QUEUE_MAX: usize = 1024;
/// The most outcomes in one transaction.
const BATCH_MAX: usize = 256;
/// How long outcomes are collected for a batch. After a kill within that time, their deliveries are
/// sent again.
const COLLECT: Duration = Duration::from_millis(20);

type Entry = (Outcome, Option<oneshot::Sender<()>>);

/// A handle to the recorder, which ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    queue: mpsc::Sender<Entry>,
}

impl Recorder {
    /// Starts a recorder. Its task ends when all outcomes are saved and all handles are dropped.
    pub(super) fn start(services: Services) -> (Self, JoinHandle<()>) {
        let (queue, entries) = mpsc::channel(QUEUE_MAX);
        let saving = tokio::task::spawn_local(save(services, entries));
        (Self { queue }, saving)
    }

    /// Queues an outcome.
    pub(super) async fn record(&self, outcome: Outcome) {
        // The receiving task outlives every handle.
        let _ = self.queue.send((outcome, None)).await;
    }

    /// Queues an outcome and waits until it is saved.
    pub(super) async fn record_and_wait(&self, outcome: Outcome) {
        let (done, saved) = oneshot::channel();
        let _ = self.queue.send((outcome, Some(done))).await;
        let _ = saved.await;
    }
}

async fn save(services: Services, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, BATCH_MAX).await > 0 {
        if batch.len() < BATCH_MAX {
            tokio::time::sleep(COLLECT).await;
            while batch.len() < BATCH_MAX
                && let Ok(entry) = entries.try_recv()
            {
                batch.push(entry);
            }
        }
        let (outcomes, waiting): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        while let Err(error) = services.note_deliveries(outcomes.clone()).await {
            tracing::warn!(%error, "webhook deliveries could not be saved; trying again");
            tokio::time::sleep(RETRY).await;
        }
        for done in waiting.into_iter().flatten() {
            // The waiting task may have ended.
            let _ = done.send(());
        }
    }
}
