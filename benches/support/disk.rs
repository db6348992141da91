//! Bytes written to the disk, as the kernel counts them.
//!
//! The counter of a process in `/proc` (`write_bytes`) grows by a whole unit of the page cache when
//! one page of it is changed. Since Linux 6.16 ext4 caches a file that was read or copied in units
//! of many pages, so on such a file the counter is up to thirty times too high. The counter of the
//! device is exact, and includes what the file system itself writes; but it counts for all
//! processes, so nothing else may run meanwhile.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes per sector in the kernel's counters, whatever the sectors of the device are.
const SECTOR: u64 = 512;
/// The device is idle if it writes less than this in a second.
const IDLE_BYTES: u64 = 256 * 1024;
const SECONDS_MAX: usize = 60;

/// The device that a folder is on.
pub(crate) struct Disk {
    stat: PathBuf,
}

impl Disk {
    /// None if the file system is not on one device.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let device = std::fs::metadata(folder).unwrap().dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let stat = PathBuf::from(format!("/sys/dev/block/{major}:{minor}/stat"));
        stat.exists().then_some(Self { stat })
    }

    /// The bytes written to it since the machine started.
    pub(crate) fn written(&self) -> u64 {
        let text = std::fs::read_to_string(&self.stat).unwrap();
        let sectors = text.split_whitespace().nth(6).unwrap();
        SECTOR * sectors.parse::<u64>().unwrap()
    }

    /// Waits until the device is idle, or for a minute, and returns the bytes that it wrote in the
    /// last second.
    pub(crate) fn settle(&self) -> f64 {
        let mut last = u64::MAX;
        for _ in 0..SECONDS_MAX {
            let before = self.written();
            std::thread::sleep(Duration::from_secs(1));
            last = self.written() - before;
            if last < IDLE_BYTES {
                break;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let last = last as f64;
        last
    }
}
