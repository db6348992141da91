//! The thread that moves pages from the write-ahead log into the file while writes go on.
//!
//! Moving them takes tens of milliseconds, in which the writer would answer nobody. SQLite reuses
//! the log from its start only when all of it was moved and nothing was added since, which under
//! load never happens by itself: so the writer moves what was added meanwhile, which is little.

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

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Checkpointer {
    asked: Option<SyncSender<()>>,
    /// Whether it has not yet done what it was asked.
    is_busy: Arc<AtomicBool>,
    /// Whether it was asked since [`Checkpointer::has_moved`] last said yes.
    was_asked: bool,
    thread: Option<JoinHandle<()>>,
}

/// What one checkpoint found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// All pages of the log.
    All,
    /// Not all: a reader still needs some, or another checkpoint is under way.
    Some,
}

/// Moves pages, as many as it can without waiting for anybody.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<Moved> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (is_refused, pages, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_all = !is_refused && pages == moved;
        Ok(if is_all { Moved::All } else { Moved::Some })
    })
}

impl Checkpointer {
    pub(super) fn start(path: PathBuf, condition: Condition) -> std::io::Result<Self> {
        let (asked, requests) = sync_channel(1);
        let is_busy = Arc::new(AtomicBool::new(false));
        let busy = Arc::clone(&is_busy);
        let thread = std::thread::Builder::new()
            .name("stampcard-checkpoint".to_owned())
            .spawn(move || run(&path, &condition, &requests, &busy))?;
        Ok(Self {
            asked: Some(asked),
            is_busy,
            was_asked: false,
            thread: Some(thread),
        })
    }

    /// Has pages moved, unless that is under way.
    pub(super) fn ask(&mut self) {
        if self.was_asked {
            return;
        }
        if let Some(asked) = &self.asked {
            self.is_busy.store(true, Ordering::Relaxed);
            self.was_asked = asked.try_send(()).is_ok();
        }
    }

    /// Whether what it was asked is done. It says so once.
    pub(super) fn has_moved(&mut self) -> bool {
        let has_moved = self.was_asked && !self.is_busy.load(Ordering::Acquire);
        if has_moved {
            self.was_asked = false;
        }
        has_moved
    }

    /// Ends the thread once what is under way is done.
    pub(super) fn stop(&mut self) {
        self.asked = None;
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
        // Another file that has the name now is not touched.
        if idle.is_some() || condition.look() {
            match work(path, idle.take()) {
                Ok(connection) => idle = Some(connection),
                // The writer tries what is left, and counts it as a failure if it fails there too.
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

/// Moves pages with this connection, or a new one.
fn work(path: &Path, connection: Option<Connection>) -> Result<Connection, OpenError> {
    let connection = connection.map_or_else(|| connection::open_to_checkpoint(path), Ok)?;
    match checkpoint(&connection) {
        Ok(_) => Ok(connection),
        Err(source) => Err(connection::failure(path, source)),
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
