//! A flag by which reads notify the writer. If there are fewer processors than threads, a writer
//! with a full queue would occupy one for as long as the system lets it: milliseconds, a hundred
//! times the duration of a read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether there was a read since the writer last checked. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readership(Arc<AtomicBool>);

impl Readership {
    /// Notes a read.
    pub fn note(&self) {
        // Mostly it is set already. Not writing it again spares the caches of other processors.
        if !self.0.load(Ordering::Relaxed) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Yields the processor to other threads, and returns true, if there was a read since the last
    /// call. If every thread has a processor, this takes no time.
    pub(in crate::store) fn yield_to_readers(&self) -> bool {
        if self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed) {
            std::thread::yield_now();
            return true;
        }
        false
    }
}
