//! The thread that watches the system clock. It notices a jump even while nothing is written, and
//! stores a refused one, so that a restart does not accept it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::service::writer::UpkeepWriter;
use crate::store::{self, Transaction};
use crate::telemetry::cause_chain;

/// Interval between two checks of the clock.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A handle to the thread. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::service) struct ClockWatch {
    stop: Sender<()>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl ClockWatch {
    /// Starts the thread; a fixed clock needs none.
    pub(in crate::service) fn start(
        clock: Clock,
        writer: UpkeepWriter,
        is_stored: bool,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = clock.is_systems().then(|| {
            std::thread::Builder::new()
                .name("stampcard-clock".to_owned())
                .spawn(move || watch(&clock, &writer, is_stored, &stopped))
        });
        Ok(Self {
            stop,
            thread: Arc::new(Mutex::new(thread.transpose()?)),
        })
    }

    /// Checks once more and ends the thread.
    pub(in crate::service) fn stop(&self) {
        // Sending fails if the thread has ended already.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the clock thread panicked");
        }
    }
}

fn watch(clock: &Clock, writer: &UpkeepWriter, mut is_stored: bool, stopped: &Receiver<()>) {
    loop {
        let is_last = stopped.recv_timeout(CHECK_EVERY) != Err(RecvTimeoutError::Timeout);
        let refused = clock.refused();
        if refused.is_some() != is_stored {
            let stored = writer.write_blocking(move |tx: &mut Transaction<'_>| match refused {
                Some(refused) => store::settings::note_refused_step(tx, refused),
                None => store::settings::forget_refused_step(tx),
            });
            match stored {
                Ok(()) => is_stored = refused.is_some(),
                Err(error) => tracing::warn!(
                    error = cause_chain(&error),
                    "the state of the clock could not be stored"
                ),
            }
        }
        if is_last {
            return;
        }
    }
}
