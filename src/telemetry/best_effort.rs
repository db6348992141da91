//! Log lines on standard error, written as far as possible.
//!
//! A log that cannot be written must neither end the process nor block it: standard error may be a
//! file on a full disk, a pipe whose reader has ended, or one whose reader has stopped reading.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Bytes that a pipe that is ready takes without blocking (`PIPE_BUF`).
const PIECE: usize = 4096;
/// The time that a line waits for a slow reader. After that, lines are lost until it reads again.
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
/// Whether the last piece was dropped because the reader did not read.
static IS_STALLED: AtomicBool = AtomicBool::new(false);

/// The number of log lines that could not be written.
pub fn log_lines_lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Writes lines to standard error. It never fails: lines that cannot be written are counted.
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

/// Whether a piece can be written without blocking.
fn is_ready(stderr: &io::StderrLock<'_>) -> bool {
    let wait = if IS_STALLED.load(Ordering::Relaxed) {
        NOW
    } else {
        WAIT
    };
    let mut polled = [PollFd::new(stderr, PollFlags::OUT)];
    // An output that cannot be polled does not block either.
    let is_ready = !matches!(poll(&mut polled, Some(&wait)), Ok(0));
    IS_STALLED.store(!is_ready, Ordering::Relaxed);
    is_ready
}
