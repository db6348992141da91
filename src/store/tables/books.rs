//! The saved books: generations of opaque parts. And what the books read from the rows of members.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::{ByNumber, ExternalUserId, MemberNumber, ProgramNumber, Seq, Timestamp};
use crate::store::tables::snapshots::unreadable;
use crate::store::{Error, Transaction};

/// The most parts that are deleted in one step: about a megabyte.
const DELETED_MAX: i64 = 8;
const WHAT: &str = "row of the saved books";

/// A generation. Its row is written after its parts: with it, the generation is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerationRow {
    /// Its number.
    pub number: i64,
    /// The version of the format of the parts.
    pub version: u32,
    /// Whether it is a base.
    pub is_base: bool,
    /// The newest activity when it began.
    pub last_seq: Seq,
    /// The number of its parts.
    pub parts: u32,
    /// The number of records in them.
    pub records: i64,
    /// The row's own checksum.
    pub checksum: u32,
}

/// A part of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRow {
    /// The checksum of the data.
    pub checksum: u32,
    /// The data.
    pub data: Vec<u8>,
}

/// All generations, in order.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn generations(connection: &Connection) -> Result<Vec<GenerationRow>, Error> {
    let sql = "SELECT number, version, is_base, last_seq, parts, records, checksum
               FROM book_generation ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(GenerationRow {
            number: row.get(0)?,
            version: row.get(1)?,
            is_base: row.get(2)?,
            last_seq: Seq(row.get(3)?),
            parts: row.get(4)?,
            records: row.get(5)?,
            checksum: row.get(6)?,
        })
    })?;
    rows.collect::<Result<_, _>>()
        .map_err(|error| unreadable(WHAT, error))
}

/// A part of a generation.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn part(
    connection: &Connection,
    generation: i64,
    number: u32,
) -> Result<Option<PartRow>, Error> {
    let sql = "SELECT checksum, data FROM book_part WHERE generation = ?1 AND number = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row((generation, number), |row| {
        Ok(PartRow {
            checksum: row.get(0)?,
            data: row.get(1)?,
        })
    });
    row.optional().map_err(|error| unreadable(WHAT, error))
}

/// The number of the newest generation, if there is one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn newest(connection: &Connection) -> Result<Option<i64>, Error> {
    let sql = "SELECT max(number) FROM book_generation";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Deletes the rows of all generations, so that their parts belong to none.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn delete_generations(tx: &Transaction<'_>) -> Result<(), Error> {
    tx.execute("DELETE FROM book_generation", [])?;
    Ok(())
}

/// Deletes some of the parts that belong to no generation. Returns whether there may be more.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn delete_loose_parts(tx: &Transaction<'_>) -> Result<bool, Error> {
    let sql = "DELETE FROM book_part WHERE rowid IN
                   (SELECT rowid FROM book_part
                    WHERE generation NOT IN (SELECT number FROM book_generation) LIMIT ?1)";
    Ok(tx.execute(sql, [DELETED_MAX])? > 0)
}

/// Stores a part of a generation.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put_part(
    tx: &Transaction<'_>,
    generation: i64,
    number: u32,
    part: &PartRow,
) -> Result<(), Error> {
    let sql = "INSERT INTO book_part (generation, number, checksum, data) VALUES (?1, ?2, ?3, ?4)";
    tx.prepare_cached(sql)?
        .execute((generation, number, part.checksum, &part.data))?;
    Ok(())
}

/// Stores the row of a generation, which completes it. A base replaces the generations before it.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn put_generation(tx: &Transaction<'_>, row: &GenerationRow) -> Result<(), Error> {
    if row.is_base {
        let sql = "DELETE FROM book_generation WHERE number < ?1";
        tx.execute(sql, [row.number])?;
    }
    let sql = "INSERT INTO book_generation
                   (number, version, is_base, last_seq, parts, records, checksum)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.prepare_cached(sql)?.execute((
        row.number,
        row.version,
        row.is_base,
        row.last_seq.0,
        row.parts,
        row.records,
        row.checksum,
    ))?;
    Ok(())
}

/// The number of members.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn member_count(connection: &Connection) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM member";
    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Passes the operator's id of every member to `take`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn ids(
    connection: &Connection,
    mut take: impl FnMut(MemberNumber, ProgramNumber, ExternalUserId),
) -> Result<(), Error> {
    let sql = "SELECT id, program_id, external_user_id FROM member";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (number, program, id) = row.try_into()?;
        take(
            MemberNumber(number),
            ProgramNumber(program),
            ExternalUserId::stored(id),
        );
    }
    Ok(())
}

/// When the last tokens of members expire whom version 0.1.0 created, because its log does not
/// tell.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible time.
pub fn given_token_ends(
    connection: &Connection,
) -> Result<ByNumber<MemberNumber, Timestamp>, Error> {
    let sql = "SELECT id, token_expires_at FROM member WHERE token_expires_at IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut ends = ByNumber::default();
    while let Some(row) = rows.next()? {
        let (number, end): (i64, i64) = row.try_into()?;
        let end = Timestamp::from_millis(end).ok_or(Error::Impossible("end of a token"))?;
        ends.insert(MemberNumber(number), end);
    }
    Ok(ends)
}
