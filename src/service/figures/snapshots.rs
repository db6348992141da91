//! Snapshots of the figures in the database: storing them regularly, and starting from them.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::derived::{FoldError, fold_newer};
use crate::analytics::snapshot::{Capture, Damaged, Header, Part, Stored, TimelineId, VERSION};
use crate::analytics::{Engine, Figures};
use crate::config::AnalyticsSettings;
use crate::domain::Seq;
use crate::service::tenancy::credentials::KeyUses;
use crate::service::writer::UpkeepWriter;
use crate::store::snapshots::{HeaderRow, SegmentRow, StateRow};
use crate::store::{self, Connection, Transaction, WriteError};

/// Bytes of a snapshot in one write, so that other writes do not wait long for it.
const STEP_BYTES: usize = 1 << 20;
/// How often the number of new rows is checked.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// The snapshot in the database.
#[derive(Debug, Default)]
pub(in crate::service) struct LastSnapshot {
    stored: Stored,
    /// The newest activity that the snapshot includes.
    last_seq: Option<Seq>,
}

/// Builds the figures from the snapshot and the newer rows or, without a usable snapshot, from the
/// whole log. Both give the same figures.
pub(in crate::service) fn load(
    connection: &Connection,
) -> Result<(Figures, LastSnapshot), FoldError> {
    let start = Instant::now();
    let (mut figures, stored, origin) = match restore(connection)? {
        Ok((figures, stored)) => (figures, stored, "the snapshot and the rows after it"),
        Err(reason) => {
            tracing::info!(reason, "folding the figures from the whole log");
            (Figures::default(), Stored::default(), "the whole log")
        }
    };
    let last_seq = figures.last_seq();
    let rows = fold_newer(connection, &mut figures)?;
    let mut last = LastSnapshot { stored, last_seq };
    if figures.settle() {
        // Closed blocks have changed, so that the stored ones cannot be used.
        last = LastSnapshot::default();
    }
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(origin, rows, duration_ms, "the figures are loaded");
    Ok((figures, last))
}

/// Restores the figures of the snapshot; the inner error says why it cannot be used.
pub(in crate::service) fn restore(
    connection: &Connection,
) -> Result<Result<(Figures, Stored), &'static str>, store::Error> {
    match read(connection) {
        Err(store::Error::Impossible(_)) => Ok(Err("the snapshot has an impossible number")),
        read => read,
    }
}

