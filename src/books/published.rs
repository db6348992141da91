//! The books as readers see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::Books;
use crate::domain::Seq;

/// How often a reader that waits for a row to be published yields to other threads first.
const YIELDS: u32 = 1000;
/// The pauses after that, and how often it looks in all: about two seconds.
const PAUSE: Duration = Duration::from_millis(1);
const TURNS_MAX: u32 = YIELDS + 2000;

/// [`Books`] behind a lock. Readers hold it only while they copy a record, and the writer while it
/// publishes a batch. Clones share the books.
#[derive(Debug, Clone, Default)]
pub struct Published(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    books: RwLock<Books>,
    /// The newest row of the log that the books include.
    last_seq: AtomicI64,
}

impl Published {
    /// Publishes books.
    pub fn new(books: Books) -> Self {
        let last_seq = AtomicI64::new(books.last_seq().0);
        Self(Arc::new(Shared {
            books: RwLock::new(books),
            last_seq,
        }))
    }

    /// The books of this moment.
    pub fn read(&self) -> RwLockReadGuard<'_, Books> {
        self.0.books.read()
    }

    /// The books, to be changed while no reader sees them.
    pub fn write(&self) -> RwLockWriteGuard<'_, Books> {
        self.0.books.write()
    }

    /// Takes note of the newest row that the books include, once they are unlocked.
    pub fn advance(&self, last: Seq) {
        self.0.last_seq.store(last.0, Ordering::Release);
    }

    /// The books, at least as new as a row that a reader has seen in the database, or `None` if
    /// that row is not published. A row is published microseconds after its commit. It is missing
    /// for longer only after a commit that failed although it reached the disk.
    pub fn read_at(&self, seq: Seq) -> Option<RwLockReadGuard<'_, Books>> {
        let mut turns = 0;
        while self.0.last_seq.load(Ordering::Acquire) < seq.0 {
            match turns {
                // The writer may need this processor.
                0..YIELDS => std::thread::yield_now(),
                YIELDS..TURNS_MAX => std::thread::sleep(PAUSE),
                _ => return None,
            }
            turns += 1;
        }
        Some(self.read())
    }
}
