//! Reads files, and erases and deletes them.
//!
//! **Must not know** the open transaction, which reads some of this.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::domain::{
    Attachment, FileName, FileType, MemberNumber, MessageNumber, ProgramNumber, Timestamp,
};
use crate::store::Error;
use crate::store::tables::columns::{column, optional, word};
use crate::store::tables::query;

/// Pieces that one step discards at most (4 MiB).
const DISCARD_STEP: usize = 64;

const CONTENT: &str = "SELECT a.id, a.name, a.type, a.size FROM attachment a
    WHERE a.message_id = ?1 AND a.program_id = ?2 AND a.name IS NOT NULL";

/// A member's messages that are files, not erased yet.
const OF_MEMBER: &str =
    "(SELECT s.id FROM conversation c JOIN message s ON s.conversation_id = c.id
    WHERE c.member_id = ?1 AND s.body = '')";

/// A file with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name.
    pub name: FileName,
    /// Its type.
    pub file_type: FileType,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The file of a program's message, unless it was erased.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn content(
    connection: &Connection,
    program: ProgramNumber,
    message: MessageNumber,
) -> Result<Option<StoredFile>, Error> {
    // The row and its pieces are of one moment.
    let snapshot = connection.unchecked_transaction()?;
    let found = query::one(&snapshot, CONTENT, (message.0, program.0), |row| {
        let size: i64 = row.get(column!(CONTENT, "size"))?;
        let file = StoredFile {
            name: FileName::stored(row.get(column!(CONTENT, "name"))?),
            file_type: file_type(row, column!(CONTENT, "type"))?,
            bytes: Vec::with_capacity(usize::try_from(size).unwrap_or_default()),
        };
        Ok((row.get::<_, i64>(column!(CONTENT, "id"))?, file))
    })?;
    let Some((number, mut file)) = found else {
        return Ok(None);
    };
    let sql = "SELECT data FROM attachment_piece WHERE attachment_id = ?1 ORDER BY number";
    let mut statement = snapshot.prepare_cached(sql)?;
    let mut pieces = statement.query([number])?;
    while let Some(piece) = pieces.next()? {
        let data = piece.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        file.bytes.extend_from_slice(data);
    }
    Ok(Some(file))
}

/// Reads the attachment of a message from three columns: its type, which is NULL if there is none,
/// its name and its size.
pub(in crate::store) fn attachment(
    row: &Row<'_>,
    (kind, name, size): (usize, usize, usize),
) -> Result<Option<Attachment>, Error> {
    if row.get_ref(kind)? == ValueRef::Null {
        return Ok(None);
    }
    Ok(Some(Attachment {
        name: optional(row, name, FileName::stored)?,
        file_type: file_type(row, kind)?,
        size: row.get(size)?,
    }))
}

fn file_type(row: &Row<'_>, column: usize) -> Result<FileType, Error> {
    word(row, column, FileType::parse, "type of a file")
}

/// The bytes that count for a day of a program, those of unfinished uploads included.
pub(in crate::store) fn bytes_of_day(
    connection: &Connection,
    program: ProgramNumber,
    day: i64,
) -> Result<i64, Error> {
    let sql = "SELECT coalesce(sum(size), 0) FROM attachment WHERE program_id = ?1 AND day = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((program.0, day), |row| row.get(0))?)
}

/// The bytes of all attachments, those of unfinished uploads included.
pub(in crate::store) fn bytes_in_all(connection: &Connection) -> Result<i64, Error> {
    let sql = "SELECT coalesce(sum(size), 0) FROM attachment INDEXED BY attachment_by_day";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Erases the attachments of a member: their names, hashes and sizes now, their pieces in the steps
/// of [`discard_step`].
pub(in crate::store) fn erase(connection: &Connection, member: MemberNumber) -> Result<(), Error> {
    let sql = format!(
        "UPDATE attachment SET name = NULL, sha256 = NULL, size = 0, discard_at = 0
         WHERE message_id IN {OF_MEMBER}"
    );
    connection.execute(&sql, [member.0])?;
    Ok(())
}

/// The size of a member's files of each day, which are not erased yet.
pub(super) fn bytes_of_member(
    connection: &Connection,
    member: MemberNumber,
) -> Result<Vec<(ProgramNumber, i64, i64)>, Error> {
    let sql = format!(
        "SELECT program_id, day, sum(size) FROM attachment WHERE message_id IN {OF_MEMBER}
         GROUP BY program_id, day"
    );
    query::all(connection, &sql, [member.0], |row| {
        Ok((ProgramNumber(row.get(0)?), row.get(1)?, row.get(2)?))
    })
}

/// The result of a step.
#[derive(Debug, Default)]
pub(in crate::store) struct Discarded {
    /// The program, the day and the size of each discarded upload.
    pub(in crate::store) uploads: Vec<(ProgramNumber, i64, i64)>,
    /// Whether there were bytes of erased members.
    pub(in crate::store) has_erased: bool,
    /// Whether there may be more.
    pub(in crate::store) has_more: bool,
}

/// Deletes pieces that are due, a limited number, and the rows of unfinished uploads.
pub(in crate::store) fn discard(
    connection: &Connection,
    now: Timestamp,
) -> Result<Discarded, Error> {
    const DUE: &str = "SELECT id, message_id IS NULL AS is_upload, program_id, day, size
        FROM attachment WHERE discard_at <= ?1 ORDER BY discard_at LIMIT 1";
    let mut discarded = Discarded::default();
    let mut pieces = 0;
    while pieces < DISCARD_STEP {
        let due = query::one(connection, DUE, [now.as_millis()], |row| {
            let upload = (
                ProgramNumber(row.get(column!(DUE, "program_id"))?),
                row.get(column!(DUE, "day"))?,
                row.get(column!(DUE, "size"))?,
            );
            let is_upload: bool = row.get(column!(DUE, "is_upload"))?;
            Ok((
                row.get::<_, i64>(column!(DUE, "id"))?,
                is_upload.then_some(upload),
            ))
        })?;
        let Some((number, upload)) = due else {
            return Ok(discarded);
        };
        let sql = "DELETE FROM attachment_piece WHERE attachment_id = ?1";
        // A row without pieces counts as well.
        pieces += 1 + connection.prepare_cached(sql)?.execute([number])?;
        let sql = match upload {
            Some(_) => "DELETE FROM attachment WHERE id = ?1",
            None => "UPDATE attachment SET discard_at = NULL WHERE id = ?1",
        };
        connection.prepare_cached(sql)?.execute([number])?;
        discarded.has_erased |= upload.is_none();
        discarded.uploads.extend(upload);
    }
    discarded.has_more = true;
    Ok(discarded)
}
