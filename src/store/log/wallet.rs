//! The log as a wallet shows it.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};

use super::timestamp;
use crate::domain::{Entry, MemberNumber, Points, Reason, Seq, Timestamp};
use crate::store::{Error, Transaction};

/// A ledger entry as the wallet's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its place in the log.
    pub seq: Seq,
    /// When points moved.
    pub at: Timestamp,
    /// How.
    pub entry: Entry,
    /// How many.
    pub amount: Points,
    /// What the caller gave as the reason.
    pub reason: Option<Reason>,
    /// The public id of the redemption, on a spend and a refund.
    pub redemption: Option<uuid::Uuid>,
    /// The title of its offer.
    pub offer_title: Option<String>,
    /// What was in the wallet after it.
    pub balance_after: Points,
    /// The entry of the same wallet before it.
    pub previous: Option<Seq>,
}

type Columns = (
    i64,
    i64,
    i64,
    Option<String>,
    Value,
    Option<i64>,
    Option<String>,
    i64,
);

/// The ledger entries of one wallet from `start` back, newest first, at most `limit`. It follows
/// the chain from entry to entry, so that its cost does not depend on the length of any history.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn wallet_entries(
    connection: &Connection,
    member: MemberNumber,
    start: Seq,
    limit: usize,
) -> Result<Vec<LedgerRow>, Error> {
    let sql = "SELECT a.at, a.entry, a.amount, t.text, r.uuid, a.previous_seq, o.title,
                   a.received_after - a.spent_after
               FROM activity a LEFT JOIN redemption r ON r.id = a.redemption_id
                   LEFT JOIN offer o ON o.id = a.offer_id
                   LEFT JOIN log_text t ON t.seq = a.seq AND t.part = 1
               WHERE a.seq = ?1 AND a.member_id = ?2 AND a.entry IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let mut next = Some(start);
    let mut entries = Vec::new();
    while let Some(seq) = next.filter(|_| entries.len() < limit) {
        let found = statement
            .query_row((seq.0, member.0), |row| {
                let columns: Columns = row.try_into()?;
                Ok(columns)
            })
            .optional()?;
        let Some((at, number, amount, reason, uuid, previous, offer_title, balance)) = found else {
            break;
        };
        let redemption = match uuid {
            Value::Blob(bytes) => uuid::Uuid::from_slice(&bytes).ok(),
            _ => None,
        };
        entries.push(LedgerRow {
            seq,
            at: timestamp(at)?,
            entry: Entry::of_number(number).ok_or(Error::Impossible("ledger entry"))?,
            amount: Points::new(amount).ok_or(Error::Impossible("ledger entry"))?,
            reason: reason.map(Reason::stored),
            redemption,
            offer_title,
            balance_after: Points::new(balance).ok_or(Error::Impossible("balance"))?,
            previous: previous.map(Seq),
        });
        next = previous.map(Seq);
    }
    Ok(entries)
}

/// The entry that an entry of a wallet jumps to.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn jump_of(tx: &Transaction<'_>, seq: Seq) -> Result<Option<Seq>, Error> {
    let sql = "SELECT jump_seq FROM activity WHERE seq = ?1";
    let jump: Option<i64> = tx.run(sql, |s| s.query_row([seq.0], |row| row.get(0)))?;
    Ok(jump.map(Seq))
}
