//! The thread that moves pages from the write-ahead log into the file while writes go on.
//!
//! Moving them takes tens of milliseconds, in which the writer could answer no caller. SQLite
//! reuses the log from its start only when all of it was moved and nothing was added since, which
//! never happens on its own under load. So the thread goes on until it has nearly caught up, and
//! the writer moves the few pages that were added meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::store::file::condition::Condition;
use crate::store::file::connection;
use crate::store::{Error, OpenError};
use crate::telemetry::cause_chain;

/// The thread has caught up when it moved no more pages than this.
const FEW_PAGES: u64 = 128;
/// How often it tries to catch up.
const PASSES_MAX: usize = 16;

/// A handle of the thread, which ends when the handle is dropped.
#[derive(Debug)]
pub(super) struct Checkpointer {
    requests: Option<SyncSender<()>>,
    /// Whether the last request is not carried out yet.
    is_busy: Arc<AtomicBool>,
    /// Whether there was a request since [`Checkpointer::take_moved`] last returned true.
    is_requested: bool,
    thread: Option<JoinHandle<()>>,
}

/// The result of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// All pages of the log.
    All,
    /// Not all pages: a reader still needs some, or another checkpoint is under way.
    Some,
}

/// Moves as many pages as possible without waiting for readers.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<Moved> {
    Ok(checkpoint_and_count(connection)?.0)
}

/// [`checkpoint`], and how many pages of the log were moved so far.
fn checkpoint_and_count(connection: &Connection) -> rusqlite::Result<(Moved, u64)> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (is_refused, pages, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_all = !is_refused && pages == moved;
        let result = if is_all { Moved::All } else { Moved::Some };
        Ok((result, u64::try_from(moved).unwrap_or(0)))
    })
}

/// Moves pages until those that were added meanwhile are few.
fn catch_up(connection: &Connection) -> rusqlite::Result<()> {
    let mut before = 0;
    for _ in 0..PASSES_MAX {
        let (_, moved) = checkpoint_and_count(connection)?;
        if moved <= before + FEW_PAGES {
            break;
        }
        before = moved;
    }
    Ok(())
}

impl Checkpointer {
    pub(super) fn start(path: PathBuf, condition: Condition) -> std::io::Result<Self> {
        let (sender, requests) = sync_channel(1);
        let is_busy = Arc::new(AtomicBool::new(false));
        let busy = Arc::clone(&is_busy);
        let thread = std::thread::Builder::new()
            .name("stampcard-checkpoint".to_owned())
            .spawn(move || run(&path, &condition, &requests, &busy))?;
        Ok(Self {
            requests: Some(sender),
            is_busy,
            is_requested: false,
            thread: Some(thread),
        })
    }

    /// Requests that pages are moved, unless a request is open.
    pub(super) fn request(&mut self) {
        if self.is_requested {
            return;
        }
        if let Some(requests) = &self.requests {
            self.is_busy.store(true, Ordering::Relaxed);
            self.is_requested = requests.try_send(()).is_ok();
        }
    }

    /// Returns true once for each request that was carried out.
    pub(super) fn take_moved(&mut self) -> bool {
        let is_done = self.is_requested && !self.is_busy.load(Ordering::Acquire);
        self.is_requested &= !is_done;
        is_done
    }

    /// Ends the thread once the open request is carried out.
    pub(super) fn stop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that moves pages from the write-ahead log panicked");
        }
    }
}

fn run(path: &Path, condition: &Condition, requests: &Receiver<()>, is_busy: &AtomicBool) {
    let mut idle: Option<Connection> = None;
    while requests.recv().is_ok() {
        // If another file has the name now, it is not touched.
        if idle.is_some() || condition.check() {
            match work(path, idle.take()) {
                Ok(connection) => idle = Some(connection),
                // The writer moves the rest, and counts a failure of that.
                Err(error) => {
                    tracing::warn!(error = cause_chain(&error), "a checkpoint failed");
                    if let OpenError::Sqlite { source, .. } = error {
                        condition.note(&Error::Sqlite(source));
                    }
                }
            }
        }
        is_busy.store(false, Ordering::Release);
    }
}

/// Moves pages with the given connection, or a new one.
fn work(path: &Path, connection: Option<Connection>) -> Result<Connection, OpenError> {
    let connection = connection.map_or_else(|| connection::open_to_checkpoint(path), Ok)?;
    match catch_up(&connection) {
        Ok(()) => Ok(connection),
        Err(source) => Err(OpenError::from_sqlite(path, source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_connection_moves_pages_and_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.db");
        connection::create_private(&path).unwrap();
        let writer = connection::open_writer(&path).unwrap();
        writer.execute_batch("CREATE TABLE t (x INTEGER)").unwrap();
        let size = || std::fs::metadata(&path).unwrap().len();
        let before = size();
        let mover = connection::open_to_checkpoint(&path).unwrap();
        assert_eq!(checkpoint(&mover).unwrap(), Moved::All);
        assert!(size() > before);
        let refusal = mover.execute("INSERT INTO t VALUES (1)", []).unwrap_err();
        assert_eq!(
            refusal.sqlite_error_code(),
            Some(rusqlite::ErrorCode::ReadOnly)
        );
    }
}
