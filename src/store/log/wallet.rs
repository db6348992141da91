//! Lists of a wallet's ledger entries.

use rusqlite::{Connection, Row};

use crate::domain::{Entry, EventKind, MemberNumber, Points, Reason, Seq, Timestamp, Wallet};
use crate::store::tables::columns::{column, optional, points, time};
use crate::store::{Error, Transaction};

/// A ledger entry in the list of a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its number in the log.
    pub seq: Seq,
    /// Its time.
    pub at: Timestamp,
    /// Its kind.
    pub entry: Entry,
    /// The number of points.
    pub amount: Points,
    /// The reason, if the caller gave one.
    pub reason: Option<Reason>,
    /// The public id of the redemption, for a spend and a refund.
    pub redemption: Option<uuid::Uuid>,
    /// The title of its offer.
    pub offer_title: Option<String>,
    /// The balance of the wallet after it.
    pub balance_after: i64,
}

/// A page of a wallet's ledger entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// The entries, newest first.
    pub entries: Vec<LedgerRow>,
    /// Where the next page starts, if there are further entries.
    pub next: Option<Seq>,
}

/// The most entries that are read for a page, those that it leaves out included.
const READ_MAX: usize = 10_000;

const ENTRY: &str = "SELECT a.at, a.entry, a.amount, t.text, r.uuid, a.previous_seq, o.title,
        a.kind, a.received_after, a.spent_after, coalesce(a.held_after, 0) AS held
    FROM activity a LEFT JOIN redemption r ON r.id = a.redemption_id
        LEFT JOIN offer o ON o.id = a.offer_id
        LEFT JOIN log_text t ON t.seq = a.seq AND t.part = 1
    WHERE a.seq = ?1 AND a.member_id = ?2 AND a.entry IS NOT NULL";

/// The ledger entries of a wallet from `start` back, newest first, at most `limit`, without those
/// that only move points between its buckets. `None` if it has no entry `start`. The query follows
/// the chain from entry to entry, so that its cost does not depend on the length of any history.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn wallet_entries(
    connection: &Connection,
    member: MemberNumber,
    start: Seq,
    limit: usize,
) -> Result<Option<LedgerPage>, Error> {
    let mut statement = connection.prepare_cached(ENTRY)?;
    let (mut next, mut read) = (Some(start), 0);
    let mut entries = Vec::new();
    while let Some(seq) = next.filter(|_| entries.len() < limit && read < READ_MAX) {
        let mut rows = statement.query((seq.0, member.0))?;
        let Some(row) = rows.next()? else {
            next = None;
            break;
        };
        read += 1;
        next = optional(row, column!(ENTRY, "previous_seq"), Seq)?;
        if row.get::<_, i64>(column!(ENTRY, "kind"))? != EventKind::WalletMoved.number() {
            entries.push(entry(seq, row)?);
        }
    }
    Ok((read > 0).then_some(LedgerPage { entries, next }))
}

fn entry(seq: Seq, row: &Row<'_>) -> Result<LedgerRow, Error> {
    let number: i64 = row.get(column!(ENTRY, "entry"))?;
    let redemption = row.get_ref(column!(ENTRY, "uuid"))?.as_blob().ok();
    let after = Wallet {
        received: points(row, column!(ENTRY, "received_after"))?,
        spent: points(row, column!(ENTRY, "spent_after"))?,
        held: points(row, column!(ENTRY, "held"))?,
        pending: Points::ZERO,
    };
    Ok(LedgerRow {
        seq,
        at: time(row, column!(ENTRY, "at"))?,
        entry: Entry::of_number(number).ok_or(Error::Impossible("ledger entry"))?,
        amount: points(row, column!(ENTRY, "amount"))?,
        reason: optional(row, column!(ENTRY, "text"), Reason::stored)?,
        redemption: redemption.and_then(|bytes| uuid::Uuid::from_slice(bytes).ok()),
        offer_title: row.get(column!(ENTRY, "title"))?,
        balance_after: after.balance(),
    })
}

/// The earlier entry that an entry of a wallet jumps to.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn jump_of(tx: &Transaction<'_>, seq: Seq) -> Result<Option<Seq>, Error> {
    let sql = "SELECT jump_seq FROM activity WHERE seq = ?1";
    let jump: Option<i64> = tx.look_up(sql, |s| s.query_row([seq.0], |row| row.get(0)))?;
    Ok(jump.map(Seq))
}
