//! Whether anybody reads. Where fewer processors than threads are to be had, a writer with a full
//! queue would keep everybody else from them for as long as the system lets it: milliseconds, a
//! hundred times what a read takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A note that somebody read since the writer last looked. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Readership(Arc<AtomicBool>);

impl Readership {
    /// Says that somebody reads.
    pub fn note(&self) {
        // Mostly it is said already, and then nothing is written that other processors look at.
        if !self.0.load(Ordering::Relaxed) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Lets other threads have the processor, if somebody read since the last time (true). Where
    /// one is free for each this returns at once.
    pub(in crate::store) fn let_go_first(&self) -> bool {
        if self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed) {
            std::thread::yield_now();
            return true;
        }
        false
    }
}
