//! Texts that people wrote, in a table next to the log, so that they can be erased.

use rusqlite::{Connection, OptionalExtension as _};

use super::chain::{self, Hash, SALT_BYTES};
use crate::domain::{Event, MemberNumber, Reason, Seq};
use crate::store::Error;
use crate::store::writer::{Prepared, run};

/// The number of the text that is the reason of a ledger entry.
pub(in crate::store) const REASON: i64 = 1;

/// A text that is about to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct NewText<'a> {
    pub(in crate::store) part: i64,
    pub(in crate::store) text: &'a str,
    salt: [u8; SALT_BYTES],
}

impl<'a> NewText<'a> {
    /// A text with a new salt.
    ///
    /// # Panics
    /// If the operating system provides no random bytes.
    pub(in crate::store) fn new(part: i64, text: &'a str) -> Self {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).expect("the system provides random bytes");
        Self { part, text, salt }
    }

    /// The commitment that the chain covers.
    pub(in crate::store) fn commitment(&self) -> Hash {
        chain::commitment(&self.salt, self.text)
    }

    /// The salt.
    pub(in crate::store) fn salt(&self) -> &[u8] {
        &self.salt
    }
}

/// The text of an event, if it has one.
pub(super) fn of_event(event: &Event) -> Option<NewText<'_>> {
    let reason = event.ledger_entry()?.reason.as_ref()?;
    Some(NewText::new(REASON, reason.as_str()))
}

/// Stores a text of a row.
pub(super) fn insert(statements: &dyn Prepared, seq: Seq, text: &NewText<'_>) -> Result<(), Error> {
    let sql = "INSERT INTO log_text (seq, part, text, salt) VALUES (?1, ?2, ?3, ?4)";
    let values = (seq.0, text.part, text.text, text.salt);
    run(statements, sql, |statement| statement.execute(values))?;
    Ok(())
}

/// The numbers of a row's texts in rising order, each with its commitment.
pub(super) fn commitments(connection: &Connection, seq: Seq) -> Result<Vec<(i64, Hash)>, Error> {
    let sql = "SELECT part, text, salt, commitment FROM log_text WHERE seq = ?1 ORDER BY part";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([seq.0])?;
    let mut commitments = Vec::new();
    while let Some(row) = rows.next()? {
        let text: Option<(String, Vec<u8>)> = row.get::<_, Option<String>>(1)?.zip(row.get(2)?);
        let commitment = match text {
            Some((text, salt)) => chain::commitment(&salt, &text),
            None => row.get(3)?,
        };
        commitments.push((row.get(0)?, commitment));
    }
    Ok(commitments)
}

/// The reason of a ledger entry, if one was given and not erased.
pub(super) fn reason(connection: &Connection, seq: Seq) -> Result<Option<Reason>, Error> {
    let sql = "SELECT text FROM log_text WHERE seq = ?1 AND part = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((seq.0, REASON))?;
    let text: Option<Option<String>> = rows.next()?.map(|row| row.get(0)).transpose()?;
    Ok(text.flatten().map(Reason::stored))
}

/// Erases the texts of all ledger entries of a member. Their commitments stay, for the chain.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn erase_texts(
    connection: &Connection,
    member: MemberNumber,
    last: Option<Seq>,
) -> Result<(), Error> {
    let sql = "SELECT previous_seq FROM activity WHERE seq = ?1 AND member_id = ?2";
    let mut before = connection.prepare_cached(sql)?;
    let sql = "SELECT part, text, salt FROM log_text WHERE seq = ?1 AND text IS NOT NULL";
    let mut texts = connection.prepare_cached(sql)?;
    let sql = "UPDATE log_text SET text = NULL, salt = NULL, commitment = ?3
               WHERE seq = ?1 AND part = ?2";
    let mut erase = connection.prepare_cached(sql)?;
    let mut next = last;
    while let Some(seq) = next {
        let found: Vec<(i64, String, Vec<u8>)> = texts
            .query_map([seq.0], |row| row.try_into())?
            .collect::<Result<_, _>>()?;
        for (part, text, salt) in found {
            erase.execute((seq.0, part, chain::commitment(&salt, &text)))?;
        }
        let previous: Option<Option<i64>> = before
            .query_row((seq.0, member.0), |row| row.get(0))
            .optional()?;
        // A damaged chain is followed as far as it leads back.
        next = previous
            .flatten()
            .map(Seq)
            .filter(|previous| *previous < seq);
    }
    Ok(())
}
