//! Codes that were sent to phones. A row is of use for a day: until then it counts towards the
//! limits of its member and its number.

use std::time::Duration;

use rusqlite::Connection;

use crate::domain::{Interest, MemberNumber, ProgramNumber, Timestamp};
use crate::store::tables::columns::{column, time};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// A keyed hash of a code or a number.
pub type CodeHash = [u8; 32];

/// How long a code counts towards the limits.
const COUNTED: Duration = Duration::from_hours(24);

/// A code that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneCode {
    /// Its row.
    pub number: i64,
    /// Of the code itself.
    pub code_hash: CodeHash,
    /// Of the phone number.
    pub number_hash: CodeHash,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether it verified the number.
    pub used: bool,
}

/// A code that counts towards a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedCode {
    /// Whether it was for the member.
    pub of_member: bool,
    /// Whether it was for the number.
    pub of_number: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// The wrong tries.
    pub tries: u32,
}

/// The codes of the last day for a member or a number, newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn counted(
    connection: &Connection,
    (program, member): (ProgramNumber, MemberNumber),
    number: &CodeHash,
    at: Timestamp,
) -> Result<Vec<CountedCode>, Error> {
    let sql = "SELECT member_id = ?2, number_hash = ?3, created_at, tries FROM phone_code
               WHERE program_id = ?1 AND (member_id = ?2 OR number_hash = ?3) AND created_at > ?4
               ORDER BY id DESC";
    let since = at.saturating_sub(COUNTED).as_millis();
    let values = (program.0, member.0, number, since);
    query::all(connection, sql, values, |row| {
        Ok(CountedCode {
            of_member: row.get(0)?,
            of_number: row.get(1)?,
            created_at: time(row, 2)?,
            tries: row.get(3)?,
        })
    })
}

/// The newest code of an interest.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn newest(connection: &Connection, interest: &Interest) -> Result<Option<PhoneCode>, Error> {
    const SELECT: &str = "SELECT id, code_hash, number_hash, created_at, used FROM phone_code
        WHERE interest = ?1 ORDER BY id DESC LIMIT 1";
    query::one(connection, SELECT, [interest.seq.0], |row| {
        Ok(PhoneCode {
            number: row.get(column!(SELECT, "id"))?,
            code_hash: row.get(column!(SELECT, "code_hash"))?,
            number_hash: row.get(column!(SELECT, "number_hash"))?,
            created_at: time(row, column!(SELECT, "created_at"))?,
            used: row.get(column!(SELECT, "used"))?,
        })
    })
}

/// Adds a code, and deletes those of the program that no longer count.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    interest: &Interest,
    (number, code): (&CodeHash, &CodeHash),
    at: Timestamp,
) -> Result<(), Error> {
    let sql = "DELETE FROM phone_code WHERE program_id = ?1 AND created_at <= ?2";
    let until = at.saturating_sub(COUNTED).as_millis();
    tx.run(sql, |statement| statement.execute((program.0, until)))?;
    let sql = "INSERT INTO phone_code (program_id, member_id, interest, number_hash, code_hash,
                   created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (member, interest) = (interest.member.0, interest.seq.0);
    let values = (program.0, member, interest, number, code, at.as_millis());
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Notes a try of a code: a wrong one, or the right one, which uses it up.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn note_try(tx: &Transaction<'_>, code: &PhoneCode, is_right: bool) -> Result<(), Error> {
    let sql = "UPDATE phone_code SET tries = tries + NOT ?2, used = ?2 WHERE id = ?1";
    tx.run(sql, |statement| statement.execute((code.number, is_right)))?;
    Ok(())
}
