//! The ledger entries of an account, by their numbers in it and by time: each is found in a number
//! of steps that grows with the logarithm of the distance.

use rusqlite::Connection;

use crate::domain::{Account, Seq, Timestamp, jump_depth};
use crate::store::Error;

/// A ledger entry on the way to another one.
struct Step {
    number: u64,
    seq: i64,
    at: i64,
    previous: Option<i64>,
    jump: Option<i64>,
}

impl Step {
    fn read(connection: &Connection, number: u64, seq: i64) -> Result<Self, Error> {
        let sql = "SELECT at, previous_seq, jump_seq FROM activity WHERE seq = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let (at, previous, jump) = statement.query_row([seq], |row| row.try_into())?;
        Ok(Self {
            number,
            seq,
            at,
            previous,
            jump,
        })
    }

    /// The newest entry of an account, if it has any.
    fn newest(connection: &Connection, account: &Account) -> Result<Option<Self>, Error> {
        let last = account.last;
        last.map(|seq| Self::read(connection, account.entries, seq.0))
            .transpose()
    }

    fn jump(&self, connection: &Connection) -> Result<Option<Self>, Error> {
        let number = jump_depth(self.number);
        self.jump
            .map(|seq| Self::read(connection, number, seq))
            .transpose()
    }

    fn previous(&self, connection: &Connection) -> Result<Option<Self>, Error> {
        self.previous
            .map(|seq| Self::read(connection, self.number - 1, seq))
            .transpose()
    }
}

/// The entry with a number in its account.
///
/// # Errors
/// [`Error`] if the database fails or the account has no such entry.
pub fn entry_of_account(
    connection: &Connection,
    account: &Account,
    number: u64,
) -> Result<Seq, Error> {
    let mut step = Step::newest(connection, account)?;
    while let Some(entry) = step {
        if entry.number == number {
            return Ok(Seq(entry.seq));
        }
        step = if jump_depth(entry.number) >= number {
            entry.jump(connection)?
        } else {
            entry.previous(connection)?
        };
    }
    Err(Error::Impossible("number of a ledger entry"))
}

/// The number in its account of the newest entry at or before a time; 0 if there is none.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn last_entry_at(
    connection: &Connection,
    account: &Account,
    at: Timestamp,
) -> Result<u64, Error> {
    let mut step = Step::newest(connection, account)?;
    while let Some(entry) = step {
        if entry.at <= at.as_millis() {
            return Ok(entry.number);
        }
        let jump = entry.jump(connection)?;
        step = match jump.filter(|jump| jump.at > at.as_millis()) {
            Some(jump) => Some(jump),
            None => entry.previous(connection)?,
        };
    }
    Ok(0)
}

/// What the caller called the purpose of a ledger entry.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn reference_of(connection: &Connection, seq: Seq) -> Result<Option<String>, Error> {
    let sql = "SELECT name FROM activity WHERE seq = ?1 AND entry IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([seq.0], |row| row.get(0))?)
}

/// The time of a row of the log, if it exists.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn time_of(connection: &Connection, seq: Seq) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT at FROM activity WHERE seq = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([seq.0])?;
    let at: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
    Ok(at.and_then(Timestamp::from_millis))
}
