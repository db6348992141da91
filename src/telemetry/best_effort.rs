//! Log lines on standard error, as long as it takes them.
//!
//! A log that cannot be written must neither end the process nor hold it up: standard error may be
//! a file on a full disk, a pipe whose reader ended, or one whose reader stopped reading.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a pipe that is ready takes at once (`PIPE_BUF`).
const PIECE: usize = 4096;
/// How long a reader may keep a line waiting; from then on lines are lost until it reads again.
const WAIT: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};
const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Lines that could not be written.
static LOST: AtomicU64 = AtomicU64::new(0);
/// Whether the last piece had to be given up because nobody read.
static IS_STALLED: AtomicBool = AtomicBool::new(false);

/// How many lines of the log could not be written.
pub fn log_lines_lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Writes lines to standard error. It never fails: what cannot be written is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct BestEffort;

impl Write for BestEffort {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr().lock();
        for piece in line.chunks(PIECE) {
            if !is_ready(&stderr) || stderr.write_all(piece).is_err() {
                LOST.fetch_add(1, Ordering::Relaxed);
                break;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Standard error has no buffer.
        Ok(())
    }
}

/// Whether writing a piece would not wait.
fn is_ready(stderr: &io::StderrLock<'_>) -> bool {
    let wait = if IS_STALLED.load(Ordering::Relaxed) {
        NOW
    } else {
        WAIT
    };
    let mut polled = [PollFd::new(stderr, PollFlags::OUT)];
    // What cannot be polled is written to: it does not wait either.
    let is_ready = !matches!(poll(&mut polled, Some(&wait)), Ok(0));
    IS_STALLED.store(!is_ready, Ordering::Relaxed);
    is_ready
}
