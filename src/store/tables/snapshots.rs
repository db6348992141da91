//! Snapshots of the figures, as parts whose meaning is not known here.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::Seq;
use crate::store::{Error, Transaction};

/// The row that says a snapshot is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderRow {
    /// The version of the form of the parts.
    pub version: u32,
    /// The newest activity in it.
    pub last_seq: Seq,
    /// Parts of the state.
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
    /// The program's row.
    pub program: i64,
    /// The offer's row, or 0.
    pub offer: i64,
    /// Which measure.
    pub measure: u8,
    /// Its place among the timeline's segments.
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
    row.optional().map_err(unreadable)
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
    rows.collect::<Result<_, _>>().map_err(unreadable)
}

/// A segment of a timeline, which its program, offer and measure name.
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
    row.optional().map_err(unreadable)
}

/// A number that no snapshot has is damage like any other, and no failure of the database.
fn unreadable(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..) => Error::Impossible("snapshot"),
        error => error.into(),
    }
}

/// Forgets the snapshot and everything it is made of.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn clear(tx: &Transaction<'_>) -> Result<(), Error> {
    tx.execute_batch(
        "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment",
    )?;
    Ok(())
}

/// Stores a segment, or the same one grown.
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

/// Makes the snapshot the one to start from and forgets the states of others.
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