fn read(connection: &Connection) -> Result<Result<(Figures, Stored), &'static str>, store::Error> {
    let Some(row) = store::snapshots::header(connection)? else {
        return Ok(Err("there is no snapshot"));
    };
    let header = Header {
        version: row.version,
        last_seq: row.last_seq,
        parts: row.parts,
    };
    if header.checksum() != row.checksum {
        return Ok(Err("the header of the snapshot is damaged"));
    }
    if header.version != VERSION {
        return Ok(Err("the snapshot has another version"));
    }
    if store::log::last_seq(connection)?.is_none_or(|last| last < header.last_seq) {
        return Ok(Err("the snapshot is newer than the log"));
    }
    let state: Vec<Part> = store::snapshots::state(connection, header.last_seq)?
        .into_iter()
        .map(|row| Part {
            bytes: row.data,
            checksum: row.checksum,
        })
        .collect();
    if u32::try_from(state.len()) != Ok(header.parts) {
        return Ok(Err("parts of the snapshot are missing"));
    }
    let mut failure = None;
    let restored = Figures::restore(&state, |id| {
        let TimelineId {
            program,
            offer,
            measure,
        } = id.timeline;
        let found = store::snapshots::segment(connection, (program, offer, measure), id.number);
        let row = found.unwrap_or_else(|error| {
            failure = Some(error);
            None
        })?;
        Some(Part {
            bytes: row.data,
            checksum: row.checksum,
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    Ok(match restored {
        Ok((figures, _)) if figures.last_seq() != Some(header.last_seq) => {
            Err("the snapshot contradicts its header")
        }
        Ok(restored) => Ok(restored),
        Err(Damaged::Checksum) => Err("a checksum of the snapshot is wrong"),
        Err(Damaged::Parts) => Err("parts of the snapshot are missing or contradict each other"),
    })
}

/// The thread that takes snapshots. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::service) struct Snapshots {
    stop: Sender<()>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Snapshots {
    /// Starts the thread, which takes snapshots at intervals and after many rows.
    pub(in crate::service) fn start(
        engine: Arc<Engine>,
        writer: UpkeepWriter,
        last: LastSnapshot,
        settings: AnalyticsSettings,
        uses: KeyUses,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("stampcard-snapshots".to_owned())
            .spawn(move || {
                let mut taker = Taker {
                    engine,
                    writer,
                    stored: last.stored,
                    last_seq: last.last_seq,
                    uses,
                };
                taker.run(&stopped, settings);
            })?;
        Ok(Self {
            stop,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Takes a last snapshot and ends the thread.
    pub(in crate::service) fn stop(&self) {
        // Sending fails if the thread has already ended.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the snapshot thread panicked");
        }
    }
}

struct Taker {
    engine: Arc<Engine>,
    writer: UpkeepWriter,
    stored: Stored,
    /// The newest activity that the stored snapshot includes.
    last_seq: Option<Seq>,
    /// This thread also saves them regularly, so that they need no thread of their own.
    uses: KeyUses,
}

impl Taker {
    fn run(&mut self, stopped: &std::sync::mpsc::Receiver<()>, settings: AnalyticsSettings) {
        let interval = Duration::from_secs(settings.snapshot_interval);
        let rows = i64::try_from(settings.snapshot_rows).unwrap_or(i64::MAX);
        let mut taken = Instant::now();
        let check_every = CHECK_EVERY.min(interval);
        while stopped.recv_timeout(check_every) == Err(RecvTimeoutError::Timeout) {
            self.uses.tick();
            // This also checks the file, so that its loss is logged even without writes.
            if !self.writer.is_writable() {
                continue;
            }
            self.uses.write_if_due();
            let new = self.new_rows();
            if new >= rows || (new > 0 && taken.elapsed() >= interval) {
                self.take();
                taken = Instant::now();
            }
        }
        if self.new_rows() > 0 {
            self.take();
        }
        self.uses.write();
    }

    fn new_rows(&self) -> i64 {
        let seq = |seq: Option<Seq>| seq.map_or(0, |seq| seq.0);
        seq(self.engine.read(Figures::last_seq)) - seq(self.last_seq)
    }

    fn take(&mut self) {
        let start = Instant::now();
        let Some(capture) = self.engine.read(|figures| figures.capture(&self.stored)) else {
            return;
        };
        match self.store(&capture) {
            Ok(()) => {
                let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                let last_seq = capture.last_seq;
                tracing::debug!(last_seq = last_seq.0, duration_ms, "snapshot taken");
                self.last_seq = Some(last_seq);
                self.stored.note(capture);
            }
            // The log holds everything, so the next snapshot is good enough.
            Err(error) => tracing::warn!(%error, "a snapshot could not be stored"),
        }
    }

    /// Stores a snapshot in steps, the header last: until then the previous snapshot stays valid.
    fn store(&self, capture: &Capture) -> Result<(), WriteError> {
        if self.stored.is_empty() {
            self.writer
                .write_blocking(|tx| store::snapshots::clear(tx))?;
        }
        let mut step = Vec::new();
        let mut bytes = 0;
        for (id, part) in &capture.segments {
            bytes += part.bytes.len();
            step.push(SegmentRow {
                program: id.timeline.program,
                offer: id.timeline.offer,
                measure: id.timeline.measure,
                number: id.number,
                checksum: part.checksum,
                data: part.bytes.clone(),
            });
            if bytes >= STEP_BYTES {
                self.store_segments(std::mem::take(&mut step))?;
                bytes = 0;
            }
        }
        self.store_segments(step)?;
        let last_seq = capture.last_seq;
        for (number, part) in (0..).zip(&capture.state) {
            let row = StateRow {
                checksum: part.checksum,
                data: part.bytes.clone(),
            };
            self.writer.write_blocking(move |tx| {
                store::snapshots::put_state(tx, last_seq, number, &row)
            })?;
        }
        let parts = u32::try_from(capture.state.len()).unwrap_or(u32::MAX);
        let header = Header {
            version: VERSION,
            last_seq,
            parts,
        };
        let row = HeaderRow {
            version: VERSION,
            last_seq,
            parts,
            checksum: header.checksum(),
        };
        self.writer
            .write_blocking(move |tx| store::snapshots::put_header(tx, &row))
    }

    fn store_segments(&self, segments: Vec<SegmentRow>) -> Result<(), WriteError> {
        self.writer.write_blocking(move |tx: &mut Transaction<'_>| {
            segments
                .iter()
                .try_for_each(|segment| store::snapshots::put_segment(tx, segment))
        })
    }
}
