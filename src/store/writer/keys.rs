//! The thread that reads the stored idempotency keys after a start, so that the start need not.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use super::Message;
use crate::store::key_filter::Layer;
use crate::store::{Connection, Error, connection, idempotency};
use crate::telemetry::cause_chain;

/// The thread; it ends by itself when all is read.
#[derive(Debug)]
pub(super) struct KeyReader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl KeyReader {
    /// Starts to read these hours and to hand each to the writer.
    pub(super) fn start(
        path: PathBuf,
        hours: Vec<i64>,
        queue: SyncSender<Message>,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("stampcard-keys".to_owned())
            .spawn(move || {
                let connection = match connection::open_to_scan(&path) {
                    Ok(connection) => connection,
                    Err(error) => return give_up(&error),
                };
                for hour in hours {
                    let keys = match read(&connection, hour, &stopped) {
                        Ok(Some(keys)) => keys,
                        Ok(None) => return,
                        Err(error) => return give_up(&error),
                    };
                    if queue.send(Message::Keys(hour, keys)).is_err() {
                        // The writer is gone.
                        return;
                    }
                }
            })?;
        Ok(Self { stop, thread })
    }

    /// Leaves the rest unread, and the database alone.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the thread that reads idempotency keys panicked");
        }
    }
}

/// The keys of an hour; `None` if it is time to stop.
fn read(connection: &Connection, hour: i64, stop: &AtomicBool) -> Result<Option<Layer>, Error> {
    // Keys that come between the two reads are known to the filter, and too few to crowd it.
    let mut keys = Layer::with_room(idempotency::count(connection, hour)?);
    idempotency::keys(connection, hour, |key| {
        keys.add(key);
        !stop.load(Ordering::Relaxed)
    })?;
    Ok((!stop.load(Ordering::Relaxed)).then_some(keys))
}

/// What was not read may hold any key: writes are slower for that, not wrong.
fn give_up(error: &dyn std::error::Error) {
    let error = cause_chain(error);
    tracing::warn!(error, "the stored idempotency keys could not be read");
}
