//! The metrics of the server.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::domain::Seq;
use crate::service::{ServiceError, Services};
use crate::store::{self, Tenant};
use crate::telemetry::{Metrics, Sizes, log_lines_lost};

/// Bytes of a page of memory, the unit of `/proc`.
const PAGE_BYTES: u64 = 4096;

impl Services {
    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The path of the write-ahead log.
    pub(in crate::service) fn wal(&self) -> OsString {
        let mut wal = self.database.clone().into_os_string();
        wal.push("-wal");
        wal
    }

    /// Renders all metrics as text.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn render_metrics(
        &self,
        streams: usize,
        buffered_bytes: usize,
    ) -> Result<String, ServiceError> {
        let snapshot = self
            .read(Tenant::Upkeep, |connection| {
                Ok(store::snapshots::header(connection)?)
            })
            .await?;
        let number = |seq: Option<Seq>| seq.map_or(0, |seq| seq.0.unsigned_abs());
        let sizes = self.engine.read(|figures| {
            let mut sizes = Sizes::default();
            for (_, counters) in figures.programs() {
                let (bytes, entries) = counters.timeline_size();
                sizes.programs += 1;
                sizes.timeline_bytes += bytes as u64;
                sizes.timeline_entries += entries;
                sizes.visits_bytes += counters.visits_bytes() as u64;
            }
            sizes.activity_seq = number(figures.last_seq());
            sizes
        });
        let (books_members, books_bytes) = {
            let books = self.books.read();
            (books.len() as u64, books.heap_bytes() as u64)
        };
        let overdue = self.writer.overdue();
        let oldest = overdue.oldest();
        let clock = self.clock.state();
        let wal = self.wal();
        Ok(self.metrics.render(&Sizes {
            is_writable: self.is_ready(),
            books_members,
            books_bytes,
            database_bytes: file_bytes(&self.database),
            wal_bytes: file_bytes(Path::new(&wal)),
            snapshot_seq: number(snapshot.map(|row| row.last_seq)),
            sweeps: overdue.sweeps() as u64,
            overdue: oldest.map_or(Duration::ZERO, |since| self.clock.now().since(since)),
            streams: streams as u64,
            buffered_bytes: buffered_bytes as u64,
            resident_bytes: resident_bytes(),
            log_lines_lost: log_lines_lost(),
            clock_behind: clock.behind,
            clock_refused: clock.refused,
            clock_steps: [
                ("taken", clock.steps_taken),
                ("refused", clock.steps_refused),
                ("accepted", clock.steps_accepted),
            ],
            ..sizes
        }))
    }
}

/// The size of a file; 0 if there is none.
pub(in crate::service) fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Resident memory of this process; 0 if the system does not provide it.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1);
    pages
        .and_then(|pages| pages.parse::<u64>().ok())
        .map_or(0, |pages| pages * PAGE_BYTES)
}
