//! Checks of the bytes of files against their rows.

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::findings::FINDINGS_MAX;
use crate::domain::{Attachment, FileType};
use crate::store::Error;
use crate::store::tables::columns::column;

/// The files of messages, erased ones without their name. The pieces of those that are about to be
/// discarded may be missing.
const FILES: &str = "SELECT id, name IS NULL AS is_erased, type, size, sha256 FROM attachment
    WHERE discard_at IS NULL ORDER BY id";

const PIECES: &str =
    "SELECT number, data FROM attachment_piece WHERE attachment_id = ?1 ORDER BY number";

/// Finds files whose pieces are not those of their size, type and hash.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn attachments(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(FILES)?;
    let mut pieces = connection.prepare(PIECES)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()?
        && findings.len() < FINDINGS_MAX
    {
        let number: i64 = row.get(column!(FILES, "id"))?;
        let found = Found::read(pieces.query([number])?)?;
        let wrong = if row.get(column!(FILES, "is_erased"))? {
            (found.count > 0).then_some("was erased, but they were not")
        } else {
            let kind: String = row.get(column!(FILES, "type"))?;
            let hash: Option<Vec<u8>> = row.get(column!(FILES, "sha256"))?;
            found.wrong_for(
                FileType::parse(&kind),
                row.get(column!(FILES, "size"))?,
                hash.as_deref(),
            )
        };
        if let Some(wrong) = wrong {
            findings.push(format!(
                "attachment row {number}, its rows of attachment_piece: the file {wrong}"
            ));
        }
    }
    Ok(findings)
}

/// The number of files that were erased.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erased_attachments(connection: &Connection) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM attachment WHERE name IS NULL";
    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// The pieces of a file.
struct Found {
    count: i64,
    size: i64,
    /// Whether they are numbered from 0, and all except the last one are full.
    is_in_order: bool,
    /// The first bytes.
    start: Vec<u8>,
    hash: Sha256,
}

impl Found {
    fn read(mut rows: rusqlite::Rows<'_>) -> Result<Self, Error> {
        let mut found = Self {
            count: 0,
            size: 0,
            is_in_order: true,
            start: Vec::new(),
            hash: Sha256::new(),
        };
        let full = i64::try_from(Attachment::PIECE_BYTES).unwrap_or(i64::MAX);
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let data = row.get_ref(1)?;
            let data = data.as_blob().map_err(rusqlite::Error::from)?;
            // All before it were full.
            found.is_in_order &= number == found.count && found.size == number * full;
            if found.count == 0 {
                found.start = data.iter().take(16).copied().collect();
            }
            found.count += 1;
            found.size += i64::try_from(data.len()).unwrap_or(i64::MAX);
            found.hash.update(data);
        }
        Ok(found)
    }

    /// What is wrong with the file, if anything is.
    fn wrong_for(
        self,
        kind: Option<FileType>,
        size: i64,
        sha256: Option<&[u8]>,
    ) -> Option<&'static str> {
        if !self.is_in_order || self.size != size {
            return Some("is not complete");
        }
        if !kind.is_some_and(|kind| kind.begins(&self.start)) {
            return Some("does not begin as one of its type");
        }
        let is_same = sha256 == Some(self.hash.finalize().as_slice());
        (!is_same).then_some("does not have its SHA-256")
    }
}
