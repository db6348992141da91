//! The snapshot of the figures in the database: storing it regularly, and the start from it.

use std::sync::Arc;

use super::steps::in_steps;
use crate::analytics::snapshot::{
    Capture, Damaged, Draft, Header, Part, SegmentId, Stored, TimelineId, VERSION,
};
use crate::analytics::{Engine, Figures};
use crate::domain::Seq;
use crate::service::writer::UpkeepWriter;
use crate::store::snapshots::{HeaderRow, SegmentRow, StateRow};
use crate::store::{self, Connection, WriteError};

/// The snapshot in the database.
#[derive(Debug, Default)]
pub(in crate::service) struct LastSnapshot {
    pub(super) stored: Stored,
    /// The newest activity that the snapshot includes.
    pub(super) last_seq: Option<Seq>,
}

/// Restores the figures of the snapshot; the inner error says why it cannot be used.
pub(super) fn restore(
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

/// The figures, and what is saved of them.
#[derive(Debug)]
pub(in crate::service) struct FiguresSaver {
    engine: Arc<Engine>,
    saved: LastSnapshot,
}

impl FiguresSaver {
    pub(in crate::service) fn new(engine: Arc<Engine>, saved: LastSnapshot) -> Self {
        Self { engine, saved }
    }

    /// The number of activities since the last snapshot.
    pub(super) fn new_rows(&self) -> i64 {
        let seq = |seq: Option<Seq>| seq.map_or(0, |seq| seq.0);
        seq(self.engine.read(Figures::last_seq)) - seq(self.saved.last_seq)
    }

    /// Does one step of what makes figures of members faster. Returns whether there was any.
    pub(super) fn tidy(&self) -> bool {
        self.engine.tidy(Figures::plan_merge)
    }

    /// Takes a snapshot; returns the newest activity that it includes.
    pub(super) fn save(&mut self, writer: &UpkeepWriter) -> Result<Option<Seq>, WriteError> {
        while self.engine.tidy(Figures::plan_close) {}
        let stored = &self.saved.stored;
        let draft = self.engine.read(|figures| figures.draft(stored));
        let Some(capture) = draft.map(Draft::finish) else {
            return Ok(None);
        };
        self.store(writer, &capture)?;
        let replaced = capture.deleted.clone();
        self.saved.last_seq = Some(capture.last_seq);
        self.saved.stored.note(capture);
        Self::forget(writer, &replaced)?;
        Ok(self.saved.last_seq)
    }

    /// Stores a snapshot in steps, the header last: until then the previous snapshot stays valid.
    fn store(&self, writer: &UpkeepWriter, capture: &Capture) -> Result<(), WriteError> {
        if self.saved.stored.is_empty() {
            writer.write_blocking(|tx| store::snapshots::clear(tx))?;
        }
        let segments = capture.segments.iter().map(|(id, part)| {
            let row = SegmentRow {
                program: id.timeline.program,
                offer: id.timeline.offer,
                measure: id.timeline.measure,
                number: id.number,
                checksum: part.checksum,
                data: part.bytes.clone(),
            };
            (row.data.len(), row)
        });
        in_steps(segments, |step| {
            writer.write_blocking(move |tx| {
                let mut rows = step.iter();
                rows.try_for_each(|row| store::snapshots::put_segment(tx, row))
            })
        })?;
        let last_seq = capture.last_seq;
        for (number, part) in (0..).zip(&capture.state) {
            let row = StateRow {
                checksum: part.checksum,
                data: part.bytes.clone(),
            };
            writer.write_blocking(move |tx| {
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
        writer.write_blocking(move |tx| store::snapshots::put_header(tx, &row))?;
        Ok(())
    }

    /// Deletes what a snapshot replaced, once it is the valid one.
    fn forget(writer: &UpkeepWriter, replaced: &[SegmentId]) -> Result<(), WriteError> {
        for id in replaced {
            let TimelineId {
                program, measure, ..
            } = id.timeline;
            let before = id.number;
            writer.write_blocking(move |tx| {
                store::snapshots::delete_segments(tx, (program, measure), before)
            })?;
        }
        Ok(())
    }
}
