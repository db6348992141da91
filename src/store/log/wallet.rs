//! Lists of a wallet's ledger entries.

use rusqlite::{Connection, Row};

use super::texts;
use crate::domain::{
    Account, Entry, EventKind, LotMoves, MemberNumber, PlacedEntry, Points, Position, Reason,
    RedemptionNumber, Seq, Timestamp, Wallet, jump_depth,
};
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

const PLACED: &str = "SELECT at, previous_seq, jump_seq, received_after, spent_after,
        coalesce(held_after, 0) AS held, coalesce(deferred_after, 0) AS deferred
    FROM activity WHERE seq = ?1 AND member_id = ?2 AND entry IS NOT NULL";

/// The newest ledger entry of a wallet that is not later than a time. `newest` is the newest of
/// all. The number of rows that it reads grows with the logarithm of the number of entries.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn newest_entry_by(
    connection: &Connection,
    (member, newest): (MemberNumber, Seq),
    time: Timestamp,
) -> Result<Option<PlacedEntry>, Error> {
    let mut statement = connection.prepare_cached(PLACED)?;
    let mut find = |seq: Seq| {
        let mut rows = statement.query((seq.0, member.0))?;
        let row = rows.next()?;
        placed(
            seq,
            row.ok_or(Error::Impossible("chain of ledger entries"))?,
        )
    };
    find(newest)?.newest_by(time, find)
}

fn placed(seq: Seq, row: &Row<'_>) -> Result<PlacedEntry, Error> {
    Ok(PlacedEntry {
        seq,
        at: time(row, column!(PLACED, "at"))?,
        position: Position {
            previous: optional(row, column!(PLACED, "previous_seq"), Seq)?,
            jump: optional(row, column!(PLACED, "jump_seq"), Seq)?,
            received: points(row, column!(PLACED, "received_after"))?,
            spent: points(row, column!(PLACED, "spent_after"))?,
            held: points(row, column!(PLACED, "held"))?,
            deferred: points(row, column!(PLACED, "deferred"))?,
        },
    })
}

/// What a redemption took from the lots of an account, and what it gave back so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    /// The lots that it took points from, if the account had lots then.
    pub lots: Option<LotMoves>,
    /// The points that were restored.
    pub restored: Points,
}

/// What the ledger entries of a redemption took and restored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn spent_on(tx: &Transaction<'_>, redemption: RedemptionNumber) -> Result<Spent, Error> {
    let sql = "SELECT entry, amount, lots FROM activity
               WHERE redemption_id = ?1 AND entry IS NOT NULL ORDER BY seq";
    let rows: Vec<(i64, i64, Option<Vec<u8>>)> = tx.look_up(sql, |statement| {
        let rows = statement.query_map([redemption.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        rows.collect()
    })?;
    let mut spent = Spent::default();
    let mut restored = 0;
    for (entry, amount, lots) in rows {
        match Entry::of_number(entry) {
            Some(Entry::Spend) => {
                let parse = |bytes: Vec<u8>| LotMoves::parse(&bytes);
                spent.lots = lots.and_then(parse);
            }
            Some(Entry::Refund) => restored += amount,
            _ => return Err(Error::Impossible("ledger entry of a redemption")),
        }
    }
    spent.restored = Points::new(restored).ok_or(Error::Impossible("number of points"))?;
    Ok(spent)
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

/// The reason of the ledger entry with a number in its account. The number of rows that this reads
/// grows with the logarithm of the distance.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn reason_of(
    tx: &Transaction<'_>,
    account: &Account,
    number: u64,
) -> Result<Option<Reason>, Error> {
    let missing = || Error::Impossible("chain of ledger entries");
    let sql = "SELECT previous_seq, jump_seq FROM activity WHERE seq = ?1";
    let (mut place, mut seq) = (account.entries, account.last.ok_or_else(missing)?);
    while place > number {
        let links = tx.look_up(sql, |statement| {
            statement.query_row([seq.0], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        let (previous, jump): (Option<i64>, Option<i64>) = links;
        let far = jump_depth(place);
        let next = if far >= number { jump } else { previous };
        place = if far >= number { far } else { place - 1 };
        seq = Seq(next.ok_or_else(missing)?);
    }
    Ok(texts::find(tx, seq, texts::REASON)?.map(Reason::stored))
}
