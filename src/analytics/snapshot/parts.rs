//! The parts of a stored snapshot and their ids.

use serde::{Deserialize, Serialize};

use crate::domain::Seq;

/// Identifies a timeline: one of a program, by its measure, or an offer's signups or spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimelineId {
    /// The program's row.
    pub program: i64,
    /// The offer's row, or 0 for a timeline of the program.
    pub offer: i64,
    /// The index in [`Measure::ALL`](crate::analytics::Measure::ALL), or from 127 on a part of the
    /// visits of members; for an offer 0 for signups and 1 for spends.
    pub measure: u8,
}

/// Identifies a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    /// The timeline.
    pub timeline: TimelineId,
    /// The index among the timeline's segments, from 0.
    pub number: u32,
}

/// Bytes to be stored and their checksum (CRC-32).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes to be stored.
    pub bytes: Vec<u8>,
    /// The checksum of the bytes.
    pub checksum: u32,
}

impl Part {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let checksum = crc32fast::hash(&bytes);
        Self { bytes, checksum }
    }

    pub(super) fn is_whole(&self) -> bool {
        crc32fast::hash(&self.bytes) == self.checksum
    }
}

/// The header of a stored snapshot. It is written last, when all other parts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The version of the format.
    pub version: u32,
    /// The newest activity that it includes.
    pub last_seq: Seq,
    /// The number of parts of the state.
    pub parts: u32,
}

impl Header {
    /// The checksum of the header.
    pub fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.version.to_le_bytes());
        hasher.update(&self.last_seq.0.to_le_bytes());
        hasher.update(&self.parts.to_le_bytes());
        hasher.finalize()
    }
}

/// Why a snapshot cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// A part has a wrong checksum.
    #[error("a checksum of the snapshot is wrong")]
    Checksum,
    /// A part is missing, or the parts contradict each other.
    #[error("parts of the snapshot are missing or contradict each other")]
    Parts,
}

/// The bytes of a part.
pub(super) fn whole(part: Option<Part>) -> Result<Vec<u8>, Damaged> {
    let part = part.ok_or(Damaged::Parts)?;
    if part.is_whole() {
        Ok(part.bytes)
    } else {
        Err(Damaged::Checksum)
    }
}

/// Identifies a segment of the visits of a program.
pub(super) fn visits_id(program: i64, (measure, number): (u8, u32)) -> SegmentId {
    let timeline = TimelineId {
        program,
        offer: 0,
        measure,
    };
    SegmentId { timeline, number }
}

pub(super) fn timeline_id(program: i64, offer: i64, measure: usize) -> TimelineId {
    TimelineId {
        program,
        offer,
        measure: u8::try_from(measure).unwrap_or(u8::MAX),
    }
}
