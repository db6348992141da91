//! Files attached to messages, in pieces. A row without a message is an upload that is not
//! finished; no reader sees it.

mod rows;

pub use self::rows::{StoredFile, content};
pub(in crate::store) use self::rows::{attachment, bytes_in_all, bytes_of_day, discard, erase};
use crate::domain::{
    AttachmentNumber, FileName, FileType, MemberNumber, MessageNumber, ProgramNumber, Timestamp,
};
use crate::store::tables::settings;
use crate::store::{Counted, Error, Transaction};

/// A file that is about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewAttachment<'a> {
    /// The program that sends it.
    pub program: ProgramNumber,
    /// Its name.
    pub name: &'a FileName,
    /// Its type.
    pub file_type: FileType,
    /// Its size in bytes.
    pub size: i64,
    /// The hash of its bytes.
    pub sha256: &'a [u8; 32],
    /// The day for whose limit it counts: see [`super::conversations::day_of`].
    pub day: i64,
}

/// Begins an upload. Unless it is finished, it is discarded at a time by the server's clock.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn begin(
    tx: &mut Transaction<'_>,
    new: NewAttachment<'_>,
    discard_at: Timestamp,
) -> Result<AttachmentNumber, Error> {
    let sql = "INSERT INTO attachment (program_id, name, type, size, sha256, day, discard_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.run(sql, |statement| {
        statement.execute((
            new.program.0,
            new.name.as_str(),
            new.file_type.as_str(),
            new.size,
            new.sha256,
            new.day,
            discard_at.as_millis(),
        ))
    })?;
    count(tx, new.program, new.day, new.size);
    Ok(AttachmentNumber(tx.last_insert_rowid()))
}

/// Adds a piece, counted from 0.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn add_piece(
    tx: &Transaction<'_>,
    upload: AttachmentNumber,
    number: usize,
    data: &[u8],
) -> Result<(), Error> {
    let sql = "INSERT INTO attachment_piece (attachment_id, number, data) VALUES (?1, ?2, ?3)";
    let values = (upload.0, i64::try_from(number).unwrap_or(i64::MAX), data);
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Finishes an upload, whose pieces are all there: the file belongs to a message from now on.
///
/// # Errors
/// [`Error`] if the database fails or the upload was discarded.
pub fn publish(
    tx: &Transaction<'_>,
    upload: AttachmentNumber,
    message: MessageNumber,
) -> Result<(), Error> {
    let sql = "UPDATE attachment SET message_id = ?2, discard_at = NULL WHERE id = ?1";
    match tx.run(sql, |statement| statement.execute((upload.0, message.0)))? {
        1 => Ok(()),
        _ => Err(Error::Impossible("upload that was discarded")),
    }
}

/// Takes in that the attachments of a member are about to be erased.
pub(in crate::store) fn uncount(
    tx: &mut Transaction<'_>,
    member: MemberNumber,
) -> Result<(), Error> {
    for (program, day, size) in rows::bytes_of_member(tx, member)? {
        count(tx, program, day, -size);
    }
    Ok(())
}

/// Discards an upload that will not be finished, in the next step.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn give_up(tx: &Transaction<'_>, upload: AttachmentNumber) -> Result<(), Error> {
    let sql = "UPDATE attachment SET discard_at = 0 WHERE id = ?1 AND message_id IS NULL";
    tx.run(sql, |statement| statement.execute([upload.0]))?;
    Ok(())
}

/// Deletes some of the bytes that are due: those of unfinished uploads and of erased members.
/// Returns whether there may be more.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn discard_step(tx: &mut Transaction<'_>) -> Result<bool, Error> {
    let discarded = discard(tx, tx.clock_now())?;
    for (program, day, size) in discarded.uploads {
        count(tx, program, day, -size);
    }
    if discarded.has_erased {
        settings::want_scrub(tx)?;
        tx.words_erased();
    }
    Ok(discarded.has_more)
}

fn count(tx: &mut Transaction<'_>, program: ProgramNumber, day: i64, bytes: i64) {
    tx.count_change(Counted::Attached(program, day), bytes);
    tx.count_change(Counted::AttachedInAll, bytes);
}
