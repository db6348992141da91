//! The thread that saves the figures and the books regularly, so that a start need not fold the
//! whole log.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::generations::BooksSaver;
use super::snapshots::FiguresSaver;
use crate::config::AnalyticsSettings;
use crate::service::tenancy::credentials::KeyUses;
use crate::service::writer::UpkeepWriter;

/// How often the number of new rows is checked.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// The thread that saves the figures and the books. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::service) struct Snapshots {
    stop: Sender<()>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Snapshots {
    /// Starts the thread, which saves at intervals and after many rows.
    pub(in crate::service) fn start(
        (figures, books): (FiguresSaver, BooksSaver),
        writer: UpkeepWriter,
        settings: AnalyticsSettings,
        uses: KeyUses,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("stampcard-snapshots".to_owned())
            .spawn(move || {
                let mut taker = Taker {
                    figures,
                    books,
                    writer,
                    uses,
                };
                taker.run(&stopped, settings);
            })?;
        Ok(Self {
            stop,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Saves a last time and ends the thread.
    pub(in crate::service) fn stop(&self) {
        // Sending fails if the thread has already ended.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the snapshot thread panicked");
        }
    }
}

struct Taker {
    figures: FiguresSaver,
    books: BooksSaver,
    writer: UpkeepWriter,
    /// This thread also saves them regularly, so that they need no thread of their own.
    uses: KeyUses,
}

impl Taker {
    fn run(&mut self, stopped: &Receiver<()>, settings: AnalyticsSettings) {
        let interval = Duration::from_secs(settings.snapshot_interval);
        let rows = i64::try_from(settings.snapshot_rows).unwrap_or(i64::MAX);
        let mut saved = Instant::now();
        let check_every = CHECK_EVERY.min(interval);
        while stopped.recv_timeout(self.wait(check_every)) == Err(RecvTimeoutError::Timeout) {
            self.uses.tick();
            // This also checks the file, so that its loss is logged even without writes.
            if !self.writer.is_writable() {
                continue;
            }
            self.uses.write_if_due();
            let is_late = saved.elapsed() >= interval;
            if self.save_if(|new| new >= rows || (new > 0 && is_late)) {
                saved = Instant::now();
            }
        }
        self.save_if(|new| new > 0);
        self.uses.write();
    }

    /// Does one step of what makes figures of members faster, and returns how long to wait: not at
    /// all after a step, so that a stop waits for one step at most.
    fn wait(&self, check_every: Duration) -> Duration {
        if self.figures.tidy() {
            Duration::ZERO
        } else {
            check_every
        }
    }

    /// Saves the figures and the books, each if it is due by the number of new activities. Returns
    /// whether any was.
    fn save_if(&mut self, is_due: impl Fn(i64) -> bool) -> bool {
        let are_figures_due = is_due(self.figures.new_rows());
        if are_figures_due {
            self.save_figures();
        }
        let are_books_due = is_due(self.books.new_rows());
        if are_books_due {
            self.save_books();
        }
        are_figures_due || are_books_due
    }

    fn save_figures(&mut self) {
        let start = Instant::now();
        match self.figures.save(&self.writer) {
            Ok(Some(last_seq)) => {
                let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::debug!(last_seq = last_seq.0, duration_ms, "snapshot taken");
            }
            Ok(None) => {}
            // The log holds everything, so the next snapshot is good enough.
            Err(error) => tracing::warn!(%error, "a snapshot could not be stored"),
        }
    }

    fn save_books(&mut self) {
        let start = Instant::now();
        match self.books.save(&self.writer) {
            Ok(header) => {
                let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::debug!(
                    last_seq = header.last_seq.0,
                    is_base = header.is_base,
                    records = header.records,
                    duration_ms,
                    "the books are saved"
                );
            }
            Err(error) => tracing::warn!(%error, "the books could not be saved"),
        }
    }
}
