//! Snapshots of the figures, stored as opaque parts.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::Seq;
use crate::store::{Error, Transaction};

/// The header of a snapshot, which is written last: with it the snapshot is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderRow {
    /// The version of the format of the parts.
    pub version: u32,
    /// The newest activity that it includes.
    pub last_seq: Seq,
    /// The number of parts of the state.
    pub parts: u32,
    /// The header's own checksum.
    pub checksum: u32,
}

/// A part of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// The checksum of the data.
    pub checksum: u32,
    /// The data.
    pub data: Vec<u8>,
}

/// A segment of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRow {
    /// The row of the program.
    pub program: i64,
    /// The row of the offer, or 0 for a timeline of the program.
    pub offer: i64,
    /// The number of the measure.
    pub measure: u8,
    /// The position among the timeline's segments.
    pub number: u32,
    /// The checksum of the data.
    pub checksum: u32,
    /// The data.
    pub data: Vec<u8>,
}

/// The header of the snapshot, if there is one.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn header(connection: &Connection) -> Result<Option<HeaderRow>, Error> {
    let sql = "SELECT version, last_seq, parts, checksum FROM snapshot";
    let row = connection.query_row(sql, [], |row| {
        Ok(HeaderRow {
            version: row.get(0)?,
            last_seq: Seq(row.get(1)?),
            parts: row.get(2)?,
            checksum: row.get(3)?,
        })
    });
    row.optional()
        .map_err(|error| unreadable("snapshot", error))
}

/// The parts of a state, in order.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn state(connection: &Connection, last_seq: Seq) -> Result<Vec<StateRow>, Error> {
    let sql = "SELECT checksum, data FROM snapshot_state WHERE last_seq = ?1 ORDER BY part";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([last_seq.0], |row| {
        Ok(StateRow {
            checksum: row.get(0)?,
            data: row.get(1)?,
        })
    })?;
    rows.collect::<Result<_, _>>()
        .map_err(|error| unreadable("snapshot", error))
}

/// A segment of the timeline of a program, offer and measure.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn segment(
    connection: &Connection,
    (program, offer, measure): (i64, i64, u8),
    number: u32,
) -> Result<Option<SegmentRow>, Error> {
    let sql = "SELECT checksum, data FROM snapshot_segment
               WHERE program_id = ?1 AND offer_id = ?2 AND measure = ?3 AND number = ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row((program, offer, measure, number), |row| {
        Ok(SegmentRow {
            program,
            offer,
            measure,
            number,
            checksum: row.get(0)?,
            data: row.get(1)?,
        })
    });
    row.optional()
        .map_err(|error| unreadable("snapshot", error))
}

/// Maps a value of the wrong type or range to [`Error::Impossible`]: what was saved is damaged, but
/// the database did not fail.
pub(super) fn unreadable(what: &'static str, error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..) => Error::Impossible(what),
        error => error.into(),
    }
}

/// Deletes the snapshot and all its parts.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn clear(tx: &Transaction<'_>) -> Result<(), Error> {
    tx.execute_batch(
        "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment",
    )?;
    Ok(())
}

/// Stores a segment, or replaces it by its longer version.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put_segment(tx: &Transaction<'_>, segment: &SegmentRow) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO snapshot_segment
                   (program_id, offer_id, measure, number, checksum, data)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.prepare_cached(sql)?.execute((
        segment.program,
        segment.offer,
        segment.measure,
        segment.number,
        segment.checksum,
        &segment.data,
    ))?;
    Ok(())
}

/// Deletes the segments of a program and measure before a number.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn delete_segments(
    tx: &Transaction<'_>,
    (program, measure): (i64, u8),
    before: u32,
) -> Result<(), Error> {
    let sql = "DELETE FROM snapshot_segment
               WHERE program_id = ?1 AND offer_id = 0 AND measure = ?2 AND number < ?3";
    tx.prepare_cached(sql)?
        .execute((program, measure, before))?;
    Ok(())
}

/// Stores a part of a state.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put_state(
    tx: &Transaction<'_>,
    last_seq: Seq,
    part: u32,
    state: &StateRow,
) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO snapshot_state (last_seq, part, checksum, data)
               VALUES (?1, ?2, ?3, ?4)";
    tx.prepare_cached(sql)?
        .execute((last_seq.0, part, state.checksum, &state.data))?;
    Ok(())
}

/// Stores the header, which makes the snapshot the one to start from, and deletes older states.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put_header(tx: &Transaction<'_>, header: &HeaderRow) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO snapshot (id, version, last_seq, parts, checksum)
               VALUES (1, ?1, ?2, ?3, ?4)";
    tx.prepare_cached(sql)?.execute((
        header.version,
        header.last_seq.0,
        header.parts,
        header.checksum,
    ))?;
    tx.prepare_cached("DELETE FROM snapshot_state WHERE last_seq <> ?1")?
        .execute([header.last_seq.0])?;
    Ok(())
}
