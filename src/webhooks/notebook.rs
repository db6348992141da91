//! The notebook: outcomes of attempts, written down together.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::service::{Outcome, Services};

/// Outcomes that wait to be written down; more make the senders wait.
const QUEUE_MAX: usize = 1024;
/// Outcomes in one transaction.
const BATCH_MAX: usize = 256;
/// How long outcomes are gathered. A kill within that time repeats their deliveries.
const GATHER: Duration = Duration::from_millis(20);
/// How long to wait before writing again after a failure.
const RETRY: Duration = Duration::from_secs(1);

type Entry = (Outcome, Option<oneshot::Sender<()>>);

/// The way to the notebook. It is written out when the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Notebook {
    queue: mpsc::Sender<Entry>,
}

impl Notebook {
    /// Opens a notebook; the task ends when everything is written down and nobody writes any more.
    pub(super) fn start(services: Services) -> (Self, JoinHandle<()>) {
        let (queue, entries) = mpsc::channel(QUEUE_MAX);
        let writing = tokio::task::spawn_local(write(services, entries));
        (Self { queue }, writing)
    }

    /// Leaves an outcome to be written down.
    pub(super) async fn add(&self, outcome: Outcome) {
        // The writing task outlives all who hold the notebook.
        let _ = self.queue.send((outcome, None)).await;
    }

    /// Waits until an outcome is written down.
    pub(super) async fn write_down(&self, outcome: Outcome) {
        let (done, written) = oneshot::channel();
        let _ = self.queue.send((outcome, Some(done))).await;
        let _ = written.await;
    }
}

async fn write(services: Services, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, BATCH_MAX).await > 0 {
        if batch.len() < BATCH_MAX {
            tokio::time::sleep(GATHER).await;
            while batch.len() < BATCH_MAX
                && let Ok(entry) = entries.try_recv()
            {
                batch.push(entry);
            }
        }
        let (outcomes, waiting): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        while let Err(error) = services.note_deliveries(outcomes.clone()).await {
            tracing::warn!(%error, "webhook deliveries could not be written down; trying again");
            tokio::time::sleep(RETRY).await;
        }
        for done in waiting.into_iter().flatten() {
            // Nobody may be waiting any more.
            let _ = done.send(());
        }
    }
}
