//! The condition of the database file, shared by everything that has it open.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::paths::with_suffix;
use crate::store::Error;
use crate::telemetry::cause_chain;

/// The file behind a name: its device and its inode number.
type Identity = (u64, u64);

/// The condition of an open database. Clones share it. Once the file is lost, nothing is written
/// until the next start.
#[derive(Debug, Clone)]
pub(in crate::store) struct Condition(Arc<State>);

#[derive(Debug)]
struct State {
    path: PathBuf,
    /// The path of the write-ahead log.
    log_path: PathBuf,
    file: Option<Identity>,
    /// The write-ahead log, while the writer has it open.
    log: Mutex<Option<Identity>>,
    is_damaged: AtomicBool,
    has_moved: AtomicBool,
}

impl Condition {
    /// The condition of a file that was just opened.
    pub(in crate::store) fn of(path: &Path) -> Self {
        Self(Arc::new(State {
            path: path.to_owned(),
            log_path: with_suffix(path, "-wal"),
            file: identity(path),
            log: Mutex::default(),
            is_damaged: AtomicBool::default(),
            has_moved: AtomicBool::default(),
        }))
    }

    /// The reason why nothing may be written any more, if there is one.
    pub(in crate::store) fn loss(&self) -> Option<&'static str> {
        if self.has_moved() {
            return Some("the database file was replaced, moved or removed");
        }
        let is_damaged = self.0.is_damaged.load(Ordering::Relaxed);
        is_damaged.then_some("the database file is damaged")
    }

    /// Whether the name leads to another file than the one that was opened.
    pub(in crate::store) fn has_moved(&self) -> bool {
        self.0.has_moved.load(Ordering::Relaxed)
    }

    /// Checks whether writes may go on: the names of the file and of its write-ahead log must still
    /// lead to the files that were opened. It takes some microseconds.
    pub(in crate::store) fn check(&self) -> bool {
        if self.loss().is_some() {
            return false;
        }
        // A write-ahead log is never replaced while the writer has it open.
        let log = *self.0.log.lock();
        let is_same = identity(&self.0.path) == self.0.file
            && (log.is_none() || identity(&self.0.log_path) == log);
        if !is_same && !self.0.has_moved.swap(true, Ordering::Relaxed) {
            tracing::error!(
                path = %self.0.path.display(),
                "the database file or its write-ahead log was replaced, moved or removed: writes \
                 are stopped; stop the server, put the right file and its -wal in place, and start \
                 it again"
            );
        }
        is_same
    }

    /// Notes that the writer has the write-ahead log open.
    pub(in crate::store) fn note_log(&self) {
        *self.0.log.lock() = identity(&self.0.log_path);
    }

    /// Notes that the writer closed its connection, so that the write-ahead log may be deleted.
    pub(in crate::store) fn forget_log(&self) {
        *self.0.log.lock() = None;
    }

    /// Takes in a failure; if SQLite found the file damaged, stops writes and logs what to do.
    pub(in crate::store) fn note(&self, error: &Error) {
        if error.is_damage() && self.note_damage() {
            tracing::error!(
                error = cause_chain(error),
                "the database is damaged: writes are stopped; stop the server, run `stampcard \
                 verify`, and put a good copy of the file in place"
            );
        }
    }

    /// Notes that the file is damaged; returns whether that was not known yet.
    pub(in crate::store) fn note_damage(&self) -> bool {
        !self.0.is_damaged.swap(true, Ordering::Relaxed)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}
