//! A step of the system clock that is refused: who notices it although nobody writes, and how it is
//! accepted.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::error::Surface;
use crate::service::writer::UpkeepWriter;
use crate::service::{Answer, IdempotencyKey, PartnerPrincipal, Reply, Services};
use crate::store::{self, Transaction, WriteError};
use crate::telemetry::cause_chain;
use crate::wire::AcceptedClockResponse;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Services {
    /// Why no write is taken until the clock is right or accepted, if that is so.
    pub fn clock_refusal(&self) -> Option<String> {
        let refused = self.clock.refused()?;
        Some(crate::clock::refusal(refused.length()))
    }

    /// Takes the system's clock as it is now to be right, so that writes go on.
    ///
    /// # Errors
    /// [`WriteError`] if that cannot be noted for the next start; it may be accepted all the same.
    pub async fn accept_clock(
        &self,
        partner: PartnerPrincipal,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Reply, WriteError> {
        let clock = self.clock.clone();
        self.write_by_any_clock(Surface::Bullseye, partner, idempotency, move |tx, _| {
            store::settings::forget_refused_step(tx)?;
            let accepted = clock.accept();
            Ok(Answer::ok(&AcceptedClockResponse::new(
                accepted,
                clock.now(),
            )))
        })
        .await
    }
}

/// The thread that looks at the system's clock, so that a step is noticed in a quiet hour too, and
/// notes one that is refused, so that a restart does not accept it. Clones share it.
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
        is_noted: bool,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = clock.is_systems().then(|| {
            std::thread::Builder::new()
                .name("stampcard-clock".to_owned())
                .spawn(move || look(&clock, &writer, is_noted, &stopped))
        });
        Ok(Self {
            stop,
            thread: Arc::new(Mutex::new(thread.transpose()?)),
        })
    }

    /// Looks once more and ends the thread.
    pub(in crate::service) fn stop(&self) {
        // The thread is gone already if nobody receives.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the clock thread panicked");
        }
    }
}

fn look(clock: &Clock, writer: &UpkeepWriter, mut is_noted: bool, stopped: &Receiver<()>) {
    loop {
        let is_last = stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout);
        let refused = clock.refused();
        if refused.is_some() != is_noted {
            let noted = writer.write_blocking(move |tx: &mut Transaction<'_>| match refused {
                Some(refused) => store::settings::note_refused_step(tx, refused),
                None => store::settings::forget_refused_step(tx),
            });
            match noted {
                Ok(()) => is_noted = refused.is_some(),
                Err(error) => tracing::warn!(
                    error = cause_chain(&error),
                    "the state of the clock could not be noted"
                ),
            }
        }
        if is_last {
            return;
        }
    }
}
